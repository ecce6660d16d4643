"""Packed weights of the Winograd convolution, and the matrices of its transforms."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_ROWS = 16
_POINTS: dict[int, tuple[float, ...]] = {2: (0.0, 1.0, -1.0), 4: (0.0, 0.75, -0.75, 1.5, -1.5)}
"""The points, beside infinity, at which F(m x m, 3 x 3) interpolates: kernels/conv_winograd_f32/transform.h."""


def winograd_matrices(tile: int) -> tuple[Array, Array, Array]:
    """A' [m, n], G [n, 3] and B' [n, n] of F(m x m, 3 x 3), n = m + 2, in float64:

        y = A' ((G w G') . (B' x B)) A,   y[i, j] = sum over k, l of w[k, l] x[i + k, j + l]

    by Toom-Cook interpolation (Lavin and Gray, arXiv 1509.09308): row i of G evaluates a filter at point i, over the product of the
    point's distances from the others, and row i of B' holds the coefficients of the polynomial that is zero at the others.
    """
    points = np.array(_POINTS[tile])
    size = points.size + 1
    evaluate = np.zeros((tile, size))
    evaluate[:, :-1] = points ** np.arange(tile)[:, None]
    evaluate[-1, -1] = 1
    weights, inputs = np.zeros((size, 3)), np.zeros((size, size))
    for i, point in enumerate(points):
        others = np.delete(points, i)
        weights[i] = point ** np.arange(3) / np.prod(point - others)
        inputs[i, :-1] = np.poly(others)[::-1]
    weights[-1, -1] = 1
    inputs[-1] = np.poly(points)[::-1]
    return evaluate, weights, inputs


def pack_conv_winograd_f32(weights: NDArray[np.float32], *, group: int = 1, tile: int = 4, **_: int) -> list[NDArray[np.generic]]:
    """[group][blocks of 16 output channels][n * n points][IC/group][16] of G w G': kernels/conv_winograd_f32/conv_winograd_f32.h.

    Raises ValueError for a kernel that is not 3x3.
    """
    out_channels, per_group, *kernel = weights.shape
    if kernel != [3, 3]:
        raise ValueError(f"kernel of {'x'.join(map(str, kernel))}, expected 3x3")
    g = winograd_matrices(tile)[1]
    rows = out_channels // group
    blocks = -(-rows // _ROWS)
    grouped = np.asarray(weights, np.float32).reshape(group, rows, per_group, 3, 3)
    packed = np.zeros((group, blocks, len(g) ** 2, per_group, _ROWS), np.float32)
    for block in range(blocks):  # one at a time: in float64, all of them would take a multiple of the packed weights
        part = grouped[:, block * _ROWS : (block + 1) * _ROWS].astype(np.float64)
        transformed = (g @ part @ g.T).reshape(*part.shape[:3], -1)
        packed[:, block, :, :, : part.shape[1]] = transformed.transpose(0, 3, 2, 1)
    return [packed]
