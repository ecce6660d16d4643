"""Where the entries of sparse lists go: into which stream of which section (`sections` says how long these are), at which place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .sections import APART, CHANNELS, PAIRS, SHARED, STEP, Counts

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Places:
    """list, section, stream, place (within the stream), column: [places]. channel (of the list), weight_of (the place): [weights]"""

    list: Counts
    section: Counts
    stream: Counts
    place: Counts
    column: Counts
    weight_of: Counts
    channel: Counts


@dataclass(frozen=True)
class _Entries:
    """Some entries, at most one of a list in a column, in order of their lists and columns. rank: how many of the same list come before."""

    list: Counts
    column: Counts
    rank: Counts

    def where(self, chosen: Mask) -> _Entries:
        return _Entries(self.list[chosen], self.column[chosen], self.rank[chosen])


def _entries(mask: Mask) -> _Entries:
    """Those of mask [list, column]."""
    lists, columns = np.divmod(np.flatnonzero(mask), max(mask.shape[1], 1))
    return _Entries(lists, columns, np.arange(lists.size) - np.searchsorted(lists, np.arange(len(mask)))[lists])


class _Placer:
    """Collects places. left [list, channel, column]: entries that have none yet."""

    def __init__(self, mask: Mask) -> None:
        self.left = mask.copy()
        self._places: list[tuple[Counts, ...]] = []
        self._weights: list[tuple[Counts, Counts]] = []
        self._count = 0

    def put(self, section: int, stream: int, entries: _Entries, first: Counts, channels: tuple[int, ...]) -> None:
        """Entries into a stream, one behind the other from the place first [list] on, for those of the channels that have them left."""
        lists, columns = entries.list, entries.column
        same = np.ones_like(lists)
        self._places.append((lists, same * section, same * stream, first[lists] + entries.rank, columns))
        for channel in channels:
            has = np.flatnonzero(self.left[lists, channel, columns])
            self._weights.append((self._count + has, np.full_like(has, channel)))
            self.left[lists, channel, columns] = False
        self._count += lists.size

    def finish(self) -> Places:
        places = [np.concatenate(part) for part in zip(*self._places, strict=True)]
        weights = [np.concatenate(part) for part in zip(*self._weights, strict=True)]
        return Places(*places, *weights)


def place_together(mask: Mask) -> Places:
    """The entries of mask [list, channel, column] in lists that have the first section alone."""
    placer = _Placer(mask)
    placer.put(0, 0, _entries(np.any(mask, axis=1)), np.zeros(len(mask), np.int64), CHANNELS)
    return placer.finish()


def place(mask: Mask, steps: Counts) -> Places:
    """The entries of mask [list, channel, column] in lists with steps [list, section], as `make_plan` gave them. What finds no place in the
    other sections goes apart, however many steps that takes."""
    placer = _Placer(mask)
    _fill_together(placer, steps[:, 0] * STEP)
    room = np.repeat(steps[:, 1:APART] * STEP, 2, axis=1)
    used = _place_pairs(placer, room)
    _place_single(placer, used, _share_out(placer.left.sum(2), room - used, steps[:, APART] * STEP))
    return placer.finish()


def _fill_together(placer: _Placer, room: Counts) -> None:
    """Entries of most channels first."""
    first = np.zeros_like(room)
    for count in (4, 3, 2, 1):
        if (first == room).all():
            break
        found = _entries(placer.left.sum(1) == count)
        found = found.where(found.rank < (room - first)[found.list])
        placer.put(0, 0, found, first, CHANNELS)
        first = first + np.bincount(found.list, minlength=len(room))


def _place_pairs(placer: _Placer, room: Counts) -> Counts:
    """Shared entries into the streams of pairs, with room [list, pair]; returns how much of it they take."""
    shared = np.packbits(SHARED, axis=1, bitorder="little")[:, 0][np.packbits(placer.left, axis=1, bitorder="little")[:, 0]]
    used = np.zeros_like(room)
    for pair, channels in enumerate(PAIRS):
        found = _entries((shared >> pair & 1).astype(bool))
        found = found.where(found.rank < room[found.list, pair])
        placer.put(1 + pair // 2, pair % 2, found, np.zeros(len(room), np.int64), channels)
        used[:, pair] = np.bincount(found.list, minlength=len(room))
    return used


def _share_out(single: Counts, free: Counts, apart: Counts) -> Counts:
    """How many of the places free [list, pair] each channel of a pair takes, [list, pair, side]: channels with more than `apart` of their
    single entries [list, channel] left need them, those first that have the least to choose from."""
    pairs, filled = np.array(PAIRS), np.zeros((*free.shape, 2), np.int64)
    touches = (pairs[:, :, None] == np.arange(4)).any(1).astype(np.int64)
    need, free = single - apart[:, None], free.copy()
    while (lists := np.flatnonzero(((free > 0) & (need[:, pairs] > 0).any(2)).any(1))).size:
        for pair, channels in enumerate(PAIRS):
            wanted = need[lists][:, channels]
            pressing = np.where(wanted > 0, wanted - (free[lists] @ touches)[:, channels], np.iinfo(np.int64).min)
            side = pressing.argmax(1)
            takes = np.flatnonzero((free[lists, pair] > 0) & (wanted[np.arange(len(lists)), side] > 0))
            filled[lists[takes], pair, side[takes]] += 1
            need[lists[takes], np.array(channels)[side[takes]]] -= 1
            free[lists[takes], pair] -= 1
    return filled


def _place_single(placer: _Placer, used: Counts, filled: Counts) -> None:
    """Each channel's entries into its share of the pairs' streams, behind `used` places, and the rest apart."""
    behind = used.copy()
    for channel in CHANNELS:
        entries, done = _entries(placer.left[:, channel]), np.zeros(len(used), np.int64)
        for pair, channels in enumerate(PAIRS):
            if channel in channels:
                share = filled[:, pair, channels.index(channel)]
                chosen = (entries.rank >= done[entries.list]) & (entries.rank < (done + share)[entries.list])
                placer.put(1 + pair // 2, pair % 2, entries.where(chosen), behind[:, pair] - done, (channel,))
                behind[:, pair] += share
                done = done + share
        placer.put(APART, channel, entries.where(entries.rank >= done[entries.list]), -done, (channel,))
