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


def _pack(
    matrix: NDArray[np.generic], ids: NDArray[np.int64], num_ids: int, step: int, lists: list[ChannelList]
) -> list[NDArray[np.generic]]:
    """matrix [rows, entries]; ids [rows, entries] ascending in each row: the tap of each entry."""
    table, streams = _lay_out(matrix != 0, step, lists)
    size, count, begin, end, _ = table[-1, 4:].tolist()
    packed_ids = np.zeros(end * step, np.int64)
    weights = np.zeros((int(table[-1, 8]) + size * ((end - begin) // count), step), matrix.dtype)
    for stream in streams:
        size, count, begin, end, first = table[stream.list, 4:].tolist()
        steps, columns = (end - begin) // count, np.flatnonzero(stream.union)
        if steps == 0:
            continue
        if columns.size:
            # What the last steps have left over repeats the last id: its weight is 0, the plane is read anyway.
            slots = columns[np.minimum(np.arange(steps * step), columns.size - 1)]
            packed_ids[begin * step : end * step].reshape(steps, count, step)[:, stream.index] = ids[stream.channels[0], slots].reshape(
                -1, step
            )
        values = np.zeros((len(stream.channels), steps * step), matrix.dtype)
        values[:, : columns.size] = matrix[stream.channels[:, None], columns]
        own = weights[first : first + size * steps].reshape(steps, size, step)[:, stream.index : stream.index + len(stream.channels)]
        own[:] = values.reshape(len(stream.channels), steps, step).swapaxes(0, 1)
    return [table, packed_ids.astype(np.uint16 if num_ids <= 65536 else np.int32), weights]


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


def _entries(weights: NDArray[Any], group: int) -> tuple[NDArray[Any], NDArray[np.int64], int]:
    """[OC, IC/group, KH, KW] to a matrix [OC, IC/group * taps], the id of each entry, and the number of ids."""
    out_channels, per_group, kernel_h, kernel_w = weights.shape
    columns = per_group * kernel_h * kernel_w
    first = np.arange(out_channels) // (out_channels // group) * columns
    return weights.reshape(out_channels, columns), first[:, None] + np.arange(columns)[None, :], columns * group


def pack_sparse_conv_u8s8(
    weights: NDArray[np.integer], *, group: int = 1, cost: GroupingCost = INT8_COST, streams: int = 2, **_: int
) -> list[NDArray[np.generic]]:
    """Lists, ids and weights of `sparse_conv_u8s8` from integer weights [OC, IC/group, KH, KW], each in -510 ... 510.

    A weight outside -128 ... 127 becomes several entries of the same tap. streams: how many channels that share their entries with no
    other run side by side: 2, or 4 for planes of one word.
    """
    matrix, ids, num_ids = _entries(weights, group)
    parts = split_to_s8(matrix)
    whole = np.concatenate(parts, 1)
    lists = run_apart(whole != 0, form_lists(whole != 0, 4, cost, group), 4, streams)
    return _pack(whole, np.concatenate([ids] * len(parts), 1), num_ids, 4, lists)


def pack_sparse_conv_f32(
    weights: NDArray[np.float32], *, group: int = 1, cost: GroupingCost = F32_COST, **_: int
) -> list[NDArray[np.generic]]:
    """Lists, ids and weights of `sparse_conv_f32` from weights f32 [OC, IC/group, KH, KW]."""
    matrix, ids, num_ids = _entries(np.asarray(weights, np.float32), group)
    return _pack(matrix, ids, num_ids, 1, [ChannelList(channels, False) for channels in form_lists(matrix != 0, 1, cost, group)])


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
