import numpy as np
import pytest
from honed.passes.compress.reconstruct import inverse
from honed.passes.compress.reconstruct.inverse import inverse_of
from scipy import linalg


def hessian(n, seed):
    """Of correlated inputs, damped."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, 2 * n)) + 2 * rng.standard_normal((1, 2 * n))
    inner = x @ x.T / (2 * n)
    return inner + 0.03 * np.trace(inner) / n * np.eye(n)


@pytest.mark.parametrize("n", [1, 8, 9, 37, 64])
def test_inverses_by_halves_are_those_of_lapack(monkeypatch, n):
    monkeypatch.setattr(inverse, "SMALL", 8)
    matrices = np.stack([hessian(n, seed) for seed in range(3)])
    for found, matrix in zip(inverse_of(matrices), matrices, strict=True):
        wanted = linalg.inv(matrix)
        assert np.abs(found - wanted).max() <= 1e-11 * np.abs(wanted).max()


def test_a_large_inverse_of_an_ill_conditioned_matrix():
    rng = np.random.default_rng(0)
    vectors = linalg.qr(rng.standard_normal((1100, 1100)))[0]
    matrix = (vectors * np.geomspace(1e-3, 1e3, 1100)) @ vectors.T
    assert np.abs(inverse_of(matrix) @ matrix - np.eye(1100)).max() < 1e-7
