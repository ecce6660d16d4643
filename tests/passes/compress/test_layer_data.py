import numpy as np
from honed.passes.compress.layer_data import LayerData
from honed.passes.compress.layers import weight_layers

from tests.passes.compress.small_models import cleaned, residual_net


def data_of(name, count=40):
    layer = next(layer for layer in weight_layers(cleaned(residual_net())) if layer.name == name)
    rng, read = np.random.default_rng(0), []
    batches = [(rng.standard_normal((count, layer.weight.shape[1])).astype(np.float32),) for _ in range(2)]
    batches = [(x, x @ layer.weight.T + layer.bias) for (x,) in batches]

    def give():
        read.append(name)
        return batches

    return layer, LayerData(layer, give), batches, read


def test_the_problem_is_least_squares_over_all_batches():
    _, data, batches, read = data_of("fc")
    problem = data.problem(0.03)
    x = np.concatenate([x for x, _ in batches]).astype(np.float64)
    centred = x - x.mean(axis=0)
    hessian = centred.T @ centred / len(x)
    hessian += 0.03 * np.trace(hessian) / len(hessian) * np.eye(len(hessian))
    np.testing.assert_allclose(problem.hessian[0], hessian, rtol=1e-4, atol=1e-6)
    assert data.problem(0.03) is problem and read == ["fc"]
    assert data.fits_bias


def test_values_are_those_of_the_input():
    _, data, batches, _ = data_of("fc")
    assert data.values.total == sum(x.size for x, _ in batches)
    assert data.values.hi == max(x.max() for x, _ in batches)
