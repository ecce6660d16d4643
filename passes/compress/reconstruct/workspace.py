"""Where activations and solutions lie on disk while a model is reconstructed."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def workspace(state: Path | None) -> Iterator[Path]:
    """A folder: `state`, which stays, or a temporary one. Activations go to its "activations", which is empty at first and removed at the
    end."""
    folder = Path(tempfile.mkdtemp(prefix="honed-")) if state is None else state
    try:
        shutil.rmtree(folder / "activations", ignore_errors=True)
        (folder / "activations").mkdir(parents=True)
        yield folder
    finally:
        shutil.rmtree(folder if state is None else folder / "activations", ignore_errors=True)
