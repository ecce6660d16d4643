"""Low-rank approximations of weights."""

from __future__ import annotations

import numpy as np

# HOOI converges in a handful of sweeps from the HOSVD; it only ever improves.
MAX_SWEEPS = 20
TOLERANCE = 1e-6


def rank_for_energy(singular_values: np.ndarray, energy: float) -> int:
    """The least rank whose squared singular values sum to `energy` of all."""
    squares = np.square(singular_values.astype(np.float64))
    total = squares.sum()
    if total == 0:
        return 1
    return min(int(np.searchsorted(np.cumsum(squares) / total, energy * (1 - 1e-12))) + 1, squares.size)


def svd_factors(weight: np.ndarray, rank: int | None, energy: float | None) -> tuple[np.ndarray, np.ndarray]:
    """f32 A [out, r] and B [r, in] with A · B the closest of rank r to weight [out, in] (Eckart and Young, 1936); the singular values are
    split evenly between both."""
    u, s, vt = np.linalg.svd(weight.astype(np.float64), full_matrices=False)
    r = rank if rank is not None else rank_for_energy(s, energy or 1.0)
    root = np.sqrt(s[:r])
    return (u[:, :r] * root).astype(np.float32), (root[:, None] * vt[:r]).astype(np.float32)


def tucker2_factors(
    weight: np.ndarray, ranks: tuple[int, int] | None, energy: float | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """f32 U [out, r], C [r, q, *kernel] and V [q, in] with weight[o, i, ...] ≈ Σ U[o, a] · C[a, b, ...] · V[b, i].

    Tucker's decomposition over the two channel modes (Kim et al., Compression of Deep Convolutional Neural Networks, 2016), by
    higher-order orthogonal iteration from the higher-order SVD (De Lathauwer et al., 2000). `ranks` (r, q), or `energy` per mode.
    """
    w = weight.astype(np.float64).reshape(*weight.shape[:2], -1)
    u, s_out = _basis(w, 0)
    v, s_in = _basis(w, 1)
    r, q = ranks if ranks is not None else (rank_for_energy(s_out, energy or 1.0), rank_for_energy(s_in, energy or 1.0))
    u, v, captured = u[:, :r], v[:, :q], -1.0
    for _ in range(MAX_SWEEPS):
        u = _basis(np.einsum("oik,iq->oqk", w, v), 0)[0][:, :r]
        v = _basis(np.einsum("oik,or->rik", w, u), 1)[0][:, :q]
        core = np.einsum("oik,or,iq->rqk", w, u, v, optimize=True)
        before, captured = captured, float(np.square(core).sum())
        if captured - before <= TOLERANCE * captured:
            break
    return u.astype(np.float32), core.reshape(r, q, *weight.shape[2:]).astype(np.float32), v.T.astype(np.float32)


def _basis(w: np.ndarray, mode: int) -> tuple[np.ndarray, np.ndarray]:
    """Left singular vectors and singular values of the unfolding along `mode`, by the eigenvectors of its Gram matrix."""
    unfolded = np.moveaxis(w, mode, 0).reshape(w.shape[mode], -1)
    values, vectors = np.linalg.eigh(unfolded @ unfolded.T)
    return vectors[:, ::-1], np.sqrt(np.maximum(values[::-1], 0.0))
