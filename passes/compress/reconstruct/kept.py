"""A folder of results that hold for one key only, so that work that was interrupted goes on where it stopped."""

from __future__ import annotations

import shutil
from pathlib import Path

from ....graph import write_atomically


class Kept:
    """Results by name in `folder`. key: of all that they depend on; with another one, what is there is removed."""

    def __init__(self, folder: Path, key: str) -> None:
        self._folder = folder
        mark = folder / "key"
        if not mark.is_file() or mark.read_text() != key:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            write_atomically(mark, key.encode())

    def get(self, name: str) -> bytes | None:
        """The result of that name, or None where there is none that can be read."""
        try:
            return (self._folder / name).read_bytes()
        except OSError:
            return None

    def put(self, name: str, result: bytes) -> None:
        """Keeps a result: the whole of it, or nothing."""
        write_atomically(self._folder / name, result)
