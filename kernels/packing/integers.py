"""Integer weights that do not fit s8."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LIMIT = 510
"""The largest magnitude that packers take: a weight of u8 less its zero point, twice."""


def split_to_s8(weights: NDArray[np.integer]) -> list[NDArray[np.int8]]:
    """Integer weights as a sum of s8 arrays: one where all of them fit, else as many as it takes.

    Raises ValueError where they are no integers or reach beyond LIMIT.
    """
    if weights.dtype.kind not in "iu":
        raise ValueError(f"weights are {weights.dtype}, expected integers")
    largest = max(int(weights.max(initial=0)), -int(weights.min(initial=0)))
    if largest > LIMIT:
        raise ValueError(f"integer weights reach {largest}, expected at most {LIMIT}")
    if weights.dtype == np.int8:
        return [weights.view(np.int8)]
    rest = weights.astype(np.int16)
    parts: list[NDArray[np.int8]] = []
    while not parts or rest.any():
        part = np.clip(rest, -128, 127)
        parts.append(part.astype(np.int8))
        rest = rest - part
    return parts
