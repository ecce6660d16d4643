"""Packed weights of the matrix products (kernels/gemm/)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .bf16 import to_bf16
from .integers import split_to_s8

_BLOCK = 16
_WORD = 4


def _padded(matrix: NDArray[np.generic], rows: int, columns: int) -> NDArray[np.generic]:
    """`matrix` with zeros added up to multiples of `rows` and `columns`."""
    if matrix.ndim != 2:
        raise ValueError(f"weights have the shape {matrix.shape}, expected [N, K]")
    more = tuple((0, -size % block) for size, block in zip(matrix.shape, (rows, columns), strict=True))
    return np.pad(matrix, more) if any(end for _, end in more) else matrix


def pack_gemm_f32(weights: NDArray[np.floating]) -> list[NDArray[np.generic]]:
    """[N, K] to [blocks of 16 outputs][K][16]: kernels/gemm/gemm_f32.h. Raises ValueError where the weights are not a matrix."""
    padded = _padded(np.asarray(weights, np.float32), _BLOCK, 1)
    return [np.ascontiguousarray(padded.reshape(-1, _BLOCK, padded.shape[1]).transpose(0, 2, 1))]


def pack_gemm_bf16(weights: NDArray[np.floating]) -> list[NDArray[np.generic]]:
    """[N, K] to [blocks of 16 outputs][pairs of inputs][16][2] in bf16, as u16: kernels/gemm/gemm_bf16.h.

    Raises ValueError where the weights are not a matrix.
    """
    padded = _padded(to_bf16(weights), _BLOCK, 2)
    return [np.ascontiguousarray(padded.reshape(-1, _BLOCK, padded.shape[1] // 2, 2).transpose(0, 2, 1, 3))]


def pack_gemm_u8s8(weights: NDArray[np.integer]) -> list[NDArray[np.generic]]:
    """[N, K] integers in -510 ... 510 to [passes][blocks of 16 outputs][words of 4 inputs][16][4]: kernels/gemm/gemm_u8s8.h.

    Raises ValueError for weights that are not a matrix of such integers.
    """
    passes = [_padded(part, _BLOCK, _WORD) for part in split_to_s8(weights)]
    return [np.stack([p.reshape(-1, _BLOCK, p.shape[1] // _WORD, _WORD).transpose(0, 2, 1, 3) for p in passes])]


def pack_sparse_gemm_f32(weights: NDArray[np.floating]) -> list[NDArray[np.generic]]:
    """[N, K] to indptr s32[N + 1], indices u16 or s32, values f32: kernels/sparse_gemm/csr.h.

    Raises ValueError for anything but a matrix.
    """
    return _rows([_padded(np.asarray(weights, np.float32), 1, 1)])


def pack_sparse_gemm_u8s8(weights: NDArray[np.integer]) -> list[NDArray[np.generic]]:
    """[N, K] integers in -510 ... 510 to indptr, indices and values s8: kernels/sparse_gemm/csr.h.

    A weight outside s8 becomes several entries. Raises ValueError for weights that are not a matrix of such integers.
    """
    return _rows([_padded(part, 1, 1) for part in split_to_s8(weights)])


def _rows(parts: list[NDArray[np.generic]]) -> list[NDArray[np.generic]]:
    """The sum of the parts by rows, each row in the order of its columns."""
    n, k = parts[0].shape
    stack = np.stack(parts, -1)
    row, column, part = np.nonzero(stack)
    indptr = np.zeros(n + 1, np.int32)
    np.cumsum(np.bincount(row, minlength=n), out=indptr[1:])
    return [indptr, column.astype(np.uint16 if k <= 65536 else np.int32), stack[row, column, part]]
