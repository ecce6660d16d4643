"""Mean and variance of each channel of a tensor, streamed."""

from __future__ import annotations

import numpy as np


class ChannelMoments:
    """Mean and standard deviation over all axes but `axis`, in double precision, by the pairwise update of Chan, Golub and LeVeque
    (1979)."""

    def __init__(self, axis: int = 1) -> None:
        self._axis = axis
        self.count = 0
        self.mean = np.zeros(0)
        self._squares = np.zeros(0)

    def add(self, values: np.ndarray) -> None:
        """Counts f32 values [batch, channels, ...]."""
        rows = np.moveaxis(values, self._axis, 0).reshape(values.shape[self._axis], -1)
        mean = rows.mean(axis=1, dtype=np.float64)
        squares = np.square(rows - mean[:, None].astype(np.float32)).sum(axis=1, dtype=np.float64)
        count = rows.shape[1]
        if self.count == 0:
            self.count, self.mean, self._squares = count, mean, squares
            return
        total = self.count + count
        delta = mean - self.mean
        self._squares = self._squares + squares + delta**2 * (self.count * count / total)
        self.mean = self.mean + delta * (count / total)
        self.count = total

    @property
    def std(self) -> np.ndarray:
        """f64 [channels], of the values themselves (not an estimate of a larger population's)."""
        return np.sqrt(self._squares / max(self.count, 1))
