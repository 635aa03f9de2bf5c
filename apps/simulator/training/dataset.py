"""Frames and their label maps in the layout of Cityscapes, and the simulator that draws them."""

import copy
import json
import os
import subprocess
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import augment
import classes


class DataError(Exception):
    """One sentence about a file: what was expected, what was found."""


def draw(simulator, folder, split, count, seed, size):
    """Has the simulator draw `count` frames, unless the folder has them from the same command already."""
    command = ["--count", str(count), "--seed", str(seed), "--size", f"{size[0]}x{size[1]}", "--split", split]
    receipt = Path(folder) / f"{split}.json"
    if receipt.exists() and json.loads(receipt.read_text()) == command:
        return
    subprocess.run([simulator, "--dataset", str(folder), *command], check=True)
    partial = receipt.with_suffix(".partial")
    partial.write_text(json.dumps(command))
    os.replace(partial, receipt)


def find_pairs(folder, split):
    pictures = sorted((Path(folder) / "leftImg8bit" / split).glob("*/*_leftImg8bit.png"))
    if not pictures:
        raise DataError(f"'{folder}' has no pictures leftImg8bit/{split}/<city>/*_leftImg8bit.png")
    pairs = []
    for picture in pictures:
        name = picture.name.replace("_leftImg8bit.png", "_gtFine_labelIds.png")
        labels = Path(folder) / "gtFine" / split / picture.parent.name / name
        if not labels.exists():
            raise DataError(f"'{picture}' has no label map '{labels}'")
        pairs.append((picture, labels))
    return pairs


class Frames:
    """A split in memory: RGB bytes (N, H, W, 3) and train ids (N, H, W)."""

    def __init__(self, folder, split, size, limit=None):
        width, height = size
        pairs = find_pairs(folder, split)[:limit]
        self.names = [picture.name for picture, _ in pairs]
        self.pictures = np.empty((len(pairs), height, width, 3), np.uint8)
        self.labels = np.empty((len(pairs), height, width), np.uint8)
        for i, (picture, labels) in enumerate(pairs):
            image = Image.open(picture).convert("RGB")
            mask = Image.open(labels)
            for file, found in ((picture, image.size), (labels, mask.size)):
                if found != (width, height):
                    raise DataError(f"'{file}' is {found[0]}x{found[1]} pixels, expected {width}x{height}")
            self.pictures[i] = np.asarray(image)
            self.labels[i] = classes.train_ids(np.asarray(mask))

    def __len__(self):
        return len(self.names)

    def split(self, last):
        """Two parts of which the second has the last frames; both look into the same memory."""
        first = len(self) - last
        if last < 1 or first < 1:
            raise DataError(f"{len(self)} frames cannot give {last} to another part and keep one")
        parts = (copy.copy(self), copy.copy(self))
        for part, taken in zip(parts, (slice(first), slice(first, None))):
            part.names, part.pictures, part.labels = self.names[taken], self.pictures[taken], self.labels[taken]
        return parts

    def class_shares(self):
        """Share of each class among all pixels that have one."""
        counts = np.zeros(256, np.int64)
        for labels in self.labels:
            counts += np.bincount(labels.ravel(), minlength=256)
        return counts[: classes.COUNT] / max(1, counts[: classes.COUNT].sum())


def class_weights(shares, c=1.10):
    """1 / ln(c + p) as in the paper, and nothing for what has no class."""
    return torch.tensor([*(1 / np.log(c + shares)), 0.0], dtype=torch.float32)


class Crops(torch.utils.data.Dataset):
    """An endless row of augmented crops. Crop i depends on seed and i alone, so training can stop and go on."""

    def __init__(self, frames, style, seed):
        self.frames, self.style, self.seed = frames, style, seed

    def __len__(self):
        return 2**40

    def __getitem__(self, index):
        epoch, position = divmod(index, len(self.frames))
        order = np.random.default_rng((self.seed, 0, epoch)).permutation(len(self.frames))
        frame = order[position]
        rng = np.random.default_rng((self.seed, 1, index))
        return augment.augment(rng, self.frames.pictures[frame], self.frames.labels[frame], self.style)


def collate(samples):
    return np.stack([picture for picture, _ in samples]), torch.from_numpy(np.stack([l for _, l in samples])).long()


def batches(frames, style, seed, batch, first, every, workers):
    """Batches that begin with sample `first` and then with every `every`-th, without end."""

    def indices():
        start = first
        while True:
            yield list(range(start, start + batch))
            start += every

    return torch.utils.data.DataLoader(
        Crops(frames, style, seed), batch_sampler=indices(), num_workers=workers, collate_fn=collate
    )
