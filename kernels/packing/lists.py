"""Lists of the sparse convolutions (kernels/conv/lists.h). `grouping` says which output channels share one, `sections` how they do."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .grouping import GroupingCost, form_lists, group_alike
from .integers import split_to_s8
from .places import Places, place, place_together
from .sections import APART, SECTIONS, STEP, STREAM, count_kinds, make_plan

# Of steps within whole networks.
INT8_COST = GroupingCost((8.7, 9.5, 15.3))
F32_COST = GroupingCost((6.5, 12.0, 19.0))

# Columns of a table of lists.
_SIZE, _BEGIN, _WEIGHTS, _STEPS = 4, 5, 6, slice(7, 7 + SECTIONS)


def list_sizes(table: NDArray[Any]) -> NDArray[np.int64]:
    """How many output channels each list has."""
    return table[:, _SIZE].astype(np.int64)


def list_steps(table: NDArray[Any]) -> NDArray[np.int64]:
    """[list, 3]: how many steps its streams of 1, 2 and 4 output channels have together."""
    sizes = list_sizes(table)
    streams = _section_streams(sizes)
    steps = table[:, _STEPS] * streams
    return np.stack([np.where(sizes[:, None] // streams == of, steps, 0).sum(1) for of in (1, 2, 4)], 1)


def _section_streams(sizes: NDArray[np.integer]) -> NDArray[np.int64]:
    """[list, section]: how many streams each section of lists of so many channels has."""
    return np.stack([np.ones_like(sizes), *[np.full_like(sizes, 2)] * 3, sizes], 1).astype(np.int64)


def _lay_out(channels: NDArray[np.int64], entries: Places, step: int) -> NDArray[np.int32]:
    """The table of the lists whose output channels are channels [list, 4], with -1 for none."""
    table = np.zeros((len(channels), _STEPS.stop), np.int64)
    table[:, :_SIZE], table[:, _SIZE] = channels, (channels >= 0).sum(1)
    steps = np.zeros(len(channels) * SECTIONS, np.int64)
    np.maximum.at(steps, _sections_of(entries), entries.place // np.int64(step) + 1)
    table[:, _STEPS] = steps.reshape(-1, SECTIONS)
    table[1:, _BEGIN] = np.cumsum((table[:, _STEPS] * _section_streams(table[:, _SIZE])).sum(1))[:-1]
    table[1:, _WEIGHTS] = np.cumsum(table[:, _STEPS].sum(1) * table[:, _SIZE])[:-1]
    return table.astype(np.int32)


def _sections_of(entries: Places) -> NDArray[np.int64]:
    """[places]: of all lists' sections, one list's after the other's, the one that each is in."""
    return entries.list * np.int64(SECTIONS) + entries.section


def _before(amounts: NDArray[np.int64]) -> NDArray[np.int64]:
    """[list, section]: the sum over the sections before each."""
    return np.cumsum(amounts, 1) - amounts


def _pack(
    matrix: NDArray[np.generic], group: int, columns: int, channels: NDArray[np.int64], entries: Places, step: int
) -> list[NDArray[np.generic]]:
    """matrix [rows, entries]: `columns` taps, once or several times over."""
    table = _lay_out(channels, entries, step)
    size, begin, first, steps = (table[:, i].astype(np.int64) for i in (_SIZE, _BEGIN, _WEIGHTS, _STEPS))
    streams = _section_streams(size)
    where, turn = _sections_of(entries), entries.place // step
    # Places that nothing has taken name the tap 0, with a weight of 0.
    ids = np.zeros(int((steps * streams).sum()) * step, np.uint16 if columns * group <= 65536 else np.int32)
    line = (begin[:, None] + _before(steps * streams)).ravel()[where] + turn * streams.ravel()[where] + entries.stream
    reader = channels[entries.list, np.where(entries.section == APART, entries.stream, 0)]
    ids[line * step + entries.place % step] = reader // (len(matrix) // group) * columns + entries.column % columns
    weights = np.zeros((int((steps.sum(1) * size).sum()), step), matrix.dtype)
    of = entries.weight_of
    begins, sizes = (first[:, None] + _before(steps) * size[:, None]).ravel()[where], size[entries.list]
    line = (begins + turn * sizes)[of] + entries.channel
    weights[line, entries.place[of] % step] = matrix[channels[entries.list[of], entries.channel], entries.column[of]]
    return [table, ids, weights]


def _masks(matrix: NDArray[np.generic], channels: NDArray[np.int64]) -> NDArray[np.bool_]:
    """[list, 4, entry]: which entries the channels [list, 4] have."""
    return (matrix != 0)[channels] & (channels >= 0)[:, :, None]


def _of_several_groups(channels: NDArray[np.int64], rows: int) -> NDArray[np.bool_]:
    """[list], of channels [list, 4]."""
    return ((channels // rows != channels[:, :1] // rows) & (channels >= 0)).any(1)


def _matrix(weights: NDArray[Any]) -> NDArray[Any]:
    """[OC, IC/group, KH, KW] to [OC, IC/group * taps]."""
    return weights.reshape(len(weights), -1)


def pack_sparse_conv_u8s8(
    weights: NDArray[np.integer], *, group: int = 1, cost: GroupingCost = INT8_COST, **_: int
) -> list[NDArray[np.generic]]:
    """Lists, ids and weights of `sparse_conv_u8s8` from integer weights [OC, IC/group, KH, KW], each in -510 ... 510.

    A weight outside -128 ... 127 becomes several entries of the same tap.
    """
    parts = split_to_s8(_matrix(weights))
    whole, columns = np.concatenate(parts, 1), parts[0].shape[1]
    channels = group_alike(whole != 0, cost, group)
    mask = _masks(whole, channels)
    steps = make_plan(count_kinds(mask), (channels >= 0).sum(1), cost)
    # Channels of several groups have no planes in common.
    steps[_of_several_groups(channels, len(whole) // group), :APART] = 0
    # Loops that end after as many steps as they did for the list before are predicted. With one loop per list that is not worth outputs
    # that are written out of order.
    order = np.lexsort(np.where(steps[:, 1:].any(1), -steps.T, 0)[::-1])
    return _pack(whole, group, columns, channels[order], place(mask[order], steps[order]), STEP)


def pack_sparse_conv_f32(
    weights: NDArray[np.float32], *, group: int = 1, cost: GroupingCost = F32_COST, **_: int
) -> list[NDArray[np.generic]]:
    """Lists, ids and weights of `sparse_conv_f32` from weights f32 [OC, IC/group, KH, KW]."""
    matrix = _matrix(np.asarray(weights, np.float32))
    channels = np.array([[*found, *[-1] * (4 - len(found))] for found in form_lists(matrix != 0, 1, cost, group)], np.int64)
    return _pack(matrix, group, matrix.shape[1], channels, place_together(_masks(matrix, channels)), 1)


def unpack_lists(constants: list[NDArray[np.generic]], shape: tuple[int, int, int, int], group: int = 1) -> NDArray[np.generic]:
    """The inverse: weights [OC, IC/group, KH, KW] (`shape`), as int32 or f32."""
    table, ids, weights = constants[:3]
    out_channels, per_group, kernel_h, kernel_w = shape
    columns = per_group * kernel_h * kernel_w
    step = weights.shape[1]
    dense = np.zeros((out_channels, columns), np.float32 if weights.dtype == np.float32 else np.int32)
    for row, all_streams in zip(table.tolist(), _section_streams(list_sizes(table)).tolist(), strict=True):
        size, begin, first = row[_SIZE], row[_BEGIN], row[_WEIGHTS]
        for section, (steps, streams) in enumerate(zip(row[_STEPS], all_streams, strict=True)):
            entries = ids[begin * step : (begin + steps * streams) * step].astype(np.int64).reshape(steps, streams, step) % columns
            values = weights[first : first + size * steps].reshape(steps, size, step)
            for channel in range(size):
                np.add.at(dense[row[channel]], entries[:, STREAM[section, channel]], values[:, channel])
            begin, first = begin + steps * streams, first + size * steps
    return dense.reshape(shape)
