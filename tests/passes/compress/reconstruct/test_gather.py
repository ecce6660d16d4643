import gc
import tracemalloc

import numpy as np
import onnx_graphsurgeon as gs
import pytest
from honed.graph import copy, to_model
from honed.passes.compress.calibration import open_calibration
from honed.passes.compress.inputs import input_specs
from honed.passes.compress.layers import weight_layers
from honed.passes.compress.observe import activations
from honed.passes.compress.reconstruct.gather import MomentsWalk, joined
from honed.passes.compress.reconstruct.moments import LayerMoments

from tests.passes.compress.small_models import cleaned, residual_net, run_ort, samples


def gather(graph, names, folder, count=12, batch=4, limit=None):
    data = open_calibration(samples(count), input_specs(to_model(graph)), batch=batch)
    return MomentsWalk(graph, copy(graph), names, data, run_ort, folder, limit)


def test_inputs_of_the_changed_model_meet_outputs_of_the_original(tmp_path):
    graph = cleaned(residual_net())
    original = copy(graph)
    walk = gather(graph, ["conv1", "conv2"], tmp_path)
    layers = {layer.name: layer for layer in weight_layers(graph)}
    walk.halves(layers["conv1"])
    layers["conv1"].node.inputs[1] = gs.Constant("halved", layers["conv1"].weight * np.float32(0.5))
    first, second = walk.halves(layers["conv2"])
    data = open_calibration(samples(12), input_specs(to_model(graph)), batch=12)
    x = next(activations(to_model(graph), ["relu2_out"], data, run_ort))["relu2_out"]
    y = next(activations(to_model(original), ["conv2_out"], data, run_ort))["conv2_out"]
    assert (first.count, second.count) == (800, 400)
    for half, part in ((first, slice(0, 8)), (second, slice(8, 12))):
        wanted = LayerMoments.of(layers["conv2"])
        wanted.add(layers["conv2"], x[part], y[part])
        np.testing.assert_allclose(half.inner, wanted.inner, rtol=1e-4, atol=1e-3)
        np.testing.assert_allclose(half.cross, wanted.cross, rtol=1e-4, atol=1e-3)


def test_batches_of_one_sample_are_put_together(tmp_path):
    (layer,) = (layer for layer in weight_layers(cleaned(residual_net())) if layer.name == "conv2")
    rng = np.random.default_rng(0)
    depth, out = layer.weight.shape[1], len(layer.weight)
    sizes = [4] * 100 + [6, 6, 4]
    pairs = [tuple(rng.random((1, channels, size, size)).astype(np.float32) for channels in (depth, out)) for size in sizes]
    pieces = list(joined(layer, iter(pairs)))
    samples_each = -(-4 * layer.weight[0].size // 16)
    full, rest = divmod(100, samples_each)
    assert full > 1 and [len(x) for x, _ in pieces] == [samples_each] * full + [rest] * (rest > 0) + [2, 1]
    for i in (0, 1):
        wanted = [np.concatenate([pair[i] for pair in part]) for part in (pairs[:100], pairs[100:102], pairs[102:])]
        assert np.array_equal(np.concatenate([piece[i] for piece in pieces[:-2]]), wanted[0])
        assert all(np.array_equal(piece[i], part) for piece, part in zip(pieces[-2:], wanted[1:], strict=True))


def test_the_unchanged_model_has_no_error(tmp_path):
    graph = cleaned(residual_net())
    layers = [layer for layer in weight_layers(graph)]
    walk = gather(graph, [layer.name for layer in layers], tmp_path)
    for layer in layers:
        first, second = walk.halves(layer)
        problem = (first + second).problem()
        assert problem.errors(layer.weight.reshape(first.cross.shape)).sum() <= 1e-5 * problem.signal.sum()


@pytest.fixture
def eager_collector():
    """Collects cyclic garbage soon: reading an array's header leaves some (ast.literal_eval), which is no memory that is held."""
    before = gc.get_threshold()
    gc.collect()
    gc.set_threshold(50, 1, 1)
    yield
    gc.set_threshold(*before)


def test_memory_does_not_grow_with_the_samples(tmp_path, eager_collector):
    peaks = []
    for count in (32, 640):
        graph = cleaned(residual_net(size=24))
        data = open_calibration(lambda n=count: (samples(8, (3, 24, 24), i) for i in range(n // 8)), input_specs(to_model(graph)), batch=8)
        tracemalloc.start()
        walk = MomentsWalk(graph, copy(graph), ["conv1", "conv2"], data, run_ort, tmp_path / str(count))
        for layer in weight_layers(graph):
            if layer.name in ("conv1", "conv2"):
                walk.halves(layer)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.1 * peaks[0]


def test_columns_are_drawn_from_all_batches_and_belong_together(tmp_path):
    graph = cleaned(residual_net())
    (layer,) = (layer for layer in weight_layers(graph) if layer.name == "conv2")
    x, y = gather(graph, ["conv2"], tmp_path).sampled(layer, 50)
    (x,) = x
    assert x.shape == (50, layer.weight[0].size) and y.shape == (50, len(layer.weight))
    np.testing.assert_allclose(x @ layer.weight.reshape(len(y[0]), -1).T + layer.bias, y, rtol=1e-4, atol=1e-4)
    assert len(np.unique(y, axis=0)) == 50
    again, _ = gather(graph, ["conv2"], tmp_path / "again").sampled(layer, 50)
    assert np.array_equal(x, again[0])
