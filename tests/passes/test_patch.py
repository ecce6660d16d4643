"""What applying a patch does to a graph: names, graph outputs, dead nodes, subgraphs."""

import numpy as np
import pytest
from honed import graph as hg
from honed.passes import Patch
from honed.passes.apply import Applier

from tests.onnx_text import f32, feed_of, model, run

CHAIN = "g (float[2,3] x) => (float[2,3] y) { a = Relu(x) b = Abs(a) y = Neg(b) }"


def apply(graph, patch):
    Applier(graph).apply(patch)
    hg.sort_nodes(graph)
    hg.infer_shapes(graph)
    hg.verify(graph, "imported")


def node(graph, op):
    return next(n for n in graph.nodes if n.op == op)


def test_a_replacement_takes_over_name_type_and_shape():
    graph = hg.load(model(CHAIN))
    old = node(graph, "Abs")
    patch = Patch(old)
    new = patch.node("Sqrt", [old.inputs[0]])
    patch.replace(old.outputs[0], new)
    apply(graph, patch)
    assert [(n.op, n.name) for n in graph.nodes] == [("Relu", "Relu"), ("Sqrt", "Abs"), ("Neg", "Neg")]
    assert (new.name, list(new.shape), new.dtype) == ("b", [2, 3], np.float32)


def test_nothing_happens_before_a_patch_is_applied():
    graph = hg.load(model(CHAIN))
    before = hg.fingerprint(graph)
    patch = Patch(graph.nodes[1])
    patch.replace(graph.nodes[1].outputs[0], patch.node("Sqrt", [graph.nodes[0].outputs[0], patch.const(f32(1))]))
    assert hg.fingerprint(graph) == before and len(graph.nodes[0].outputs[0].outputs) == 1


def test_a_node_put_behind_another_reads_it():
    graph = hg.load(model(CHAIN))
    relu = node(graph, "Relu")
    patch = Patch(relu)
    patch.replace(relu.outputs[0], patch.node("Sqrt", [relu.outputs[0]], name="root"))
    apply(graph, patch)
    assert [(n.op, n.name) for n in graph.nodes] == [("Relu", "Relu"), ("Sqrt", "root"), ("Abs", "Abs"), ("Neg", "Neg")]
    assert relu.outputs[0].name == "a" and node(graph, "Abs").inputs[0].name == "root_out"


def test_new_names_do_not_collide():
    graph = hg.load(model(CHAIN))
    patch = Patch(node(graph, "Abs"))
    first = patch.node("Sqrt", [graph.nodes[0].outputs[0]], name="Relu")
    patch.replace(node(graph, "Abs").outputs[0], patch.node("Exp", [first], name="Relu"))
    apply(graph, patch)
    assert [n.name for n in graph.nodes] == ["Relu", "Relu_1", "Relu_2", "Neg"]


def test_a_graph_output_keeps_its_name_whatever_takes_its_place():
    graph = hg.load(model(CHAIN))
    patch = Patch(node(graph, "Neg"))
    patch.replace(graph.outputs[0], node(graph, "Abs").outputs[0])
    apply(graph, patch)
    assert [n.op for n in graph.nodes] == ["Relu", "Abs"] and graph.nodes[1].outputs[0].name == "y"
    for source in (graph.inputs[0], None):
        graph = hg.load(model(CHAIN))
        patch = Patch(node(graph, "Neg"))
        patch.replace(graph.outputs[0], (source and graph.inputs[0]) or patch.const(f32(2, 3)))
        apply(graph, patch)
        assert [n.op for n in graph.nodes] == ["Identity"] and graph.outputs[0].name == "y"


def test_two_graph_outputs_may_become_one_value():
    source = model("g (float[2] x) => (float[2] y, float[2] z) { y = Relu(x) z = Clip(x, zero) }", zero=np.float32(0))
    graph = hg.load(source)
    patch = Patch(graph.nodes[1])
    patch.replace(graph.outputs[1], graph.outputs[0])
    apply(graph, patch)
    assert [t.name for t in graph.outputs] == ["y", "z"]
    feed = feed_of(source)
    np.testing.assert_array_equal(run(hg.to_model(graph), feed), run(source, feed))


def test_inputs_attributes_and_constants_change_in_place():
    source = model("g (float[2,4] x) => (float[2,6] y, float[2,6] z) { y = Gemm<alpha=0.5>(x, w) z = Gemm(x, w) }", w=f32(4, 6))
    graph = hg.load(source)
    first, second = graph.nodes
    patch = Patch(first)
    patch.set_input(first, 1, patch.const(f32(4, 6, seed=1), first.inputs[1]))
    patch.set_input(first, 2, patch.const(f32(6), "bias"))
    patch.set_attr(first, "alpha", None)
    patch.set_attr(first, "beta", 0.5)
    apply(graph, patch)
    assert [t.name for t in first.inputs] == ["x", "w_1", "bias"] and first.attrs == {"beta": 0.5}
    patch = Patch(second)
    patch.set_input(second, 1, patch.const(f32(4, 6, seed=2), second.inputs[1]))
    apply(graph, patch)
    assert second.inputs[1].name == "w"
    x = f32(2, 4)
    expected = [x @ f32(4, 6, seed=1) + f32(6) / 2, x @ f32(4, 6, seed=2)]
    for wanted, found in zip(expected, run(hg.to_model(graph), {"x": x}), strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-5 * np.abs(wanted).max())


def test_constants_of_a_patch_are_read_only_copies():
    values = np.zeros(2, np.float32)
    constant = Patch().const(values)
    values[0] = 1
    assert constant.values[0] == 0
    with pytest.raises(ValueError):
        constant.values[0] = 1


def test_left_out_inputs_at_the_end_are_dropped():
    patch = Patch()
    patch.node("Clip", [None, None, None])
    patch.node("Clip", [patch.const(f32(1)), None, patch.const(f32(1))])
    assert [len(new.inputs) for new in patch.nodes] == [0, 3]


def test_readers_in_subgraphs_follow_and_die_with_their_node():
    body = """g (float[2] x, bool c) => (float[2] y) { a = Relu(x) b = Abs(x)
        y = If<then_branch = t () => (float[2] p) { p = Sqrt(a) }, else_branch = e () => (float[2] q) { q = Neg(b) }>(c) }"""
    graph = hg.load(model(body))
    relu = node(graph, "Relu")
    patch = Patch(relu)
    patch.replace(relu.outputs[0], patch.node("Exp", [graph.inputs[0]]))
    apply(graph, patch)
    assert sorted(n.op for n in graph.nodes) == ["Abs", "Exp", "If"]
    patch = Patch(node(graph, "If"))
    patch.replace(graph.outputs[0], patch.node("Tanh", [graph.inputs[0]]))
    apply(graph, patch)
    assert [n.op for n in graph.nodes] == ["Tanh"]
