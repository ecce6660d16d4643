import numpy as np
from honed.graph import load, to_model
from honed.passes import Driver
from honed.passes.compress.calibration import open_calibration
from honed.passes.compress.correct import MAX_GAIN, CorrectStatistics, corrected_affine
from honed.passes.compress.inputs import input_specs
from honed.passes.compress.layers import weight_layers
from honed.passes.compress.moments import ChannelMoments
from honed.passes.compress.observe import expose
from honed.passes.compress.prune import PruneMagnitude, plan_pruning
from honed.passes.compress.recipe import Correct
from honed.passes.compress.recipe_prune import Prune
from honed.passes.compress.select import Target, resolve

from tests.passes.compress.small_models import Builder, cleaned, residual_net, run_ort, samples


def corrected(source, data, skip=(), keep=("first", "depthwise", "last"), runner=run_ort):
    graph = cleaned(source)
    original = to_model(graph)
    plan = plan_pruning(weight_layers(graph), Prune(sparsity=0.6, keep=list(keep)), resolve("prune", []))
    driver = Driver(graph, check_patches=True)
    driver.run([PruneMagnitude(plan)])
    before = to_model(graph)
    selection = resolve("correct", [Target(n.name, n.op) for n in graph.nodes], skip)
    calibration = open_calibration(data, input_specs(original))
    settings = Correct(samples=64)
    report = driver.run([CorrectStatistics(settings, selection, load(original), list(plan.targets), calibration, runner)])
    return original, before, graph, report


def moments(model, tensor, x):
    y = run_ort(expose(model, [tensor])).run(None, {"x": x})[0]
    return y.mean((0, 2, 3)), y.std((0, 2, 3))


def test_every_pruned_layer_has_the_mean_and_deviation_that_it_had():
    data = samples(64)
    original, before, graph, _ = corrected(residual_net(), data)
    after = to_model(graph)
    for name in ("conv1", "conv2", "shortcut"):
        mean, std = moments(original, f"{name}_out", data)
        changed = moments(before, f"{name}_out", data)[1]
        new_mean, new_std = moments(after, f"{name}_out", data)
        # f32 sums of 6400 values; without correction the deviations are off by a tenth
        np.testing.assert_allclose(new_mean, mean, atol=1e-4)
        np.testing.assert_allclose(new_std, std, rtol=1e-4)
        assert np.abs(changed / std - 1).max() > 0.1


def test_zeros_stay_and_layers_that_were_not_pruned_are_untouched():
    _, before, graph, report = corrected(residual_net(), samples(64))
    old = {layer.name: layer.weight for layer in weight_layers(cleaned(before))}
    for layer in weight_layers(graph):
        assert np.array_equal(layer.weight == 0, old[layer.name] == 0)
        assert np.array_equal(layer.weight, old[layer.name]) == (layer.name in ("stem", "dw", "fc"))
    assert report.reasons("correct-statistics") == {}


def test_a_layer_without_bias_gets_one():
    b = Builder()
    model = b.model(["n", 3, 10, 10], b.conv("x", "c", 4, 3, bias=False))
    _, _, graph, _ = corrected(model, samples(64) + 1, keep=())
    assert len(graph.nodes[0].inputs) == 3
    assert run_ort(to_model(graph)).run(None, {"x": samples(2)})[0].shape == (2, 4, 8, 8)


def test_refusals():
    b = Builder()
    h = b.node("MatMul", ["x", b.weight("w", (12, 8))], "mm")
    model = b.model(["n", 3, 12], b.gemm(b.node("Flatten", [h], "flat"), "fc", 6, 24))
    _, _, _, report = corrected(model, samples(64, (3, 12)), skip=["fc"], keep=())
    assert report.refusals_of("mm") == {"correct-statistics": "MatMul has no bias to correct"}
    assert report.refusals_of("fc") == {"correct-statistics": "skipped by the recipe ('fc')"}


def test_data_are_read_once_and_corrected_layers_run_twice():
    runs = {}

    class Counting:
        def __init__(self, model):
            self._session, self._nodes = run_ort(model), [node.name for node in model.graph.node]

        def run(self, names, feed):
            for node in self._nodes:
                runs[node] = runs.get(node, 0) + 1
            return self._session.run(names, feed)

    data = samples(64)
    once = corrected(residual_net(), iter([data[:32], data[32:]]), runner=Counting)[2]
    several = corrected(residual_net(), data)[2]
    for layer, other in zip(weight_layers(once), weight_layers(several), strict=True):
        np.testing.assert_allclose(layer.weight, other.weight, rtol=1e-5, atol=1e-7)
    # The original, the model as it is corrected, and corrected layers alone; nothing behind the last of them.
    batches = runs["stem"] // 2
    assert batches > 1 and runs["conv1"] == 3 * batches and {runs[name] for name in ("dw", "conv2", "shortcut")} == {2 * batches}
    assert "fc" not in runs


def test_the_gain_is_bounded_and_constant_channels_keep_their_weights():
    found, wanted = ChannelMoments(), ChannelMoments()
    pattern = np.array([[-1.0, 1.0]], np.float32)
    found.add(np.stack([0.01 * pattern, 0 * pattern, 2 * pattern], axis=1))
    wanted.add(np.stack([pattern, pattern + 5, pattern + 3], axis=1))
    gain, bias = corrected_affine(None, found, wanted)
    assert gain.tolist() == [MAX_GAIN, 1.0, 0.5]
    np.testing.assert_allclose(bias, [0, 5, 3], atol=1e-6)
