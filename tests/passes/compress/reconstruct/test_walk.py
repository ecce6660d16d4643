import numpy as np
import onnx_graphsurgeon as gs
import pytest
from honed.graph import Error, copy, to_model
from honed.passes.compress.calibration import open_calibration
from honed.passes.compress.inputs import input_specs
from honed.passes.compress.observe import activations
from honed.passes.compress.reconstruct.walk import StoredInputs, Walk

from tests.passes.compress.small_models import Builder, cleaned, residual_net, run_ort, samples

TARGETS = ["relu0_out", "relu1_out", "conv2_out", "shortcut_out", "flat_out"]


def calibration(graph, count=10, batch=4):
    return open_calibration(samples(count), input_specs(to_model(graph)), batch=batch)


def walk_of(graph, targets, folder, data=None, runner=run_ort):
    inputs = StoredInputs(folder / "inputs", data or calibration(graph))
    return Walk(graph, targets, inputs, runner, folder / "walk"), inputs


def test_every_target_has_the_values_that_the_whole_model_gives(tmp_path):
    graph = cleaned(residual_net())
    walk, inputs = walk_of(graph, TARGETS, tmp_path)
    wanted = list(activations(to_model(graph), TARGETS, calibration(graph), run_ort))
    assert inputs.sizes == [4, 4, 2] and inputs.samples == 10
    for target in TARGETS:
        walk.advance_to(target)
        for batch, values in enumerate(wanted):
            np.testing.assert_allclose(walk.read(target, batch), values[target], rtol=1e-5, atol=1e-6)


def test_a_target_stays_until_it_is_asked_for(tmp_path):
    graph = cleaned(residual_net())
    targets = ["conv2_out", "relu0_out"]
    walk, _ = walk_of(graph, targets, tmp_path)
    wanted = next(activations(to_model(graph), targets, calibration(graph), run_ort))
    for target in targets:
        walk.advance_to(target)
        np.testing.assert_allclose(walk.read(target, 0), wanted[target], rtol=1e-5, atol=1e-6)


def test_graph_inputs_can_be_targets(tmp_path):
    graph = cleaned(residual_net())
    walk, _ = walk_of(graph, ["x", "conv1_out"], tmp_path)
    walk.advance_to("x")
    assert np.array_equal(walk.read("x", 1), samples(10)[4:8])


def test_each_node_runs_once_and_dead_values_leave_the_disk(tmp_path):
    ran = []

    def runner(model):
        ran.extend(node.name for node in model.graph.node)
        return run_ort(model)

    graph = cleaned(residual_net(batch=2))
    walk, _ = walk_of(graph, TARGETS, tmp_path, runner=runner)
    most = 0
    for target in TARGETS:
        walk.advance_to(target)
        most = max(most, len(list((tmp_path / "walk").iterdir())))
    needed = graph.nodes[: 1 + [node.outputs[0].name for node in graph.nodes].index("flat_out")]
    assert sorted(ran) == sorted(node.name for node in needed)
    assert most == 2 * 5, "at most two live tensors in five batches"


def test_weights_that_change_ahead_of_the_walk_are_seen(tmp_path):
    graph = cleaned(residual_net())
    walk, _ = walk_of(graph, ["relu1_out", "conv2_out"], tmp_path)
    walk.advance_to("relu1_out")
    changed = copy(graph)
    for level in (graph, changed):
        node = next(node for node in level.nodes if node.name == "conv1")
        node.inputs[1] = gs.Constant("new", node.inputs[1].values * np.float32(0.5))
    walk.advance_to("conv2_out")
    wanted = next(activations(to_model(changed), ["conv2_out"], calibration(graph), run_ort))
    np.testing.assert_allclose(walk.read("conv2_out", 0), wanted["conv2_out"], rtol=1e-5, atol=1e-6)


def test_a_limit_and_progress(tmp_path):
    graph, ticks = cleaned(residual_net()), []
    inputs = StoredInputs(tmp_path, calibration(graph, 10), 5, lambda *t: ticks.append(t))
    assert inputs.sizes == [4, 4] and ticks == [(4, 5), (5, 5)]


def test_an_activation_that_is_not_finite_is_named(tmp_path):
    b = Builder()
    y = b.node("Log", [b.conv("x", "conv", 4, 3)], "log")
    graph = cleaned(b.model(["n", 3, 10, 10], y))
    walk, _ = walk_of(graph, ["log_out"], tmp_path)
    with pytest.raises(Error, match="'log_out' holds NaN"):
        walk.advance_to("log_out")
