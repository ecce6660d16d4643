"""Layers that were solved, kept on disk, so that work that was interrupted goes on where it stopped."""

from __future__ import annotations

import io
import shutil
import zipfile
from dataclasses import fields
from pathlib import Path

import numpy as np

from ....graph import write_atomically
from .solve import Solution


class SolvedLayers:
    """Solutions by layer, below `folder`. They hold for one `key` only: with another one, what is there is removed."""

    def __init__(self, folder: Path, key: str) -> None:
        self._folder = folder / "layers"
        mark = self._folder / "key"
        if not mark.is_file() or mark.read_text() != key:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder.mkdir(parents=True)
            write_atomically(mark, key.encode())

    def get(self, index: int) -> Solution | None:
        """The solution of layer `index`, or None where there is none that can be read."""
        try:
            with np.load(self._path(index), allow_pickle=False) as arrays:
                values = {name: arrays[name] for name in arrays.files}
        except (OSError, ValueError, EOFError, zipfile.BadZipFile):
            return None
        weight, bias = values.pop("weight"), values.pop("bias", None)
        return Solution(weight, bias, **{name: float(value) for name, value in values.items()})

    def put(self, index: int, solution: Solution) -> None:
        values = {field.name: getattr(solution, field.name) for field in fields(solution)}
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **{name: value for name, value in values.items() if value is not None})
        write_atomically(self._path(index), buffer.getvalue())

    def _path(self, index: int) -> Path:
        return self._folder / f"{index}.npz"
