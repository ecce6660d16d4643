"""Which weights stay: a support of given size that lets least squares come close to the wanted outputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .moments import Problem
from .patterns import keep_largest

Choose = Callable[[np.ndarray], np.ndarray]
"""Scores of all weights [group, out, k] -> True for those that stay; a pattern and a number of weights."""

Support = Callable[[Problem], tuple[np.ndarray, np.ndarray | None]]
"""A damped problem -> True for the weights [group, out, k] that stay, and weights that are near the best where they are known."""

STEPS = 60
TRIAL_STEPS = 24
"""Where supports are compared."""
FIRST_PENALTY = 0.05
LAST_PENALTY = 1.0


@dataclass
class _Iterate:
    """D and V of the method, and what D keeps."""

    choose: Choose
    sparse: np.ndarray
    dual: np.ndarray
    keep: np.ndarray

    def update(self, dense: np.ndarray, penalty: np.float32) -> None:
        """For the new W."""
        target = dense + self.dual / penalty
        self.keep = self.choose(np.square(target))
        self.sparse = np.where(self.keep, target, np.float32(0))
        self.dual += penalty * (dense - self.sparse)


def choose_support(problem: Problem, choose: Choose) -> tuple[np.ndarray, np.ndarray]:
    """bool and f32 [group, out, k]: the support that the alternating direction method of multipliers settles on, and weights on it that
    are near the best; for the damped `problem`. (Meng et al., ALPS: Improved Optimization for Highly Sparse One-Shot Pruning for Large
    Language Models, arXiv 2406.07831.)

    min error(W) with W = D, D of the pattern:  W ← (c + ρ D - V)(H + ρ)⁻¹,  D ← the part of W + V / ρ that `choose` keeps of the scores
    (W + V / ρ)²,  V ← V + ρ (W - D).  ρ, in units of the mean of H's diagonal, grows until the support rests; the eigenvectors of H
    serve every ρ. Like the path of Optimal Brain Surgeon (Hassibi and Stork, 1993) this lets the other weights make up for one that
    goes before it is decided what goes next, but for all weights at once, and decisions can be taken back.
    """
    hessian, cross = _scaled(problem)
    values, vectors = np.linalg.eigh(hessian)
    values, back = np.maximum(values, 0)[:, None], vectors.transpose(0, 2, 1)
    found = _first(choose, ((cross @ vectors) / np.maximum(values, 1e-6)) @ back)
    for penalty in _penalties(STEPS):
        found.update((((cross + penalty * found.sparse - found.dual) @ vectors) / (values + penalty)) @ back, penalty)
    return found.keep, found.sparse


def keep_strongest(problem: Problem, count: int, allowed: np.ndarray | None = None) -> tuple[np.ndarray, None]:
    """The `count` whole output channels, among those with a weight in `allowed`, without which the error would grow most: an output
    channel's error is its own affair, and without weights it is the variance of the output."""
    gain = problem.signal if allowed is None else np.where(allowed.any(axis=2), problem.signal, -1)
    keep = np.broadcast_to(keep_largest(gain, count)[:, :, None], problem.cross.shape)
    return (keep if allowed is None else keep & allowed), None


def compare_supports(problem: Problem, choices: Sequence[Choose]) -> list[tuple[np.ndarray, np.ndarray]]:
    """What `choose_support` gives for each of several choices, less near, and much faster for many: all take a step together, and one
    inverse of H + ρ serves them all."""
    hessian, cross = _scaled(problem)
    start = np.linalg.solve(hessian, cross.transpose(0, 2, 1)).transpose(0, 2, 1)
    every = [_first(choose, start) for choose in choices]
    unit = np.eye(hessian.shape[-1], dtype=np.float32)
    for penalty in _penalties(TRIAL_STEPS):
        inverse = np.linalg.inv(hessian + penalty * unit)
        for each in every:
            each.update((cross + penalty * each.sparse - each.dual) @ inverse, penalty)
    return [(each.keep, each.sparse) for each in every]


def _scaled(problem: Problem) -> tuple[np.ndarray, np.ndarray]:
    """H and c in f32 and in units of the mean of H's diagonal."""
    scale = np.float32(np.trace(problem.hessian, axis1=1, axis2=2).mean() / problem.hessian.shape[-1])
    return problem.hessian.astype(np.float32) / scale, problem.cross.astype(np.float32) / scale


def _first(choose: Choose, dense: np.ndarray) -> _Iterate:
    return _Iterate(choose, dense, np.zeros_like(dense), np.ones(dense.shape, bool))


def _penalties(steps: int) -> np.ndarray:
    return np.geomspace(FIRST_PENALTY, LAST_PENALTY, steps, dtype=np.float32)
