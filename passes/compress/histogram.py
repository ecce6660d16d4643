"""Streaming statistics of one tensor, and the quantisation ranges that they suggest."""

from __future__ import annotations

import numpy as np

# Half of the bins lie below 0. Growth halves the resolution at most once too often: the range uses at least 1024 bins of one side.
BINS = 8192


class Histogram:
    """Counts of values in bins over [-reach, reach), where reach is a power of two that doubles when a value lies outside: pairs of
    bins merge, no sample is kept. 0 stays an edge. Exact zeros are counted apart, since quantisation keeps them exactly."""

    def __init__(self) -> None:
        self.counts = np.zeros(BINS, np.int64)
        self.reach = 0.0
        self.zeros = 0
        self.lo, self.hi = np.inf, -np.inf

    def add(self, values: np.ndarray) -> None:
        """Counts finite f32 values."""
        if values.size == 0:
            return
        lo, hi = float(values.min()), float(values.max())
        self.lo, self.hi = min(self.lo, lo), max(self.hi, hi)
        nonzero = np.count_nonzero(values)
        self.zeros += values.size - nonzero
        magnitude = max(-lo, hi)
        if magnitude > 0:
            self._grow(magnitude)
            index = np.floor(values.ravel() * np.float32(BINS / 2 / self.reach)).astype(np.int32)
            index += BINS // 2
            self.counts += np.bincount(index, minlength=BINS)
            self.counts[BINS // 2] -= values.size - nonzero

    @property
    def total(self) -> int:
        """Values counted, zeros included."""
        return int(self.counts.sum()) + self.zeros

    def _grow(self, magnitude: float) -> None:
        if self.reach == 0.0:
            self.reach = 2.0 ** np.ceil(np.log2(max(magnitude, 2.0**-100)))
        while self.reach <= magnitude:
            self.reach *= 2
            merged = self.counts.reshape(-1, 2).sum(1)
            self.counts = np.zeros(BINS, np.int64)
            self.counts[BINS // 4 : BINS // 4 + BINS // 2] = merged

    def edges(self) -> np.ndarray:
        """The BINS + 1 borders of the bins."""
        return np.linspace(-self.reach, self.reach, BINS + 1)


def minmax_range(histogram: Histogram) -> tuple[float, float]:
    """The smallest range that holds 0 and every value."""
    return min(histogram.lo, 0.0), max(histogram.hi, 0.0)


def percentile_range(histogram: Histogram, percentile: float) -> tuple[float, float]:
    """The range that holds 0 and leaves out (100 - percentile) % of the values on each side, linear within a bin."""
    lo, hi = minmax_range(histogram)
    if histogram.total == 0 or lo == hi:
        return lo, hi
    counts = histogram.counts.copy()
    counts[BINS // 2] += histogram.zeros
    cumulative = np.concatenate([[0], np.cumsum(counts)]).astype(np.float64)
    outside = (1 - percentile / 100) * cumulative[-1]
    edges = histogram.edges()
    above = _cross(cumulative[-1] - cumulative[::-1], edges[::-1], outside)
    below = _cross(cumulative, edges, outside)
    return max(lo, min(below, 0.0)), min(hi, max(above, 0.0))


def _cross(cumulative: np.ndarray, edges: np.ndarray, count: float) -> float:
    """Where a rising count reaches `count`: the last such place, so that empty bins at the end are left out."""
    bin_index = min(int(np.searchsorted(cumulative, count, side="right")), len(edges) - 1)
    low, high = cumulative[bin_index - 1], cumulative[bin_index]
    fraction = (count - low) / (high - low) if high > low else 0.0
    return float(edges[bin_index - 1] + fraction * (edges[bin_index] - edges[bin_index - 1]))


def mse_range(histogram: Histogram, levels: int = 255, steps: int = 128) -> tuple[float, float]:
    """The range within min-max, on a grid of steps x steps, with the least expected squared error of quantisation to levels + 1 values:
    step² / 12 for each nonzero value inside, the squared distance to the range for each value outside."""
    lo, hi = minmax_range(histogram)
    if lo == hi:
        return lo, hi
    edges = histogram.edges()
    centres = np.clip((edges[:-1] + edges[1:]) / 2, lo, hi)
    fractions = np.arange(1, steps + 1) / steps
    lows = lo * fractions if lo < 0 else np.zeros(1)
    highs = hi * fractions if hi > 0 else np.zeros(1)
    clipped_below, count_below = _clipping(-centres[::-1], histogram.counts[::-1], -lows)
    clipped_above, count_above = _clipping(centres, histogram.counts, highs)
    inside = histogram.counts.sum() - count_below[:, None] - count_above[None, :]
    step = (highs[None, :] - lows[:, None]) / levels
    cost = step**2 / 12 * inside + clipped_below[:, None] + clipped_above[None, :]
    row, column = np.unravel_index(int(np.argmin(cost)), cost.shape)
    return float(lows[row]), float(highs[column])


def entropy_range(histogram: Histogram, levels: int = 255, steps: int = 128, rounds: int = 2) -> tuple[float, float]:
    """The range whose quantised distribution tells least from the clipped one: least Kullback-Leibler divergence of the distribution over
    bins, values outside counted in the outermost bin, to the one that spreads every level's values evenly over the bins of that level
    which hold any (Migacz, 8-bit Inference with TensorRT, 2017). Upper and lower end are found in turn, in steps of min-max / `steps`."""
    low, high = minmax_range(histogram)
    if low == high:
        return low, high
    edges = histogram.edges()
    centres, counts = (edges[:-1] + edges[1:]) / 2, histogram.counts.astype(np.float64)
    fractions = np.arange(1, steps + 1) / steps
    lo, hi = low, high
    for _ in range(rounds):
        if high:
            hi = high * fractions[np.argmin([_divergence(centres, counts, lo, high * f, levels) for f in fractions])]
        if low:
            lo = low * fractions[np.argmin([_divergence(centres, counts, low * f, hi, levels) for f in fractions])]
    return float(lo), float(hi)


def _divergence(centres: np.ndarray, counts: np.ndarray, lo: float, hi: float, levels: int) -> float:
    inside = (centres >= lo) & (centres <= hi)
    if np.count_nonzero(counts[inside]) == 0:
        return np.inf
    kept = np.where(inside, counts, 0.0)
    first, last = np.flatnonzero(inside)[[0, -1]]
    clipped = kept.copy()
    clipped[first] += counts[:first].sum()
    clipped[last] += counts[last + 1 :].sum()
    level = np.clip(np.rint((centres - lo) / (hi - lo) * levels), 0, levels).astype(np.int64)
    used = kept > 0
    sums, members = np.bincount(level[used], kept[used], levels + 1), np.bincount(level[used], minlength=levels + 1)
    spread = np.where(used, sums[level] / np.maximum(members[level], 1), 0.0)
    seen = clipped > 0
    p, q = clipped[seen] / clipped.sum(), np.maximum(spread[seen], 1e-9) / spread.sum()
    return float((p * np.log(p / q)).sum())


def _clipping(centres: np.ndarray, counts: np.ndarray, limits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each limit: sum of (centre - limit)² over the values above it, and their number."""
    excess = np.maximum(centres[None, :] - limits[:, None], 0.0)
    return (excess**2) @ counts, (excess > 0) @ counts
