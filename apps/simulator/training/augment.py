"""Random crops and strong changes of colour, sharpness and noise, so that a network which has only ever seen drawn
streets does not hang on the way they are drawn."""

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

import classes

ASPECT = 0.12
LUMINANCE = np.array([0.299, 0.587, 0.114])


@dataclass
class Style:
    """Size of the crops, range of their scale against the frame, and the share that more than cropping is done to."""

    size: tuple
    scale: tuple
    strong: float


def crop(rng, picture, labels, style):
    """A part of the frame at a random scale, flipped half of the time. A part that would be larger than the frame is
    the largest that fits."""
    frame_height, frame_width = labels.shape
    width, height = style.size
    scale = np.exp(rng.uniform(*np.log(style.scale)))
    aspect = np.exp(rng.uniform(-ASPECT, ASPECT))
    box_width = min(frame_width, width / scale * aspect)
    box_height = min(frame_height, height / scale / aspect)
    left = rng.uniform(0, frame_width - box_width)
    top = rng.uniform(0, frame_height - box_height)
    box = (left, top, left + box_width, top + box_height)
    image = Image.fromarray(picture).resize((width, height), Image.Resampling.BILINEAR, box)
    mask = Image.fromarray(labels).resize((width, height), Image.Resampling.NEAREST, box)
    if rng.random() < 0.5:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        mask = mask.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return image, np.asarray(mask)


def colour_matrix(rng):
    """Hue turned in the plane of chrominance, saturation scaled, as one 3x4 matrix on RGB."""
    angle = rng.normal(0, 0.25)
    saturation = rng.uniform(0.2, 1.6)
    to_yiq = np.array([LUMINANCE, [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])
    turn = np.array([
        [1, 0, 0],
        [0, saturation * np.cos(angle), -saturation * np.sin(angle)],
        [0, saturation * np.sin(angle), saturation * np.cos(angle)],
    ])  # fmt: skip
    matrix = np.linalg.inv(to_yiq) @ turn @ to_yiq
    return tuple(np.hstack([matrix, np.zeros((3, 1))]).ravel())


def tone_tables(rng, mean):
    """Gamma, contrast about the mean, brightness and white balance, one table of 256 for each channel."""
    levels = np.linspace(0, 1, 256)
    gamma = np.exp(rng.normal(0, 0.25))
    contrast = np.exp(rng.normal(-0.05, 0.25))
    target = np.clip(mean + rng.normal(0, 0.12), 0.15, 0.85)
    gain = np.exp(rng.normal(0, 0.08, 3))
    curve = (levels**gamma - mean**gamma) * contrast + target
    return [np.clip(curve * channel * 255 + 0.5, 0, 255).astype(np.uint8) for channel in gain]


def smooth_noise(rng, width, height, cells):
    """Values about 0 that change over about `cells` cells across the picture."""
    rows = max(2, cells * height // width)
    coarse = rng.normal(0, 1, (rows, cells)).astype(np.float32)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def surfaces(rng, pixels, labels):
    """Surfaces that are drawn in even colours get others, stains and shadows."""
    height, width = labels.shape
    if rng.random() < 0.5:
        gains = np.ones((256, 3), np.float32)
        gains[: classes.COUNT] = np.exp(rng.normal(0, 0.15, (classes.COUNT, 1)) + rng.normal(0, 0.06, (classes.COUNT, 3)))
        pixels *= gains[labels]
    if rng.random() < 0.6:
        stains = sum(smooth_noise(rng, width, height, cells) for cells in rng.integers(4, 96, 2))
        pixels *= (1 + rng.uniform(0.03, 0.16) * stains)[..., None]
    if rng.random() < 0.4:
        # Half planes of shade, as buildings throw them.
        x, y = np.meshgrid(np.linspace(-1, 1, width, dtype=np.float32), np.linspace(-1, 1, height, dtype=np.float32))
        angle = rng.uniform(0, 2 * np.pi)
        side = np.cos(angle) * x + np.sin(angle) * y - rng.uniform(-0.6, 0.6)
        shade = 1 / (1 + np.exp(-side * rng.choice([2.0, 8.0, 60.0])))
        pixels *= (1 - rng.uniform(0.15, 0.5) * shade)[..., None]
    if rng.random() < 0.15:
        haze = rng.uniform(0.1, 0.5)
        pixels *= 1 - haze
        pixels += haze * rng.uniform(120, 240)
    return pixels


def sensor(rng, image):
    """What lens, sensor and file format do to a picture."""
    chance = rng.random()
    if chance < 0.3:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.6)))
    elif chance < 0.45:
        factor = rng.uniform(1.3, 2.6)
        small = (max(1, int(image.width / factor)), max(1, int(image.height / factor)))
        image = image.resize(small, Image.Resampling.BILINEAR).resize(image.size, Image.Resampling.BILINEAR)
    elif chance < 0.6:
        image = image.filter(ImageFilter.UnsharpMask(rng.uniform(0.6, 2), int(rng.uniform(40, 160)), 0))
    if rng.random() < 0.5:
        pixels = np.asarray(image).astype(np.float32)
        strength = rng.uniform(1, 14)
        shape = pixels.shape if rng.random() < 0.5 else (*pixels.shape[:2], 1)
        pixels += strength * rng.standard_normal(shape, np.float32)
        image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    if rng.random() < 0.35:
        file = io.BytesIO()
        image.save(file, "JPEG", quality=int(rng.integers(15, 90)))
        image = Image.open(file).convert("RGB")
    return image


def augment(rng, picture, labels, style):
    """A crop of a frame as bytes (height, width, 3) and its labels; the same for the same state of `rng`."""
    image, labels = crop(rng, picture, labels, style)
    if rng.random() >= style.strong:
        # As drawn: what the network will mostly be asked about.
        return np.asarray(image), labels
    if rng.random() < 0.75:
        pixels = surfaces(rng, np.asarray(image).astype(np.float32), labels)
        image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    if rng.random() < 0.8:
        image = image.convert("RGB", colour_matrix(rng))
    if rng.random() < 0.9:
        red, green, blue = tone_tables(rng, np.asarray(image).mean() / 255)
        image = image.point([*red, *green, *blue])
    return np.asarray(sensor(rng, image)), labels
