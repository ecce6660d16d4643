"""Which of several choices every layer gets, so that the whole keeps to a budget of time and loses least."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

import numpy as np

from ...graph.errors import Error

STEPS = 20_000
"""Into which the budget is divided; each choice is rounded up to whole steps."""


class Choice(Protocol):
    """us: the time that a choice costs, at least 0. loss: what it harms."""

    @property
    def us(self) -> float: ...
    @property
    def loss(self) -> float: ...


C = TypeVar("C", bound=Choice)


def least_loss(layers: Sequence[Sequence[C]], budget_us: float) -> list[C]:
    """One choice for every layer, of least summed loss among those whose summed time is within the budget.

    Dynamic programming over layers and time (Frantar and Alistarh, SPDY: Accurate Pruning with Speedup Guarantees, arXiv 2201.13096):

        loss(l, t) = min over the choices c of layer l of  loss(l - 1, t - time(c)) + loss(c)

    Raises Error where not even the fastest choices keep to the budget.
    """
    fastest = sum(min(choice.us for choice in choices) for choices in layers)
    if fastest > budget_us:
        raise Error(f"{budget_us:.0f} us is out of reach: the fastest choices take {fastest:.0f} us")
    losses, picked = np.zeros(STEPS + 1), []
    for choices in layers:
        steps = [int(np.ceil(choice.us * STEPS / budget_us - 1e-9)) for choice in choices]
        tried = np.full((len(choices), STEPS + 1), np.inf)
        for row, step, choice in zip(tried, steps, choices, strict=True):
            if step <= STEPS:
                row[step:] = losses[: STEPS + 1 - step] + choice.loss
        best = tried.argmin(axis=0)
        losses = np.take_along_axis(tried, best[None], axis=0)[0]
        picked.append((best, steps))
    return _walk_back(layers, picked, losses, budget_us)


def _walk_back(layers: Sequence[Sequence[C]], picked: list[tuple[np.ndarray, list[int]]], losses: np.ndarray, budget_us: float) -> list[C]:
    """The choices behind the least loss at the whole budget."""
    if not np.isfinite(losses[STEPS]):
        return [min(choices, key=lambda choice: choice.us) for choices in layers]
    at, result = STEPS, []
    for choices, (best, steps) in zip(reversed(layers), reversed(picked), strict=True):
        index = int(best[at])
        result.append(choices[index])
        at -= steps[index]
    return result[::-1]


def undominated(choices: Sequence[C]) -> list[C]:
    """Without those that are at least as slow as another one and lose at least as much, by time."""
    kept: list[C] = []
    for choice in sorted(choices, key=lambda choice: (choice.us, choice.loss)):
        if not kept or choice.loss < kept[-1].loss:
            kept.append(choice)
    return kept


def loss_at(sparsity: float, known: Mapping[float, float]) -> float:
    """Between the losses known by sparsity: the logarithm of the loss is taken to be linear in the logarithm of the share of weights that
    stays. Beyond them: that of the nearest."""
    sparsities = sorted(known)
    density, losses = np.log1p(-np.array(sparsities)), np.log(np.maximum([known[s] for s in sparsities], 1e-30))
    return float(np.exp(np.interp(-np.log1p(-sparsity), -density, losses)))
