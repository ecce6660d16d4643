"""How the channels of a list of the int8 sparse convolution divide their entries among its sections (kernels/conv/lists.h).

An entry that several channels have is read and interleaved once where they share a stream, and an entry of one channel alone may fill
up the last step of such a stream. What a list costs depends only on how many of its entries belong to which channels, so that a plan is
made from 16 counts, for all lists of a layer at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from .grouping import GroupingCost

Counts = NDArray[np.int64]

SECTIONS = 5
APART = 4
STREAM = np.array([[0, 0, 0, 0], [0, 0, 1, 1], [0, 1, 0, 1], [0, 1, 1, 0], [0, 1, 2, 3]])
"""[section, channel]: the stream of a section that the channel reads."""

STEP = 4
"""Entries of one stream that a kernel takes at a time."""

PAIRS = ((0, 1), (2, 3), (0, 2), (1, 3), (0, 3), (1, 2))
"""The channels of each stream of the sections of pairs, two streams per section."""

_KINDS = np.arange(16)[:, None] >> np.arange(4) & 1
"""[kind of entry, channel]: whether the channel has it."""


def _pairs_of_kinds() -> NDArray[np.int64]:
    """[kind of entry, pair]: the pairs that share such an entry. A channel has it once, so that no two of them have a channel in common."""
    table = np.zeros((len(_KINDS), len(PAIRS)), np.int64)
    for kind, has in enumerate(_KINDS):
        left = set(np.flatnonzero(has).tolist())
        for pair, channels in enumerate(PAIRS):
            if left.issuperset(channels):
                table[kind, pair] = 1
                left.difference_update(channels)
    return table


SHARED = _pairs_of_kinds()
_SETS = _KINDS[1:]
"""[set of channels, channel]"""

_REACHED = _SETS[:, np.array(PAIRS)].any(2).astype(np.int64)
"""[set of channels, pair]: whether a free place in the pair's stream can take an entry of one of the set."""


_MOVES = np.array([(0,) * APART, *[move for move in product((-1, 0, 1), repeat=APART) if sum(map(abs, move)) == 1]])
"""[move, section]: of steps of the sections before the last. No move comes first, so that it is preferred to those that gain nothing."""


@dataclass(frozen=True)
class _Plan:
    """steps [list, section]: of each of a section's streams."""

    steps: Counts
    cost: NDArray[np.float64]

    def best(self, lists: int) -> _Plan:
        """The cheapest plan for each of so many lists, of all that follow each other here, those of all lists at a time; of plans that cost
        the same, the first."""
        chosen = self.cost.reshape(-1, lists).argmin(0) * lists + np.arange(lists)
        return _Plan(self.steps[chosen], self.cost[chosen])


def count_kinds(mask: NDArray[np.bool_]) -> Counts:
    """[list, 16] from mask [list, 4, entry]: how many entries belong to exactly those channels whose bits are set in the index."""
    kinds = np.packbits(mask, axis=1, bitorder="little")[:, 0] + np.arange(len(mask))[:, None] * len(_KINDS)
    counts = np.bincount(kinds.ravel(), minlength=len(mask) * len(_KINDS)).reshape(-1, len(_KINDS))
    counts[:, 0] = 0
    return counts


def _section_costs(sizes: Counts, cost: GroupingCost) -> NDArray[np.float64]:
    """[list, section]: of one step of all streams of a section, in lists of 1, 2 or 4 channels; never where a list cannot have it."""
    one, two, four = cost.step
    never = 1e9
    of_size = {1: [one, *[never] * 4], 2: [two, *[never] * 3, 2 * one], 4: [four, *[2 * two] * 3, 4 * one]}
    return np.array([of_size[size] for size in sizes.tolist()]).reshape(-1, SECTIONS)


def make_plan(kinds: Counts, sizes: Counts, cost: GroupingCost) -> Counts:
    """The steps [list, section] of lists of so many channels each, from `count_kinds`: the best that one step more or less here and
    there leads to."""
    costs = _section_costs(sizes, cost)
    at_least = np.stack([kinds[:, _KINDS.sum(1) >= n].sum(1) for n in (4, 3, 2, 1)])
    together = np.concatenate([np.zeros(len(kinds), np.int64), *(at_least // STEP), *(-(-at_least // STEP))])
    starts = 1 + 2 * len(at_least)
    shared = _behind_together(np.tile(kinds, (starts, 1)), together) @ SHARED
    pairs = -(-shared.reshape(-1, 3, 2).mean(2).astype(np.int64) // STEP)
    best = _complete(np.tile(kinds, (starts, 1)), together, pairs, np.tile(costs, (starts, 1))).best(len(kinds))
    improved = np.arange(len(kinds))
    while improved.size:
        tried = np.maximum(best.steps[improved, :APART] + _MOVES[:, None], 0).reshape(-1, APART)
        again = np.tile(improved, len(_MOVES))
        found = _complete(kinds[again], tried[:, 0], tried[:, 1:], costs[again]).best(len(improved))
        cheaper = found.cost < best.cost[improved]
        best.steps[improved], best.cost[improved] = found.steps, found.cost
        improved = improved[cheaper]
    return best.steps


def _behind_together(kinds: Counts, together: Counts) -> Counts:
    """What is left of the kinds when the first section has taken its entries: those of most channels first."""
    left, room = kinds.copy(), together * STEP
    for kind in np.argsort(-_KINDS.sum(1), kind="stable")[:-1]:
        taken = np.minimum(left[:, kind], room)
        left[:, kind] -= taken
        room = room - taken
    return left


def _complete(kinds: Counts, together: Counts, pairs: Counts, costs: NDArray[np.float64]) -> _Plan:
    """The plan with so many steps for all channels and (pairs [list, 3]) for pairs, and as few as can be for channels apart."""
    left = _behind_together(kinds, together)
    room = np.repeat(pairs * STEP, 2, axis=1)
    taken = np.minimum(left @ SHARED, room)
    single = left @ _KINDS
    for pair, channels in enumerate(PAIRS):
        single[:, channels] -= taken[:, pair, None]
    # Free places in streams of pairs take entries of their two channels: by Hall's theorem, what no set of channels can find a place for.
    short = (single @ _SETS.T - (room - taken) @ _REACHED.T) / (STEP * _SETS.sum(1))
    apart = np.ceil(np.maximum(short.max(1), 0)).astype(np.int64)
    steps = np.column_stack([together, pairs, apart])
    return _Plan(steps, (steps * costs).sum(1))
