"""Lists of the sparse convolutions (kernels/conv/lists.h). `grouping` says which output channels share one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .grouping import ChannelList, GroupingCost, count_steps, form_lists, run_apart
from .integers import split_to_s8

# Of steps within whole networks.
INT8_COST = GroupingCost((8.7, 10.4, 16.3))
F32_COST = GroupingCost((6.5, 12.0, 19.0))


def _pack(matrix: NDArray[np.generic], columns: int, group: int, step: int, lists: list[ChannelList]) -> list[NDArray[np.generic]]:
    """matrix [rows, entries]: `columns` taps, once or several times over."""
    table, streams = _lay_out(matrix != 0, step, lists)
    size, count, begin, end, _ = table[-1, 4:].tolist()
    packed_ids = np.zeros(end * step, np.uint16 if columns * group <= 65536 else np.int32)
    rows = matrix.shape[0] // group
    weights = np.zeros((int(table[-1, 8]) + size * ((end - begin) // count), step), matrix.dtype)
    for stream in streams:
        size, count, begin, end, first = table[stream.list, 4:].tolist()
        steps, entries = (end - begin) // count, np.flatnonzero(stream.union)
        if steps == 0:
            continue
        if entries.size:
            # What the last steps have left over repeats the last id: its weight is 0, the plane is read anyway.
            ids = stream.channels[0] // rows * columns + entries[np.minimum(np.arange(steps * step), entries.size - 1)] % columns
            packed_ids[begin * step : end * step].reshape(steps, count, step)[:, stream.index] = ids.reshape(-1, step)
        values = np.zeros((len(stream.channels), steps * step), matrix.dtype)
        values[:, : entries.size] = matrix[stream.channels[:, None], entries]
        own = weights[first : first + size * steps].reshape(steps, size, step)[:, stream.index : stream.index + len(stream.channels)]
        own[:] = values.reshape(len(stream.channels), steps, step).swapaxes(0, 1)
    return [table, packed_ids, weights]


@dataclass(frozen=True)
class _Stream:
    """Entries of one list: of `channels` together. index: among the list's streams."""

    list: int
    index: int
    channels: NDArray[np.int64]
    union: NDArray[np.bool_]


def _lay_out(mask: NDArray[np.bool_], step: int, lists: list[ChannelList]) -> tuple[NDArray[np.int32], list[_Stream]]:
    """The table of the lists, and their streams."""
    table, streams = np.full((len(lists), 9), -1, np.int32), []
    ids = weights = 0
    for i, (channels, apart) in enumerate(lists):
        own = [_Stream(i, k, c, mask[c].any(0)) for k, c in enumerate(channels[:, None] if apart else [channels])]
        steps = max(int(count_steps(stream.union, step)) for stream in own)
        table[i, : len(channels)] = channels
        table[i, 4:] = len(channels), len(own), ids, ids + steps * len(own), weights
        ids, weights = ids + steps * len(own), weights + steps * len(channels)
        streams += own
    return table, streams


def _matrix(weights: NDArray[Any]) -> NDArray[Any]:
    """[OC, IC/group, KH, KW] to [OC, IC/group * taps]."""
    return weights.reshape(len(weights), -1)


def pack_sparse_conv_u8s8(
    weights: NDArray[np.integer], *, group: int = 1, cost: GroupingCost = INT8_COST, streams: int = 2, **_: int
) -> list[NDArray[np.generic]]:
    """Lists, ids and weights of `sparse_conv_u8s8` from integer weights [OC, IC/group, KH, KW], each in -510 ... 510.

    A weight outside -128 ... 127 becomes several entries of the same tap. streams: how many channels that share their entries with no
    other run side by side: 2, or 4 for planes of one word.
    """
    parts = split_to_s8(_matrix(weights))
    whole, columns = np.concatenate(parts, 1), parts[0].shape[1]
    lists = run_apart(whole != 0, form_lists(whole != 0, 4, cost, group), 4, streams)
    return _pack(whole, columns, group, 4, lists)


def pack_sparse_conv_f32(
    weights: NDArray[np.float32], *, group: int = 1, cost: GroupingCost = F32_COST, **_: int
) -> list[NDArray[np.generic]]:
    """Lists, ids and weights of `sparse_conv_f32` from weights f32 [OC, IC/group, KH, KW]."""
    matrix = _matrix(np.asarray(weights, np.float32))
    lists = [ChannelList(channels, False) for channels in form_lists(matrix != 0, 1, cost, group)]
    return _pack(matrix, matrix.shape[1], group, 1, lists)


def unpack_lists(constants: list[NDArray[np.generic]], shape: tuple[int, int, int, int], group: int = 1) -> NDArray[np.generic]:
    """The inverse: weights [OC, IC/group, KH, KW] (`shape`), as int32 or f32."""
    table, ids, weights = constants[:3]
    out_channels, per_group, kernel_h, kernel_w = shape
    columns = per_group * kernel_h * kernel_w
    step = weights.shape[1]
    dense = np.zeros((out_channels, columns), np.float32 if weights.dtype == np.float32 else np.int32)
    for *rows, size, streams, begin, end, first in table.tolist():
        steps = (end - begin) // streams
        entries = ids[begin * step : end * step].astype(np.int64).reshape(steps, streams, step) % columns
        values = weights[first : first + size * steps].reshape(steps, size, step)
        for channel in range(size):
            np.add.at(dense[rows[channel]], entries[:, channel % streams], values[:, channel])
    return dense.reshape(shape)
