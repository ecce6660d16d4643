import numpy as np
import pytest
from honed.graph import Error, to_model
from honed.passes.compress.layers import weight_layers
from honed.passes.optimize import optimize
from onnx import numpy_helper

from tests.passes.compress.small_models import Builder, residual_net, run_ort, samples


def mobile_net(spread=5.0, seed=0):
    """1x1, depthwise, 1x1, each behind the other with Clip(0, 6) in between, a sum, pooling, Gemm; channels of very different strength."""
    b = Builder(seed)
    six = [b.const("zero", np.float32(0)), b.const("six", np.float32(6))]
    x = b.conv("x", "stem", 8, 3)
    e = b.node("Clip", [b.conv(x, "expand", 24, 8, kernel=1), *six], "clip1")
    d = b.node("Clip", [b.conv(e, "dw", 24, 24, group=24, pads=[1] * 4), *six], "clip2")
    s = b.node("Add", [x, b.conv(d, "project", 8, 24, kernel=1)], "add")
    y = b.gemm(b.node("Flatten", [b.node("GlobalAveragePool", [s], "gap")], "flat"), "fc", 10, 8)
    strength = np.exp(b.rng.uniform(-spread, 0, 24)).astype(np.float32)
    for tensor in b.weights:
        if tensor.name in ("expand_w", "expand_b", "dw_w"):
            values = numpy_helper.to_array(tensor)
            shape = (-1,) + (1,) * (values.ndim - 1)
            factor = strength if tensor.name.startswith("expand") else 1 / strength
            tensor.CopyFrom(numpy_helper.from_array(values * factor.reshape(shape), tensor.name))
    return b.model(["n", 3, 10, 10], y)


def outputs(model, x):
    return run_ort(model).run(None, {"x": x})[0]


def error(source, graph, x):
    exact, result = outputs(source, x), outputs(to_model(graph), x)
    return np.square(result - exact).mean() / np.square(exact - exact.mean(axis=0)).mean()


@pytest.mark.parametrize("method", ["noise", "weights"])
@pytest.mark.parametrize("source", [residual_net(), mobile_net()], ids=["relu", "clip"])
def test_equalised_networks_compute_the_same(source, method):
    data = samples(64)
    graph, report = optimize(source, {"equalise": {"method": method}}, data, run_ort)
    # f32 rounding of a few layers: two products instead of one for each weight
    np.testing.assert_allclose(outputs(to_model(graph), data), outputs(source, data), rtol=1e-4, atol=1e-5)
    facts = [layer.techniques["equalise"] for layer in report.layers if "greatest_factor" in layer.techniques.get("equalise", {})]
    assert len(facts) >= 4 and max(f["greatest_factor"] / f["least_factor"] for f in facts) > 1.25
    assert all(layer.output_sqnr_db is None or layer.output_sqnr_db > 80 for layer in report.layers)
    assert all(layer.weight_sqnr_db is None or layer.weight_sqnr_db > 120 for layer in report.layers)


@pytest.mark.parametrize(("method", "name", "spread"), [("noise", "expand", 20), ("weights", "stem", 1.2)])
def test_the_report_says_by_what_output_channels_were_scaled(method, name, spread):
    """Of layers whose inputs stay as they are."""
    source = mobile_net()
    graph, report = optimize(source, {"equalise": {"method": method}}, samples(64), run_ort)
    before = {layer.name: layer.weight for layer in weight_layers(optimize(source, {})[0])}[name]
    after = {layer.name: layer.weight for layer in weight_layers(graph)}[name]
    factors = (after / before).reshape(len(before), -1)
    np.testing.assert_allclose(factors, np.broadcast_to(factors[:, :1], factors.shape), rtol=1e-5)
    facts = report.layer(name).techniques["equalise"]
    np.testing.assert_allclose([factors.min(), factors.max()], [facts["least_factor"], facts["greatest_factor"]], rtol=1e-5)
    assert factors.max() > spread * factors.min()


def test_a_depthwise_network_is_quantised_with_less_error():
    source, data, unseen = mobile_net(), samples(64), samples(64, seed=9)
    plain, _ = optimize(source, {"quantize": {"range": "minmax"}}, data, run_ort)
    equal, _ = optimize(source, {"equalise": {}, "quantize": {"range": "minmax"}}, data, run_ort)
    assert error(source, equal, unseen) < 0.1 * error(source, plain, unseen)


@pytest.mark.parametrize("beyond", [1.0, 2.0])
def test_inputs_beyond_calibration_are_not_clipped_early(beyond):
    source, data = mobile_net(), samples(64)
    graph, report = optimize(source, {"equalise": {}}, data, run_ort)
    unseen = data * np.float32(beyond)
    assert report.layer("expand").techniques["equalise"]["greatest_factor"] > 2
    np.testing.assert_allclose(outputs(to_model(graph), unseen), outputs(source, unseen), rtol=1e-4, atol=1e-4)


def clipped_pair(strength):
    """Conv, Clip(0, 6), depthwise Conv, Clip(0, 6), 1x1 Conv; layers by name times `strength`, the second with weights that
    are all positive."""
    b = Builder(3)
    six = [b.const("zero", np.float32(0)), b.const("six", np.float32(6))]
    first = b.node("Clip", [b.conv("x", "first", 8, 3, pads=[1] * 4), *six], "clip1")
    second = b.node("Clip", [b.conv(first, "second", 8, 8, group=8, pads=[1] * 4), *six], "clip2")
    y = b.conv(second, "third", 4, 8, kernel=1)
    for tensor, factors in ((t, f) for t in b.weights for names, f in strength.items() if t.name in (f"{names}_w", f"{names}_b")):
        values = numpy_helper.to_array(tensor)
        values = np.abs(values) if tensor.name == "second_w" else values
        tensor.CopyFrom(numpy_helper.from_array(values * np.float32(factors), tensor.name))
    return b.model(["n", 3, 10, 10], y)


@pytest.mark.parametrize(("name", "strength"), [("first", {"first": 0.2}), ("second", {"first": 8, "second": 0.2, "third": 10})])
def test_what_bounded_inputs_cannot_exceed_is_not_clipped(name, strength):
    """However far from calibration the inputs are, within its least and greatest; a margin alone would forbid all factors."""
    source = clipped_pair(strength)
    data = np.random.default_rng(5).uniform(-1, 1, (32, 3, 10, 10)).astype(np.float32)
    data[0] = np.where(data[0] > 0, 1, -1)
    graph, report = optimize(source, {"equalise": {"method": "weights", "margin": 1e6}}, data, run_ort)
    factor = report.layer(name).techniques["equalise"]["greatest_factor"]
    assert factor > 1.5
    weight = next(layer.weight for layer in weight_layers(optimize(source, {})[0]) if layer.name == "first")
    worst = np.zeros((8, 3, 10, 10), np.float32)
    worst[:, :, 3:6, 3:6] = np.where(weight > 0, 1, -1)
    bright = np.sign(weight.sum(axis=(2, 3)))[:, :, None, None] * np.ones((1, 1, 10, 10), np.float32)
    for unseen in (worst, bright, data):
        np.testing.assert_allclose(outputs(to_model(graph), unseen), outputs(source, unseen), rtol=1e-4, atol=1e-4)


def test_one_scale_for_all_weights_wants_equal_weights():
    source, data, unseen = mobile_net(), samples(64), samples(64, seed=9)
    section = {"range": "minmax", "per_channel": False}
    plain, _ = optimize(source, {"quantize": section}, data, run_ort)
    equal, _ = optimize(source, {"equalise": {"method": "weights"}, "quantize": section}, data, run_ort)
    assert error(source, equal, unseen) < 0.2 * error(source, plain, unseen)


def test_weights_on_both_sides_are_balanced():
    source = mobile_net()
    graph, _ = optimize(source, {"equalise": {"method": "weights"}}, samples(64) * 0.01, run_ort)
    layers = {layer.name: layer for layer in weight_layers(graph)}
    made = np.abs(layers["dw"].weight).reshape(24, -1).max(1)
    read = np.abs(layers["project"].weight).reshape(8, 24).max(0)
    np.testing.assert_allclose(made, read, rtol=0.01)


def test_strong_channels_below_a_clip_keep_their_scale():
    data = samples(64) * 20
    graph, report = optimize(mobile_net(0.0), {"equalise": {}}, data, run_ort)
    np.testing.assert_allclose(outputs(to_model(graph), data), outputs(mobile_net(0.0), data), rtol=1e-4, atol=1e-4)
    assert report.layer("expand").techniques["equalise"]["greatest_factor"] == 1


def test_skipped_layers_stay_and_the_report_says_why():
    source = mobile_net()
    graph, report = optimize(source, {"equalise": {"method": "weights", "skip": ["dw"]}}, samples(64), run_ort)
    before = {layer.name: layer.weight for layer in weight_layers(optimize(source, {})[0])}
    after = {layer.name: layer.weight for layer in weight_layers(graph)}
    assert np.array_equal(before["dw"], after["dw"]) and not np.array_equal(before["stem"], after["stem"])
    assert report.layer("dw").techniques["equalise"]["refused"] == "outputs not scaled: dw is skipped by the recipe"


def test_it_needs_data_that_can_be_read_again():
    with pytest.raises(Error, match="equalise: needs calibration data"):
        optimize(mobile_net(), {"equalise": True})
    with pytest.raises(Error, match="equalise and quantize read it"):
        optimize(mobile_net(), {"equalise": True, "quantize": {}}, iter([samples(8)]), run_ort)


def test_the_parts_of_a_factorised_layer_are_skipped_with_it():
    recipe = {"factorise": {"layers": {"conv1": {"rank": 2}}}, "equalise": {"skip": ["conv1"]}}
    source, data = residual_net(), samples(64)
    graph, _ = optimize(source, recipe, data, run_ort)
    plain, _ = optimize(source, {"factorise": recipe["factorise"]}, data, run_ort)
    before = {layer.name: layer.weight for layer in weight_layers(plain)}
    parts = [layer for layer in weight_layers(graph) if layer.name.startswith("conv1")]
    assert len(parts) > 1 and all(np.array_equal(layer.weight, before[layer.name]) for layer in parts)
