"""Pad into convolution and pooling."""

import numpy as np
import pytest
from honed import graph as hg
from honed.passes import Driver

from tests.onnx_text import f32, model
from tests.passes.clean.check import cleaned, named, ops, refusal

NAME = "fold-pad"
PADS = np.array([0, 0, 1, 2, 0, 0, 0, 1])


def net(op, pads=PADS, value=0.0, before="", pad="Pad(r, p, v)", mode="", more="", outputs=""):
    body = f"""g (float[1,3,7,7] x) => (float[d0,d1,d2,d3] y{outputs}) {{
        r = {before or "Identity(x)"} q = {pad.replace("Pad(", f"Pad{mode}(")} y = {op} {more} }}"""
    return model(body, opset=18, w=f32(4, 3, 3, 3), p=np.asarray(pads), v=np.float32(value), a=np.array([2, 3]), i=np.array([-1]))


@pytest.mark.parametrize(
    "source",
    [
        net("Conv(q, w)"),
        net("Conv<pads=[1,0,2,1], strides=[2,2]>(q, w)"),
        net('Conv<auto_pad="VALID">(q, w)'),
        net("Conv(q, w)", pads=[1, 2, 0, 1], pad="Pad(r, p, v, a)"),
        net("Conv(q, w)", pad="Pad(r, p)"),
        net("AveragePool<kernel_shape=[3,3]>(q)"),
        net("AveragePool<kernel_shape=[3,3], pads=[1,0,1,0], count_include_pad=1>(q)"),
        net("MaxPool<kernel_shape=[3,3], strides=[2,2]>(q)", value=-np.inf),
        net("MaxPool<kernel_shape=[3,3], strides=[2,2]>(q)", before="Relu(x)"),
        net("MaxPool<kernel_shape=[3,3]>(q)", value=-1, before="Clip(x, v)"),
    ],
)
def test_padding_moves_into_the_operator(source):
    graph, report = cleaned(source, NAME)
    assert "Pad" not in ops(graph) and len(report.changes) == 1


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (net("Conv(q, w)", value=1), "pads with 1.0, expected 0"),
        (net("Conv(q, w)", mode='<mode="edge">'), "padding mode edge"),
        (net("Conv(q, w)", pads=[1, 0, 1, 1, 0, 0, 1, 1]), "pads batch or channels"),
        (net("Conv(q, w)", pads=[0, 0, -1, 0, 0, 0, 1, 1]), "negative padding"),
        (net("Conv(q, w)", more="z = Relu(q)", outputs=", float[e0,e1,e2,e3] z"), "Pad has other users"),
        (net('Conv<auto_pad="SAME_UPPER">(q, w)'), "has automatic padding"),
        (net("AveragePool<kernel_shape=[3,3], pads=[1,1,1,1]>(q)"), "AveragePool does not count its own padding"),
        (net("AveragePool<kernel_shape=[3,3], ceil_mode=1>(q)"), "AveragePool rounds its size up"),
        (net("AveragePool<kernel_shape=[2,2]>(q)"), "the padding is as large as the window"),
        (net("AveragePool<kernel_shape=[3,3]>(q)", value=2), "pads with 2.0, expected 0"),
        (net("MaxPool<kernel_shape=[3,3]>(q)"), "pads with 0.0, which may exceed what MaxPool reads"),
        (net("MaxPool<kernel_shape=[3,3]>(q)", value=1, before="Relu(x)"), "pads with 1.0, which may exceed what MaxPool reads"),
        (net("MaxPool<kernel_shape=[2,2]>(q)", before="Relu(x)"), "the padding is as large as the window"),
        (net("MaxPool<kernel_shape=[3,3], ceil_mode=1>(q)", before="Relu(x)"), "MaxPool rounds its size up"),
        (net("MaxPool<kernel_shape=[3,3], dilations=[2,2]>(q)", before="Relu(x)"), "MaxPool is dilated"),
    ],
)
def test_refusals(source, reason):
    assert refusal(source, NAME) == reason


def test_padding_that_is_computed():
    body = "g (float[1,3,7,7] x, int64[8] p, float v) => (float[d0,d1,d2,d3] y) { q = Pad(x, p, v) y = Conv(q, w) }"
    source = model(body, w=f32(4, 3, 3, 3))
    assert Driver(hg.load(source)).run([named(NAME)]).reasons(NAME) == {"the padding is not constant": 1}
    fixed = model(body.replace("int64[8] p, ", ""), w=f32(4, 3, 3, 3), p=PADS)
    assert Driver(hg.load(fixed)).run([named(NAME)]).reasons(NAME) == {"the padding's value is not constant": 1}
