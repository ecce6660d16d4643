import numpy as np
import onnx
import pytest
from honed.graph import copy, to_model
from honed.passes import Driver
from honed.passes.compress.calibration import open_calibration
from honed.passes.compress.inputs import input_specs
from honed.passes.compress.quantize import QuantizeInt8
from honed.passes.compress.quantize_math import (
    BIAS_MAX,
    activation_params,
    bias_shift,
    quantize,
    quantize_bias,
    quantize_weight,
    weight_scales,
)
from honed.passes.compress.recipe import Quantize
from honed.passes.compress.select import Target, resolve
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator

from tests.passes.compress.small_models import Builder, cleaned, residual_net, run_ort, samples


def quantised(model, data=None, skip=(), layers=None, **settings):
    graph = cleaned(model)
    section = Quantize(skip=list(skip), layers=layers or {}, **settings)
    selection = resolve("quantize", [Target(n.name, n.op) for n in graph.nodes], section.skip, section.layers)
    calibration = open_calibration(samples() if data is None else data, input_specs(to_model(graph)))
    report = Driver(graph, check_patches=True).run([QuantizeInt8(section, selection, calibration, run_ort, copy(graph))])
    result = to_model(graph)
    onnx.checker.check_model(result, full_check=True)
    return result, report


def makers(model):
    return {output: node for node in model.graph.node for output in node.output}


def chain(model, name):
    """Operators from node `name` back to its data input's source, itself first."""
    made, node = makers(model), next(n for n in model.graph.node if n.name == name)
    ops = []
    while node is not None:
        ops.append(node.op_type)
        node = made.get(node.input[0])
    return ops


def values(model):
    return {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}


def test_structure_of_a_residual_network():
    model, report = quantised(residual_net())
    assert chain(model, "conv2")[:5] == ["Conv", "DequantizeLinear", "QuantizeLinear", "Relu", "Conv"]
    assert chain(model, "add")[:4] == ["Add", "DequantizeLinear", "QuantizeLinear", "Conv"]
    assert chain(model, "relu3")[:2] == ["Relu", "Add"]
    assert chain(model, "fc")[:12] == [
        "Gemm", "DequantizeLinear", "QuantizeLinear", "Flatten", "DequantizeLinear", "QuantizeLinear", "GlobalAveragePool",
        "DequantizeLinear", "QuantizeLinear", "MaxPool", "DequantizeLinear", "QuantizeLinear",
    ]  # fmt: skip
    assert makers(model)["fc_out"].op_type == "Gemm"
    assert report.refusals == []


def silu_net(other_reader=False):
    """conv1, SiLU, squeeze-and-excite, conv2."""
    b = Builder()
    x = b.conv("x", "conv1", 6, 3, pads=[1, 1, 1, 1])
    y = b.node("Mul", [b.node("Sigmoid", [x], "sigmoid"), x], "silu")
    squeezed = b.conv(b.node("GlobalAveragePool", [y], "mean"), "squeeze", 6, 6, 1)
    excited = b.node("Mul", [y, b.node("HardSigmoid", [squeezed], "gate")], "excite")
    z = b.conv(excited, "conv2", 4, 6, 1)
    return b.model((None, 3, 10, 10), z, more_outputs=[x] if other_reader else [])


def test_silu_is_applied_inside_the_layer_before_it():
    model, _ = quantised(silu_net(), layers={"conv1": {"range": "minmax"}})
    assert chain(model, "excite")[:6] == ["Mul", "DequantizeLinear", "QuantizeLinear", "Mul", "Sigmoid", "Conv"]
    assert chain(model, "mean")[:4] == ["GlobalAveragePool", "DequantizeLinear", "QuantizeLinear", "Mul"]
    assert makers(model)["sigmoid_out"].input[0] == "conv1_out"
    assert chain(model, "conv2")[:4] == ["Conv", "DequantizeLinear", "QuantizeLinear", "Mul"]


def test_silu_of_a_value_that_others_read_stays_float():
    model, _ = quantised(silu_net(other_reader=True))
    assert chain(model, "excite")[:4] == ["Mul", "Mul", "Sigmoid", "Conv"]


def test_nodes_that_pass_values_on_keep_the_scale():
    model, _ = quantised(residual_net())
    weights = values(model)
    assert weights["pool_out_scale"] == weights["relu3_out_scale"]
    assert weights["flat_out_scale"] == weights["gap_out_scale"] != weights["pool_out_scale"]


def test_weights_are_s8_per_output_channel_and_biases_s32():
    source = residual_net()
    model, _ = quantised(source, correct_bias=False)
    before, after = values(source), values(model)
    weight, scale = before["conv1_w"], after["conv1_w_scale"]
    assert after["conv1_w_quantized"].dtype == np.int8 and after["conv1_b_quantized"].dtype == np.int32
    assert np.array_equal(scale, (np.abs(weight).reshape(16, -1).max(1).astype(np.float64) / 127).astype(np.float32))
    assert np.array_equal(after["conv1_b_scale"], scale * after["relu1_out_scale"])
    steps = before["conv1_b"].astype(np.float64) / after["conv1_b_scale"].astype(np.float64)
    assert np.array_equal(after["conv1_b_quantized"], np.rint(steps))
    assert not any(name in after for name in before)
    assert sum(a.nbytes for a in after.values()) < 0.5 * sum(a.nbytes for a in before.values())


def test_runs_in_onnx_runtime_as_simulated():
    """Against the operators' definitions in onnx.reference, another implementation of the same file."""
    model, _ = quantised(residual_net(opset=21))
    x = samples(4, seed=5)
    expected = ReferenceEvaluator(model).run(None, {"x": x})[0]
    plain = run_ort(model).run(None, {"x": x})[0]
    # a sum that lies on a rounding boundary may fall on either side: one step of the largest scale moves the result by less
    np.testing.assert_allclose(plain, expected, atol=0.05)
    assert np.mean(np.abs(plain - expected) < 1e-5) > 0.9


def test_one_layer_against_integer_arithmetic():
    b = Builder(3)
    y = b.gemm(b.node("Relu", [b.gemm("x", "fc1", 12, 20)], "r"), "fc2", 5, 12, trans=0)
    source = b.model(["n", 20], y)
    data = samples(64, (20,))
    model, _ = quantised(source, data, correct_bias=False, range="minmax")
    w, before = values(model), values(source)
    x = data[:16]
    xs, rs = w["x_scale"], w["r_out_scale"]
    q = np.clip(np.rint(x / xs) + w["x_zero_point"], 0, 255).astype(np.int64) - w["x_zero_point"]
    w1 = np.rint(before["fc1_w"].astype(np.float64).T / w["fc1_w_scale"]).astype(np.int64)
    acc = q @ w1 + np.rint(before["fc1_b"].astype(np.float64) / (xs * w["fc1_w_scale"])).astype(np.int64)
    hidden = np.maximum(acc * (xs.astype(np.float64) * w["fc1_w_scale"]), 0)
    h = np.clip(np.rint(hidden / rs), 0, 255)
    w2 = np.rint(before["fc2_w"].astype(np.float64) / w["fc2_w_scale"]).astype(np.int64)
    expected = (h @ w2 + w["fc2_b_quantized"]) * (rs.astype(np.float64) * w["fc2_w_scale"])
    assert w["r_out_zero_point"] == 0
    np.testing.assert_allclose(run_ort(model).run(None, {"x": x})[0], expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("method", ["minmax", "percentile", "mse"])
def test_every_range_method_stays_close(method):
    source = residual_net()
    model, _ = quantised(source, range=method)
    x = samples(32)
    exact = run_ort(source).run(None, {"x": x})[0]
    result = run_ort(model).run(None, {"x": x})[0]
    # about 1 % of the signal per tensor in 8 bits, nine tensors deep
    assert np.square(result - exact).mean() < 1e-3 * np.square(exact - exact.mean(0)).mean() + 1e-3


def test_skipped_layers_stay_float_and_read_what_they_need():
    model, report = quantised(residual_net(), skip=["conv1", "Gemm"])
    assert "conv1_w" in values(model) and "fc_w" in values(model)
    assert report.refusals_of("conv1") == {"quantize-int8": "skipped by the recipe ('conv1')"}
    assert chain(model, "conv2")[:5] == ["Conv", "DequantizeLinear", "QuantizeLinear", "Relu", "Conv"]
    assert chain(model, "fc")[:5] == ["Gemm", "Flatten", "GlobalAveragePool", "MaxPool", "Relu"]
    assert report.refusals_of("add") == {"quantize-int8": "no int8 layer uses its result"}


def test_a_float_node_between_float_nodes_is_left_alone():
    b = Builder()
    c = b.conv("x", "c1", 4, 3, pads=[1] * 4)
    s = b.node("Softmax", [c], "softmax", axis=1)
    model, _ = quantised(b.model(["n", 3, 10, 10], b.conv(s, "c2", 4, 4)))
    assert chain(model, "softmax")[:2] == ["Softmax", "Conv"]
    assert chain(model, "c2")[:4] == ["Conv", "DequantizeLinear", "QuantizeLinear", "Softmax"]


def test_an_output_that_int8_nodes_read_too_is_their_value_under_its_name():
    b = Builder()
    c = b.node("Relu", [b.conv("x", "c1", 4, 3)], "r")
    model, _ = quantised(b.model(["n", 3, 10, 10], b.conv(c, "c2", 4, 4), more_outputs=[c]))
    assert [o.name for o in model.graph.output] == ["c2_out", "r_out"]
    assert chain(model, "c2")[:4] == ["Conv", "DequantizeLinear", "QuantizeLinear", "Relu"]
    assert makers(model)["r_out"].op_type == "DequantizeLinear"
    assert len(np.unique(run_ort(model).run(["r_out"], {"x": samples(4)})[0])) <= 256


def test_inputs_of_a_concat_take_its_scale_unless_others_read_them():
    b = Builder()
    left, right = b.conv("x", "a", 4, 3), b.conv("x", "b", 4, 3)
    joined = b.node("Concat", [left, right], "cat", axis=1)
    model, _ = quantised(b.model(["n", 3, 10, 10], b.conv(joined, "c", 4, 8), more_outputs=[b.conv(left, "d", 2, 4)]))
    w = values(model)
    assert w["b_out_scale"] == w["cat_out_scale"] != w["a_out_scale"]


@pytest.mark.parametrize(
    ("build", "node", "reason"),
    [
        (lambda b, c: b.node("Add", [c, b.weight("k", (10, 10))], "odd"), "odd", "a constant operand"),
        (lambda b, c: b.node("Add", [c, b.node("GlobalAveragePool", [c], "g")], "odd"), "odd", "operands of different or unknown shapes"),
        (lambda b, c: b.node("ConvTranspose", [c, b.weight("k", (4, 4, 2, 2))], "odd"), "odd", "no int8 form of ConvTranspose"),
        (lambda b, c: b.node("Conv", [c, b.node("Relu", ["x"], "dynamic")], "odd"), "odd", "weights are not constant"),
        (lambda b, c: b.node("Relu", [c], "odd"), "odd", "no int8 layer uses its result"),
    ],
)
def test_refusals_have_reasons(build, node, reason):
    b = Builder()
    x_shape = [4, 4, 3, 3] if "dynamic" in build.__code__.co_consts else ["n", 3, 10, 10]
    c = b.conv("x", "c0", 4, x_shape[1], pads=[1] * 4)
    _, report = quantised(b.model(x_shape, build(b, c)), data=samples(8, x_shape[1:]))
    assert reason in report.refusals_of(node)["quantize-int8"]


def test_overrides_reach_the_tensor_behind_the_activation():
    data = samples(64)
    narrow, _ = quantised(residual_net(), data, layers={"conv1": {"range": "percentile", "percentile": 60.0}}, range="minmax")
    wide, _ = quantised(residual_net(), data, range="minmax")
    assert values(narrow)["relu2_out_scale"] < 0.6 * values(wide)["relu2_out_scale"]
    assert values(narrow)["relu0_out_scale"] == values(wide)["relu0_out_scale"]


def test_overrides_reach_the_tensor_behind_silu():
    model, _ = quantised(silu_net(), range="percentile", percentile=60.0)
    other, _ = quantised(silu_net(), range="percentile", percentile=60.0, layers={"conv1": {"range": "minmax"}})
    assert values(other)["silu_out_scale"] > 1.5 * values(model)["silu_out_scale"]


def test_bias_correction_restores_the_mean():
    b = Builder(2)
    source = b.model(["n", 16, 6, 6], b.conv(b.node("Relu", ["x"], "r"), "c", 8, 16, kernel=1))
    data = samples(64, (16, 6, 6)) + 2
    exact = run_ort(source).run(None, {"x": data})[0].mean((0, 2, 3))
    errors = []
    for correct in (False, True):
        model, _ = quantised(source, data, range="minmax", correct_bias=correct)
        errors.append(np.abs(run_ort(model).run(None, {"x": data})[0].mean((0, 2, 3)) - exact).max())
    assert errors[1] < 0.2 * errors[0]


def test_a_second_run_adds_nothing():
    graph = cleaned(residual_net())
    data = open_calibration(samples(), input_specs(to_model(graph)))
    selection = resolve("quantize", [])
    driver = Driver(graph)
    driver.run([QuantizeInt8(Quantize(), selection, data, run_ort, copy(graph))])
    count = len(graph.nodes)
    report = driver.run([QuantizeInt8(Quantize(), selection, data, run_ort, copy(graph))])
    assert len(graph.nodes) == count
    assert report.refusals_of("conv1") == {"quantize-int8": "weights are not constant"}


def test_activation_parameters():
    assert [activation_params(lo, lo + 2.55).zero_point for lo in (-1.0, -1.004, -1.006)] == [100, 100, 101]
    assert activation_params(0.5, 2.55) == activation_params(0.0, 2.55)
    assert activation_params(-2.55, -1.0).zero_point == 255
    assert activation_params(0.0, 0.0).scale == 1
    assert activation_params(0.0, 1e-44).scale > 0


def test_pruned_weights_and_empty_channels():
    weight = np.random.default_rng(0).standard_normal((6, 5, 3, 3)).astype(np.float32)
    weight[weight < 0.3] = 0
    weight[2] = 0
    scale = weight_scales(weight, None, np.float32(1))
    integers = quantize_weight(weight, scale)
    assert np.array_equal(integers == 0, np.abs(weight) < 0.5 * scale.reshape(-1, 1, 1, 1))
    assert integers.max() == 127 and integers.min() >= -127 and (scale > 0).all()
    assert (weight_scales(np.zeros((2, 3), np.float32), None, np.float32(1)) > 0).all()


def test_a_bias_far_larger_than_its_weights_still_fits():
    weight = np.full((2, 3), 1e-6, np.float32)
    bias = np.array([1e4, 0.0], np.float32)
    scale = weight_scales(weight, bias, np.float32(1e-3))
    integers = quantize_bias(bias, np.float32(1e-3) * scale)
    assert 0.99 * BIAS_MAX < integers[0] <= 1.01 * BIAS_MAX
    np.testing.assert_allclose(integers * (np.float64(1e-3) * scale), bias, rtol=1e-6)


def test_ties_go_to_even():
    assert list(quantize(np.array([0.5, 1.5, 2.5, 400], np.float32), np.float32(1), 0, 0, 255)) == [0, 2, 2, 255]


def test_bias_shift_by_groups():
    rng = np.random.default_rng(0)
    error, mean = rng.standard_normal((4, 3, 2, 2)), rng.standard_normal(6)
    expected = [sum(error[o, i].sum() * mean[(o // 2) * 3 + i] for i in range(3)) for o in range(4)]
    np.testing.assert_allclose(bias_shift(error, mean, 2), expected, rtol=1e-12)
