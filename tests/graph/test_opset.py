"""Raised opsets: the same results in ONNX Runtime, or a reason and the graph as it was."""

import numpy as np
import onnx
import pytest
from honed import graph as hg
from onnx import defs

from tests.onnx_text import f32, feed_of, model, run

WEIGHTS = {"w": f32(4, 3, 3, 3), "g": f32(3), "v": np.abs(f32(3)) + 1, "i": np.array([0, 0, 1, 1, 0, 0, 1, 1])}
SAME = {
    "Relu": "y = Relu(x)",
    "Conv": "y = Conv(x, w)",
    "BatchNormalization": "y = BatchNormalization(x, g, g, g, v)",
    "AveragePool": "y = AveragePool<kernel_shape = [3, 3], strides = [2, 2], pads = [1, 1, 1, 1]>(x)",
    "Pad": "y = Pad(x, i)",
    "ReduceMean": "y = ReduceMean<axes = [2, 3], keepdims = 0>(x)",
    "ReduceMax": "y = ReduceMax(x)",
    "ReduceL2": "a = ReduceL2<axes = [1]>(x) y = ReduceL2<axes = [-1]>(a)",
    "Split": "a, y = Split<axis = 3>(x)",
    "Resize": 'a = Constant<value_floats = [1.0, 1.0, 2.0, 2.0]>() y = Resize<mode = "linear">(x, , a)',
}


@pytest.mark.parametrize("opset", [13, 17])
@pytest.mark.parametrize("body", SAME.values(), ids=SAME)
def test_the_raised_model_computes_the_same(body, opset):
    used = {name: value for name, value in WEIGHTS.items() if f" {name}" in body}
    axes = "a,b" if "keepdims" in body else "a,b,c,d"
    source = model(f"g (float[1,3,8,8] x) => (float[{axes}] y) {{ {body} }}", opset, **used)
    graph = hg.load(source)
    assert hg.raise_opset(graph, 21) is None and graph.opset == 21
    hg.verify(graph, "imported")
    raised = hg.to_model(graph)
    onnx.checker.check_model(raised)
    assert {entry.version for entry in raised.opset_import if entry.domain == ""} == {21} and raised.ir_version >= 10
    feed = feed_of(source)
    # the runtime sums in another order in later AveragePools
    np.testing.assert_allclose(run(raised, feed)[0], run(source, feed)[0], rtol=0, atol=1e-6 if "AveragePool" in body else 0)


@pytest.mark.parametrize(
    ("body", "opset", "named"),
    [
        ("y = AveragePool<kernel_shape = [3, 3], ceil_mode = 1>(x)", 17, "AveragePool"),
        ("y = GridSample(x, r)", 17, "GridSample"),
    ],
)
def test_operators_whose_meaning_may_change_are_named(body, opset, named):
    weights = {name: value for name, value in {"g": f32(3), "r": f32(1, 4, 4, 2)}.items() if f" {name}" in body}
    source = model(f"g (float[1,3,8,8] x) => (float[1,3,h,w] y) {{ {body} }}", opset, **weights)
    graph = hg.load(source)
    before = hg.to_model(graph).SerializeToString()
    assert named in str(hg.raise_opset(graph, 21))
    assert graph.opset == opset and hg.to_model(graph).SerializeToString() == before


def test_a_later_opset_stays():
    graph = hg.load(model("g (float[3] x) => (float[3] y) { y = Relu(x) }", 22))
    assert hg.raise_opset(graph, 21) is None and graph.opset == 22


def test_branches_are_raised_too():
    branch = "g () => (float[2] r) {{ r = ReduceMean<axes = [1], keepdims = 0>({}) }}"
    body = f"y = If<then_branch = {branch.format('x')}, else_branch = {branch.format('v')}>(c)"
    source = model(f"g (float[2,3] x, bool c, float[2,3] v) => (float[2] y) {{ {body} }}")
    graph = hg.load(source)
    assert hg.raise_opset(graph, 21) is None
    feed = feed_of(source)
    assert np.array_equal(run(hg.to_model(graph), feed)[0], run(source, feed)[0])


def test_operators_that_are_taken_to_mean_the_same_kept_their_inputs():
    """By the schemas of the ONNX package: inputs and attributes of opset 13 are there in opset 21, and what came is optional."""
    from honed.graph.opset import _WIDENED

    for op in _WIDENED:
        old, new = defs.get_schema(op, 13, ""), defs.get_schema(op, 21, "")
        assert len(new.inputs) >= len(old.inputs) and set(old.attributes) <= set(new.attributes), op
        assert all(i.option == defs.OpSchema.FormalParameterOption.Optional for i in list(new.inputs)[len(old.inputs) :]), op
        assert not any(new.attributes[name].required for name in set(new.attributes) - set(old.attributes)), op
