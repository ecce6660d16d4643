"""Which weights stay: a support of given size that lets least squares come close to the wanted outputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .inverse import inverse_of
from .moments import Problem
from .patterns import keep_largest

Choose = Callable[[np.ndarray], np.ndarray]
"""Scores of all weights [group, out, k] -> True for those that stay; a pattern and a number of weights."""

Support = Callable[[Problem], tuple[np.ndarray, np.ndarray | None]]
"""A damped problem -> True for the weights [group, out, k] that stay, and weights that are near the best where they are known."""

PENALTIES, STEPS = 6, 10
"""Values of the penalty, and steps with each."""
TRIAL_PENALTIES, TRIAL_STEPS = 24, 1
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
    (W + V / ρ)²,  V ← V + ρ (W - D).  ρ, in units of the mean of H's diagonal, grows in a few leaps until the support rests; one inverse
    serves all steps with the same ρ. Like the path of Optimal Brain Surgeon (Hassibi and Stork, 1993) this lets the other weights make
    up for one that goes before it is decided what goes next, but for all weights at once, and decisions can be taken back.
    """
    return _settle(problem, [choose], PENALTIES, STEPS)[0]


def keep_strongest(problem: Problem, count: int, allowed: np.ndarray | None = None) -> tuple[np.ndarray, None]:
    """The `count` whole output channels, among those with a weight in `allowed`, without which the error would grow most: an output
    channel's error is its own affair, and without weights it is the variance of the output."""
    gain = problem.signal if allowed is None else np.where(allowed.any(axis=2), problem.signal, -1)
    keep = np.broadcast_to(keep_largest(gain, count)[:, :, None], problem.cross.shape)
    return (keep if allowed is None else keep & allowed), None


def compare_supports(problem: Problem, choices: Sequence[Choose]) -> list[tuple[np.ndarray, np.ndarray]]:
    """What `choose_support` gives for each of several choices, less near, and much faster for many: all take a step together."""
    return _settle(problem, choices, TRIAL_PENALTIES, TRIAL_STEPS)


def _settle(problem: Problem, choices: Sequence[Choose], penalties: int, steps: int) -> list[tuple[np.ndarray, np.ndarray]]:
    hessian, cross = _scaled(problem)
    every: list[_Iterate] = []
    unit = np.eye(hessian.shape[-1], dtype=np.float32)
    for penalty in np.geomspace(FIRST_PENALTY, LAST_PENALTY, penalties, dtype=np.float32):
        inverse = inverse_of(hessian + penalty * unit)
        every = every or [_Iterate(choose, cross @ inverse, np.zeros_like(cross), np.ones(cross.shape, bool)) for choose in choices]
        for _ in range(steps):
            for each in every:
                each.update((cross + penalty * each.sparse - each.dual) @ inverse, penalty)
    return [(each.keep, each.sparse) for each in every]


def _scaled(problem: Problem) -> tuple[np.ndarray, np.ndarray]:
    """H and c in f32 and in units of the mean of H's diagonal. So no eigenvalue exceeds k, and H + ρ is far from singular in f32."""
    scale = np.float32(np.trace(problem.hessian, axis1=1, axis2=2).mean() / problem.hessian.shape[-1])
    return problem.hessian.astype(np.float32) / scale, problem.cross.astype(np.float32) / scale
