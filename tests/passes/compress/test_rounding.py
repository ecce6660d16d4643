import numpy as np
import onnx
import pytest
from honed.graph import Error, RecipeError, to_model
from honed.passes.compress.layers import per_output_row
from honed.passes.optimize import optimize
from onnx import numpy_helper

from tests.passes.compress.small_models import Builder, residual_net, run_ort, samples
from tests.passes.compress.test_equalise import error, mobile_net

FOUR = {"range": "minmax", "bits": 4, "skip": ["stem", "fc"]}


def values(graph):
    return {t.name: numpy_helper.to_array(t) for t in to_model(graph).graph.initializer}


def compressed(source, recipe, data=None):
    graph, report = optimize(source, recipe, samples(64) if data is None else data, run_ort)
    onnx.checker.check_model(to_model(graph), full_check=True)
    return graph, report


@pytest.mark.parametrize("refit", [False, True])
@pytest.mark.parametrize("source", [residual_net(), mobile_net(0.0)], ids=["relu", "clip"])
def test_four_bits_lose_less_when_rounded_to_the_outputs(source, refit):
    unseen = samples(64, seed=9)
    nearest, _ = compressed(source, {"quantize": FOUR})
    solved, report = compressed(source, {"quantize": {**FOUR, "rounding": "outputs", "refit": refit}})
    assert error(source, solved, unseen) < 0.6 * error(source, nearest, unseen)
    layers = [layer for layer in report.layers if layer.techniques["quantize"].get("bits") == 4]
    assert len(layers) >= 3
    for layer in layers:
        integers = values(solved)[f"{layer.name}_w_quantized"]
        facts = layer.techniques["quantize"]
        assert np.abs(integers.astype(np.int8)).max() <= 7
        assert 0 < facts["output_error_unrounded"] < facts["output_error"] < 0.2


def test_groups_with_steps_of_their_own_lose_less():
    source, unseen = mobile_net(0.0), samples(64, seed=9)
    section = {**FOUR, "bits": 3, "rounding": "outputs"}
    whole, _ = compressed(source, {"quantize": section})
    grouped, report = compressed(source, {"quantize": {**section, "group_size": 4}})
    assert error(source, grouped, unseen) < 0.8 * error(source, whole, unseen)
    for name in ("expand", "project"):
        integers = values(grouped)[f"{name}_w_quantized"].reshape(-1, 4).astype(int)
        multiples = np.gcd.reduce(integers, axis=1)
        assert report.layer(name).techniques["quantize"]["bits"] == 3 and np.abs(integers).max() > 3
        assert (np.abs(integers).max(axis=1) <= 3 * np.maximum(multiples, 1)).all()


def test_what_a_clip_takes_away_need_not_be_right():
    source, unseen = mobile_net(0.0), samples(64, seed=9)
    section = {**FOUR, "bits": 3, "rounding": "outputs"}
    every, _ = compressed(source, {"quantize": section})
    active, report = compressed(source, {"quantize": {**section, "active_only": True}})
    assert error(source, active, unseen) < error(source, every, unseen)
    facts = report.layer("expand").techniques["quantize"]
    assert 0 <= facts["output_error_unrounded"] < facts["output_error"] < 0.2
    eight, _ = compressed(source, {"quantize": {"rounding": "outputs", "active_only": True}})
    same, _ = compressed(source, {"quantize": {"rounding": "outputs"}})
    assert to_model(eight) == to_model(same)


def test_bits_by_kind_and_by_layer():
    section = {"pointwise_bits": 4, "layers": {"dw": {"bits": 6}, "project": {"bits": 5}}}
    graph, report = compressed(mobile_net(), {"quantize": section})
    peaks = {name[:-12]: int(np.abs(array).max()) for name, array in values(graph).items() if name.endswith("_w_quantized")}
    assert peaks == {"stem": 127, "expand": 7, "dw": 31, "project": 15, "fc": 127}
    assert {layer.name: layer.techniques["quantize"]["bits"] for layer in report.layers} == {
        "stem": 8, "expand": 4, "dw": 6, "project": 5, "fc": 8,
    }  # fmt: skip


def test_zeros_of_pruning_stay_and_its_error_is_made_good():
    source, unseen = residual_net(), samples(64, seed=9)
    prune = {"method": "reconstruct", "sparsity": 0.5, "samples": 64}
    nearest, _ = compressed(source, {"prune": prune, "quantize": FOUR})
    solved, report = compressed(source, {"prune": prune, "quantize": {**FOUR, "rounding": "outputs", "refit": True}})
    for name in ("conv1", "conv2", "shortcut"):
        assert report.layer(name).sparsity >= 0.5
    pruned = error(source, compressed(source, {"prune": prune})[0], unseen)
    assert error(source, solved, unseen) - pruned < 0.6 * (error(source, nearest, unseen) - pruned)


def test_equalised_channels_are_held_to_their_scaled_outputs():
    source, unseen = mobile_net(), samples(64, seed=9)
    section = {"range": "minmax", "rounding": "outputs"}
    nearest, _ = compressed(source, {"equalise": {}, "quantize": {"range": "minmax"}})
    solved, _ = compressed(source, {"equalise": {}, "quantize": section})
    assert error(source, solved, unseen) < 1.1 * error(source, nearest, unseen)


def test_one_scale_for_all_weights_of_a_layer():
    graph, report = compressed(residual_net(), {"quantize": {"per_channel": False}})
    scales = {name: array for name, array in values(graph).items() if name.endswith("_w_scale")}
    assert len(scales) == 6 and all(scale.shape == () for scale in scales.values())
    assert np.abs(values(graph)["conv1_w_quantized"]).max() == 127
    weight = {t.name: numpy_helper.to_array(t) for t in residual_net().graph.initializer}["conv1_w"]
    assert scales["conv1_w_scale"] == np.float32(np.abs(weight).max().astype(np.float64) / 127)
    assert report.layer("conv1").weight_sqnr_db > 35


def test_a_product_without_bias():
    b = Builder()
    y = b.node("MatMul", [b.node("Relu", ["x"], "r"), b.weight("mm_w", (24, 6))], "mm")
    source = b.model(["n", 24], y)
    data = samples(256, (24,)) @ samples(24, (24,), 5)
    nearest, _ = compressed(source, {"quantize": {**FOUR, "skip": []}}, data)
    solved, _ = compressed(source, {"quantize": {**FOUR, "skip": [], "rounding": "outputs"}}, data)
    assert error(source, solved, data) < error(source, nearest, data)


def test_the_integers_are_those_of_the_dequantised_weights():
    graph, _ = compressed(residual_net(), {"quantize": {**FOUR, "rounding": "outputs"}})
    arrays = values(graph)
    q, scale = arrays["conv1_w_quantized"], arrays["conv1_w_scale"]
    weight = {t.name: numpy_helper.to_array(t) for t in residual_net().graph.initializer}["conv1_w"]
    assert np.abs(q * per_output_row(scale, q) - weight).max() < 2 * scale.max()


def test_data_that_can_be_read_once_and_impossible_sections_are_refused():
    for section in ({"rounding": "outputs"}, {"range": "output"}, {"layers": {"conv1": {"range": "output"}}}):
        with pytest.raises(Error, match="quantize reads it again"):
            optimize(residual_net(), {"quantize": section}, iter([samples(8)]), run_ort)
    wrong = ({"bits": 1}, {"bits": 9}, {"pointwise_bits": 1}, {"rounding": "up"}, {"layers": {"conv1": {"bits": 0}}})
    groups = ({"group_size": 16}, {"group_size": 1, "rounding": "outputs"}, {"group_size": 4, "rounding": "outputs", "per_channel": False})
    for section in (*wrong, *groups):
        with pytest.raises(RecipeError):
            optimize(residual_net(), {"quantize": section}, samples(8), run_ort)


def test_variations_of_the_images_are_used_and_need_images():
    section = {**FOUR, "rounding": "outputs"}
    plain, _ = compressed(residual_net(), {"quantize": section})
    varied, _ = compressed(residual_net(), {"quantize": {**section, "augment": 1}})
    assert not np.array_equal(values(plain)["conv1_b_quantized"], values(varied)["conv1_b_quantized"])
    b = Builder()
    source = b.model(["n", 8], b.gemm("x", "g", 4, 8))
    with pytest.raises(Error, match="augment: inputs are"):
        optimize(source, {"quantize": {"augment": 1}}, samples(8, (8,)), run_ort)
