"""Which weights stay: a support of given size that lets least squares come close to the wanted outputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .moments import Problem

Choose = Callable[[np.ndarray], np.ndarray]
"""Scores of all weights [group, out, k] -> True for those that stay; a pattern and a number of weights."""

STEPS = 60
FIRST_PENALTY = 0.05
LAST_PENALTY = 1.0


@dataclass(frozen=True)
class Spectrum:
    """H = scale · V diag(values) Vᵀ, values [group, 1, k] ≥ 0, vectors V [group, k, k], f32; scale: the mean of H's diagonal."""

    scale: np.float32
    values: np.ndarray
    vectors: np.ndarray

    @classmethod
    def of(cls, hessian: np.ndarray) -> Spectrum:
        """Of H [group, k, k]."""
        scale = np.float32(np.trace(hessian, axis1=1, axis2=2).mean() / hessian.shape[-1])
        values, vectors = np.linalg.eigh(hessian.astype(np.float32) / scale)
        return cls(scale, np.maximum(values, 0)[:, None], vectors)


def choose_support(
    problem: Problem, choose: Choose, spectrum: Spectrum | None = None, steps: int = STEPS
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """bool and f32 [group, out, k]: the support that the alternating direction method of multipliers settles on, and weights on it that
    are near the best; for the damped `problem`. (Meng et al., ALPS: Improved Optimization for Highly Sparse One-Shot Pruning for Large
    Language Models, arXiv 2406.07831.)

    min error(W) with W = D, D of the pattern:  W ← (c + ρ D - V)(H + ρ)⁻¹,  D ← the part of W + V / ρ that `choose` keeps of the scores
    (W + V / ρ)²,  V ← V + ρ (W - D).  ρ, in units of the mean of H's diagonal, grows until the support rests; the eigenvectors of H
    serve every ρ. Like the path of Optimal Brain Surgeon (Hassibi and Stork, 1993) this lets the other weights make up for one that
    goes before it is decided what goes next, but for all weights at once, and decisions can be taken back.

    spectrum: of the problem's H, where it is known already. steps: of ρ; fewer are faster and come less near.
    """
    known = Spectrum.of(problem.hessian) if spectrum is None else spectrum
    values, vectors, back = known.values, known.vectors, known.vectors.transpose(0, 2, 1)
    cross = problem.cross.astype(np.float32) / known.scale
    sparse = ((cross @ vectors) / np.maximum(values, 1e-6)) @ back
    dual, keep = np.zeros_like(cross), np.ones(cross.shape, bool)
    for penalty in np.geomspace(FIRST_PENALTY, LAST_PENALTY, steps, dtype=np.float32):
        dense = (((cross + penalty * sparse - dual) @ vectors) / (values + penalty)) @ back
        target = dense + dual / penalty
        keep = choose(np.square(target))
        sparse = np.where(keep, target, np.float32(0))
        dual += penalty * (dense - sparse)
    return keep, sparse
