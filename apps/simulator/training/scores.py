"""Rates written weights on held-out frames: by PyTorch and the counter in metrics.py, and by `vkseg eval`."""

import json
import subprocess

import torch

import classes
import espnet
import trainer


def load_network(file):
    network = espnet.EspNet(classes.OUTPUTS)
    espnet.load_state(network, file)
    return network.eval()


def by_vkseg(vkseg, file, folder, size, device):
    command = [vkseg, "eval", "--images", folder / "leftImg8bit/val", "--labels", folder / "gtFine/val", "--label-ids",
               "--weights", file, "--size", f"{size[0]}x{size[1]}", "--json"]  # fmt: skip
    if device:
        command += ["--device", device]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def rate(file, folder, held_out, options):
    """Prints and keeps both ratings; 1 where they disagree by more than rounding can explain."""
    confusion = trainer.score(load_network(file), held_out, torch.device("cpu"))
    own = confusion.iou()
    theirs = by_vkseg(options.build / "bin/vkseg", file, folder, options.size, options.rate_on)
    result = {
        "frames": len(held_out),
        "pytorch": {"miou": confusion.mean_iou(), "pixel_accuracy": confusion.accuracy()},
        "vkseg": {key: theirs[key] for key in ("miou", "pixel_accuracy", "device", "precision", "pictures")},
        "classes": [],
    }
    print(f"{'class':15} {'share':>8} {'PyTorch':>9} {'vkseg':>9}")
    shares = confusion.labelled() / max(1, confusion.labelled().sum())
    for name, share, iou, entry in zip(classes.NAMES, shares, own, theirs["classes"]):
        iou = None if iou != iou else float(iou)
        result["classes"].append({"name": name, "share": float(share), "iou": iou, "iou_vkseg": entry["iou"]})
        print(f"{name:15} {100 * share:7.2f}% {percent(iou):>9} {percent(entry['iou']):>9}")
    print(f"{'mIoU':15} {'':8} {percent(result['pytorch']['miou']):>9} {percent(theirs['miou']):>9}")
    print(f"{'pixel accuracy':15} {'':8} {percent(confusion.accuracy()):>9} {percent(theirs['pixel_accuracy']):>9}")
    (options.output / "rating.json").write_text(json.dumps(result, indent=1) + "\n")
    difference = abs(result["pytorch"]["miou"] - theirs["miou"])
    if theirs["pictures"] != len(held_out) or difference > 0.001:
        print(f"the two ratings differ: {theirs['pictures']} and {len(held_out)} pictures, mIoU by {difference:.5f}")
        return 1
    return 0


def percent(value):
    return "-" if value is None else f"{100 * value:.2f}"
