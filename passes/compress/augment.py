"""More calibration images from few: turned, scaled, recoloured, and put together from several.

Solutions of reconstruction are only as general as the data that they are fitted to; labels do not matter here, so that changes may be
stronger than those of training (mosaics: Bochkovskiy et al., YOLOv4, arXiv 2004.10934).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np

from ...graph.errors import Error
from .calibration import Calibration
from .inputs import Feed, InputSpec

POOL = 64
"""Samples that mosaics take parts of, drawn evenly from all that were read so far."""
SCALES = (0.4, 2.0)
ANGLE = np.pi / 6
MOSAIC = 0.5
"""Share of variations that are put together from four samples."""
CONTRAST, CHANNEL, BRIGHTNESS = 0.25, 0.1, 0.25
"""Deviations of the logarithm of the contrast, of that of each channel's, and of the brightness in deviations of the channel."""
SATURATION = (0.2, 1.4)


def check_augmentable(specs: list[InputSpec]) -> None:
    """Raises Error unless the model has one input, of float images."""
    if len(specs) != 1 or len(specs[0].shape) != 4 or specs[0].dtype != np.float32:
        found = ", ".join(f"{spec.name} {spec.dtype} {list(spec.shape)}" for spec in specs)
        raise Error(f"augment: inputs are {found}, expected one of float32 [samples, channels, height, width]")


def augment(data: Calibration, specs: list[InputSpec], copies: int, limit: int) -> Calibration:
    """The first `limit` samples of `data`, every batch followed by `copies` variations of each of its samples; the same ones every time.

    A variation: one sample, or four in the quarters around a random point, each turned by up to ANGLE, scaled by a factor within SCALES,
    moved, mirrored at its borders and, every second time, as a whole; then with other contrast, brightness and saturation, within the
    range of values of the samples.
    """
    (spec,) = specs

    def feeds() -> Iterator[Feed]:
        rng = np.random.default_rng(0)
        pool: list[np.ndarray] = []
        seen = 0
        for feed in data.batches(limit):
            images = feed[spec.name]
            for image in images:
                keep(pool, image, seen, rng)
                seen += 1
            yield feed
            for _ in range(copies):
                yield {spec.name: np.stack([vary(image, pool, rng) for image in images])}

    samples = None if data.samples is None else min(data.samples, limit) * (1 + copies)
    return Calibration(feeds, specs, batch=sys.maxsize, samples=samples, repeatable=data.repeatable)


def keep(pool: list[np.ndarray], image: np.ndarray, seen: int, rng: np.random.Generator) -> None:
    """Reservoir sampling (Vitter, 1985): of a stream of which `seen` came before, the pool holds POOL, each as likely as any other."""
    if len(pool) < POOL:
        pool.append(image)
    elif (place := int(rng.integers(seen + 1))) < POOL:
        pool[place] = image


def vary(image: np.ndarray, pool: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """One variation [channels, height, width] of `image`, with parts of samples of the pool."""
    if rng.random() >= MOSAIC:
        return recolour(warp(image, rng), rng)
    height, width = image.shape[1:]
    row, column = (int(size * rng.uniform(0.3, 0.7)) for size in (height, width))
    result = np.empty_like(image)
    for i, (rows, columns) in enumerate((r, c) for r in (slice(row), slice(row, None)) for c in (slice(column), slice(column, None))):
        part = image if i == 0 else pool[int(rng.integers(len(pool)))]
        result[:, rows, columns] = warp(part, rng)[:, rows, columns]
    return recolour(result, rng)


def warp(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The image turned, scaled and moved, bilinear; what lies outside is its mirror image."""
    height, width = image.shape[1:]
    scale, angle = np.exp(rng.uniform(*np.log(SCALES))), rng.uniform(-ANGLE, ANGLE)
    flip = -1.0 if rng.random() < 0.5 else 1.0
    cos, sin = np.cos(angle) / scale, np.sin(angle) / scale
    rows, columns = np.meshgrid(np.arange(height) - (height - 1) / 2, np.arange(width) - (width - 1) / 2, indexing="ij")
    centre = [(size - 1) / 2 + size * rng.uniform(-0.25, 0.25) for size in (height, width)]
    y = mirror(centre[0] + cos * rows + sin * columns, height)
    x = mirror(centre[1] + flip * (cos * columns - sin * rows), width)
    return bilinear(image, y, x)


def mirror(positions: np.ndarray, size: int) -> np.ndarray:
    """Positions folded into 0 ... size - 1."""
    period = max(2 * (size - 1), 1)
    folded = np.mod(positions, period)
    return np.minimum(folded, period - folded) if size > 1 else np.zeros_like(positions)


def bilinear(image: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """image [channels, height, width] at real positions within it."""
    height, width = image.shape[1:]
    top, left = np.floor(y).astype(np.int64), np.floor(x).astype(np.int64)
    bottom, right = np.minimum(top + 1, height - 1), np.minimum(left + 1, width - 1)
    down, across = (y - top).astype(np.float32), (x - left).astype(np.float32)
    flat = image.reshape(len(image), -1)
    above = flat[:, top * width + left] * (1 - across) + flat[:, top * width + right] * across
    below = flat[:, bottom * width + left] * (1 - across) + flat[:, bottom * width + right] * across
    return above * (1 - down) + below * down


def recolour(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Other saturation, where there are three channels, contrast and brightness; clipped to the image's range of values."""
    lo, hi = image.min(), image.max()
    mean, std = image.mean(axis=(1, 2), keepdims=True), image.std(axis=(1, 2), keepdims=True)
    result = image
    if len(image) == 3:
        grey = image.mean(axis=0, keepdims=True)
        result = grey + (result - grey) * np.float32(rng.uniform(*SATURATION))
    gain = np.exp(CONTRAST * rng.standard_normal() + CHANNEL * rng.standard_normal((len(image), 1, 1)))
    result = (result - mean) * gain + mean + std * BRIGHTNESS * rng.standard_normal()
    return np.clip(result, lo, hi).astype(np.float32)
