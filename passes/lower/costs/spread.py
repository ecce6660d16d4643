"""Times of operators on several threads, from those on one.

An operator of T equal tasks that takes t_1 on one thread is estimated to take, on N threads,

    t_N = slowdown · t_1 · ceil(T / N) / T + handover,

and t_1 where it has one task: ceil(T / N) is what the busiest thread has to do. The slowdown is what threads lose by sharing caches and
memory, and by each preparing what neighbouring tasks have in common; the handover is telling the workers, waiting for the last of them, and
fetching what other cores wrote. Both are fitted to measurements, for every type of operator and number of threads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import log
from typing import TypeAlias

ANY = "any"
"""Stands for operators that were not measured."""


@dataclass(frozen=True)
class Spread:
    """Of a type of operator, on a number of threads."""

    slowdown: float
    handover_ns: float

    def us(self, us: float, tasks: int, threads: int) -> float:
        """Of an operator that takes `us` on one thread."""
        return us if tasks <= 1 else self.slowdown * us * share(tasks, threads) + self.handover_ns / 1e3


Spreads: TypeAlias = Mapping[int, Mapping[str, Spread]]
"""By number of threads, then by type of operator, ANY among them."""
UNMEASURED = Spread(1.05, 1500.0)
"""Where no number of threads was measured: as convolutions behave on server CPUs."""


def share(tasks: int, threads: int) -> float:
    """Of the work, that of the thread with most tasks."""
    return -(-tasks // threads) / max(tasks, 1)


def spread_of(spreads: Spreads, kind: str, threads: int) -> Spread:
    """Of a type of operator, at the measured number of threads whose ratio to `threads` is nearest to 1."""
    if not spreads:
        return UNMEASURED
    nearest = spreads[min(spreads, key=lambda count: abs(log(count / threads)))]
    return nearest.get(kind, nearest[ANY])
