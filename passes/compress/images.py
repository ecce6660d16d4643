"""Folders of images as calibration data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...graph.errors import Error

if TYPE_CHECKING:
    from PIL import Image

SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"})


@dataclass(frozen=True)
class ImageOptions:
    """How an image becomes a tensor: shorter side resized to `resize` (bilinear; default: the larger of `size`), the centre of
    `size` = (height, width) cropped, scaled to 0...1, then (x - mean) / std per channel. One mean: grey; three: RGB."""

    size: tuple[int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    resize: int | None = None

    def __post_init__(self) -> None:
        if len(self.mean) not in (1, 3) or len(self.mean) != len(self.std):
            raise Error(f"images: {len(self.mean)} means and {len(self.std)} standard deviations, expected 1 or 3 of each")
        if min(self.size) < 1 or (self.resize is not None and self.resize < max(self.size)):
            raise Error(f"images: size {self.size} and resize {self.resize}, expected positive sizes and a resize no smaller")
        if not all(s > 0 for s in self.std):
            raise Error(f"images: std {self.std}, expected positive numbers")


class ImageFolder:
    """The images below a folder, in the order of their paths."""

    def __init__(self, folder: Path, options: ImageOptions):
        self._paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
        self._options = options
        if not self._paths:
            raise Error(f"{folder}: no images, expected files ending in {', '.join(sorted(SUFFIXES))}")

    def __len__(self) -> int:
        return len(self._paths)

    def batches(self, size: int, drop_last: bool) -> Iterator[np.ndarray]:
        """Arrays [up to size, C, H, W] f32; with drop_last, a last batch of fewer is left out."""
        for start in range(0, len(self._paths), size):
            paths = self._paths[start : start + size]
            if len(paths) == size or not drop_last:
                yield np.stack([load_image(path, self._options) for path in paths])


def load_image(path: Path, options: ImageOptions) -> np.ndarray:
    """One image as [C, H, W] f32. Raises Error for a file that is not an image."""
    try:
        from PIL import Image
    except ImportError as error:
        raise Error("images: need Pillow, which is not installed") from error
    try:
        with Image.open(path) as image:
            return image_tensor(image, options)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise Error(f"{path}: cannot be read as an image: {error}") from error


def image_tensor(image: Image.Image, options: ImageOptions) -> np.ndarray:
    """A Pillow image as [C, H, W] f32, as `options` say."""
    from PIL import Image

    height, width = options.size
    resize = options.resize or max(height, width)
    image = image.convert("RGB" if len(options.mean) == 3 else "L")
    factor = resize / min(image.size)
    image = image.resize((max(resize, round(image.width * factor)), max(resize, round(image.height * factor))), Image.Resampling.BILINEAR)
    left, top = (image.width - width) // 2, (image.height - height) // 2
    pixels = np.asarray(image.crop((left, top, left + width, top + height)), np.float32) / np.float32(255)
    pixels = pixels.reshape(height, width, len(options.mean))
    normalised = (pixels - np.asarray(options.mean, np.float32)) / np.asarray(options.std, np.float32)
    return np.ascontiguousarray(normalised.transpose(2, 0, 1))
