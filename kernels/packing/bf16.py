"""bfloat16 in NumPy: the upper halves of f32 numbers, as uint16. kernels/base/bf16.h has the arithmetic."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def to_bf16(values: NDArray[np.floating]) -> NDArray[np.uint16]:
    """Rounded to the nearest, ties to even; denormal numbers become zero, NaN a quiet NaN."""
    real = np.ascontiguousarray(values, np.float32)
    bits = real.view(np.uint32)
    rounded = (bits + (0x7FFF + (bits >> 16 & 1))) >> 16
    rounded = np.where(np.isnan(real), bits >> 16 | 0x40, rounded)
    return np.where(np.abs(real) < np.finfo(np.float32).tiny, bits >> 16 & 0x8000, rounded).astype(np.uint16)


def from_bf16(values: NDArray[np.generic]) -> NDArray[np.float32]:
    """Exact."""
    return (values.astype(np.uint32) << 16).view(np.float32)
