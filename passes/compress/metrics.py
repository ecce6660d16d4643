"""How far a compressed array is from the original."""

from __future__ import annotations

import math

import numpy as np


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
