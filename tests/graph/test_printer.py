"""The stable text of a graph."""

import numpy as np
from honed import graph as hg

from tests.onnx_text import f32, model

W = f32(4, 3, 3, 3)
W[2:] = 0
BODY = """g (float[n,3,8,8] x) => (float[n,4,6,6] y) {
    c = Conv<group=1, auto_pad="VALID">(x, w) r = com.microsoft.QuickGelu<alpha=1.5>(c) y = Clip(r, low, high) }"""
TEXT = """\
input x: float32[n,3,8,8]
%0: float32[n,4,6,6] = Conv(x, float32[4,3,3,3] 50.0% zero) {auto_pad=VALID}
%1: float32[n,4,6,6] = com.microsoft:QuickGelu(%0) {alpha=1.5}
y: float32[n,4,6,6] = Clip(%1, float32[]{-0.5}, float32[]{6})
output y: float32[n,4,6,6]
"""


def load(body=BODY, w=W):
    return hg.load(model(body, w=w, low=np.float32(-0.5), high=np.float32(6)))


def test_text():
    assert hg.format_graph(load()) == TEXT


def test_names_of_inner_tensors_and_nodes_do_not_matter():
    renamed = BODY.replace("c =", "conv_out =").replace("(c)", "(conv_out)")
    assert hg.format_graph(load(renamed)) == TEXT
    assert hg.fingerprint(load(renamed)) == hg.fingerprint(load())


def test_missing_operands_unknown_shapes_and_subgraphs():
    body = """g (float[a,b] x, bool c) => (float[q,r] y, int64[z] i) {
        k = Clip(x, , top) i = Reshape(s, m) s = Shape(k)
        y = If<then_branch = t () => (float[q,r] p) { p = Abs(k) }, else_branch = e () => (float[q,r] q) { q = Neg(x) }>(c) }"""
    body = body.replace("i = Reshape(s, m) s = Shape(k)", "s = Shape(k) i = Reshape(s, m)")
    text = hg.format_graph(hg.load(model(body, top=np.float32(1), m=np.array([-1]))))
    assert "Clip(x, _, float32[]{1})" in text
    assert "  then_branch:\n    " in text and " = Abs(%" in text


def test_fingerprints_tell_weights_and_sharing_apart():
    body = "g (float[2,3] x) => (float[2,3] y) { a = Add(x, v) y = Add(a, w) }"
    same = f32(100, 1, 3)[:, 0]
    body = body.replace("[2,3]", "[100,3]")
    first = hg.load(model(body, v=same, w=same))
    changed = same.copy()
    changed[0, 0] += 1
    assert hg.fingerprint(first) != hg.fingerprint(hg.load(model(body, v=same, w=changed)))
    before = hg.fingerprint(first)
    first.nodes[1].inputs[1] = first.nodes[0].inputs[1]
    assert hg.fingerprint(first) != before
