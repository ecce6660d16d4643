"""Which output channels of a sparse convolution share a list.

Channels that share a list share the work of loading (and, for int8, interleaving) activations; what they do not have in common is padded
with zeros. Blocks of four adjacent channels are kept together where that costs least (dense layers and the pattern `4x1`); the others are
matched, two and two, with the channels whose entries fit theirs best, wherever in the layer these are, and such pairs once more with
each other. Blocks, unstructured zeros and any mix of them are thus found in the weights, none has to be declared. The matching is
greedy: largest gain first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

_BLOCK = 4
_WINDOW = 256
"""Channels among which partners are looked for: the work grows with its square."""


@dataclass(frozen=True)
class GroupingCost:
    """Cycles that a kernel takes for one step of a list of 1, 2 or 4 channels, per word of pixels."""

    step: tuple[float, float, float]

    def of(self, size: int) -> float:
        return self.step[size.bit_length() - 1]


class ChannelList(NamedTuple):
    """Output channels of one list. apart: each with a stream of entries of its own; otherwise they have one in common."""

    channels: NDArray[np.int64]
    apart: bool


def count_steps(union: Any, step: int) -> NDArray[np.int64]:
    """How many steps of `step` entries the lists [..., entries] have."""
    return -(-union.sum(-1) // step)


def form_lists(mask: NDArray[np.bool_], step: int, cost: GroupingCost, group: int) -> list[NDArray[np.int64]]:
    """The channels of each list, in order of their first. mask [output channels, entries]; no list crosses a group of the convolution."""
    rows = mask.shape[0] // group
    lists: list[NDArray[np.int64]] = []
    for first in range(0, mask.shape[0], rows):
        fours, rest = _take_blocks(mask[first : first + rows], step, cost)
        pairs = _match(mask[first : first + rows], rest, step, cost)
        found = fours + _match(mask[first : first + rows], pairs, step, cost)
        lists += [np.array(channels) + first for channels in sorted(found)]
    return lists


def run_apart(mask: NDArray[np.bool_], lists: list[NDArray[np.int64]], step: int, streams: int) -> list[ChannelList]:
    """Lists of one channel become lists of `streams` channels with a stream each. Those of equal length come together, since the shorter
    one is filled up."""
    singles = np.array([channels[0] for channels in lists if len(channels) == 1], np.int64)
    singles = singles[np.argsort(-count_steps(mask[singles], step), kind="stable")]
    whole = len(singles) // streams * streams
    found = [ChannelList(channels, False) for channels in lists if len(channels) > 1]
    found += [ChannelList(channels, True) for channels in singles[:whole].reshape(-1, streams)]
    return found + [ChannelList(singles[i : i + 1], False) for i in range(whole, len(singles))]


def _take_blocks(mask: NDArray[np.bool_], step: int, cost: GroupingCost) -> tuple[list[list[int]], list[list[int]]]:
    """Blocks of four adjacent channels that are cheapest as one list, and the other channels, each alone."""
    whole = mask.shape[0] // _BLOCK
    blocks = mask[: whole * _BLOCK].reshape(whole, _BLOCK, mask.shape[1])
    singles = count_steps(blocks, step).sum(1) * cost.of(1)
    pairs = (count_steps(blocks[:, 0:2].any(1), step) + count_steps(blocks[:, 2:4].any(1), step)) * cost.of(2)
    together = count_steps(blocks.any(1), step) * cost.of(4) <= np.minimum(singles, pairs)
    fours = [list(range(_BLOCK * b, _BLOCK * (b + 1))) for b in np.flatnonzero(together)]
    taken = {row for block in fours for row in block}
    return fours, [[row] for row in range(mask.shape[0]) if row not in taken]


def _match(mask: NDArray[np.bool_], lists: list[list[int]], step: int, cost: GroupingCost) -> list[list[int]]:
    """Merges lists of equal size two and two where that costs less than to keep them apart; larger ones than pairs stay."""
    found: list[list[int]] = []
    for size in sorted({len(channels) for channels in lists}):
        same = [channels for channels in lists if len(channels) == size]
        for start in range(0, len(same), _WINDOW):
            window = same[start : start + _WINDOW]
            found += _match_window(mask, window, step, cost, size) if 2 * size <= _BLOCK else window
    return found


def _match_window(mask: NDArray[np.bool_], lists: list[list[int]], step: int, cost: GroupingCost, size: int) -> list[list[int]]:
    union = mask[np.array(lists)].any(1).astype(np.float32)
    lengths = union.sum(1)
    joined = lengths[:, None] + lengths[None, :] - union @ union.T
    apart = np.ceil(lengths / step) * cost.of(size)
    gain = np.triu(apart[:, None] + apart[None, :] - np.ceil(joined / step) * cost.of(2 * size), 1)
    pairs = _largest_first(gain)
    merged = [sorted(lists[i] + lists[j]) for i, j in pairs]
    taken = {i for pair in pairs for i in pair}
    return merged + [channels for i, channels in enumerate(lists) if i not in taken]


def _largest_first(gain: NDArray[np.floating]) -> list[tuple[int, int]]:
    """Disjoint pairs i < j with a positive gain[i, j]: those that taking the largest gain first, among equal ones the first, would give.

    gain is upper triangular. In each round, every pair that is the best one of both its members is taken.
    """
    count = len(gain)
    first, second = np.nonzero(gain > 0)
    place = np.full((count, count), gain.size, np.int64)
    order = np.argsort(-gain[first, second], kind="stable")
    place[first[order], second[order]] = np.arange(len(order))
    place = np.minimum(place, place.T)
    left, pairs = np.arange(count), []  # pairs with their places
    while left.size:
        best = place.argmin(1)
        index = np.arange(left.size)
        mutual = (best[best] == index) & (place[index, best] < gain.size)
        pairs += [(int(place[i, best[i]]), int(left[i]), int(left[best[i]])) for i in index[mutual & (index < best)]]
        rest = ~mutual & (place.min(1) < gain.size)
        left, place = left[rest], place[np.ix_(rest, rest)]
    return [(i, j) for _, i, j in sorted(pairs)]
