#!/usr/bin/env python3
"""Trains ESPNet on frames that the simulator draws, and writes weights that vkseg loads.

    train.py --output DIR [--minutes 60]

draws frames from seeds, trains the encoder and then the whole network, writes DIR/espnet-simulator.safetensors and
DIR/training.csv, and rates the weights on cities that training never saw: by `vkseg eval`, and once more by a counter of
its own. Stopped at any time (Ctrl-C included) and started again with the same options, it goes on where it was.
"""

import argparse
import json
import signal
import subprocess
import sys
from pathlib import Path

import torch

import classes
import dataset
import preprocess
import scores
import weights_file
from trainer import Settings, Trainer

ROOT = Path(__file__).resolve().parents[3]


def size(text):
    width, _, height = text.partition("x")
    if not (width.isdigit() and height.isdigit() and int(width) % 8 == int(height) % 8 == 0 and int(width) * int(height)):
        raise argparse.ArgumentTypeError(f"'{text}': expected WIDTHxHEIGHT in multiples of 8, such as 512x256")
    return int(width), int(height)


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--output", type=Path, required=True, help="folder for frames, checkpoint, log and weights")
    add("--data", type=Path, help="frames that are there already (else drawn into OUTPUT/frames)")
    add("--build", type=Path, default=ROOT / "build/release", help="where bin/vkseg and bin/vkseg-simulator are")
    add("--frames", type=int, default=1500, help="frames to train on (%(default)s)")
    add("--held-out", type=int, default=200, help="frames of other cities to rate the weights on (%(default)s)")
    add("--validation", type=int, default=48, help="of FRAMES, the last, kept to choose the best state (%(default)s)")
    add("--seed", type=int, default=1000, help="of the first city to train on; also of training (%(default)s)")
    add("--held-out-seed", type=int, default=900000, help="of the first city that is held out (%(default)s)")
    add("--size", type=size, default=(512, 256), help="of the frames, and what the network sees (512x256)")
    add("--crop", type=size, default=(256, 128), help="of the parts that training sees (256x128)")
    add("--batch", type=int, default=4, help="crops of a step (%(default)s)")
    add("--minutes", type=float, default=60, help="of training in all, over all starts; 0 for no limit (%(default)s)")
    add("--encoder-steps", type=int, default=0, help="ends the first stage early (no limit)")
    add("--full-steps", type=int, default=0, help="ends the second stage early (no limit)")
    add("--learning-rate", type=float, default=2e-3, help="the highest (%(default)s)")
    add("--scale", type=float, nargs=2, default=(0.5, 1.6), metavar=("LOW", "HIGH"), help="range of crops (0.5 1.6)")
    add("--strong", type=float, default=0.5, help="share of crops with other colours, blur, noise (%(default)s)")
    add("--lovasz", type=float, default=0, help="weight of Lovasz-softmax in the second stage's loss (%(default)s)")
    add("--from", type=Path, dest="start_from", help="weights to go on from, without the first stage")
    add("--compile", action="store_true", help="bfloat16 and torch.compile: needs PyTorch 2 and a C++ compiler")
    add("--processes", type=int, default=1, help="that train together on a CPU, each with its batches (%(default)s)")
    add("--threads", type=int, default=1, help="of PyTorch in each process; another process augments (%(default)s)")
    add("--device", default="cuda" if torch.cuda.is_available() else "cpu", help="%(default)s here")
    add("--export-only", action="store_true", help="write and rate what the checkpoint has, train no further")
    add("--rate-on", default="", help="device of vkseg for the rating (its default)")
    options = parser.parse_args(arguments)
    if not 0 < options.scale[0] <= options.scale[1]:
        parser.error(f"--scale {options.scale[0]} {options.scale[1]}: expected 0 < LOW <= HIGH")
    if options.processes > 1 and options.device != "cpu":
        parser.error(f"--processes {options.processes} is for a CPU, but --device is {options.device}")
    return options


def commit():
    """Of the working tree, with a mark where files differ from it."""
    try:
        return subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty", "--abbrev=12"], check=True,
                              capture_output=True, text=True).stdout.strip()  # fmt: skip
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def metadata(options, trainer):
    """All values are text, as safetensors wants them. `input_size` and `notice` are read by vkseg."""
    return {
        "network": "espnet",
        "config": json.dumps({"alpha2": 2, "alpha3": 8, "classes": classes.OUTPUTS}),
        "classes": json.dumps([*classes.NAMES, "void"]),
        "input_size": f"{options.size[0]}x{options.size[1]}",
        "preprocess": json.dumps({"order": "BGR", "mean": preprocess.MEAN, "std": preprocess.STD,
                                  "formula": "(pixel - mean) / std / 255"}),
        "notice": "trained on frames of the vkseg simulator, not on real streets",
        "training_data": json.dumps({"frames": len(trainer.train_frames), "seed": options.seed,
                                     "held_out_seed": options.held_out_seed}),
        "training": json.dumps({"crops": trainer.samples, "minutes": round(trainer.total_elapsed / 60, 1),
                                "seed": options.seed, "torch": torch.__version__}),
        "commit": commit(),
        "license": "as vkseg",
    }  # fmt: skip


def export(options, trainer):
    state = trainer.best["state"] or trainer.export_state()
    file = options.output / "espnet-simulator.safetensors"
    weights_file.save(file, state, metadata(options, trainer))
    print(f"{file}: {file.stat().st_size} bytes, {trainer.total_elapsed / 60:.1f} minutes of training", flush=True)
    return file


def main(arguments=None):
    options = parse(arguments)
    torch.set_num_threads(options.threads)
    folder = options.data or options.output / "frames"
    options.output.mkdir(parents=True, exist_ok=True)
    if options.data is None:
        simulator = options.build / "bin/vkseg-simulator"
        dataset.draw(simulator, folder, "train", options.frames, options.seed, options.size)
        dataset.draw(simulator, folder, "val", options.held_out, options.held_out_seed, options.size)
    train = dataset.Frames(folder, "train", options.size, options.frames)
    # Which state is the best is told by frames that are neither trained on nor among those that rate the result.
    train, validation = train.split(options.validation)
    settings = Settings(crop=options.crop, batch=options.batch, learning_rate=options.learning_rate,
                        minutes=options.minutes, encoder_steps=options.encoder_steps, full_steps=options.full_steps,
                        seed=options.seed, start_from=options.start_from, lovasz=options.lovasz,
                        scale=tuple(options.scale), strong=options.strong, processes=options.processes,
                        device=options.device, compiled=options.compile)  # fmt: skip
    trainer = Trainer(train, validation, settings, options.output / "checkpoint.pt", options.output / "training.csv")
    shares = ", ".join(f"{n} {100 * s:.2f}%" for n, s in zip(classes.NAMES, train.class_shares()) if s > 0)
    print(f"{len(train)} frames to train on, {len(validation)} to choose by; {shares}", flush=True)
    if not options.export_only:

        def stop(*_):
            trainer.stopping = True

        signal.signal(signal.SIGINT, stop)
        signal.signal(signal.SIGTERM, stop)
        trainer.run()
        if trainer.stopping:
            print("stopped; the same command goes on from here", flush=True)
            return 0
    file = export(options, trainer)
    return scores.rate(file, folder, dataset.Frames(folder, "val", options.size, options.held_out), options)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (dataset.DataError, FloatingPointError, OSError, ValueError, subprocess.CalledProcessError) as reason:
        sys.exit(f"train.py: {reason}")
