"""Packed weights of the dense and depthwise convolutions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .bf16 import to_bf16

_ROWS_FLOAT, _ROWS_U8S8 = 8, 4


def _blocks(weights: NDArray[np.generic], group: int, size: int) -> NDArray[np.generic]:
    """[OC, IC/group, KH, KW] to [group, blocks, `size` output channels, IC/group, taps], padded with zeros."""
    out_channels, per_group, kernel_h, kernel_w = weights.shape
    rows = out_channels // group
    blocks = -(-rows // size)
    padded = np.zeros((group, blocks * size, per_group, kernel_h * kernel_w), weights.dtype)
    padded[:, :rows] = weights.reshape(group, rows, per_group, kernel_h * kernel_w)
    return padded.reshape(group, blocks, size, per_group, kernel_h * kernel_w)


def _units(blocks: NDArray[np.generic], size: int) -> NDArray[np.generic]:
    """[group, blocks, rows, channels, taps] to [group, blocks, units of `size` channels, taps, rows, size], padded with zeros."""
    group, count, rows, channels, taps = blocks.shape
    padded = np.zeros((group, count, rows, -(-channels // size) * size, taps), blocks.dtype)
    padded[:, :, :, :channels] = blocks
    return np.ascontiguousarray(padded.reshape(group, count, rows, -1, size, taps).transpose(0, 1, 3, 5, 2, 4))


def pack_conv_f32(weights: NDArray[np.float32], *, group: int = 1, **_: int) -> list[NDArray[np.generic]]:
    """[group][blocks of 8 output channels][IC/group][tap][8]: kernels/conv/float_conv.h."""
    return [np.ascontiguousarray(_blocks(np.asarray(weights, np.float32), group, _ROWS_FLOAT).transpose(0, 1, 3, 4, 2))]


def pack_conv_bf16(weights: NDArray[np.float32], *, group: int = 1, **_: int) -> list[NDArray[np.generic]]:
    """[group][blocks of 8 output channels][pairs of input channels][tap][8][2] in bf16, as u16: kernels/conv_bf16/conv_bf16.h."""
    return [_units(_blocks(to_bf16(weights), group, _ROWS_FLOAT), 2)]


def pack_conv_u8s8(weights: NDArray[np.integer], *, group: int = 1, rows: int = _ROWS_U8S8, **_: int) -> list[NDArray[np.generic]]:
    """[group][blocks of `rows` output channels][quads of input channels][tap][rows][4 input channels] (kernels/conv_u8s8/conv_u8s8.h).

    Raises ValueError where a weight is outside s8; `pack_sparse_conv_u8s8` takes those.
    """
    if weights.min(initial=0) < -128 or weights.max(initial=0) > 127:
        raise ValueError(f"integer weights reach from {weights.min()} to {weights.max()}, expected -128 to 127")
    return [_units(_blocks(weights.astype(np.int8), group, rows), 4)]


def pack_depthwise_f32(weights: NDArray[np.float32], **_: int) -> list[NDArray[np.generic]]:
    """[OC][taps]: ONNX's own layout."""
    return [np.ascontiguousarray(weights, np.float32)]


def pack_depthwise_u8s8(weights: NDArray[np.integer], **_: int) -> list[NDArray[np.generic]]:
    """[OC][taps] as s8. Raises ValueError where a weight is outside s8; `pack_sparse_conv_u8s8` takes those."""
    if weights.min(initial=0) < -128 or weights.max(initial=0) > 127:
        raise ValueError(f"integer weights reach from {weights.min()} to {weights.max()}, expected -128 to 127")
    return [np.ascontiguousarray(weights, np.int8)]
