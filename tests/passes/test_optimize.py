import json

import honed
import numpy as np
import onnx
import pytest
from honed.graph import Error, ModelError, RecipeError, ShapeError, load, packing, to_model
from honed.passes.compress.layers import weight_layers
from honed.passes.optimize import optimize
from onnx import TensorProto

from tests.passes.compress.small_models import Builder, residual_net, run_ort, samples

RECIPE = {
    "prune": {"sparsity": 0.5, "layers": {"conv1": {"pattern": "4x1", "sparsity": 0.75}}, "skip": ["shortcut"]},
    "correct": {"samples": 16},
    "factorise": {"layers": {"shortcut": {"rank": 2}}},
    "quantize": {"range": "minmax", "layers": {"shortcut": {"range": "mse"}}},
}


def test_all_techniques_in_order():
    source = residual_net()
    before = source.SerializeToString()
    stages = []
    graph, report = optimize(source, RECIPE, samples(32), run_ort, progress=lambda *step: stages.append(step))
    assert source.SerializeToString() == before
    model = to_model(graph)
    onnx.checker.check_model(model, full_check=True)
    assert [name for i, (name, _, _) in enumerate(stages) if i == 0 or stages[i - 1][0] != name] == [
        "clean", "prune", "correct", "factorise", "quantize", "measure",
    ]  # fmt: skip
    assert stages[-1] == ("measure", 32, 32)
    x = samples(8, seed=3)
    exact, result = (run_ort(m).run(None, {"x": x})[0] for m in (source, model))
    # half of the weights of random filters are gone: the signal is still above the noise
    assert np.square(result - exact).mean() < np.square(exact).mean()
    assert {layer.name: list(layer.techniques) for layer in report.layers}["conv1"] == ["prune", "correct", "factorise", "quantize"]


def test_the_report_says_what_was_done_and_why_not():
    graph, report = optimize(residual_net(), RECIPE, samples(32), run_ort)
    conv1, shortcut, stem = (report.layer(name) for name in ("conv1", "shortcut", "stem"))
    assert conv1.techniques["prune"]["sparsity"] == 0.75 <= conv1.sparsity and conv1.techniques["prune"]["pattern"] == "4x1"
    assert conv1.techniques["factorise"] == {"refused": "no rank or energy is given for it"}
    assert shortcut.techniques["prune"] == {"refused": "skipped by the recipe ('shortcut')"}
    assert shortcut.techniques["factorise"]["rank"] == [2]
    assert stem.techniques["prune"] == {"refused": "the first convolution stays dense"}
    assert (conv1.macs_before, conv1.macs) == (115200, 115200) and 28000 < conv1.macs_nonzero <= 28800
    assert (shortcut.macs_before, shortcut.macs, shortcut.parameters) == (6400, 3200, 32)
    assert conv1.bytes_before == 4 * (16 * 8 * 9 + 16)
    assert conv1.bytes_after == 16 * 8 * 9 + 16 * (4 + 1) + 16 * (4 + 4)
    assert report.totals()["macs_before"] == sum(layer.macs_before for layer in report.layers)
    assert report.samples_measured == 32
    names = {layer.name for layer in weight_layers(graph)}
    assert names == set()


def test_noise_is_measured_against_the_original():
    source = residual_net()
    x = samples(32)
    graph, report = optimize(source, {"quantize": {}}, x, run_ort)
    exact, result = (run_ort(m).run(None, {"x": x})[0] for m in (source, to_model(graph)))
    expected = 10 * np.log10(np.square(exact).sum(dtype=np.float64) / np.square(exact - result).sum(dtype=np.float64))
    assert report.outputs["fc_out"] == pytest.approx(expected, rel=1e-4)
    assert report.layer("fc").output_sqnr_db == pytest.approx(expected, rel=1e-4)
    assert all(20 < layer.output_sqnr_db < 60 and 30 < layer.weight_sqnr_db < 60 for layer in report.layers)


def test_the_same_report_every_time_and_written_at_once(tmp_path):
    texts = []
    for i in range(2):
        _, report = optimize(residual_net(), RECIPE, samples(32), run_ort)
        for item in report.passes:
            item["seconds"] = 0.0
        report.save(tmp_path / f"{i}.json")
        texts.append((tmp_path / f"{i}.json").read_text())
    assert texts[0] == texts[1]
    document = json.loads(texts[0])
    assert document["format"] == "honed-report" and document["recipe"]["prune"]["sparsity"] == 0.5
    assert [layer["name"] for layer in document["layers"]] == ["stem", "dw", "conv1", "conv2", "shortcut", "fc"]
    with pytest.raises(ValueError):
        report.outputs["fc_out"] = float("nan")
        report.save(tmp_path / "0.json")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["0.json", "1.json"]
    assert (tmp_path / "0.json").read_text() == texts[0]


def test_pruning_needs_no_data():
    _, report = optimize(residual_net(), {"prune": {"sparsity": 0.5}})
    assert report.layer("conv1").sparsity == 0.5 and report.layer("conv1").output_sqnr_db is None


def test_data_that_can_be_read_once_are_enough_to_quantise():
    _, report = optimize(residual_net(), {"quantize": {}}, iter([samples(16)]), run_ort)
    assert report.samples_measured == 0 and "quantize" in report.layer("conv1").techniques


def test_data_that_can_be_read_once_do_not_serve_two_techniques():
    def never(model):
        raise AssertionError("no model is run")

    recipe = {"prune": {"sparsity": 0.5, "method": "reconstruct"}, "quantize": {}}
    with pytest.raises(Error, match="read only once, and prune and quantize read it"):
        optimize(residual_net(), recipe, iter([samples(16)]), never)


def test_a_graph_is_a_model_and_stays_as_it_is():
    graph = load(residual_net())
    count = len(graph.nodes)
    optimize(graph, {"quantize": {}}, samples(16), run_ort)
    assert len(graph.nodes) == count


def test_everything_in_a_recipe_that_does_not_fit_is_said_before_work_starts():
    def never(model):
        raise AssertionError("no model is run")

    recipe = {"skip": ["nope"], "prune": {"sparsity": 0.5, "layers": {"conv11": {}}}, "quantize": {"skip": ["/x/*"]},
              "factorise": {"layers": {"conv2": {"rank": [99, 1]}}}}  # fmt: skip
    with pytest.raises(RecipeError) as error:
        optimize(residual_net(), recipe, samples(4), never)
    for part in ("skip: no node of the model matches 'nope'", "prune: no node of the model matches 'conv11' (near: conv1",
                 "quantize: no node of the model matches '/x/*'",
                 "factorise.layers: conv2: ranks [99, 1], expected at most [8, 16]"):  # fmt: skip
        assert part in str(error.value)


def test_the_common_skip_holds_for_all_techniques():
    _, report = optimize(residual_net(), {**RECIPE, "skip": ["conv*"]}, samples(16), run_ort)
    reasons = {technique: facts["refused"] for technique, facts in report.layer("conv2").techniques.items()}
    assert set(reasons) == {"prune", "factorise", "quantize"} and set(reasons.values()) == {"skipped by the recipe ('conv*')"}


def test_bad_input():
    with pytest.raises(Error, match="quantize: needs calibration data"):
        optimize(residual_net(), {"quantize": {}})
    with pytest.raises(ShapeError, match=r"input 'x' has shape \[8, 3, 9, 10\], expected \[n, 3, 10, 10\]"):
        optimize(residual_net(), {"quantize": {}}, samples(8, (3, 9, 10)), run_ort)
    model = residual_net()
    weight = np.array(onnx.numpy_helper.to_array(model.graph.initializer[0]))
    weight[0, 0, 0, 0] = np.nan
    model.graph.initializer[0].CopyFrom(onnx.numpy_helper.from_array(weight, "stem_w"))
    with pytest.raises(ModelError, match="'stem_w' of Conv 'stem' holds 1 NaN"):
        optimize(model, {"prune": {"sparsity": 0.5}})


def kinds(model):
    return {tensor.name: tensor.data_type for tensor in model.graph.initializer}


@pytest.mark.parametrize("bits", [3, 4])
def test_weights_of_4_bits_are_stored_packed_and_run_as_the_same_integers_in_8(bits, monkeypatch):
    graph, report = optimize(residual_net(), {"quantize": {"bits": bits, "layers": {"fc": {"bits": 8}}}}, samples(32), run_ort)
    packed = to_model(graph)
    onnx.checker.check_model(packed, full_check=True)
    assert kinds(packed)["conv2_w_quantized"] == TensorProto.INT4 and kinds(packed)["fc_w_quantized"] == TensorProto.INT8
    assert report.layer("conv2").bytes_after == 8 * 16 * 9 // 2 + 8 * (4 + 1) + 8 * (4 + 4)
    monkeypatch.setattr(packing, "PACK_FROM", 1 << 40)
    plain = to_model(graph)
    assert kinds(plain)["conv2_w_quantized"] == TensorProto.INT8
    assert len(plain.SerializeToString()) - len(packed.SerializeToString()) > 8 * 16 * 9 // 3
    x = samples(8, seed=3)
    for optimise in (False, True):
        results = [run_ort(model, optimise).run(None, {"x": x})[0] for model in (packed, plain)]
        assert np.array_equal(*results)
    compiled = [honed.InferenceSession(model.SerializeToString()).run(None, {"x": x})[0] for model in (packed, plain)]
    assert np.array_equal(*compiled)


def test_weights_of_8_bits_leave_the_opset_as_it_is():
    graph, _ = optimize(residual_net(), {"quantize": {}}, samples(32), run_ort)
    assert graph.opset == 17


def test_where_the_opset_cannot_be_raised_weights_of_4_bits_stay_in_8():
    b = Builder()
    y = b.node("AveragePool", [b.conv("x", "conv1", 16, 8)], "pool", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1)
    graph, report = optimize(b.model(["n", 8, 8, 8], y), {"quantize": {"bits": 4}}, samples(16, (8, 8, 8)), run_ort)
    assert graph.opset == 17 and kinds(to_model(graph))["conv1_w_quantized"] == TensorProto.INT8
    assert any("stored in 8" in warning and "AveragePool 'pool'" in warning for warning in report.warnings)
