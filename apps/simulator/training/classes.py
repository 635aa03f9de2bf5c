"""The classes of Cityscapes, in the order of the network's scores (models/class_sets.cpp has the same list)."""

import numpy as np

NAMES = [
    "road", "sidewalk", "building", "wall", "fence", "pole", "traffic light", "traffic sign", "vegetation", "terrain",
    "sky", "person", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle",
]  # fmt: skip
LABEL_IDS = [7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33]
COUNT = len(NAMES)

# The published networks give a twentieth score, for what has no class. Here nothing is trained towards it; the network
# has it so that vkseg's defaults fit.
OUTPUTS = COUNT + 1

# Pixels without a class: no part of loss and scores.
IGNORED = 255


def train_ids(label_ids):
    """Label ids as label maps hold them to positions in NAMES, IGNORED for all others."""
    table = np.full(256, IGNORED, np.uint8)
    table[LABEL_IDS] = np.arange(COUNT, dtype=np.uint8)
    return table[label_ids]
