"""bfloat16 by ml_dtypes, and the bound of what it does to products."""

from __future__ import annotations

import ml_dtypes
import numpy as np

PRODUCT_ERROR = 2.0**-7 + 2.0**-16
"""Of a product of two numbers rounded to 8 bits, relative: (1 + u)^2 - 1 with u = 2^-8 (Higham, Accuracy and Stability of Numerical
Algorithms, 2nd edition, 2002, theorem 2.2)."""


def rounded(values: np.ndarray) -> np.ndarray:
    """To bfloat16 and back."""
    return values.astype(ml_dtypes.bfloat16).astype(np.float32)


def f32_of(bits: np.ndarray) -> np.ndarray:
    return bits.astype(np.uint32).view(np.float32)
