"""Inverses of large symmetric matrices, by products."""

from __future__ import annotations

import numpy as np

SMALL = 256
"""Rows up to which LAPACK inverts."""


def inverse_of(matrix: np.ndarray) -> np.ndarray:
    """[..., n, n]: the inverses of symmetric, positive definite matrices, L⁻ᵀ L⁻¹ of their Cholesky factors L."""
    inverse = inverse_of_lower(np.linalg.cholesky(matrix))
    return inverse.swapaxes(-1, -2) @ inverse


def inverse_of_lower(factor: np.ndarray) -> np.ndarray:
    """[..., n, n]: the inverses of lower triangular matrices, by halves: [[A, 0], [B, C]]⁻¹ = [[A⁻¹, 0], [-C⁻¹ B A⁻¹, C⁻¹]]. So nearly all
    operations are matrix products, which run at the speed of the machine."""
    n = factor.shape[-1]
    if n <= SMALL:
        return np.tril(np.linalg.inv(factor))
    m = n // 2
    result = np.zeros_like(factor)
    result[..., :m, :m] = inverse_of_lower(factor[..., :m, :m])
    result[..., m:, m:] = inverse_of_lower(factor[..., m:, m:])
    result[..., m:, :m] = -(result[..., m:, m:] @ factor[..., m:, :m] @ result[..., :m, :m])
    return result
