"""What engines answer: outputs of a model file for many inputs, and how far two engines' answers are apart."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from .engines import open_session

NEAR_TIE = 0.05
"""Two classes nearer than this, in standard deviations of an image's outputs, may come out in either order."""


def outputs(engine: str, path: Path, batches: Iterable[np.ndarray]) -> np.ndarray:
    """[images, classes], on one thread."""
    session = open_session(engine, path, 1)
    name = session.get_inputs()[0].name
    return np.concatenate([session.run(None, {name: batch})[0] for batch in batches])


def disagreement(ours: np.ndarray, theirs: np.ndarray) -> tuple[int, float]:
    """For how many images the largest outputs [images, classes] are different ones; and over these the largest distance of the two classes
    in `theirs`, in standard deviations of the image's outputs."""
    differ = np.flatnonzero(ours.argmax(axis=1) != theirs.argmax(axis=1))
    if not len(differ):
        return 0, 0.0
    ours, theirs = ours[differ], theirs[differ]
    distance = theirs.max(axis=1) - theirs[np.arange(len(differ)), ours.argmax(axis=1)]
    return len(differ), float((distance / np.maximum(theirs.std(axis=1), 1e-30)).max())
