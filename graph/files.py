"""Writing files so that nobody ever finds half of one."""

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path


def write_atomically(path: str | os.PathLike[str], chunks: bytes | Iterable[bytes | memoryview]) -> None:
    """Replaces the file at `path` by one with these bytes, by way of a temporary file in the same folder: whatever happens in between,
    `path` is the old file or the whole new one. Raises OSError."""
    target = Path(path)
    descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            for chunk in (chunks,) if isinstance(chunks, bytes) else chunks:
                file.write(chunk)
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, target)
    except BaseException:
        os.unlink(temporary)
        raise


def _umask() -> int:
    """What other programs' new files have: mkstemp's are for their owner alone."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
