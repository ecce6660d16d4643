"""Steps of groups of weights, as whole multiples of a step of their output channel."""

from __future__ import annotations

import numpy as np

from ..quantize_math import WEIGHT_MAX
from .moments import Problem

SHRINK = np.linspace(1.0, 0.6, 9)


def choose_multiples(problem: Problem, weight: np.ndarray, limit: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """f64 scales [group, out] and whole multiples [group, out, k], the same for every `size` columns: each weight of `weight`
    [group, out, k] is rounded within ±limit in steps of their product.

    With a multiple up to WEIGHT_MAX // limit, integers times multiples are integers of 8 bits in steps of the scale. Of some scales for
    each output channel, the one that, with the best multiple of each group, gives the least error of rounding to nearest, if errors of
    different columns are independent.
    """
    most, k = WEIGHT_MAX // limit, weight.shape[2]
    groups = np.arange(k) // size
    starts = np.arange(0, k, size)
    diagonal = np.diagonal(problem.hessian, axis1=1, axis2=2)[:, None, :]
    peak = np.abs(weight).max(axis=2)
    least, scale = np.full(peak.shape, np.inf), np.ones(peak.shape)
    multiples = np.ones((*peak.shape, len(starts)))
    for shrink in SHRINK:
        base = np.where(peak > 0, peak * shrink, 1.0) / (limit * most)
        errors, best = np.full(multiples.shape, np.inf), np.ones(multiples.shape)
        for multiple in range(1, most + 1):
            step = base[:, :, None] * multiple
            off = weight - np.clip(np.rint(weight / step), -limit, limit) * step
            error = np.add.reduceat(np.square(off) * diagonal, starts, axis=2)
            errors, best = np.minimum(error, errors), np.where(error < errors, multiple, best)
        total = errors.sum(axis=2)
        better = total < least
        least, scale = np.minimum(total, least), np.where(better, base, scale)
        multiples = np.where(better[:, :, None], best, multiples)
    return scale, multiples[:, :, groups]
