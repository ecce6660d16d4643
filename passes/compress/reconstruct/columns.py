"""A layer's inputs as the columns that its weights are multiplied with: im2col, for any number of spatial dimensions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ..layers import Layer

PIECE = 1 << 24
"""Elements of columns that are held at a time; never less than those of one sample."""


def columns(layer: Layer, x: np.ndarray, y: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pairs ([group, k, n], [group, out / group, n]), f32: n columns of inputs and of outputs, so many at a time that they stay small.

    x and y are the layer's input and output for some samples, y without regard to what the layer computes. For weights
    W = layer.weight.reshape(group, out / group, k), the layer's output at a column is W · input + bias.
    """
    if layer.node.op != "Conv":
        depth, out = layer.weight.shape[1], layer.weight.shape[0]
        yield x.reshape(-1, depth).T[None], y.reshape(-1, out).T[None]
        return
    taps = int(np.prod(layer.weight.shape[1:])) * layer.group
    step = max(PIECE // max(taps * int(np.prod(y.shape[2:])), 1), 1)
    for start in range(0, len(x), step):
        yield _unfold(layer, x[start : start + step]), _channels_first(y[start : start + step], layer.group)


def _unfold(layer: Layer, x: np.ndarray) -> np.ndarray:
    kernel = layer.weight.shape[2:]
    rank = len(kernel)
    strides = [int(s) for s in layer.node.attrs.get("strides", [1] * rank)]
    dilations = [int(d) for d in layer.node.attrs.get("dilations", [1] * rank)]
    extents = [(k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True)]
    begins, ends = conv_pads(layer, x.shape[2:], strides, extents)
    planes = np.moveaxis(np.pad(x, [(0, 0), (0, 0), *zip(begins, ends, strict=True)]), 1, 0)
    sizes = [(n - e) // s + 1 for n, e, s in zip(planes.shape[2:], extents, strides, strict=True)]
    result = np.empty((x.shape[1], *kernel, len(x), *sizes), np.float32)
    every = slice(None)
    for tap in np.ndindex(*kernel):
        window = [slice(t * d, t * d + (n - 1) * s + 1, s) for t, d, n, s in zip(tap, dilations, sizes, strides, strict=True)]
        source, target = (every, every, *window), (every, *tap)
        result[target] = planes[source]
    return result.reshape(layer.group, x.shape[1] // layer.group * int(np.prod(kernel)), -1)


def _channels_first(y: np.ndarray, group: int) -> np.ndarray:
    return np.ascontiguousarray(np.moveaxis(y, 1, 0)).reshape(group, y.shape[1] // group, -1)


def conv_pads(layer: Layer, sizes: Sequence[int], strides: Sequence[int], extents: Sequence[int]) -> tuple[list[int], list[int]]:
    """The padding before and behind every spatial dimension, `auto_pad` worked out for inputs of `sizes`."""
    auto = layer.node.attrs.get("auto_pad", "NOTSET")
    auto = auto.decode() if isinstance(auto, bytes) else auto
    rank = len(extents)
    if auto not in ("SAME_UPPER", "SAME_LOWER"):
        pads = [0] * 2 * rank if auto == "VALID" else [int(p) for p in layer.node.attrs.get("pads", [0] * 2 * rank)]
        return pads[:rank], pads[rank:]
    totals = [max((-(-n // s) - 1) * s + e - n, 0) for n, s, e in zip(sizes, strides, extents, strict=True)]
    small, large = [total // 2 for total in totals], [total - total // 2 for total in totals]
    return (small, large) if auto == "SAME_UPPER" else (large, small)
