"""Packed weights of the Winograd convolution, and the matrices of its transforms."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_ROWS = 16
_POINTS: dict[tuple[int, int], tuple[tuple[float, ...], bool]] = {
    (2, 3): ((0.0, 1.0, -1.0), True),
    (4, 3): ((0.0, 0.75, -0.75, 1.5, -1.5), True),
    (4, 4): ((0.0, 0.5, -0.5, 1.125, -1.125, 3.0, -3.0), False),
}
"""Where F(m x m, r x r) interpolates, by m and r: points, and whether at infinity as well. kernels/conv_winograd_f32/transform.h."""


def winograd_matrices(tile: int, taps: int = 3) -> tuple[Array, Array, Array]:
    """A' [m, n], G [n, r] and B' [n, n] of F(m x m, r x r), m = tile, r = taps, n = m + r - 1, in float64:

        y = A' ((G w G') . (B' x B)) A,   y[i, j] = sum over k, l of w[k, l] x[i + k, j + l]

    by Toom-Cook interpolation (Lavin and Gray, arXiv 1509.09308): row i of G evaluates a filter at point i, over the product of the
    point's distances from the others, and row i of B' holds the coefficients of the polynomial that is zero at the others.
    """
    finite, infinity = _POINTS[tile, taps]
    points = np.array(finite)
    count, size = points.size, points.size + infinity
    evaluate, weights, inputs = np.zeros((tile, size)), np.zeros((size, taps)), np.zeros((size, size))
    evaluate[:, :count] = points ** np.arange(tile)[:, None]
    for i, point in enumerate(points):
        others = np.delete(points, i)
        weights[i] = point ** np.arange(taps) / np.prod(point - others)
        inputs[i, :count] = np.poly(others)[::-1]
    if infinity:
        evaluate[-1, -1] = weights[-1, -1] = 1
        inputs[-1] = np.poly(points)[::-1]
    return evaluate, weights, inputs


def winograd_taps(height: int, width: int, stride: int) -> int | None:
    """r of the filters of a convolution's phases, K / stride rounded up; None for kernels that no Winograd convolution runs:
    kernels/conv_winograd_f32/conv_winograd_f32.h."""
    known = (stride == 1 and height == 3) or (stride == 2 and 5 <= height <= 8)
    return -(-height // stride) if known and height == width else None


def winograd_filters(weights: NDArray[np.float32], stride: int = 1) -> NDArray[np.float32]:
    """[OC, IC/group * stride * stride, r, r] of [OC, IC/group, K, K]: the filters of a convolution's phases, where a channel's follow each
    other (kernels/conv/conv.h). A phase with fewer taps than others ends in zeros.

    Raises ValueError where there are no `winograd_taps`.
    """
    out_channels, per_group, height, width = weights.shape
    taps = winograd_taps(height, width, stride)
    if taps is None:
        raise ValueError(f"kernel of {height}x{width} with stride {stride}, expected 3x3 with 1 or 5x5 to 8x8 with 2")
    filters = np.zeros((out_channels, per_group, stride, stride, taps, taps), np.float32)
    for y, x in np.ndindex(stride, stride):
        phase = weights[:, :, y::stride, x::stride]
        filters[:, :, y, x, : phase.shape[2], : phase.shape[3]] = phase
    return filters.reshape(out_channels, per_group * stride * stride, taps, taps)


def pack_conv_winograd_f32(
    weights: NDArray[np.float32], *, group: int = 1, tile: int = 4, stride_h: int = 1, **_: int
) -> list[NDArray[np.generic]]:
    """[group][blocks of 16 output channels][n * n points][filters per output channel][16] of G w G', w being winograd_filters:
    kernels/conv_winograd_f32/conv_winograd_f32.h.

    Raises ValueError for a kernel that it cannot run.
    """
    filters = winograd_filters(np.asarray(weights, np.float32), stride_h)
    out_channels, channels, taps = filters.shape[:3]
    g = winograd_matrices(tile, taps)[1]
    rows = out_channels // group
    blocks = -(-rows // _ROWS)
    grouped = filters.reshape(group, rows, channels, taps, taps)
    packed = np.zeros((group, blocks, len(g) ** 2, channels, _ROWS), np.float32)
    for block in range(blocks):  # one at a time: in float64, all of them would take a multiple of the packed weights
        part = grouped[:, block * _ROWS : (block + 1) * _ROWS].astype(np.float64)
        transformed = (g @ part @ g.T).reshape(*part.shape[:3], -1)
        packed[:, block, :, :, : part.shape[1]] = transformed.transpose(0, 3, 2, 1)
    return [packed]
