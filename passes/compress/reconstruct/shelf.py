"""Arrays on disk, one file per tensor and batch."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np


class Shelf:
    """Keeps arrays by tensor name and batch below a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers: dict[str, int] = {}

    def __contains__(self, tensor: str) -> bool:
        return tensor in self._numbers

    def put(self, tensor: str, batch: int, value: np.ndarray) -> None:
        self._numbers.setdefault(tensor, len(self._numbers))
        self._folder.mkdir(parents=True, exist_ok=True)
        np.save(self._path(tensor, batch), value, allow_pickle=False)

    def get(self, tensor: str, batch: int) -> np.ndarray:
        return np.load(self._path(tensor, batch), allow_pickle=False)

    def drop(self, tensor: str, batch: int) -> None:
        os.unlink(self._path(tensor, batch))

    def _path(self, tensor: str, batch: int) -> str:
        """A string: pathlib interns the names of files, of which there are as many as batches."""
        return os.path.join(self._folder, f"{self._numbers[tensor]}-{batch}.npy")
