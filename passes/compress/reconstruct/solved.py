"""Layers that were solved, kept on disk, so that work that was interrupted goes on where it stopped."""

from __future__ import annotations

import io
import zipfile
from dataclasses import fields
from pathlib import Path

import numpy as np

from .kept import Kept
from .solve import Solution


class KeptArrays:
    """Arrays by name, of layers by number, in `folder`, for one `key`."""

    def __init__(self, folder: Path, key: str) -> None:
        self._kept = Kept(folder, key)

    def get(self, index: int) -> dict[str, np.ndarray] | None:
        """Those of layer `index`, or None where there are none that can be read."""
        found = self._kept.get(f"{index}.npz")
        if found is None:
            return None
        try:
            with np.load(io.BytesIO(found), allow_pickle=False) as arrays:
                return {name: arrays[name] for name in arrays.files}
        except (OSError, ValueError, EOFError, zipfile.BadZipFile):
            return None

    def put(self, index: int, arrays: dict[str, np.ndarray]) -> None:
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **arrays)
        self._kept.put(f"{index}.npz", buffer.getvalue())


class SolvedLayers:
    """Solutions by layer, below `folder`, for one `key`."""

    def __init__(self, folder: Path, key: str) -> None:
        self._kept = KeptArrays(folder / "layers", key)

    def get(self, index: int) -> Solution | None:
        """The solution of layer `index`, or None where there is none that can be read."""
        values = self._kept.get(index)
        if values is None:
            return None
        weight, bias = values.pop("weight"), values.pop("bias", None)
        return Solution(weight, bias, **{name: float(value) for name, value in values.items()})

    def put(self, index: int, solution: Solution) -> None:
        values = {field.name: getattr(solution, field.name) for field in fields(solution)}
        self._kept.put(index, {name: value for name, value in values.items() if value is not None})
