import numpy as np
import pytest
from honed.graph import to_model
from honed.passes.compress.layer_data import LayerData
from honed.passes.compress.layers import weight_layers
from honed.passes.compress.patterns import Blocks
from honed.passes.compress.trials import Reconstructed, applied, int8, magnitude

from tests.passes.compress.small_models import cleaned, residual_net, run_ort, samples


@pytest.fixture
def graph():
    return cleaned(residual_net())


def values_of(x):
    return LayerData(None, lambda: [(x, None)])


def layer_of(graph, name):
    return next(layer for layer in weight_layers(graph) if layer.name == name)


def test_magnitude_takes_the_least_blocks(graph):
    layer = layer_of(graph, "conv1")
    change = magnitude(0.5, Blocks(4))(layer, values_of(samples(1)))
    gone = change.weight == 0
    assert gone.mean() == 0.5 and change.input_params is None
    blocks = np.square(layer.weight.reshape(4, 4, -1)).sum(axis=1)
    assert blocks[gone.reshape(4, 4, -1).all(axis=1)].max() <= blocks[~gone.reshape(4, 4, -1).any(axis=1)].min()
    assert magnitude(0.5, Blocks(4))(layer_of(graph, "fc"), values_of(samples(1))) is None


def test_int8_is_within_half_a_step(graph):
    layer = layer_of(graph, "conv1")
    change = int8(layer, values_of(samples(4)))
    step = np.abs(layer.weight).reshape(16, -1).max(axis=1) / 127
    assert (np.abs(change.weight - layer.weight).reshape(16, -1) <= step[:, None] * 0.5001).all()
    assert 0 < change.input_params.zero_point < 255


def test_a_change_is_applied_and_taken_back(graph):
    x, before = samples(4), to_model(graph)
    expected = run_ort(before).run(None, {"x": x})[0]
    layer = layer_of(graph, "conv2")
    with applied(int8(layer, values_of(np.array([0.0, 4.0], np.float32))), layer) as nodes:
        assert [node.op for node in nodes] == ["QuantizeLinear", "DequantizeLinear"]
        graph.nodes[:0] = nodes
        graph.toposort()
        changed = run_ort(to_model(graph)).run(None, {"x": x})[0]
        graph.nodes[:] = [node for node in graph.nodes if node not in nodes]
    assert 0 < np.abs(changed - expected).max() < 0.1
    assert np.array_equal(run_ort(to_model(graph)).run(None, {"x": x})[0], expected)
    assert all(len(tensor.outputs) == 1 for tensor in layer.node.inputs[:1])


def test_reconstructed_solves_for_the_output(graph):
    layer = layer_of(graph, "fc")
    x = samples(400, (8,)) @ np.random.default_rng(2).standard_normal((8, 8)).astype(np.float32)
    y = x @ layer.weight.T + layer.bias
    data = LayerData(layer, lambda: [(x[:200], y[:200]), (x[200:], y[200:])])
    wanted = [(0.5, Blocks(1)), (0.5, Blocks(2)), (0.75, Blocks(2)), (0.5, Blocks(4))]
    solver = Reconstructed(lambda name: wanted if name == "fc" else [], 0.01)
    change, cut = solver.technique(0.5, Blocks(2))(layer, data), magnitude(0.5, Blocks(2))(layer, data)
    assert (change.weight == 0).mean() == 0.5
    assert np.array_equal(change.weight[::2] == 0, change.weight[1::2] == 0)
    errors = [np.square(x @ c.weight.T + bias - y).mean() for c, bias in ((change, change.bias), (cut, layer.bias))]
    assert errors[0] < 0.7 * errors[1]
    assert solver.technique(0.5, Blocks(4))(layer, data) is None, "ten channels"
    assert (solver.technique(0.75, Blocks(2))(layer, data).weight == 0).mean() == 0.75
    alone = Reconstructed(lambda name: [(0.5, Blocks(2))], 0.01).technique(0.5, Blocks(2))(layer, data)
    np.testing.assert_allclose(alone.weight, change.weight, rtol=1e-4, atol=1e-5)
    other = layer_of(graph, "conv1")
    assert solver.technique(0.5, Blocks(2))(other, values_of(samples(1))) is None, "nobody wants it"
    with applied(change, layer):
        assert np.array_equal(layer.node.inputs[2].values, change.bias)
    assert np.array_equal(np.asarray(layer.node.inputs[2].values), layer.bias)
