import numpy as np
import pytest
from honed.passes.compress.metrics import divergence
from scipy import special


def test_divergence_of_classes_is_that_of_kullback_and_leibler():
    draw = np.random.default_rng(0)
    a, b = (5 * draw.standard_normal((40, 10)).astype(np.float32) for _ in range(2))
    p, q = (special.softmax(x.astype(np.float64), axis=1) for x in (a, b))
    np.testing.assert_allclose(divergence(a, b), special.rel_entr(p, q).sum(axis=1), rtol=1e-9)
    assert divergence(a, a + 3).max() < 1e-6 and divergence(a, b).min() > 0


def test_scores_that_are_far_apart_overflow_nothing():
    a, b = np.array([[3e4, 0.0]], np.float32), np.array([[0.0, 3e4]], np.float32)
    assert divergence(a, b) == pytest.approx([3e4])


@pytest.mark.parametrize("shape", [(6, 1), (6,), (6, 3, 4, 4)])
def test_of_other_outputs_the_squared_error_counts(shape):
    draw = np.random.default_rng(1)
    a, b = (draw.standard_normal(shape).astype(np.float32) for _ in range(2))
    axes = tuple(range(1, len(shape)))
    np.testing.assert_allclose(divergence(a, b), np.square(a - b).sum(axis=axes) / np.square(a).sum(axis=axes).mean(), rtol=1e-5)
    assert not divergence(a, a).any()
