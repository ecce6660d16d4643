"""Each thing that verification must find."""

import numpy as np
import onnx_graphsurgeon as gs
import pytest
from honed import graph as hg

from tests.onnx_text import f32, model


def sound():
    return hg.load(model("g (float[1,3,8,8] x) => (float[1,8,6,6] y) { c = Conv(x, w) y = Relu(c) }", w=f32(8, 3, 3, 3)))


def rename(graph):
    graph.nodes[1].name = graph.nodes[0].name


def unname(graph):
    graph.nodes[1].name = ""


def twin_tensors(graph):
    graph.nodes[1].outputs[0].name = graph.nodes[0].outputs[0].name


def two_producers(graph):
    graph.nodes.insert(0, gs.Node("Abs", "abs", inputs=[graph.inputs[0]], outputs=[graph.nodes[0].outputs[0]]))


def stray(graph):
    del graph.nodes[0]


def late(graph):
    graph.nodes.reverse()


def undefined(graph):
    graph.nodes[1].inputs[0] = gs.Variable("nothing", np.float32, [1, 8, 6, 6])


def unmade(graph):
    graph.outputs[0] = gs.Variable("z", np.float32, [1])


def untyped(graph):
    graph.inputs[0].dtype = None


def few_inputs(graph):
    del graph.nodes[0].inputs[1]


def many_inputs(graph):
    graph.nodes[1].inputs.append(graph.inputs[0])


def many_outputs(graph):
    graph.nodes[1].outputs.append(gs.Variable("extra", np.float32, [1]))


def unknown_attribute(graph):
    graph.nodes[0].attrs["padding"] = 1


def missing_attribute(graph):
    graph.nodes[1].op = "Concat"


def wrong_groups(graph):
    graph.nodes[0].attrs["group"] = 3


@pytest.mark.parametrize(
    ("damage", "pattern"),
    [
        (rename, "Relu 'Conv': the name is empty or taken"),
        (unname, "Relu '': the name is empty or taken"),
        (twin_tensors, "two tensors are named 'c'"),
        (two_producers, "tensor 'c' is produced by 'Conv', 'abs', expected one node"),
        (stray, "tensor 'x' is tied to 'Conv', which is not in the graph"),
        (late, "Relu 'Relu': input 'c' comes from the later node 'Conv'"),
        (undefined, "Relu 'Relu': input 'nothing' is not defined"),
        (unmade, "graph output 'z' is not produced"),
        (untyped, "'x' has no type"),
        (few_inputs, "Conv 'Conv': 1 inputs, expected 2 to 3"),
        (many_inputs, "Relu 'Relu': 2 inputs, expected 1 to 1"),
        (many_outputs, "Relu 'Relu': 2 outputs, expected 1 to 1"),
        (unknown_attribute, "Conv 'Conv': attribute 'padding', expected one of auto_pad, dilations"),
        (missing_attribute, "Concat 'Relu': attribute 'axis' is missing"),
        (wrong_groups, r"Conv 'Conv': weights \[8, 3, 3, 3\] in 3 groups do not fit the 3 channels of 'x'"),
    ],
)
def test_damage_is_found(damage, pattern):
    graph = sound()
    hg.verify(graph, "optimised")
    damage(graph)
    with pytest.raises(hg.ModelError, match=pattern):
        hg.verify(graph, "imported")


@pytest.mark.parametrize(("axis", "size"), [(1, 4), (0, 3), (4, 3), (-5, 3)])
def test_scales_that_do_not_fit_their_axis(axis, size):
    body = f"g (int8[1,3,8,8] x) => (float[1,3,8,8] y) {{ y = DequantizeLinear<axis={axis}>(x, s) }}"
    with pytest.raises(hg.ModelError, match=rf"'s' of shape \[{size}\] does not fit axis {axis} of shape \[1, 3, 8, 8\]"):
        hg.load(model(body, s=np.ones(size, np.float32)))
    for good in (np.float32(1), np.ones(1, np.float32), np.ones(3, np.float32)):
        hg.load(model(body.replace(f"axis={axis}", "axis=-3"), s=good))


def test_what_an_optimised_graph_must_not_have():
    graph = hg.load(model("g (float[2] x) => (float[2] y) { i = Identity(x) y = Relu(i) }"))
    hg.verify(graph, "imported")
    with pytest.raises(hg.ModelError, match="Identity 'Identity' is left over"):
        hg.verify(graph, "optimised")
    graph = sound()
    graph.nodes[0].outputs[0].dtype = None
    with pytest.raises(hg.ModelError, match="Conv 'Conv': the type of output 'c' is not known"):
        hg.verify(graph, "optimised")


def test_unknown_stages_are_refused():
    with pytest.raises(ValueError, match="'lowered', expected one of imported, optimised"):
        hg.verify(sound(), "lowered")


def test_tensors_of_the_outer_graph_are_defined_in_subgraphs():
    body = """g (float[2] x, bool c) => (float[2] y) { a = Relu(x)
        y = If<then_branch = t () => (float[2] p) { p = Abs(a) }, else_branch = e () => (float[2] q) { q = Neg(x) }>(c) }"""
    hg.verify(hg.load(model(body)), "imported")
