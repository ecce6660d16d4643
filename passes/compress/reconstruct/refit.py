"""Exact least squares on a given support: the survivors of pruning make up for what is gone."""

from __future__ import annotations

import numpy as np

from .moments import Problem

TOLERANCE = 1e-6
"""Of the preconditioned residual of conjugate gradients, relative to the right-hand side."""
MAX_STEPS = 400
REFINEMENTS = 4
STEPS_EXPECTED = 80


def refit(problem: Problem, keep: np.ndarray, start: np.ndarray | None = None) -> np.ndarray:
    """f64 [group, out, k]: the weights of least error that are 0 where `keep` [group, out, k] is not; `problem` is damped, so that there
    is exactly one. `start`: a guess.

    Rows with one and the same support share a factorisation, H_SS w = c_S. Where that costs more, all rows take steps of conjugate
    gradients together, H times all of them at once, in f32, with residuals in f64 in between (iterative refinement).
    """
    result = np.zeros(keep.shape)
    for g, (hessian, cross) in enumerate(zip(problem.hessian, problem.cross, strict=True)):
        rows = _same_support(keep[g])
        if _factors_are_cheaper(keep[g], rows):
            for members in rows:
                support = np.flatnonzero(keep[g, members[0]])
                inner, right = hessian[np.ix_(support, support)], cross[np.ix_(members, support)]
                result[g][np.ix_(members, support)] = np.linalg.solve(inner, right.T).T
        else:
            result[g] = _iterate(hessian, cross, keep[g], np.zeros_like(cross) if start is None else np.where(keep[g], start[g], 0))
    return result


def _same_support(keep: np.ndarray) -> list[np.ndarray]:
    """Indices of rows, in lists of those that are equal."""
    _, which = np.unique(np.packbits(keep, axis=1), axis=0, return_inverse=True)
    order = np.argsort(which.reshape(-1), kind="stable")
    return np.split(order, np.flatnonzero(np.diff(which.reshape(-1)[order])) + 1)


def _factors_are_cheaper(keep: np.ndarray, rows: list[np.ndarray]) -> bool:
    """By multiplications. A product in f32 is counted as half of one in f64."""
    factors = sum(float(np.count_nonzero(keep[members[0]])) ** 3 / 3 for members in rows)
    return factors <= 0.5 * STEPS_EXPECTED * len(keep) * float(keep.shape[1]) ** 2


def _iterate(hessian: np.ndarray, cross: np.ndarray, keep: np.ndarray, weight: np.ndarray) -> np.ndarray:
    single = hessian.astype(np.float32)
    scale = np.sqrt(np.square(cross * keep, dtype=np.float64).sum(axis=1) / np.diag(hessian).mean())
    for _ in range(REFINEMENTS):
        residual = np.where(keep, cross - weight @ hessian, 0)
        if (_norm(residual, hessian) <= TOLERANCE * scale).all():
            break
        weight = weight + _conjugate_gradients(single, residual.astype(np.float32), keep)
    return weight


def _norm(residual: np.ndarray, hessian: np.ndarray) -> np.ndarray:
    return np.sqrt((np.square(residual) / np.diag(hessian)).sum(axis=1))


def _conjugate_gradients(hessian: np.ndarray, residual: np.ndarray, keep: np.ndarray) -> np.ndarray:
    """Steps for every row by itself (Hestenes and Stiefel, 1952), preconditioned by the diagonal."""
    inverse = 1 / np.diag(hessian)
    weight = np.zeros_like(residual)
    scaled = residual * inverse
    direction = scaled.copy()
    size = (residual * scaled).sum(axis=1)
    enough = size * np.float32(1e-8)
    for _ in range(MAX_STEPS):
        product = np.where(keep, direction @ hessian, 0)
        step = _ratio(size, (direction * product).sum(axis=1))
        weight += step[:, None] * direction
        residual = residual - step[:, None] * product
        scaled = residual * inverse
        previous, size = size, (residual * scaled).sum(axis=1)
        if (size <= enough).all():
            break
        direction = scaled + _ratio(size, previous)[:, None] * direction
    return weight


def _ratio(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a / b, 0 for rows that are done (b = 0)."""
    return np.divide(a, b, out=np.zeros_like(a), where=b > 0)
