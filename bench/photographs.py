"""Crops of photographs that come with scikit-image: calibration and evaluation data of ImageNet networks, without a download.

The photographs of both parts are different ones; the two views of the motorcycle are on the same side.
"""

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from ..graph.errors import Error

CALIBRATION = (
    "astronaut.png", "brick.png", "camera.png", "grass.png", "ihc.png", "moon.png", "motorcycle_left.png", "motorcycle_right.png",
)  # fmt: skip
EVALUATION = ("chelsea.png", "coffee.png", "coins.png", "gravel.png", "hubble_deep_field.jpg", "retina.jpg", "rocket.jpg")

SIDE = 224
MEAN = np.array([0.485, 0.456, 0.406], np.float32)
STD = np.array([0.229, 0.224, 0.225], np.float32)


def crops(names: tuple[str, ...], per_photograph: int) -> Iterator[np.ndarray]:
    """`per_photograph` crops of each photograph: f32 [1, 3, 224, 224], normalised as torchvision's networks want them.

    Crops are drawn like the training crops of ImageNet: 20 to 100 % of the photograph's area, side ratios of 3:4 to 4:3, half
    of them mirrored; the same ones every time.
    """
    for name in names:
        yield from crops_of(load_photograph(name), name, per_photograph)


def crops_of(image: Image.Image, name: str, count: int) -> Iterator[np.ndarray]:
    """`count` crops of one RGB image, drawn by its name."""
    rng = np.random.default_rng(list(name.encode()))
    for _ in range(count):
        crop = image.resize((SIDE, SIDE), Image.Resampling.BILINEAR, box=_draw_box(image.size, rng), reducing_gap=2.0)
        yield normalise(ImageOps.mirror(crop) if rng.random() < 0.5 else crop)


def normalise(image: Image.Image) -> np.ndarray:
    """An RGB image as f32 [1, 3, H, W]."""
    pixels = (np.asarray(image, np.float32) / 255 - MEAN) / STD
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[None])


def load_photograph(name: str) -> Image.Image:
    """One of the photographs, RGB. Raises Error where scikit-image is not installed or came without it."""
    spec = find_spec("skimage")
    if spec is None or spec.origin is None:
        raise Error("the demo needs scikit-image, whose photographs it uses: pip install 'honed[demo]'")
    path = Path(spec.origin).parent / "data" / name
    if not path.is_file():
        raise Error(f"{path}: no such photograph in this version of scikit-image")
    with Image.open(path) as image:
        return image.convert("RGB")


def _draw_box(size: tuple[int, int], rng: np.random.Generator) -> tuple[float, float, float, float]:
    width, height = size
    area = rng.uniform(0.2, 1.0) * width * height
    ratio = np.exp(rng.uniform(np.log(3 / 4), np.log(4 / 3)))
    w, h = min(width, np.sqrt(area * ratio)), min(height, np.sqrt(area / ratio))
    left, top = rng.uniform(0, width - w), rng.uniform(0, height - h)
    return (float(left), float(top), float(left + w), float(top + h))
