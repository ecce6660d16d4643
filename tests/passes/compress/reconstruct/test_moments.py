import numpy as np
import pytest
from honed.passes.compress.layers import weight_layers
from honed.passes.compress.reconstruct.moments import LayerMoments

from tests.passes.compress.small_models import Builder, cleaned

RNG = np.random.default_rng(0)


def conv_layer(group=1):
    b = Builder()
    y = b.conv("x", "conv", 6, 4, 3, group=group, pads=[1] * 4)
    return weight_layers(cleaned(b.model(["n", 4, 8, 8], y)))[0]


def im2col(x, group):
    """[group, k, n] by the definition of a 3x3 convolution with padding 1, one column after the other, in f64."""
    padded = np.pad(x.astype(np.float64), [(0, 0), (0, 0), (1, 1), (1, 1)])
    n, _, height, width = x.shape
    each = [padded[i, :, r : r + 3, q : q + 3].reshape(group, -1) for i in range(n) for r in range(height) for q in range(width)]
    return np.stack(each, axis=2)


@pytest.mark.parametrize("group", [1, 2])
def test_moments_are_those_of_explicit_columns(group):
    layer = conv_layer(group)
    x, y = RNG.standard_normal((5, 4, 8, 8)).astype(np.float32), RNG.standard_normal((5, 6, 8, 8)).astype(np.float32)
    moments = LayerMoments.of(layer)
    moments.add(layer, x[:2], y[:2])
    moments.add(layer, x[2:], y[2:])
    inputs = im2col(x, group)
    outputs = y.astype(np.float64).transpose(1, 0, 2, 3).reshape(group, 6 // group, -1)
    assert moments.count == inputs.shape[2] == 320
    close = {"rtol": 1e-5, "atol": 1e-3}
    np.testing.assert_allclose(moments.inner, inputs @ inputs.transpose(0, 2, 1), **close)
    np.testing.assert_allclose(moments.cross, outputs @ inputs.transpose(0, 2, 1), **close)
    np.testing.assert_allclose(moments.inputs, inputs.sum(axis=2), **close)
    np.testing.assert_allclose(moments.outputs, outputs.sum(axis=2), **close)
    np.testing.assert_allclose(moments.power, (outputs**2).sum(axis=2), **close)


@pytest.mark.parametrize("fit_bias", [True, False])
def test_a_problem_knows_the_error_and_the_best_bias(fit_bias):
    layer = conv_layer()
    x, y = RNG.random((4, 4, 8, 8)).astype(np.float32), 3 + RNG.standard_normal((4, 6, 8, 8)).astype(np.float32)
    moments = LayerMoments.of(layer)
    moments.add(layer, x, y)
    problem = moments.problem(fit_bias)
    weight = RNG.standard_normal((6, 36))
    inputs, outputs = im2col(x, 1)[0], y.astype(np.float64).transpose(1, 0, 2, 3).reshape(6, -1)
    residual = outputs - weight @ inputs
    bias = residual.mean(axis=1) if fit_bias else np.zeros(6)
    np.testing.assert_allclose(problem.bias(weight[None]), bias[None], atol=1e-5)
    np.testing.assert_allclose(problem.errors(weight[None]), ((residual - bias[:, None]) ** 2).mean(axis=1)[None], rtol=1e-4)
    if fit_bias:
        np.testing.assert_allclose(problem.errors(weight[None], np.ones((1, 6))), ((residual - 1) ** 2).mean(axis=1)[None], rtol=1e-4)
    np.testing.assert_allclose(problem.signal, outputs.var(axis=1)[None], rtol=1e-5)


def test_moments_of_two_parts_add_up():
    layer = conv_layer()
    x, y = RNG.random((4, 4, 8, 8)).astype(np.float32), RNG.random((4, 6, 8, 8)).astype(np.float32)
    parts = [LayerMoments.of(layer), LayerMoments.of(layer), LayerMoments.of(layer)]
    parts[0].add(layer, x[:2], y[:2])
    parts[1].add(layer, x[2:], y[2:])
    parts[2].add(layer, x, y)
    both = parts[0] + parts[1]
    for name in ("inner", "cross", "inputs", "outputs", "power", "count"):
        np.testing.assert_allclose(getattr(both, name), getattr(parts[2], name), rtol=1e-5)
