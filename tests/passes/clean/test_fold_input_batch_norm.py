"""BatchNormalization into the convolution after it."""

import numpy as np
import pytest

from tests.onnx_text import f32, model
from tests.passes.clean.check import cleaned, ops, refusal

NAME = "fold-input-batch-norm"
STATISTICS = {"g": f32(4, seed=1), "t": f32(4, seed=2), "m": f32(4, seed=3), "v": np.abs(f32(4, seed=4)) + 0.1}


def net(conv, w=(6, 4, 3, 3), size=4, more="", outputs="", **statistics):
    body = f"g (float[1,4,6,6] x) => (float[1,6,{size},{size}] y{outputs}) {{ n = BatchNormalization(x, g, t, m, v) y = {conv} {more} }}"
    return model(body, w=f32(*w), b=f32(6), **(STATISTICS | statistics))


@pytest.mark.parametrize(
    ("conv", "w", "size"),
    [
        ("Conv(n, w)", (6, 4, 3, 3), 4),
        ("Conv(n, w, b)", (6, 4, 3, 3), 4),
        ("Conv<group=2>(n, w, b)", (6, 2, 3, 3), 4),
        ("Conv<auto_pad=\"VALID\", strides=[2,2]>(n, w, b)", (6, 4, 3, 3), 2),
    ],
)
def test_convolutions_without_padding(conv, w, size):
    graph, _ = cleaned(net(conv, w, size), NAME)
    assert ops(graph) == ["Conv"] and graph.nodes[0].name == "Conv"


def test_padding_does_not_matter_without_a_shift():
    zero = {"t": np.zeros(4, np.float32), "m": np.zeros(4, np.float32)}
    graph, _ = cleaned(net("Conv<pads=[1,1,1,1]>(n, w, b)", size=6, **zero), NAME)
    assert ops(graph) == ["Conv"]


@pytest.mark.parametrize("conv", ["Conv<pads=[1,1,1,1]>(n, w, b)", 'Conv<auto_pad="SAME_UPPER">(n, w, b)'])
def test_padding_is_not_shifted(conv):
    assert refusal(net(conv, size=6), NAME) == "Conv pads, and the padding is not shifted"


def test_weights_that_are_computed():
    source = net("Conv(n, k)", more="")
    source.graph.node.insert(1, source.graph.node[0].__class__(op_type="Relu", input=["w"], output=["k"]))
    assert refusal(source, NAME) == "the parameters of Conv are not constant"


def test_other_readers():
    source = net("Conv(n, w)", more="z = Relu(n)", outputs=", float[1,4,6,6] z")
    assert ops(cleaned(source, NAME)[0]) == ["BatchNormalization", "Conv", "Relu"]
