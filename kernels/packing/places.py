"""Where the entries of sparse lists go: into which stream of which section (`sections` says how long these are), at which place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ._placing import place_entries
from .sections import SHARED, Counts

Mask = NDArray[np.bool_]
Indices = NDArray[np.int32]

_SHARED = np.packbits(SHARED.astype(np.uint8), axis=1, bitorder="little")[:, 0]


@dataclass(frozen=True)
class Places:
    """list, section, stream, place (within the stream), column: [places]. channel (of the list), weight_of (the place): [weights]"""

    list: Indices
    section: Indices
    stream: Indices
    place: Indices
    column: Indices
    weight_of: Indices
    channel: Indices


def place_together(mask: Mask) -> Places:
    """The entries of mask [list, channel, column] in lists that have the first section alone, in order of their columns."""
    lists, columns = np.nonzero(mask.any(1))
    first = np.searchsorted(lists, np.arange(len(mask)))
    has, channel = np.nonzero(mask[lists, :, columns])
    zero = np.zeros(lists.size, np.int64)
    found = (lists, zero, zero, np.arange(lists.size) - first[lists], columns, has, channel)
    return Places(*(array.astype(np.int32) for array in found))


def place(mask: Mask, steps: Counts) -> Places:
    """The entries of mask [list, channel, column] in lists with steps [list, section], as `make_plan` gave them.

    All channels' stream takes entries of most channels first, the pairs' streams those that a pair shares. What is left are entries of
    single channels: they take the places that are free in the pairs' streams, those of the channels first that have the least to choose
    from, and go apart otherwise, however many steps that takes.
    """
    bits = np.ascontiguousarray(mask).view(np.uint8)
    return Places(*place_entries(bits, np.ascontiguousarray(steps, np.int64), _SHARED))
