import numpy as np
from honed.graph import load, to_model
from honed.passes.compress.reconstruct.segments import boundary, needed_nodes, segment_model

from tests.onnx_text import model as parse
from tests.passes.compress.small_models import cleaned, residual_net, run_ort, samples

BRANCHES = """g (float[2] x, bool c) => (float[2] y) {
    a = Relu(x)
    b = Abs(x)
    y = If<then_branch = t () => (float[2] p) { p = Abs(a) }, else_branch = e () => (float[2] q) { q = Neg(b) }>(c) }"""


def test_only_what_a_target_depends_on_is_needed():
    graph = cleaned(residual_net())
    needed = needed_nodes(graph, ["shortcut_out"])
    assert [node.name for node, flag in zip(graph.nodes, needed, strict=True) if flag] == ["stem", "relu0", "shortcut"]


def test_what_subgraphs_read_is_needed_and_on_the_boundary():
    graph = load(parse(BRANCHES))
    assert needed_nodes(graph, ["y"]) == [True, True, True]
    assert set(boundary(graph.nodes[2:])) == {"a", "b", "c"}
    assert set(boundary(graph.nodes)) == {"x", "c"}


def test_a_segment_computes_what_the_graph_does():
    graph = cleaned(residual_net())
    x = samples(2)
    relu = run_ort(segment_model(graph, graph.nodes[:2], {"x": x}, ["relu0_out"])).run(None, {"x": x})[0]
    rest = segment_model(graph, graph.nodes[2:], {"relu0_out": relu}, ["shortcut_out", "fc_out"])
    assert [[d.dim_value for d in value.type.tensor_type.shape.dim] for value in rest.graph.input] == [[2, 8, 10, 10]]
    shortcut, y = run_ort(rest).run(None, {"relu0_out": relu})
    np.testing.assert_allclose(y, run_ort(to_model(graph)).run(None, {"x": x})[0], rtol=1e-5, atol=1e-6)
    assert shortcut.shape == (2, 8, 10, 10)
