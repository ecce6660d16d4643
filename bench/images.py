"""A folder of images that do not come with honed: evaluation data of ImageNet networks.

Images whose names begin with a synset, as in ImageNet's archives ("n01440764_tench.JPEG"), have labels: the synset's place among those of
the folder, which must show every class of the network then.
"""

import re
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


SUFFIXES = (".jpeg", ".jpg", ".png")
SYNSET = re.compile(r"n\d+(?=_)")


@dataclass(frozen=True)
class Images:
    """paths: in order. labels: [images], places of their classes; None where the names have none."""

    paths: tuple[Path, ...]
    labels: np.ndarray | None

    def crops(self, per_image: int) -> Iterator[np.ndarray]:
        """As those of `photographs.crops`."""
        for path in self.paths:
            yield from crops_of(_load(path), path.name, per_image)

    def centres(self) -> Iterator[np.ndarray]:
        """The centre of every image: f32 [1, 3, 224, 224]."""
        return (normalise(_centre(_load(path))) for path in self.paths)


def images_in(folder: Path, classes: int = CLASSES) -> Images:
    """The images in a folder and those in it. Raises Error where there is none, and where names show synsets, but not `classes` of them."""
    paths = tuple(sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES))
    if not paths:
        raise Error(f"{folder}: no image, expected files {', '.join(SUFFIXES)}")
    synsets = [match.group() for match in (SYNSET.match(path.name) for path in paths) if match is not None]
    if not synsets:
        return Images(paths, None)
    places = {synset: i for i, synset in enumerate(sorted(set(synsets)))}
    if len(places) != classes or len(synsets) != len(paths):
        shown = f"the names of {len(synsets)} of {len(paths)} images show {len(places)} classes"
        raise Error(f"{folder}: {shown} (n01440764_tench.JPEG), expected {classes}, or none at all")
    return Images(paths, np.array([places[synset] for synset in synsets]))


def _load(path: Path) -> Image.Image:
    with Image.open(path) as image:
        return image.convert("RGB")


def _centre(image: Image.Image) -> Image.Image:
    scale = SHORTER_SIDE / min(image.size)
    width, height = (round(side * scale) for side in image.size)
    left, top = (width - SIDE) // 2, (height - SIDE) // 2
    return image.resize((width, height), Image.Resampling.BILINEAR).crop((left, top, left + SIDE, top + SIDE))
