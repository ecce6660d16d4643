"""Factors that equalise channels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .layers import per_output_row

STRENGTHS = np.linspace(0.0, 1.0, 11)
# A channel that is weaker than this, relative to the strongest, is scaled as if it were not.
WEAKEST = 1e-3
# More noise than the least, relative to the signal and to the least, that is not worth a stronger factor: scaled channels have less room
# for values that calibration did not show.
WORTHWHILE, WORTHWHILE_SHARE = 2e-4, 0.1


@dataclass(frozen=True)
class ChannelRanges:
    """Of one tensor, per channel: least and greatest value (0 included), standard deviation; f64 [channels]."""

    lo: np.ndarray
    hi: np.ndarray
    std: np.ndarray

    @property
    def reach(self) -> np.ndarray:
        return np.maximum(-self.lo, self.hi)


def input_factors(factors: np.ndarray, out: int, group: int) -> np.ndarray:
    """[out, in / group]: the factor of the input channel that each weight reads; `factors` [in]."""
    return np.repeat(factors.reshape(group, 1, -1), out // group, axis=1).reshape(out, -1)


def scale_rows(weight: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Output channels times `factors` [out]."""
    return weight * per_output_row(factors, weight)


def scale_columns(weight: np.ndarray, factors: np.ndarray, group: int) -> np.ndarray:
    """Input channels times `factors` [in]; weight [out, in / group, *kernel]."""
    each = input_factors(factors, len(weight), group)
    return weight * each.reshape(each.shape + (1,) * (weight.ndim - 2))


def scaled_weight(weight: np.ndarray, made: np.ndarray | None, read: np.ndarray | None, group: int) -> np.ndarray:
    """f32: the weights of a layer whose output channels are to come times `made` [out], for inputs that come times `read` [in]."""
    result = weight.astype(np.float64)
    if read is not None:
        result = scale_columns(result, 1 / read, group)
    return (result if made is None else scale_rows(result, made)).astype(np.float32)


def column_peaks(weight: np.ndarray, group: int) -> np.ndarray:
    """[in]: the greatest |weight| that reads each input channel; weight [out, in / group, *kernel]."""
    out, per_group = weight.shape[:2]
    return np.abs(weight).reshape(group, out // group, per_group, -1).max(axis=(1, 3)).reshape(-1)


def row_peaks(weight: np.ndarray) -> np.ndarray:
    """[out]: the greatest |weight| of each output channel."""
    return np.abs(weight.reshape(weight.shape[0], -1)).max(axis=1)


def balance(made: np.ndarray, read: np.ndarray) -> np.ndarray:
    """Factors that make the greatest weights on both sides of each channel equal, sqrt(read / made), 1 where one side is 0
    (Nagel et al., Data-Free Quantization Through Weight Equalization and Bias Correction, arXiv 1906.04721, equation 11)."""
    useful = (made > 0) & (read > 0)
    return np.where(useful, np.sqrt(read / np.where(useful, made, 1)), 1.0)


def greatest_output(weight: np.ndarray, bias: np.ndarray | None, lo: np.ndarray, hi: np.ndarray, group: int) -> np.ndarray:
    """f64 [out]: what no output of a layer exceeds whose inputs lie in [lo, hi] [in], which holds the 0 of padding.
    weight [out, in / group, *kernel]."""
    flat = weight.reshape(*weight.shape[:2], -1).astype(np.float64)
    up, down = np.maximum(flat, 0).sum(axis=2), np.minimum(flat, 0).sum(axis=2)
    greatest = (up * input_factors(hi, len(weight), group) + down * input_factors(lo, len(weight), group)).sum(axis=1)
    return greatest if bias is None else greatest + bias


def bound(factors: np.ndarray, reach: np.ndarray, ceiling: float) -> np.ndarray:
    """`factors`, cut so that clip(f · x) = f · clip(x) for x up to `reach`: a channel that reaches the ceiling keeps its scale; another
    stays below the ceiling with it."""
    if np.isinf(ceiling):
        return factors
    reach = np.maximum(reach, ceiling * WEAKEST)
    return np.where(reach >= ceiling, 1.0, np.minimum(factors, ceiling / reach))


def toward_equal(reach: np.ndarray, ceiling: float, strength: float) -> np.ndarray:
    """(t / reach) ** strength: with strength 1 every channel reaches as far as the target t, the ceiling or the strongest channel does."""
    target = ceiling if np.isfinite(ceiling) else float(reach.max(initial=0.0))
    weak = np.maximum(reach, WEAKEST * target)
    return np.where((reach > 0) & (target > 0), (target / np.where(weak > 0, weak, 1)) ** strength, 1.0)


def expected_noise(factors: np.ndarray, weight: np.ndarray, group: int, ranges: ChannelRanges, levels: int) -> float:
    """The mean squared error, relative to the signal, that quantisation would add to a layer's outputs if its input channels, which have
    `ranges`, were scaled by `factors` and its weights by their reciprocals.

    Rounding in steps of s adds s² / 12. Activations: 255 steps for the whole tensor, and channel c is seen through the sum of its squared
    weights. Weights: `levels` steps for the greatest of each output channel, seen through the variances of the inputs (means are the
    bias's to correct).
    """
    flat = weight.reshape(*weight.shape[:2], -1).astype(np.float64)
    scaled = flat / input_factors(factors, len(weight), group)[:, :, None]
    step = (float((factors * ranges.hi).max()) - float((factors * ranges.lo).min())) / 255
    variance = input_factors(np.square(ranges.std), len(weight), group)
    signal = (np.square(flat).sum(axis=2) * variance).sum()
    seen = (input_factors(np.square(factors * ranges.std), len(weight), group) * flat.shape[2]).sum(axis=1)
    steps = np.abs(scaled).max(axis=(1, 2)) / levels
    noise = step**2 / 12 * np.square(scaled).sum() + (np.square(steps) / 12 * seen).sum()
    return float(noise / signal) if signal > 0 else 0.0


def mildest(noise: Sequence[float]) -> int:
    """The first of candidates, in order of strength, whose expected noise is not above the least by what is worthwhile."""
    values = np.asarray(noise)
    return int(np.argmax(values <= values.min() * (1 + WORTHWHILE_SHARE) + WORTHWHILE))
