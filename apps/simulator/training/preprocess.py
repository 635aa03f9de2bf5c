"""From pixels to the network's input, as the published weights of ESPNet take them and vkseg gives them."""

import numpy as np
import torch

# Blue, green, red.
MEAN = (72.3923111, 82.90893555, 73.15840149)
STD = (45.3192215, 46.15289307, 44.91483307)


def to_input(pictures):
    """RGB bytes (N, H, W, 3) to (N, 3, H, W) in BGR: (pixel - mean) / std / 255."""
    pixels = torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).flip(1).float()
    mean = torch.tensor(MEAN).view(1, 3, 1, 1)
    scale = 1 / (torch.tensor(STD).view(1, 3, 1, 1) * 255)
    return (pixels - mean) * scale
