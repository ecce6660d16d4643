"""Lists of the sparse convolutions (kernels/conv/lists.h). `grouping` says which output channels share one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .grouping import GroupingCost, count_steps, form_lists
from .integers import split_to_s8

_MOST = 4  # channels of a list

# Of whole networks: a list that saves a pass costs less than its steps say.
INT8_COST = GroupingCost((11.0, 11.2, 15.0))
F32_COST = GroupingCost((9.0, 12.9, 16.5))


def _pack(
    matrix: NDArray[np.generic], ids: NDArray[np.int64], num_ids: int, step: int, cost: GroupingCost, group: int
) -> list[NDArray[np.generic]]:
    """matrix [rows, entries]; ids [rows, entries] ascending in each row: the tap of each entry."""
    mask = matrix != 0
    lists = form_lists(mask, step, cost, group)
    table = np.full((len(lists), 8), -1, np.int32)
    sizes = np.array([len(rows) for rows in lists])
    union = np.stack([mask[rows].any(0) for rows in lists])
    counts = count_steps(union, step)
    ends = np.cumsum(counts)
    for i, rows in enumerate(lists):
        table[i, : len(rows)] = rows
    table[:, 4] = sizes
    table[:, 5], table[:, 6] = ends - counts, ends
    table[:, 7] = np.cumsum(sizes * counts) - sizes * counts

    which, column = np.nonzero(union)
    lengths = union.sum(-1)
    rank = np.arange(len(which)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    first_rows = np.array([rows[0] for rows in lists])
    slot = table[which, 5].astype(np.int64) * step + rank
    packed_ids = np.zeros(int(ends[-1]) * step, np.int64)
    packed_ids[slot] = ids[first_rows[which], column]
    _fill_last_steps(packed_ids, table, lengths, step)

    weights = np.zeros((int((sizes * counts).sum()), step), matrix.dtype)
    for channel in range(_MOST):
        has = sizes[which] > channel
        w, c = which[has], column[has]
        at = table[w, 7].astype(np.int64) + rank[has] // step * sizes[w] + channel
        weights[at, rank[has] % step] = matrix[table[w, channel], c]
    return [table, packed_ids.astype(np.uint16 if num_ids <= 65536 else np.int32), weights]


def _fill_last_steps(ids: NDArray[np.int64], table: NDArray[np.int32], lengths: NDArray[np.int64], step: int) -> None:
    """Repeats a list's last id in the slots that its last step has left over: their weights are 0, the plane is read anyway."""
    for k in range(1, step):
        short = lengths % step == k
        ends = table[short, 6].astype(np.int64) * step
        for slot in range(k, step):
            ids[ends - step + slot] = ids[ends - step + k - 1]


def _entries(weights: NDArray[Any], group: int) -> tuple[NDArray[Any], NDArray[np.int64], int]:
    """[OC, IC/group, KH, KW] to a matrix [OC, IC/group * taps], the id of each entry, and the number of ids."""
    out_channels, per_group, kernel_h, kernel_w = weights.shape
    columns = per_group * kernel_h * kernel_w
    first = np.arange(out_channels) // (out_channels // group) * columns
    return weights.reshape(out_channels, columns), first[:, None] + np.arange(columns)[None, :], columns * group


def pack_sparse_conv_u8s8(
    weights: NDArray[np.integer], *, group: int = 1, cost: GroupingCost = INT8_COST, **_: int
) -> list[NDArray[np.generic]]:
    """Lists, ids and weights of `sparse_conv_u8s8` from integer weights [OC, IC/group, KH, KW], each in -510 ... 510.

    A weight outside -128 ... 127 becomes several entries of the same tap.
    """
    matrix, ids, num_ids = _entries(weights, group)
    parts = split_to_s8(matrix)
    return _pack(np.concatenate(parts, 1), np.concatenate([ids] * len(parts), 1), num_ids, 4, cost, group)


def pack_sparse_conv_f32(
    weights: NDArray[np.float32], *, group: int = 1, cost: GroupingCost = F32_COST, **_: int
) -> list[NDArray[np.generic]]:
    """Lists, ids and weights of `sparse_conv_f32` from weights f32 [OC, IC/group, KH, KW]."""
    matrix, ids, num_ids = _entries(np.asarray(weights, np.float32), group)
    return _pack(matrix, ids, num_ids, 1, cost, group)


def unpack_lists(constants: list[NDArray[np.generic]], shape: tuple[int, int, int, int], group: int = 1) -> NDArray[np.generic]:
    """The inverse: weights [OC, IC/group, KH, KW] (`shape`), as int32 or f32."""
    table, ids, weights = constants[:3]
    out_channels, per_group, kernel_h, kernel_w = shape
    columns = per_group * kernel_h * kernel_w
    step = weights.shape[1]
    dense = np.zeros((out_channels, columns), np.float32 if weights.dtype == np.float32 else np.int32)
    for *rows, size, begin, end, first in table.tolist():
        entries = ids[begin * step : end * step].astype(np.int64) % columns
        for channel in range(size):
            values = weights[first + channel : first + size * (end - begin) : size].reshape(-1)
            np.add.at(dense[rows[channel]], entries, values)
    return dense.reshape(shape)
