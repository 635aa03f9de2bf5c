#!/usr/bin/env python3
"""Draws streets of a few rectangles in the layout of Cityscapes, with the simulator's command line: so that training can
be tested in seconds, and without a simulator."""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

#           label id, colour
ROAD = (7, (90, 85, 95))
BUILDING = (11, (150, 110, 90))
SKY = (23, (150, 190, 235))
CAR = (26, (170, 30, 40))
UNLABELLED = (0, (0, 0, 0))


def draw(rng, width, height):
    labels = np.empty((height, width), np.uint8)
    picture = np.empty((height, width, 3), np.float32)

    def fill(rows, columns, what):
        labels[rows, columns], picture[rows, columns] = what[0], np.array(what[1]) + rng.normal(0, 12, 3)

    horizon = int(height * rng.uniform(0.4, 0.6))
    fill(slice(0, horizon), slice(None), SKY)
    fill(slice(horizon, None), slice(None), ROAD)
    for left in range(0, width, width // 4):
        fill(slice(int(horizon * rng.uniform(0.2, 0.7)), horizon), slice(left, left + width // 6), BUILDING)
    left, top = int(rng.uniform(0, width * 0.7)), int(rng.uniform(horizon - 4, height * 0.75))
    fill(slice(top, top + height // 6), slice(left, left + width // 5), CAR)
    fill(slice(height - 2, None), slice(None), UNLABELLED)
    return np.clip(picture + rng.normal(0, 6, picture.shape), 0, 255).astype(np.uint8), labels


def draw_split(folder, split, count, seed, width, height):
    for i in range(count):
        city = f"city{seed + i // 4}"
        picture, labels = draw(np.random.default_rng((seed, i)), width, height)
        for kind, suffix, image in (("leftImg8bit", "leftImg8bit", picture), ("gtFine", "gtFine_labelIds", labels)):
            target = Path(folder) / kind / split / city
            target.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(target / f"{city}_{i:06}_000000_{suffix}.png")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--size", required=True)
    parser.add_argument("--split", choices=("train", "val"), required=True)
    options = parser.parse_args()
    draw_split(options.dataset, options.split, options.count, options.seed, *map(int, options.size.split("x")))
