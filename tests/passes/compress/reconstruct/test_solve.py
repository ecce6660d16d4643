import numpy as np
import pytest
from honed.passes.compress.layers import weight_layers
from honed.passes.compress.reconstruct.moments import LayerMoments
from honed.passes.compress.reconstruct.patterns import keep_blocks
from honed.passes.compress.reconstruct.solve import Evidence, solve_layer
from honed.passes.compress.reconstruct.support import choose_support

from tests.passes.compress.small_models import Builder, cleaned


def gemm_layer(out=6, depth=20):
    b = Builder()
    return weight_layers(cleaned(b.model(["n", depth], b.gemm("x", "gemm", out, depth))))[0]


def halves(layer, x, y):
    found = (LayerMoments.of(layer), LayerMoments.of(layer))
    found[0].add(layer, x[::2], y[::2])
    found[1].add(layer, x[1::2], y[1::2])
    return found


def data(n, depth=20, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.standard_normal((n, depth)) @ rng.standard_normal((depth, depth))).astype(np.float32)


def choosing(block, count):
    return lambda problem: choose_support(problem, lambda s: keep_blocks(s, block, count))


def everything(problem):
    return np.ones(problem.cross.shape, bool), None


def test_errors_are_those_of_the_solution_on_the_data():
    layer, x = gemm_layer(), data(300)
    y = x @ layer.weight.T + layer.bias
    solution = solve_layer(layer, Evidence.of_moments(layer, halves(layer, x, y), True), choosing(2, 24), 0.01)
    found = x @ solution.weight.T + solution.bias
    assert np.count_nonzero(solution.weight) == 48
    assert solution.error == pytest.approx(np.square(found - y).mean(axis=0).sum() / y.var(axis=0).sum(), rel=1e-3)
    before = x @ np.where(solution.weight != 0, layer.weight, 0).T + layer.bias
    assert solution.error_before == pytest.approx(np.square(before - y).mean(axis=0).sum() / y.var(axis=0).sum(), rel=1e-3)
    assert solution.error < solution.error_before


def test_few_samples_are_fitted_and_held_out_ones_are_not():
    layer = gemm_layer()
    narrow, wide = data(16), data(2000)
    few, many = (
        solve_layer(layer, Evidence.of_moments(layer, halves(layer, x, x @ layer.weight.T + layer.bias), True), choosing(1, 60), 1e-3)
        for x in (narrow, wide)
    )
    assert few.held_out_error > 5 * few.fitted_error
    assert many.held_out_error < 1.1 * many.fitted_error


def test_inputs_that_never_vary_are_counted_and_keep_their_weights():
    layer, x = gemm_layer(), data(300)
    x[:, :5] = 2.0
    solution = solve_layer(layer, Evidence.of_moments(layer, halves(layer, x, x @ layer.weight.T + layer.bias), True), everything, 0.01)
    assert solution.unseen == 0.25
    np.testing.assert_allclose(solution.weight[:, :5], layer.weight[:, :5], rtol=1e-4)


def test_an_input_that_varies_in_one_half_only_costs_nothing_on_the_other():
    layer, x = gemm_layer(), data(600)
    x[::2, 0] = 1.0
    solution = solve_layer(layer, Evidence.of_moments(layer, halves(layer, x, x @ layer.weight.T + layer.bias), True), everything, 1e-4)
    assert solution.held_out_error < 1e-4
