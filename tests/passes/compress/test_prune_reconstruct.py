import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx_graphsurgeon as gs
import pytest
from honed.graph import Error, RecipeError, to_model
from honed.passes.compress.layers import weight_layers
from honed.passes.compress.prune import Target
from honed.passes.compress.reconstruct import solve
from honed.passes.optimize import optimize
from onnx import numpy_helper

from tests.passes.compress.small_models import Builder, residual_net, run_ort, samples
from tests.passes.compress.test_equalise import mobile_net

ROOT = Path(__file__).resolve().parents[3]
RECIPE = {"prune": {"method": "reconstruct", "sparsity": 0.6, "samples": 64}}


def weights(graph):
    return {layer.name: layer.weight for layer in weight_layers(graph)}


def error(graph, source, x):
    exact, result = (run_ort(model).run(None, {"x": x})[0] for model in (source, to_model(graph)))
    return np.square(result - exact).mean() / np.square(exact - exact.mean(axis=0)).mean()


def changed(**settings):
    return {"prune": {**RECIPE["prune"], **settings}}


def test_nearer_to_the_original_than_magnitude_on_unseen_data():
    source, unseen = residual_net(), samples(64, seed=9)
    magnitude, _ = optimize(source, {"prune": {"sparsity": 0.6}})
    solved, report = optimize(source, RECIPE, samples(64), run_ort)
    assert error(solved, source, unseen) < 0.3 * error(magnitude, source, unseen)
    for name in ("conv1", "conv2", "shortcut"):
        facts = report.layer(name).techniques["prune"]
        assert facts["sparsity"] == pytest.approx(0.6, abs=0.01) and facts["pattern"] == "1x1"
        assert facts["output_error"] < facts["output_error_before"]
        assert facts["output_fitted_error"] < facts["output_held_out_error"] < 1
    assert report.layer("dw").techniques["prune"] == {"refused": "a depthwise convolution stays dense"}


@pytest.mark.parametrize("block", [1, 2, 4])
def test_patterns_and_layers_of_their_own(block):
    recipe = changed(pattern=f"{block}x1", layers={"conv2": {"sparsity": 0.75, "pattern": "2x1"}}, skip=["shortcut"])
    graph, _ = optimize(residual_net(), recipe, samples(64), run_ort)
    after, before = weights(graph), weights(optimize(residual_net(), {})[0])
    for name, size, sparsity in (("conv1", block, 0.6), ("conv2", 2, 0.75)):
        zero = after[name] == 0
        assert zero.mean() == pytest.approx(sparsity, abs=size / zero.size * 2)
        assert all(np.array_equal(zero[o], zero[o - o % size]) for o in range(len(zero)))
    assert np.array_equal(after["shortcut"], before["shortcut"])


def test_a_mask_and_zeros_that_are_there_are_respected():
    source = residual_net()
    mask = np.random.default_rng(0).random((16, 8, 3, 3)) < 0.5
    graph, _ = optimize(source, {"prune": {"method": "reconstruct", "masks": {"conv1": mask}}}, samples(64), run_ort)
    assert not weights(graph)["conv1"][~mask].any() and np.count_nonzero(weights(graph)["conv1"]) == mask.sum()
    again, _ = optimize(graph, changed(layers={"conv1": {"sparsity": 0.7}}), samples(64), run_ort)
    result = weights(again)["conv1"]
    assert not result[~mask].any() and (result == 0).mean() == pytest.approx(0.7, abs=0.01)


@pytest.mark.parametrize("pattern", ["1x1", "4x1"])
def test_what_a_clip_takes_away_need_not_be_right(pattern):
    source, unseen = mobile_net(0.0), samples(64, seed=9)
    section = {"method": "reconstruct", "pattern": pattern, "sparsity": 0.5, "samples": 64}
    every, _ = optimize(source, {"prune": section}, samples(64), run_ort)
    active, report = optimize(source, {"prune": section | {"active_only": True}}, samples(64), run_ort)
    assert error(active, source, unseen) < 0.95 * error(every, source, unseen)
    facts = report.layer("expand").techniques["prune"]
    assert facts["sparsity"] == pytest.approx(0.5, abs=0.02) and facts["pattern"] == pattern
    assert 0 < facts["output_fitted_error"] < facts["output_held_out_error"] < 1
    assert (weights(active)["expand"] == 0).mean() == pytest.approx(0.5, abs=0.02)


def test_active_outputs_keep_n_of_m():
    graph, report = optimize(mobile_net(0.0), changed(pattern="2:4", sparsity=0.5, active_only=True), samples(64), run_ort)
    assert (np.count_nonzero(weights(graph)["expand"].reshape(-1, 4), axis=1) == 2).all()
    assert report.layer("expand").techniques["prune"]["output_error"] < 0.2


def test_active_outputs_of_too_large_layers_and_of_filters_are_all_outputs(monkeypatch):
    every, _ = optimize(residual_net(), changed(pattern="filters"), samples(64), run_ort)
    same, _ = optimize(residual_net(), changed(pattern="filters", active_only=True), samples(64), run_ort)
    assert to_model(every) == to_model(same)
    every, _ = optimize(residual_net(), RECIPE, samples(64), run_ort)
    other, _ = optimize(residual_net(), changed(active_only=True), samples(64), run_ort)
    assert to_model(every) != to_model(other)
    monkeypatch.setattr("honed.passes.compress.supports.HELD", 100)
    same, _ = optimize(residual_net(), changed(active_only=True), samples(64), run_ort)
    assert to_model(every) == to_model(same)


def test_a_layer_without_bias_gets_one_and_a_product_does_not():
    b = Builder()
    x = b.node("Relu", [b.conv("x", "first", 4, 3, pads=[1] * 4)], "relu")
    c = b.conv(x, "conv", 8, 4, bias=False, pads=[1] * 4)
    t = b.node("Transpose", [c], "turn", perm=[0, 2, 3, 1])
    y = b.node("MatMul", [t, b.weight("product_w", (8, 6))], "product")
    source = b.model(["n", 3, 6, 6], y)
    recipe = changed(keep=["first"], sparsity=0.5)
    graph, report = optimize(source, recipe, samples(64, (3, 6, 6)), run_ort)
    layers = {layer.name: layer for layer in weight_layers(graph)}
    assert layers["conv"].bias.any() and layers["product"].bias is None
    assert report.layer("product").techniques["prune"]["output_error"] < 0.5
    assert error(graph, source, samples(32, (3, 6, 6), 7)) < 0.5


def test_the_same_bytes_every_time():
    first, second = (to_model(optimize(residual_net(), RECIPE, samples(64), run_ort)[0]).SerializeToString() for _ in range(2))
    assert first == second


def test_an_interrupted_run_goes_on_where_it_stopped(tmp_path, monkeypatch):
    whole = to_model(optimize(residual_net(), RECIPE, samples(64), run_ort)[0]).SerializeToString()
    solved = []

    def stop_at_second(*args):
        solved.append(args[0].name)
        if len(solved) == 2:
            raise KeyboardInterrupt
        return solve.solve_layer(*args)

    def run():
        return to_model(optimize(residual_net(), RECIPE, samples(64), run_ort, state=tmp_path)[0]).SerializeToString()

    monkeypatch.setattr("honed.passes.compress.prune_reconstruct.solve_layer", stop_at_second)
    with pytest.raises(KeyboardInterrupt):
        run()
    assert not (tmp_path / "activations").exists()
    assert run() == whole and solved == ["conv1", "conv2", "conv2", "shortcut"]
    assert run() == whole and len(solved) == 4
    optimize(residual_net(), changed(damping=0.1), samples(64), run_ort, state=tmp_path)
    assert len(solved) == 7, "another recipe starts anew"
    (tmp_path / "layers" / "1.npz").write_bytes(b"half a file")
    optimize(residual_net(), changed(damping=0.1), samples(64), run_ort, state=tmp_path)
    assert len(solved) == 8, "what cannot be read is solved again"


def test_other_data_start_anew(tmp_path):
    first, _ = optimize(residual_net(), RECIPE, samples(64), run_ort, state=tmp_path)
    second, _ = optimize(residual_net(), RECIPE, samples(64, seed=5), run_ort, state=tmp_path)
    assert not np.array_equal(weights(first)["conv1"], weights(second)["conv1"])


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ({"samples": 8}, "samples: only with method: reconstruct"),
        ({"damping": 0.1, "samples": 8}, "damping and samples: only with"),
        ({"method": "reconstruct", "damping": 0.0}, "damping"),
        ({"method": "reconstruct", "samples": 1}, "samples"),
        ({"method": "reconstruct", "sparsity": 1.0}, "sparsity"),
        ({"method": "surgeon"}, "method"),
        ({"method": "reconstruct", "layers": {"nowhere": {"sparsity": 0.5}}}, "nowhere"),
        ({"method": "reconstruct", "layers": {"fc": {"pattern": "4x1", "sparsity": 0.5}}}, "blocks of 4 do not divide 10"),
    ],
)
def test_impossible_recipes_are_refused_before_any_work(section, expected):
    def never(model):
        raise AssertionError("ran")

    with pytest.raises(RecipeError, match=expected):
        optimize(residual_net(), {"prune": {"sparsity": 0.5, **section}}, samples(64), never)


def test_data_are_needed_and_one_batch_is_enough():
    with pytest.raises(Error, match="prune: needs calibration data and a runner"):
        optimize(residual_net(), RECIPE)
    graph, _ = optimize(residual_net(), RECIPE, samples(4), run_ort)
    assert isinstance(graph, gs.Graph)


KILLED = """
import os, signal, sys
from honed.passes.optimize import optimize
from onnx import numpy_helper
from tests.passes.compress.small_models import residual_net, run_ort, samples
from tests.passes.compress.test_prune_reconstruct import RECIPE

def told(stage, done, total):
    if stage == "prune" and done == 2:
        os.kill(os.getpid(), signal.SIGKILL)

optimize(residual_net(), RECIPE, samples(64), run_ort, state=sys.argv[1], progress=told)
"""


def test_a_run_that_was_killed_goes_on_where_it_stopped(tmp_path, monkeypatch):
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], cwd=ROOT, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert any((tmp_path / "activations").rglob("*.npy")), "nothing tidied up behind it"
    solved = []

    def solving(*args):
        solved.append(args[0].name)
        return solve.solve_layer(*args)

    monkeypatch.setattr("honed.passes.compress.prune_reconstruct.solve_layer", solving)
    graph, _ = optimize(residual_net(), RECIPE, samples(64), run_ort, state=tmp_path)
    assert solved == ["shortcut"] and not (tmp_path / "activations").exists()
    whole, _ = optimize(residual_net(), RECIPE, samples(64), run_ort)
    assert to_model(graph).SerializeToString() == to_model(whole).SerializeToString()


def test_other_masks_and_other_weights_start_anew(tmp_path):
    def run(model, mask, state=None):
        recipe = {"prune": {"method": "reconstruct", "masks": {"conv1": mask}}}
        return weights(optimize(model, recipe, samples(64), run_ort, state=state)[0])["conv1"]

    draw = np.random.default_rng(0)
    mask, other = (draw.random((16, 8, 3, 3)) < 0.5 for _ in range(2))
    changed = residual_net()
    tensor = next(t for t in changed.graph.initializer if t.name == "conv1_w")
    tensor.CopyFrom(numpy_helper.from_array(2 * numpy_helper.to_array(tensor), "conv1_w"))
    for model, kept in ((residual_net(), mask), (residual_net(), other), (changed, other)):
        assert np.array_equal(run(model, kept, tmp_path), run(model, kept))


def test_weights_that_are_zero_are_never_chosen():
    layer = next(layer for layer in weight_layers(optimize(residual_net(), {})[0]) if layer.name == "conv1")
    weight = np.where(np.arange(8)[None, :, None, None] < 4, 0, layer.weight).astype(np.float32)
    target = Target(sparsity=0.75)
    layer = replace(layer, weight=weight)
    choose = target.pattern.choice(layer, np.arange(16 * 72).reshape(16, 8, 3, 3) % 4 == 0)
    chosen = choose(np.where(weight == 0, 9.0, 1.0).reshape(1, 16, 72))
    assert chosen.sum() == 16 * 72 / 4 and not chosen[(weight == 0).reshape(1, 16, 72)].any()
