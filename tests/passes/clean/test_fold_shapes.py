"""Shape computations, and targets of Reshape."""

import numpy as np
import pytest
from honed import graph as hg
from honed.passes import Driver

from tests.onnx_text import model
from tests.passes.clean.check import cleaned, named, ops

NAME = "fold-shapes"
CONSTANTS = {"i0": np.int64(0), "i1": np.int64(1), "v0": np.array([0]), "v1": np.array([1]), "m1": np.array([-1]), "v2": np.array([2]),
             "v4": np.array([4]), "six": np.array([6, 4]), "two": np.array(2)}
FLATTEN = "s = Shape(x) n = Gather<axis=0>(s, i0) u = Unsqueeze(n, v0) t = Concat<axis=0>(u, m1) y = Reshape(x, t)"


def net(nodes, x, y, **more):
    return model(f"g (float[{x}] x) => (float[{y}] y) {{ {nodes} }}", **(CONSTANTS | more))


@pytest.mark.parametrize(
    ("nodes", "x", "y", "target"),
    [
        (FLATTEN, "2,6,4", "2,24", [2, -1]),
        (FLATTEN, "n,6,4", "n,24", [0, -1]),
        ("s = Shape(x) c = Gather<axis=0>(s, v1) h = Div(c, v2) n = Gather<axis=0>(s, v0) t = Concat<axis=0>(n, v2, h, v4) "
         "y = Reshape(x, t)",
         "n,6,4", "n,2,3,4", [0, 2, 3, 4]),
        ("s = Shape(x) b = Gather<axis=0>(s, v1) t = Concat<axis=0>(b, six) y = Reshape(x, t)", "6,n,4", "n,6,4", [-1, 6, 4]),
    ],
)
def test_reshape_targets(nodes, x, y, target):
    for n in (1, 3):
        graph, _ = cleaned(net(nodes, x, y), NAME, n=n)
        assert ops(graph) == ["Reshape"] and graph.nodes[0].inputs[1].values.tolist() == target


def test_only_what_is_read_is_made_constant():
    graph, report = cleaned(net("s = Shape(x) a = Gather<axis=0>(s, v1) b = Mul(a, v2) t = Concat<axis=0>(b, m1) y = Reshape(x, t)",
                                "n,6,4", "12,m"), NAME)
    assert ops(graph) == ["Reshape"] and [c.op for c in report.changes] == ["Concat"]


def test_slice_bounds_and_scalars():
    nodes = "s = Shape(x) a = Gather<axis=0>(s, i1) h = Div(a, two) e = Unsqueeze(h, v0) y = Slice(x, v0, e, v1)"
    graph, _ = cleaned(net(nodes, "n,6,4", "n,3,4"), NAME)
    assert ops(graph) == ["Slice"] and graph.nodes[0].inputs[2].values.tolist() == [3]


def test_two_unknown_dimensions_are_refused():
    nodes = "s = Shape(z) t = Slice(s, v0, v2) y = Reshape(x, t)"
    source = model(f"g (float[n,4] x, float[a,b] z) => (float[a,b] y) {{ {nodes} }}", **CONSTANTS)
    report = Driver(hg.load(source)).run([named(NAME)])
    assert report.reasons(NAME) == {"the target shape has more than one unknown dimension": 1}


def test_a_shape_that_is_a_graph_output_stays_a_shape_output():
    graph, _ = cleaned(model("g (float[2,3] x) => (int64[2] y) { y = Shape(x) }"), NAME)
    assert ops(graph) == ["Identity"]


def test_copied_dimensions_in_a_computed_target():
    source = model("g (float[n,3,4] x) => (float[n,3,4] y) { s = Shape(x) a = Gather<axis=0>(s, v0) t = Concat<axis=0>(a, v0, m1) "
                   "y = Reshape(x, t) }", **CONSTANTS)
    assert cleaned(source, NAME)[0].nodes[0].inputs[1].values.tolist() == [0, 0, -1]


def test_a_target_that_is_a_graph_input_keeps_its_name():
    graph = hg.load(model("g (float[2,6] x, int64[2] t) => (float[3,4] y) { y = Reshape(x, t) }"))
    Driver(graph).run([named(NAME)])
    assert [tensor.name for tensor in graph.inputs] == ["x", "t"]
    assert graph.nodes[0].inputs[1].name != "t" and graph.nodes[0].inputs[1].values.tolist() == [3, 4]
