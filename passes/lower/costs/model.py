"""Times of operators as functions of their work.

The work of an operator is a vector w of amounts (products, outputs, bytes of weights, ...), whose meaning its family defines. Its time is
estimated as

    t(w) = (c · w) · exp(r(w)),      r(w) = sum of v_i · ln(t_i / (c · w_i)) / (v + sum of v_i),      v_i = 1 / d(w, w_i)^4

with coefficients c >= 0 fitted to measurements (w_i, t_i), of which some are kept; d is the distance of log2(1 + w), v a constant.
At a kept measurement the estimate is what was measured; between several, deviations from the fit are interpolated by inverse distances
(Shepard, "A two-dimensional interpolation function for irregularly-spaced data", 1968); far from all of them it is the fit alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .spread import Spreads, spread_of

Floats = NDArray[np.float64]

PRIOR = 0.5**-4
"""What the fit weighs: as much as one measurement at the distance 1/2."""
LEAST_DISTANCE = 1e-12
_LEAST_NS = 1.0


@dataclass(frozen=True)
class FamilyCosts:
    """Of one family. work: names of the amounts. ns: what one unit of each costs. seen: kept measurements, [n, amounts and ns]."""

    work: tuple[str, ...]
    ns: tuple[float, ...]
    seen: Floats = field(default_factory=lambda: np.zeros((0, 0)))

    def fitted(self, amounts: Sequence[float] | Floats) -> Any:
        """c · w, of one vector or of the rows of a matrix."""
        return np.maximum(np.asarray(amounts, np.float64) @ np.array(self.ns), _LEAST_NS)

    def estimate(self, amounts: Sequence[float]) -> float:
        """Nanoseconds, one thread."""
        base = float(self.fitted(amounts))
        if not len(self.seen):
            return base
        places, deviations = self.deviations
        squared = ((places - np.log2(1.0 + np.asarray(amounts, np.float64))) ** 2).sum(1)
        weights = 1.0 / np.maximum(squared**2, LEAST_DISTANCE)
        return base * float(np.exp((weights * deviations).sum() / (weights.sum() + PRIOR)))

    @cached_property
    def deviations(self) -> tuple[Floats, Floats]:
        """Where the kept measurements lie, and ln(measured / fitted) there."""
        amounts, measured = self.seen[:, :-1], self.seen[:, -1]
        return np.log2(1.0 + amounts), np.log(measured / self.fitted(amounts))


@dataclass(frozen=True)
class Costs:
    """What operators cost on one CPU with the instruction sets up to `isa`.

    families: by Family.key of kernels with weights, and by work.family_of of other operators, on one thread. spreads: what more threads
    make of that, by type of operator.
    """

    cpu: str
    isa: str
    version: str
    families: Mapping[str, FamilyCosts]
    spreads: Spreads = field(default_factory=dict)

    def estimate_us(self, family: str, work: Mapping[str, float]) -> float | None:
        """Microseconds on one thread; None where nothing is known of such operators, or their work was counted otherwise then."""
        costs = self.families.get(family)
        if costs is None or costs.work != tuple(work):
            return None
        return costs.estimate(list(work.values())) / 1e3

    def spread_us(self, kind: str, us: float, tasks: int, threads: int) -> float:
        """Microseconds on so many threads of an operator of that type, in so many tasks, that takes `us` on one."""
        return us if threads == 1 else spread_of(self.spreads, kind, threads).us(us, tasks, threads)
