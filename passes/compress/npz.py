"""Arrays in .npy and .npz files, read piece by piece."""

from __future__ import annotations

import os
import zipfile
from math import prod
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy_format

from ...graph.errors import Error


class NpzArray:
    """An array inside a .npz file. Slices along the first dimension are read from the file, compressed or not, when they are taken;
    slices in rising order cost one reading of the file."""

    def __init__(self, path: Path, member: str):
        self._path, self._member = path, member
        self._stream: IO[bytes] | None = None
        self._row = 0
        with zipfile.ZipFile(path) as archive, archive.open(member) as stream:
            self.shape, fortran, self.dtype = _read_header(stream)
            size = archive.getinfo(member).file_size
            expected = prod(self.shape) * self.dtype.itemsize
            if size - stream.tell() != expected:
                raise ValueError(f"{member} holds {size - stream.tell()} bytes of data, expected {expected}")
        if fortran and len(self.shape) > 1:
            raise ValueError(f"{member} is in Fortran order, expected C order")
        self._row_bytes = prod(self.shape[1:]) * self.dtype.itemsize

    def __getitem__(self, rows: slice) -> np.ndarray:
        start, stop, _ = rows.indices(self.shape[0])
        stream = self._seek(start)
        count = max(stop - start, 0)
        data = stream.read(count * self._row_bytes)
        if len(data) != count * self._row_bytes:
            raise Error(f"{self._path}: {self._member} ends at row {self._row}, expected {self.shape[0]} rows")
        self._row = start + count
        return np.frombuffer(data, self.dtype).reshape(count, *self.shape[1:])

    def _seek(self, row: int) -> IO[bytes]:
        if self._stream is None or row < self._row:
            if self._stream is not None:
                self._stream.close()
            self._stream = zipfile.ZipFile(self._path).open(self._member)  # noqa: SIM115 (kept open between slices)
            _read_header(self._stream)
            self._row = 0
        for _ in range(row - self._row):
            self._stream.read(self._row_bytes)
        return self._stream


class NpyArray:
    """The array of a .npy file. Slices along the first dimension are read from the file when they are taken, so that none of it stays in
    memory."""

    def __init__(self, path: Path):
        self._path = path
        with path.open("rb") as stream:
            self.shape, fortran, self.dtype = _read_header(stream)
            self._start = stream.tell()
            size = stream.seek(0, os.SEEK_END) - self._start
        expected = prod(self.shape) * self.dtype.itemsize
        if size != expected:
            raise ValueError(f"holds {size} bytes of data, expected {expected}")
        if fortran and len(self.shape) > 1:
            raise ValueError("is in Fortran order, expected C order")
        self._row_bytes = prod(self.shape[1:]) * self.dtype.itemsize

    def read(self) -> np.ndarray:
        """The whole array."""
        return self[:] if self.shape else np.fromfile(self._path, self.dtype, 1, offset=self._start).reshape(())

    def __getitem__(self, rows: slice) -> np.ndarray:
        start, stop, _ = rows.indices(self.shape[0])
        count = max(stop - start, 0)
        with self._path.open("rb") as stream:
            stream.seek(self._start + start * self._row_bytes)
            data = stream.read(count * self._row_bytes)
        if len(data) != count * self._row_bytes:
            raise Error(f"{self._path}: ends before row {stop}, expected {self.shape[0]} rows")
        return np.frombuffer(data, self.dtype).reshape(count, *self.shape[1:])


def _read_header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    version = npy_format.read_magic(stream)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"NumPy format version {version}, expected 1.0 or 2.0")
    read = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
    shape, fortran, dtype = read(stream)
    if dtype.hasobject:
        raise ValueError("holds Python objects, expected numbers")
    return shape, fortran, dtype


def open_arrays(path: Path) -> NpyArray | dict[str, NpzArray]:
    """The array of a .npy file, or the arrays of a .npz file by name. Nothing is unpickled. Raises Error."""
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                members = [name for name in archive.namelist() if name.endswith(".npy")]
            return {name[: -len(".npy")]: NpzArray(path, name) for name in members}
        return NpyArray(path)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise Error(f"{path}: not a folder of images, .npy or .npz file: {error}") from error
