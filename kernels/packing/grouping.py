"""Which output channels of a sparse convolution share a list.

Channels that share a list share the work of loading (and, for int8, interleaving) activations. Blocks, unstructured zeros and any mix of
them are found in the weights, none has to be declared. The matching is greedy: largest gain first.

Where all channels of a list read one stream of entries (f32), what they do not have in common is padded with zeros: blocks of four
adjacent channels are kept together where that costs least (dense layers and the pattern `4x1`); the others are matched, two and two,
with the channels whose entries fit theirs best, wherever in the layer these are, and such pairs once more with each other. Where
channels keep apart what they do not have in common (int8: `sections`), all are matched.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_BLOCK = 4
_WINDOW = 512
"""Channels among which partners are looked for: the work grows with its square."""
_COLUMNS = 1024


@dataclass(frozen=True)
class GroupingCost:
    """Cycles that a kernel takes for one step of a list of 1, 2 or 4 channels, per word of pixels."""

    step: tuple[float, float, float]

    def of(self, size: int) -> float:
        return self.step[size.bit_length() - 1]


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


def group_alike(mask: NDArray[np.bool_], cost: GroupingCost, group: int) -> NDArray[np.int64]:
    """Channels [list, 4] of lists whose channels share what they can and keep the rest apart: four each, but for the last ones, which have
    one or two channels, and -1. Channels of several groups of the convolution, which have nothing in common, come together where they are
    left over. mask [output channels, entries]"""
    rows = mask.shape[0] // group
    lists: list[list[int]] = []
    for first in range(0, mask.shape[0], rows):
        for start in range(first, first + rows, _WINDOW):
            window = mask[start : min(start + _WINDOW, first + rows)].view(np.uint8)
            lists += [[start + channel for channel in channels] for channels in _match_alike(window, cost)]
    single = [channels[0] for channels in lists if len(channels) == 1]
    lists = [channels for channels in lists if len(channels) > 1] + _by_length(mask, single)
    return np.array([channels + [-1] * (_BLOCK - len(channels)) for channels in sorted(lists)], np.int64)


def _by_length(mask: NDArray[np.bool_], channels: list[int]) -> list[list[int]]:
    """Single channels in lists of four, two and one. Those with as many entries come together, since the shorter ones are filled up."""
    ordered = sorted(channels, key=lambda channel: (-int(mask[channel].sum()), channel))
    lists, begin = [], 0
    for size in (4, 2, 1):
        while len(ordered) - begin >= size:
            lists.append(ordered[begin : begin + size])
            begin += size
    return lists


def _match_alike(mask: NDArray[np.uint8], cost: GroupingCost) -> list[list[int]]:
    """All channels of a window, two and two, and then those pairs once more."""
    pairs, single = _pair_up(mask, cost)
    one, other = np.array(pairs, np.int64).reshape(-1, 2).T
    fours, pair = _pair_up(mask[one] + mask[other], cost)
    lists = [[*pairs[i], *pairs[j]] for i, j in fours] + [list(pairs[i]) for i in pair]
    return lists + [[i] for i in single]


def _products(entries: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Of all rows with all rows; a few columns at a time become numbers that can be multiplied fast."""
    result = np.zeros((len(entries), len(entries)), np.float32)
    for start in range(0, entries.shape[1], _COLUMNS):
        part = entries[:, start : start + _COLUMNS].astype(np.float32)
        result += part @ part.T
    return result


def _pair_up(entries: NDArray[np.uint8], cost: GroupingCost) -> tuple[list[tuple[int, int]], list[int]]:
    """Rows of entries (0 where there is none) two and two, and what is left: what two rows share saves time, and what one has more than the
    other is filled up."""
    lengths = entries.sum(1, dtype=np.float32)
    saved, filled = 2 * cost.of(1) - cost.of(2), cost.of(1)
    gain = saved * _products(entries) - filled * np.abs(lengths[:, None] - lengths[None, :])
    gain -= gain.min(initial=0)
    # 16 bits: those are sorted fastest.
    pairs = _largest_first(np.triu(1 + gain * (60000 / max(gain.max(initial=0), 1)), 1).astype(np.uint16))
    return pairs, sorted(set(range(len(entries))).difference(*pairs))


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


def _largest_first(gain: NDArray[Any]) -> list[tuple[int, int]]:
    """Disjoint pairs i < j with a positive gain[i, j]: those that taking the largest gain first, among equal ones the first, would give.

    gain is upper triangular. In each round, every pair that is the best one of both its members is taken.
    """
    count = len(gain)
    first, second = np.nonzero(gain > 0)
    place = np.full((count, count), gain.size, np.int32)
    order = np.argsort(gain.max(initial=0) - gain[first, second], kind="stable")
    place[first[order], second[order]] = np.arange(len(order), dtype=np.int32)
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
