"""Range and spread of each channel of a tensor, streamed."""

from __future__ import annotations

import numpy as np

from .equalise_math import ChannelRanges
from .moments import ChannelMoments


class RangeByChannel:
    """Least and greatest value, and moments, over all axes but axis 1 (rank 2: the last axis, too)."""

    def __init__(self) -> None:
        self._moments = ChannelMoments()
        self._lo: np.ndarray | float = 0.0
        self._hi: np.ndarray | float = 0.0

    def add(self, values: np.ndarray) -> None:
        """Counts f32 values [batch, channels, ...]."""
        axes = (0, *range(2, values.ndim))
        self._moments.add(values)
        self._lo = np.minimum(self._lo, values.min(axis=axes))
        self._hi = np.maximum(self._hi, values.max(axis=axes))

    def ranges(self) -> ChannelRanges:
        return ChannelRanges(np.asarray(self._lo, np.float64), np.asarray(self._hi, np.float64), self._moments.std)
