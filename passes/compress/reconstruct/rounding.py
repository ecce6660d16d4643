"""Rounding of weights to integers so that a layer's outputs, not its weights, come close to what they were."""

from __future__ import annotations

import numpy as np

from ..quantize_math import WEIGHT_MAX
from .group_scales import choose_multiples
from .moments import Problem

BLOCK = 128
"""Columns whose effect on the others is applied at once, as one matrix product."""
SWEEPS = 4
REFITS = 2
SHRINK = np.linspace(1.0, 0.4, 25)


def choose_scales(problem: Problem, weight: np.ndarray, limit: int) -> np.ndarray:
    """f64 [group, out]: for each output channel the step, at most max |w| / limit, with the least error of rounding `weight`
    [group, out, k] to nearest within ±limit, if errors of different columns are independent."""
    peak = np.abs(weight).max(axis=2)
    best, scale = np.full(peak.shape, np.inf), np.where(peak > 0, peak, 1.0) / limit
    diagonal = np.diagonal(problem.hessian, axis1=1, axis2=2)[:, None, :]
    for shrink in SHRINK if limit < WEIGHT_MAX else SHRINK[:5]:
        step = np.where(peak > 0, peak * shrink, 1.0) / limit
        rounded = np.clip(np.rint(weight / step[:, :, None]), -limit, limit) * step[:, :, None]
        error = (np.square(rounded - weight) * diagonal).sum(axis=2)
        scale, best = np.where(error < best, step, scale), np.minimum(error, best)
    return scale


def round_to_outputs(problem: Problem, weight: np.ndarray, scale: np.ndarray, limit: int, keep: np.ndarray) -> np.ndarray:
    """Integers [group, out, k] in ±limit, 0 where `keep` is not, that make `problem` small in steps of `scale` [group, out], or
    [group, out, k] for a step of every weight.

    Column by column with the error handed on to the columns behind it (Frantar et al., GPTQ, arXiv 2210.17323), or rounded to nearest where
    that is better; then each column in turn gets its best integer, the others given (Behdin et al., QuantEase, arXiv 2309.01885), until
    nothing changes or SWEEPS are done. So the error is never above that of rounding to nearest. With a diagonal Hessian it is that.
    `problem` is damped, `weight` its solution on `keep`.
    """
    steps = np.broadcast_to(scale if scale.ndim == 3 else scale[:, :, None], weight.shape)
    nearest = np.where(keep, np.clip(np.rint(weight / steps), -limit, limit), 0)
    handed = _hand_on(problem.hessian, weight, steps, limit, keep)
    better = problem.errors(handed * steps) < problem.errors(nearest * steps)
    integers = np.where(better[:, :, None], handed, nearest)
    _settle(problem, integers, steps, limit, keep)
    return integers


def refit_scales(problem: Problem, integers: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """The best steps for given integers: s = c·q / qHq, where that is positive."""
    product = (integers * problem.cross).sum(axis=2)
    square = ((integers @ problem.hessian) * integers).sum(axis=2)
    good = (product > 0) & (square > 0)
    return np.where(good, product / np.where(good, square, 1), scale)


def quantise_to_outputs(
    problem: Problem, weight: np.ndarray, limit: int, keep: np.ndarray, per_channel: bool = True, group_size: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Integers [group, out, k] and f64 scales [group, out]; scales and integers are fitted to each other in turn. Not `per_channel`: one
    scale, with which the greatest weight is `limit`. With `group_size`, the integers are products of those in ±limit and a multiple for
    every so many columns, within ±WEIGHT_MAX."""
    if not per_channel:
        scale = np.full(weight.shape[:2], (np.abs(weight).max() or 1.0) / limit)
        return round_to_outputs(problem, weight, scale, limit, keep), scale
    multiples = np.ones((1, 1, 1))
    if group_size is None:
        scale = choose_scales(problem, weight, limit)
    else:
        scale, multiples = choose_multiples(problem, weight, limit, group_size)
    integers = round_to_outputs(problem, weight, scale[:, :, None] * multiples, limit, keep)
    for _ in range(REFITS if limit < WEIGHT_MAX else 0):
        scale = refit_scales(problem, integers * multiples, scale)
        _settle(problem, integers, np.broadcast_to(scale[:, :, None] * multiples, integers.shape), limit, keep)
    return integers * multiples, scale


def _hand_on(hessian: np.ndarray, weight: np.ndarray, steps: np.ndarray, limit: int, keep: np.ndarray) -> np.ndarray:
    upper = np.swapaxes(np.linalg.cholesky(np.linalg.inv(hessian)), 1, 2)
    rest, k = weight.astype(np.float64), weight.shape[2]
    integers = np.zeros_like(rest)
    for start in range(0, k, BLOCK):
        stop = min(start + BLOCK, k)
        block, errors = rest[:, :, start:stop].copy(), np.zeros((*weight.shape[:2], stop - start))
        for j in range(start, stop):
            column, step = block[:, :, j - start], steps[:, :, j]
            integers[:, :, j] = np.where(keep[:, :, j], np.clip(np.rint(column / step), -limit, limit), 0)
            error = (column - integers[:, :, j] * step) / upper[:, j, j, None]
            errors[:, :, j - start] = error
            block[:, :, j - start + 1 :] -= error[:, :, None] * upper[:, None, j, j + 1 : stop]
        rest[:, :, stop:] -= errors @ upper[:, start:stop, stop:]
    return integers


def _settle(problem: Problem, integers: np.ndarray, steps: np.ndarray, limit: int, keep: np.ndarray) -> None:
    """Coordinate descent, in place, until nothing changes or SWEEPS are done."""
    for _ in range(SWEEPS):
        if not _descend(problem, integers, steps, limit, keep):
            break


def _descend(problem: Problem, integers: np.ndarray, steps: np.ndarray, limit: int, keep: np.ndarray) -> bool:
    """One sweep of coordinate descent, in place; whether it changed anything."""
    hessian, k = problem.hessian, integers.shape[2]
    residual = problem.cross - (integers * steps) @ hessian
    changed = False
    for start in range(0, k, BLOCK):
        stop = min(start + BLOCK, k)
        local, moves = residual[:, :, start:stop].copy(), np.zeros((*integers.shape[:2], stop - start))
        for j in range(start, stop):
            step = steps[:, :, j]
            wanted = integers[:, :, j] + local[:, :, j - start] / (hessian[:, j, j, None] * step)
            best = np.where(keep[:, :, j], np.clip(np.rint(wanted), -limit, limit), 0)
            move = (best - integers[:, :, j]) * step
            if move.any():
                changed = True
                integers[:, :, j] = best
                moves[:, :, j - start] = move
                local -= move[:, :, None] * hessian[:, None, j, start:stop]
        residual -= moves @ hessian[:, start:stop, :]
    return changed
