"""BatchNormalization into the layer before it."""

import numpy as np
import pytest

from tests.onnx_text import f32, model
from tests.passes.clean.check import cleaned, ops, refusal

NAME = "fold-batch-norm"


def statistics(channels):
    return {"g": f32(channels, seed=1), "t": f32(channels, seed=2), "m": f32(channels, seed=3), "v": np.abs(f32(channels, seed=4)) + 0.1}


def net(layer, x, y, weights, channels, epsilon=0.001, rest=""):
    body = f"g (float[{x}] x) => (float[{y}] y) {{ c = {layer} y = BatchNormalization<epsilon={epsilon}>(c, g, t, m, v) {rest} }}"
    return model(body, **weights, **statistics(channels))


@pytest.mark.parametrize(
    ("layer", "x", "y", "weights", "channels"),
    [
        ("Conv(x, w)", "2,3,6,6", "2,5,4,4", {"w": (5, 3, 3, 3)}, 5),
        ("Conv<pads=[1,1,1,1]>(x, w, b)", "2,3,6,6", "2,5,6,6", {"w": (5, 3, 3, 3), "b": (5,)}, 5),
        ("Conv<group=2>(x, w, b)", "1,4,6,6", "1,6,4,4", {"w": (6, 2, 3, 3), "b": (6,)}, 6),
        ("Conv(x, w)", "1,3,9", "1,5,7", {"w": (5, 3, 3)}, 5),
        ("ConvTranspose<strides=[2,2]>(x, w)", "1,4,3,3", "1,5,7,7", {"w": (4, 5, 3, 3)}, 5),
        ("ConvTranspose<group=2, strides=[2,2]>(x, w, b)", "1,4,3,3", "1,6,7,7", {"w": (4, 3, 3, 3), "b": (6,)}, 6),
        ("Gemm(x, w, b)", "3,4", "3,6", {"w": (4, 6), "b": (6,)}, 6),
        ("Gemm<transB=1, alpha=0.5, beta=2.0>(x, w, b)", "3,4", "3,6", {"w": (6, 4), "b": (1, 6)}, 6),
        ("Gemm<transB=1>(x, w)", "3,4", "3,6", {"w": (6, 4)}, 6),
    ],
)
def test_layers(layer, x, y, weights, channels):
    source = net(layer, x, y, {name: f32(*shape) for name, shape in weights.items()}, channels)
    graph, report = cleaned(source, NAME)
    assert len(graph.nodes) == 1 and len(report.changes) == 1
    assert graph.nodes[0].name == layer.split("(")[0].split("<")[0]
    assert graph.nodes[0].inputs[1].name == "w"


def test_a_chain_folds_whole():
    body = "g (float[1,3,6,6] x) => (float[1,5,4,4] y) { c = Conv(x, w) d = BatchNormalization(c, g, t, m, v) "
    graph, _ = cleaned(model(body + "y = BatchNormalization(d, t, g, m, v) }", w=f32(5, 3, 3, 3), **statistics(5)), NAME)
    assert ops(graph) == ["Conv"]


def test_weights_shared_with_another_layer_stay_for_it():
    body = """g (float[1,3,6,6] x) => (float[1,5,4,4] y, float[1,5,4,4] z) {
        c = Conv(x, w) y = BatchNormalization(c, g, t, m, v) z = Conv(x, w) }"""
    graph, _ = cleaned(model(body, w=f32(5, 3, 3, 3), **statistics(5)), NAME)
    assert ops(graph) == ["Conv", "Conv"]


CONV = "Conv(x, w)"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (net("Relu(x)", "1,5,4,4", "1,5,4,4", {}, 5), "its input is not made by Conv, ConvTranspose or Gemm"),
        (model("g (float[1,3,6,6] x, float[5,3,3,3] w) => (float[1,5,4,4] y) { c = Conv(x, w) y = BatchNormalization(c, g, t, m, v) }",
               **statistics(5)), "the weights of Conv are not constant"),
        (model("g (float[1,3,6,6] x, float[5] b) => (float[1,5,4,4] y) { c = Conv(x, w, b) y = BatchNormalization(c, g, t, m, v) }",
               w=f32(5, 3, 3, 3), **statistics(5)), "the bias of Conv is not constant"),
        (model("g (float[1,3,6,6] x, float[5] g) => (float[1,5,4,4] y) { c = Conv(x, w) y = BatchNormalization(c, g, t, m, v) }",
               w=f32(5, 3, 3, 3), **{k: v for k, v in statistics(5).items() if k != "g"}), "its parameters are not constant"),
        (model("g (float[1,3,6,6] x) => (float[1,5,4,4] y, float[1,5,4,4] z) { c = Conv(x, w) y = BatchNormalization(c, g, t, m, v) "
               "z = Relu(c) }", w=f32(5, 3, 3, 3), **statistics(5)), "the output of Conv has other users"),
        (model("g (float[1,3,6,6] x) => (float[1,5,4,4] y, float[1,5,4,4] c) { c = Conv(x, w) y = BatchNormalization(c, g, t, m, v) }",
               w=f32(5, 3, 3, 3), **statistics(5)), "the output of Conv has other users"),
        (net("Gemm(x, w, b)", "3,4", "3,6", {"w": f32(4, 6), "b": f32(3, 6)}, 6), "the bias of Gemm differs between rows"),
        (net("Gemm(x, w, b)", "3,4", "3,6", {"w": f32(4, 6), "b": f32(3, 1)}, 6), "the bias of Gemm differs between rows"),
        (model("g (float[1,5,4,4] x) => (float[1,5,4,4] y) { c = Conv(x, w) y, a, b = BatchNormalization<training_mode=1>(c, g, t, m, v) }",
               w=f32(5, 5, 1, 1), **statistics(5)), "training mode"),
    ],
)
def test_refusals(source, reason):
    assert refusal(source, NAME) == reason


def test_a_variance_that_is_not_positive_is_left():
    parameters = statistics(5) | {"v": np.full(5, -1, np.float32)}
    body = "g (float[1,3,6,6] x) => (float[1,5,4,4] y) { c = Conv(x, w) y = BatchNormalization(c, g, t, m, v) }"
    assert refusal(model(body, w=f32(5, 3, 3, 3), **parameters), NAME) == "its variance is not positive"
