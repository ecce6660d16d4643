"""A folder of ImageNet's images, labelled by their names: evaluation data that do not come with honed.

A name begins with its class's synset, as in ImageNet's archives ("n01440764_tench.JPEG"); the label is the synset's place among those of
the folder, which must show every class of the network.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from ..graph.errors import Error
from .photographs import SIDE, crops_of, normalise

CLASSES = 1000
SHORTER_SIDE = 256
"""To which images are scaled before their centre is cut out: how torchvision's networks are evaluated."""


@dataclass(frozen=True)
class LabelledImages:
    """paths: in order of their names. labels: [images], places of their classes."""

    paths: tuple[Path, ...]
    labels: np.ndarray

    def crops(self, per_image: int) -> Iterator[np.ndarray]:
        """As those of `photographs.crops`."""
        for path in self.paths:
            yield from crops_of(_load(path), path.name, per_image)

    def centres(self) -> Iterator[np.ndarray]:
        """The centre of every image: f32 [1, 3, 224, 224]."""
        return (normalise(_centre(_load(path))) for path in self.paths)


def labelled_images(folder: Path, classes: int = CLASSES) -> LabelledImages:
    """The images of a folder. Raises Error where their names do not show `classes` synsets."""
    paths = tuple(sorted(path for path in folder.glob("n*_*") if path.suffix.lower() in (".jpeg", ".jpg", ".png")))
    synsets = [path.name.split("_")[0] for path in paths]
    places = {synset: i for i, synset in enumerate(sorted(set(synsets)))}
    if len(places) != classes:
        raise Error(f"{folder}: the names of the images show {len(places)} classes (n01440764_tench.JPEG), expected {classes}")
    return LabelledImages(paths, np.array([places[synset] for synset in synsets]))


def _load(path: Path) -> Image.Image:
    with Image.open(path) as image:
        return image.convert("RGB")


def _centre(image: Image.Image) -> Image.Image:
    scale = SHORTER_SIDE / min(image.size)
    width, height = (round(side * scale) for side in image.size)
    left, top = (width - SIDE) // 2, (height - SIDE) // 2
    return image.resize((width, height), Image.Resampling.BILINEAR).crop((left, top, left + SIDE, top + SIDE))
