"""Sparse and packed forms of weights: conversion from and to dense, without loss, and the bytes of each.

Weights are a Conv's [OC, IC / group, KH, KW] or a Gemm's [N, K], float or integer. As a matrix they have one row per output channel.

    CSR        columns in ONNX's order: (input channel, tap)
    BlockCSR   blocks of output channels x input channels at one tap: columns in the order (tap, input channel)
    Packed     the constants of an operator of the runtime

Zeros are dropped whatever their sign; everything else, NaN included, comes back bit for bit, but from operators that hold bf16: rounded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from . import packing
from .packing.unpack import unpack

Array = NDArray[np.generic]


def _index_dtype(columns: int) -> type[np.generic]:
    return np.uint16 if columns <= 65536 else np.int32


def _check_rows(indptr: Array, indices: Array, rows: int, columns: int, stored: int) -> None:
    """Raises ValueError unless `indptr` and `indices` describe `rows` rows of `stored` entries within `columns`."""
    if indptr.shape != (rows + 1,) or indptr[0] != 0 or indptr[-1] != stored or (np.diff(indptr) < 0).any():
        raise ValueError(f"indptr does not divide {stored} entries into {rows} rows")
    if indices.shape != (stored,):
        raise ValueError(f"{indices.size} indices for {stored} entries")
    if stored and (indices.min() < 0 or indices.max() >= columns):
        raise ValueError(f"indices reach from {indices.min()} to {indices.max()}, expected 0 to {columns - 1}")


def _indptr(rows: NDArray[np.intp], count: int) -> NDArray[np.int32]:
    indptr = np.zeros(count + 1, np.int32)
    np.cumsum(np.bincount(rows, minlength=count), out=indptr[1:])
    return indptr


def _matrix_shape(shape: tuple[int, ...]) -> tuple[int, int]:
    if len(shape) < 2:
        raise ValueError(f"weights have the shape {shape}, expected at least two dimensions")
    return shape[0], prod(shape[1:])


@dataclass(frozen=True)
class CSR:
    """Compressed sparse rows. indptr int32[rows + 1]; indices uint16 or int32[stored]; data[stored].

    Raises ValueError where the arrays do not fit each other.
    """

    shape: tuple[int, ...]
    indptr: Array
    indices: Array
    data: Array

    def __post_init__(self) -> None:
        _check_rows(self.indptr, self.indices, *_matrix_shape(self.shape), self.data.size)

    @classmethod
    def from_dense(cls, weights: Array) -> CSR:
        rows, columns = _matrix_shape(weights.shape)
        matrix = weights.reshape(rows, columns)
        row, column = np.nonzero(matrix)
        return cls(weights.shape, _indptr(row, rows), column.astype(_index_dtype(columns)), matrix[row, column])

    def to_dense(self) -> Array:
        matrix = np.zeros(_matrix_shape(self.shape), self.data.dtype)
        matrix[np.repeat(np.arange(self.shape[0]), np.diff(self.indptr)), self.indices] = self.data
        return matrix.reshape(self.shape)

    @property
    def nbytes(self) -> int:
        return self.indptr.nbytes + self.indices.nbytes + self.data.nbytes

    @property
    def density(self) -> float:
        """Stored elements per element of the dense weights."""
        return self.data.size / max(prod(self.shape), 1)


@dataclass(frozen=True)
class BlockCSR:
    """Compressed sparse rows of blocks. `block` is (output channels, input channels); data [blocks, *block], padded with zeros.

    Raises ValueError where the arrays do not fit each other.
    """

    shape: tuple[int, ...]
    block: tuple[int, int]
    indptr: Array
    indices: Array
    data: Array

    def __post_init__(self) -> None:
        if min(self.block) < 1 or self.data.shape[1:] != self.block:
            raise ValueError(f"blocks of the shape {self.data.shape[1:]}, expected {self.block} of at least one element")
        rows, columns = self._grid(self.shape, self.block)
        _check_rows(self.indptr, self.indices, rows, columns, len(self.data))

    @staticmethod
    def _grid(shape: tuple[int, ...], block: tuple[int, int]) -> tuple[int, int]:
        """Rows and columns of blocks; the columns of each tap are padded to whole blocks."""
        _matrix_shape(shape)
        return -(-shape[0] // block[0]), -(-shape[1] // block[1]) * prod(shape[2:])

    @classmethod
    def from_dense(cls, weights: Array, block: tuple[int, int]) -> BlockCSR:
        rows, columns = cls._grid(weights.shape, block)
        by_tap = np.moveaxis(weights.reshape(*weights.shape[:2], -1), 2, 1)
        padded = np.pad(by_tap, ((0, -weights.shape[0] % block[0]), (0, 0), (0, -weights.shape[1] % block[1])))
        blocks = padded.reshape(rows, block[0], columns, block[1]).swapaxes(1, 2)
        row, column = np.nonzero((blocks != 0).any((2, 3)))
        return cls(weights.shape, block, _indptr(row, rows), column.astype(_index_dtype(columns)), blocks[row, column])

    def to_dense(self) -> Array:
        rows, columns = self._grid(self.shape, self.block)
        taps = prod(self.shape[2:])
        blocks = np.zeros((rows, columns, *self.block), self.data.dtype)
        blocks[np.repeat(np.arange(rows), np.diff(self.indptr)), self.indices] = self.data
        by_tap = blocks.swapaxes(1, 2).reshape(rows * self.block[0], taps, -1)
        return np.ascontiguousarray(np.moveaxis(by_tap[: self.shape[0], :, : self.shape[1]], 1, 2)).reshape(self.shape)

    @property
    def nbytes(self) -> int:
        return self.indptr.nbytes + self.indices.nbytes + self.data.nbytes

    @property
    def density(self) -> float:
        """Stored elements, zeros within blocks included, per element of the dense weights."""
        return self.data.size / max(prod(self.shape), 1)


_PACKERS: dict[str, Callable[..., list[Array]]] = {
    "conv_f32": packing.pack_conv_f32,
    "conv_bf16": packing.pack_conv_bf16,
    "conv_u8s8": packing.pack_conv_u8s8,
    "depthwise_f32": packing.pack_depthwise_f32,
    "depthwise_u8s8": packing.pack_depthwise_u8s8,
    "sparse_conv_f32": packing.pack_sparse_conv_f32,
    "sparse_conv_u8s8": packing.pack_sparse_conv_u8s8,
    "gemm_f32": packing.pack_gemm_f32,
    "gemm_bf16": packing.pack_gemm_bf16,
    "gemm_u8s8": packing.pack_gemm_u8s8,
    "sparse_gemm_f32": packing.pack_sparse_gemm_f32,
    "sparse_gemm_u8s8": packing.pack_sparse_gemm_u8s8,
}


@dataclass(frozen=True)
class Packed:
    """The constants that an operator of the runtime holds its weights in: what lies in a .honed file and what kernels read."""

    shape: tuple[int, ...]
    operator: str
    group: int
    constants: tuple[Array, ...]

    @classmethod
    def from_dense(cls, weights: Array, operator: str, *, group: int = 1) -> Packed:
        """Raises ValueError for an operator that has no weights, and where its packer refuses these."""
        if operator not in _PACKERS:
            raise ValueError(f"operator {operator!r}: expected one of {', '.join(_PACKERS)}")
        packer = _PACKERS[operator]
        conv = {} if "gemm" in operator else {"group": group}
        return cls(weights.shape, operator, group, tuple(packer(weights, **conv)))

    def to_dense(self) -> Array:
        """f32, or int32 where the operator's weights are integers."""
        return unpack(self.operator, self.constants, self.shape, group=self.group)

    @property
    def nbytes(self) -> int:
        return sum(constant.nbytes for constant in self.constants)

    @property
    def density(self) -> float:
        """Stored weights, padding included, per element of the dense weights."""
        return self.constants[-1].size / max(prod(self.shape), 1)
