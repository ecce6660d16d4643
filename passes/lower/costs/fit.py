"""From measurements to the costs of a family, and to what several threads make of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .model import LEAST_DISTANCE, PRIOR, FamilyCosts, Floats
from .spread import Spread

_ROUNDS = 3000
_NOTABLE = 1.1
"""What takes so many times the time does so by more than errors of measurement."""


def fit(work: Sequence[str], amounts: Floats, ns: Floats, keep_from: float = 0.0) -> FamilyCosts:
    """amounts [measurements, len(work)]; ns: the time of each. Coefficients minimise squared relative errors and are >= 0, where
    measurements that differ in one amount alone, which one of them has none of, say by how much.

    keep_from: measurements are kept, the worst first, until all estimates are within this share of what was measured; 0 keeps all, of
    several with the same work their median.
    """
    added, by = _additions(amounts, ns)
    scaled = np.concatenate([amounts / ns[:, None], added / by[:, None]])
    coefficients = tuple(float(f"{c:.4g}") for c in non_negative_least_squares(scaled, np.ones(len(scaled))))
    rows = _medians(amounts, ns)
    costs = FamilyCosts(tuple(work), coefficients, rows)
    return costs if keep_from == 0.0 else FamilyCosts(costs.work, costs.ns, rows[_worst_first(costs, keep_from)])


def _additions(amounts: Floats, ns: Floats) -> tuple[Floats, Floats]:
    """What measurements have more than others that are alike but for one amount, of which those have none: [additions, amounts], and how
    much longer they took. Where that is a small part of all, errors of the rest hide it."""
    found: list[tuple[Floats, float]] = []
    for column, amount in enumerate(amounts.T):
        rest = [tuple(row) for row in np.delete(amounts, column, 1).tolist()]
        without = {row: float(time) for row, time, has in zip(rest, ns, amount, strict=True) if has == 0.0}
        for i in np.flatnonzero(amount):
            less = without.get(rest[i], np.inf)
            if ns[i] > _NOTABLE * less:
                found.append((np.where(np.arange(amounts.shape[1]) == column, amount[i], 0.0), ns[i] - less))
    return np.array([row for row, _ in found]).reshape(-1, amounts.shape[1]), np.array([longer for _, longer in found])


def _medians(amounts: Floats, ns: Floats) -> Floats:
    """Of measurements with the same work: [different ones, amounts and ns]."""
    places, group = np.unique(amounts.round(1), axis=0, return_inverse=True)
    group = group.reshape(-1)
    medians = [np.median(ns[group == i]) for i in range(len(places))]
    return np.column_stack([places, np.round(medians, 1)])


def _worst_first(costs: FamilyCosts, keep_from: float) -> list[int]:
    """The measurements that are kept, by adding the one that is estimated worst to the kept ones until none is worse than keep_from."""
    places, deviations = costs.deviations
    squared = ((places[:, None] - places[None]) ** 2).sum(-1)
    weights = 1.0 / np.maximum(squared**2, LEAST_DISTANCE)
    moved, total = np.zeros(len(places)), np.full(len(places), PRIOR)
    kept: list[int] = []
    while True:
        errors = np.abs(np.expm1(moved / total - deviations))
        errors[kept] = 0.0
        if errors.max(initial=0.0) <= keep_from:
            return sorted(kept)
        worst = int(errors.argmax())
        kept.append(worst)
        moved += weights[:, worst] * deviations[worst]
        total += weights[:, worst]


def fit_spread(shared_ns: Floats, measured_ns: Floats) -> Spread:
    """shared_ns: of each measured operator, t_1 · share. Minimises squared relative errors; both coefficients are >= 0."""
    amounts = np.column_stack([shared_ns, np.ones(len(shared_ns))]) / measured_ns[:, None]
    slowdown, handover = non_negative_least_squares(amounts, np.ones(len(shared_ns)))
    return Spread(float(f"{slowdown:.4g}"), float(f"{handover:.4g}"))


def non_negative_least_squares(a: Floats, b: Floats) -> Floats:
    """The x >= 0 with the least |a x - b|, by coordinate descent on the normal equations."""
    norms = np.sqrt((a**2).sum(0))
    norms[norms == 0] = np.inf
    gram = (a / norms).T @ (a / norms)
    right = (a / norms).T @ b
    x = np.zeros(a.shape[1])
    for _ in range(_ROUNDS):
        for j in range(len(x)):
            if np.isfinite(norms[j]):
                x[j] = max(0.0, x[j] + right[j] - gram[j] @ x)
    return x / norms
