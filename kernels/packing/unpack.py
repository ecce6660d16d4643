"""The inverse of every packer: weights from constants."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from .bf16 import from_bf16
from .lists import unpack_lists

Array = NDArray[np.generic]


def _conv_blocks(blocks: Array, shape: tuple[int, ...], group: int) -> Array:
    """[group, blocks, rows, padded IC/group, taps] to [OC, IC/group, KH, KW]."""
    padded = blocks.reshape(group, -1, *blocks.shape[3:])
    return padded[:, : shape[0] // group, : shape[1]].reshape(shape)


def _conv_f32(constants: Sequence[Array], shape: tuple[int, ...], group: int) -> Array:
    return _conv_blocks(constants[0].transpose(0, 1, 4, 2, 3), shape, group)


def _conv_units(constants: Sequence[Array], shape: tuple[int, ...], group: int) -> Array:
    order = constants[0].transpose(0, 1, 4, 2, 5, 3)
    weights = _conv_blocks(order.reshape(*order.shape[:3], -1, order.shape[5]), shape, group)
    return from_bf16(weights) if weights.dtype == np.uint16 else weights.astype(np.int32)


def _depthwise(constants: Sequence[Array], shape: tuple[int, ...], group: int) -> Array:
    weights = constants[0].reshape(shape)
    return weights if weights.dtype == np.float32 else weights.astype(np.int32)


def _lists(constants: Sequence[Array], shape: tuple[int, ...], group: int) -> Array:
    out_channels, per_group, kernel_h, kernel_w = shape
    return unpack_lists(list(constants), (out_channels, per_group, kernel_h, kernel_w), group)


def _gemm_f32(constants: Sequence[Array], shape: tuple[int, ...], group: int) -> Array:
    blocks = constants[0]
    return np.ascontiguousarray(blocks.transpose(0, 2, 1).reshape(-1, blocks.shape[1])[: shape[0]])


def _gemm_bf16(constants: Sequence[Array], shape: tuple[int, ...], group: int) -> Array:
    blocks, pairs, outputs, inputs = constants[0].shape
    return from_bf16(constants[0].transpose(0, 2, 1, 3).reshape(blocks * outputs, pairs * inputs)[: shape[0], : shape[1]])


def _gemm_u8s8(constants: Sequence[Array], shape: tuple[int, ...], group: int) -> Array:
    passes, blocks, words, outputs, inputs = constants[0].shape
    padded = constants[0].transpose(0, 1, 3, 2, 4).reshape(passes, blocks * outputs, words * inputs)
    return padded[:, : shape[0], : shape[1]].sum(0, dtype=np.int32)


def _rows(constants: Sequence[Array], shape: tuple[int, ...], group: int) -> Array:
    indptr, indices, values = constants[:3]
    dense = np.zeros(shape, np.float32 if values.dtype == np.float32 else np.int32)
    rows = np.repeat(np.arange(shape[0]), np.diff(indptr))
    np.add.at(dense, (rows, indices.astype(np.int64)), values)
    return dense


_UNPACKERS: dict[str, Callable[[Sequence[Array], tuple[int, ...], int], Array]] = {
    "conv_f32": _conv_f32,
    "conv_bf16": _conv_units,
    "conv_u8s8": _conv_units,
    "depthwise_f32": _depthwise,
    "depthwise_u8s8": _depthwise,
    "gemm_f32": _gemm_f32,
    "gemm_bf16": _gemm_bf16,
    "gemm_u8s8": _gemm_u8s8,
    "sparse_conv_f32": _lists,
    "sparse_conv_u8s8": _lists,
    "sparse_gemm_f32": _rows,
    "sparse_gemm_u8s8": _rows,
}


def unpack(operator: str, constants: Sequence[Array], shape: tuple[int, ...], *, group: int = 1) -> Array:
    """The weights of `shape`, as f32 or int32, that `pack_<operator>` made `constants` of."""
    return _UNPACKERS[operator](constants, shape, group)
