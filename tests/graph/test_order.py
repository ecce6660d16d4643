"""Topological order."""

import pytest
from honed import graph as hg

from tests.onnx_text import model

BODY = "g (float[2] x) => (float[2] y) { a = Relu(x) b = Abs(x) c = Add(a, b) y = Neg(c) }"


def test_any_order_is_sorted_and_a_sorted_one_stays():
    graph = hg.load(model(BODY))
    expected = [node.op for node in graph.nodes]
    hg.sort_nodes(graph)
    assert [node.op for node in graph.nodes] == expected
    graph.nodes.reverse()
    hg.sort_nodes(graph)
    assert [node.op for node in graph.nodes] == ["Abs", "Relu", "Add", "Neg"]
    hg.verify(graph, "imported")


def test_a_cycle_is_named():
    graph = hg.load(model(BODY))
    graph.nodes[0].inputs[0] = graph.nodes[2].outputs[0]
    with pytest.raises(hg.ModelError, match="cycle among the nodes 'Relu', 'Add', 'Neg'"):
        hg.sort_nodes(graph)


def test_readers_in_subgraphs_come_after():
    body = """g (float[2] x, bool c) => (float[2] y) { a = Relu(x)
        y = If<then_branch = t () => (float[2] p) { p = Abs(a) }, else_branch = e () => (float[2] q) { q = Neg(x) }>(c) }"""
    graph = hg.load(model(body))
    graph.nodes.reverse()
    hg.sort_nodes(graph)
    assert [node.op for node in graph.nodes] == ["Relu", "If"]


def test_deep_graphs_need_no_deep_stack():
    chain = " ".join(f"t{i + 1} = Relu(t{i})" for i in range(3000))
    graph = hg.load(model("g (float[2] t0) => (float[2] t3000) {" + chain + "}"))
    graph.nodes.reverse()
    hg.sort_nodes(graph)
    hg.verify(graph, "imported")
