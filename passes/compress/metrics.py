"""How far a compressed array is from the original."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from .moments import ChannelMoments


def sqnr_db(original: np.ndarray, changed: np.ndarray) -> float | None:
    """Signal to noise in dB, 10·log10(Σ original² / Σ (original - changed)²); None where there is no noise, or no signal."""
    return ratio_db(power(original), power(original - changed))


def power(x: np.ndarray) -> float:
    """Σ x² in double precision."""
    flat = x.reshape(-1).astype(np.float64)
    return float(flat @ flat)


def ratio_db(signal: float, noise: float) -> float | None:
    """10·log10(signal / noise), None unless both are positive."""
    return 10 * math.log10(signal / noise) if signal > 0 and noise > 0 else None


def relative_error(exact: Sequence[np.ndarray], changed: Sequence[np.ndarray], axis: int) -> float:
    """Σ (changed - exact)² over the sum of squared distances of `exact` from the mean of its channel; `axis` counts channels."""
    moments, noise = ChannelMoments(axis), 0.0
    for a, b in zip(exact, changed, strict=True):
        moments.add(a)
        noise += power(a - b)
    signal = moments.count * float(np.square(moments.std).sum())
    return noise / (signal or 1.0)


def agreement(exact: Sequence[np.ndarray], changed: Sequence[np.ndarray]) -> float:
    """Share of equal places of the largest value along the last axis."""
    same = np.concatenate([(a.argmax(axis=-1) == b.argmax(axis=-1)).reshape(-1) for a, b in zip(exact, changed, strict=True)])
    return float(same.mean())


def divergence(exact: np.ndarray, changed: np.ndarray) -> np.ndarray:
    """How far `changed` is from `exact`, for each sample [n], at least 0. Of the scores of classes [n, classes], classes ≥ 2: the
    Kullback-Leibler divergence Σ p·log(p / q) of their softmax, p of `exact`; of anything else: the squared error over the square of the
    values."""
    a, b = (x.astype(np.float64) for x in (exact, changed))
    if a.ndim == 2 and a.shape[1] > 1:
        p, q = _log_softmax(a), _log_softmax(b)
        return np.maximum((np.exp(p) * (p - q)).sum(axis=1), 0)
    a, b = (x.reshape(len(x), -1) for x in (a, b))
    return np.square(a - b).sum(axis=1) / (np.square(a).sum(axis=1).mean() or 1.0)


def _log_softmax(scores: np.ndarray) -> np.ndarray:
    shifted = scores - scores.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
