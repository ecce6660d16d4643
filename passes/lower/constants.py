"""The constants of a .honed file: arrays, equal ones once, and where they lie in its section of data."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np

from ...graph import packing
from ...kernels._native import crc32c
from .program import DTYPE_NAMES

ALIGN = 64
DTYPE_CODES = {"f32": 1, "u8": 2, "s8": 3, "s32": 4, "s64": 5, "bool": 6, "u16": 7, "f64": 8}

PACK_FROM = 128
"""Elements from which on packing makes a file smaller: data are aligned to 64 bytes."""

_PLAIN, _PACKED4 = 0, 1
_CONSTANT = struct.Struct("<QQIHH8q")


class Constants:
    """records: those of the section of constants. bytes, crc: of the section of data."""

    def __init__(self) -> None:
        self.records = bytearray()
        self.bytes = self.crc = 0
        self._arrays: list[np.ndarray] = []
        self._known: dict[tuple[np.dtype, tuple[int, ...], int, int], list[int]] = {}

    def add(self, array: np.ndarray) -> int:
        """The index of the array's record. The array must not change until it is written."""
        encoding = _PACKED4 if _fits_4_bits(array) else _PLAIN
        content = _bytes_of(array) if encoding == _PLAIN else packing.pack(array)
        same = self._known.setdefault((array.dtype, array.shape, encoding, crc32c(content)), [])
        for index in same:
            if np.array_equal(self._arrays[index], content):
                return index
        same.append(len(self._arrays))
        padding = bytes(-self.bytes % ALIGN)
        self.bytes += len(padding)
        dims = array.shape + (0,) * (8 - array.ndim)
        self.records += _CONSTANT.pack(self.bytes, content.size, DTYPE_CODES[DTYPE_NAMES[array.dtype]], array.ndim, encoding, *dims)
        self.bytes += content.size
        self.crc = crc32c(content, crc32c(padding, self.crc))
        self._arrays.append(content)
        return same[-1]

    def pieces(self) -> Iterator[bytes | memoryview]:
        """The section of data from beginning to end, once: every array is let go of when the next piece is asked for."""
        self._known.clear()
        self._arrays.reverse()
        written = 0
        while self._arrays:
            padding = bytes(-written % ALIGN)
            yield padding
            written += len(padding) + self._arrays[-1].size
            yield self._arrays.pop().data


def _fits_4_bits(array: np.ndarray) -> bool:
    return array.dtype == np.int8 and array.size >= PACK_FROM and bool(array.min() >= -8 and array.max() <= 7)


def _bytes_of(array: np.ndarray) -> np.ndarray:
    """The elements, little-endian, as u8."""
    return np.ascontiguousarray(array, array.dtype.newbyteorder("<")).reshape(-1).view(np.uint8)
