"""The bundled part of Fashion-MNIST."""

from pathlib import Path

import numpy as np

MEAN, STD = 0.2860, 0.3530
FOLDER = Path(__file__).parent / "data"


def fashion_mnist(part: str) -> tuple[np.ndarray, np.ndarray]:
    """part: "calibration" or "validation". Images f32 [N, 1, 28, 28], normalised as the network wants them, and labels u8 [N]."""
    with np.load(FOLDER / f"fashion_mnist_{part}.npz", allow_pickle=False) as arrays:
        images, labels = arrays["images"], arrays["labels"]
    return ((images[:, None].astype(np.float32) / 255) - MEAN) / STD, labels
