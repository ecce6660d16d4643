"""The clean-up as a whole: exports of the same network come to the same graph, and goldens of three networks."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from honed import graph as hg
from honed.passes import CLEAN, clean

from tests.onnx_text import f32, feed_of, model, run

GOLDEN = Path(__file__).parent.parent / "golden"


def residual(style):
    """A stem, a residual block and a head, as exporters write them: folded, with BatchNormalization, or with ReduceMean and Reshape."""
    norm = "{0} = BatchNormalization({0}_c, g, t, m, v) " if style == "batch_norm" else "{0} = Identity({0}_c) "
    head = "p = ReduceMean<axes=[2,3]>(r3) f = Reshape(p, flat)" if style == "reduce" else "p = GlobalAveragePool(r3) f = Flatten(p)"
    body = f"""g (float[n,3,12,12] x) => (float[n,10] y) {{
        w1i = Identity(w1) a_c = Conv<strides=[2,2], pads=[1,1,1,1]>(x, w1i, b) {norm.format("a")} r1 = Relu(a)
        q = MaxPool<kernel_shape=[3,3], pads=[1,1,1,1]>(r1)
        b_c = Conv<pads=[1,1,1,1]>(q, w2, b) {norm.format("b")} r2 = Relu(b)
        c_c = Conv<pads=[1,1,1,1]>(r2, w3, b) {norm.format("c")} s = Add(c, q) r3 = Relu(s)
        {head} y = Gemm<transB=1>(f, w4, b4) }}"""
    body = body.replace(" b = ", " bn = ").replace("Relu(b)", "Relu(bn)")
    statistics = {"g": f32(8, seed=1), "t": f32(8, seed=2), "m": f32(8, seed=3), "v": np.abs(f32(8, seed=4)) + 0.5}
    return model(body, w1=f32(8, 3, 3, 3), w2=f32(8, 8, 3, 3), w3=f32(8, 8, 3, 3, seed=1), b=f32(8), w4=f32(10, 8), b4=f32(10),
                 flat=np.array([-1, 8]), **(statistics if style == "batch_norm" else {}))


def squeeze_excite():
    """An inverted residual with its activations in parts, a squeeze and excitation, and shuffled channels with computed shapes."""
    hard = "{0}_a = Add({0}, three) {0}_c = Clip({0}_a, zero, six) {0}_d = Div({0}_c, six) "
    shuffle = """sh = Shape(m) n0 = Gather<axis=0>(sh, i0) nu = Unsqueeze(n0, v0) to = Concat<axis=0>(nu, split) u = Reshape(m, to)
        k = Transpose<perm=[0,2,1,3,4]>(u) back = Concat<axis=0>(nu, joined) z = Reshape(k, back)"""
    body = f"""g (float[n,4,9,9] x) => (float[n,8,9,9] y) {{
        pad = Pad(x, pads) e = Conv(pad, w1) {hard.format("e")} h = Mul(e, e_d)
        p = ReduceMean<axes=[2,3]>(h) f1 = Conv(p, w2, b2) f1r = Max(f1, zero) f2 = Conv(f1r, w3) f2b = Add(f2, bias) {hard.format("f2b")}
        m = Mul(h, f2b_d) {shuffle} o = Conv(z, w4) y = Clip(o, zero) }}"""
    scalars = {name: np.float32(value) for name, value in (("zero", 0), ("three", 3), ("six", 6))}
    return model(body, w1=f32(8, 4, 3, 3), w2=f32(2, 8, 1, 1), b2=f32(2), w3=f32(8, 2, 1, 1), bias=f32(1, 8, 1, 1), w4=f32(8, 8, 1, 1),
                 pads=np.array([0, 0, 1, 1, 0, 0, 1, 1]), i0=np.int64(0), v0=np.array([0]), split=np.array([2, 4, 9, 9]),
                 joined=np.array([8, 9, 9]), **scalars)


def transformer():
    """A LayerNormalization in parts, a product with bias, Gelu in parts, and a head of rank 2 by MatMul."""
    body = """g (float[n,5,8] x) => (float[n,3] y) {
        m = ReduceMean(x, last) d = Sub(x, m) p = Pow(d, two) v = ReduceMean(p, last) e = Add(v, eps) s = Sqrt(e)
        q = Div(d, s) qg = Mul(q, gamma) l = Add(qg, beta) h0 = MatMul(l, w1) h = Add(h0, b1)
        g0 = Div(h, root2) g1 = Erf(g0) g2 = Add(g1, one) g3 = Mul(h, g2) g4 = Mul(g3, half)
        t0 = Transpose<perm=[0,2,1]>(g4) t1 = Transpose<perm=[0,2,1]>(t0) o = Add(t1, x)
        r = Reshape(o, flat) dr = Dropout(r) c = Cast<to=1>(dr) k0 = MatMul(c, w2) y = Add(k0, b2) }"""
    scalars = {name: np.float32(value) for name, value in (("two", 2), ("eps", 1e-6), ("root2", 2**0.5), ("one", 1), ("half", 0.5))}
    return model(body, opset=20, ir=9, gamma=f32(8), beta=f32(8, seed=1), w1=f32(8, 8), b1=f32(8, seed=2), w2=f32(40, 3), b2=f32(3),
                 flat=np.array([-1, 40]), last=np.array([-1]), **scalars)


NETWORKS = {"residual": lambda: residual("batch_norm"), "squeeze_excite": squeeze_excite, "transformer": transformer}


def quantised():
    """Convolutions between QuantizeLinear and DequantizeLinear, weights quantised per channel."""
    body = """g (float[n,3,8,8] x) => (float[n,4,6,6] y) {
        xq = QuantizeLinear(x, s, z) xd = DequantizeLinear(xq, s, z) wd = DequantizeLinear<axis=0>(w, ws, wz) bd = DequantizeLinear(b, bs)
        c = Conv(xd, wd, bd) r = Relu(c) rq = QuantizeLinear(r, s, z) y = DequantizeLinear(rq, s, z) }"""
    w = np.random.default_rng(0).integers(-127, 128, (4, 3, 3, 3)).astype(np.int8)
    return model(body, s=np.float32(0.03), z=np.uint8(128), w=w, ws=np.full(4, 0.01, np.float32), wz=np.zeros(4, np.int8),
                 b=np.arange(4, dtype=np.int32), bs=np.float32(0.0003))


def cleaned(source, rtol=1e-5):
    graph = hg.load(source)
    report = clean(graph, check_patches=True)
    for n in (1, 3):
        feed = feed_of(source, n=n)
        for expected, actual in zip(run(source, feed), run(hg.to_model(graph), feed), strict=True):
            np.testing.assert_allclose(actual, expected, rtol=0, atol=rtol * np.abs(expected).max())
    return graph, report


@pytest.mark.parametrize("name", NETWORKS)
def test_goldens(name):
    graph, _ = cleaned(NETWORKS[name]())
    path = GOLDEN / f"{name}.txt"
    assert hg.format_graph(graph) == path.read_text(), f"the clean-up of {name} gives another graph than {path}"


def test_three_exports_come_to_the_same_graph():
    texts = {hg.format_graph(cleaned(residual(style))[0]) for style in ("folded", "batch_norm", "reduce")}
    assert len(texts) == 1


def test_a_second_clean_up_changes_nothing():
    for build in (*NETWORKS.values(), quantised):
        graph, _ = cleaned(build())
        before = hg.fingerprint(graph)
        assert not clean(graph).changes and hg.fingerprint(graph) == before


def test_a_saved_graph_is_as_clean(tmp_path):
    for build in NETWORKS.values():
        graph, _ = cleaned(build())
        hg.save(graph, tmp_path / "m.onnx")
        again = hg.load(tmp_path / "m.onnx")
        assert not clean(again).changes and hg.format_graph(again) == hg.format_graph(graph)


def test_quantisation_stays_to_the_bit():
    source = quantised()
    graph, _ = cleaned(source)
    assert Counter(node.op for node in graph.nodes) == {"QuantizeLinear": 2, "DequantizeLinear": 4, "Conv": 1, "Relu": 1}
    feed = feed_of(source)
    np.testing.assert_array_equal(run(hg.to_model(graph), feed)[0], run(source, feed)[0])


def test_layers_and_weights_keep_their_names():
    graph, _ = cleaned(residual("batch_norm"))
    assert [node.name for node in graph.nodes if node.op in ("Conv", "Gemm")] == ["Conv", "Conv_1", "Conv_2", "Gemm"]
    assert [node.inputs[1].name for node in graph.nodes if node.op in ("Conv", "Gemm")] == ["w1", "w2", "w3", "w4"]


def test_it_can_be_stopped_anywhere():
    source = squeeze_excite()
    total = len(clean(hg.load(source)).changes)
    feed = feed_of(source)
    (expected,) = run(source, feed)
    for count in range(1, total, 3):
        graph = hg.load(source)
        assert clean(graph, stop_after=count).stopped
        np.testing.assert_allclose(run(hg.to_model(graph), feed)[0], expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def test_every_pass_has_a_name_of_its_own_and_is_exact():
    assert len({p.name for p in CLEAN}) == len(CLEAN) and not any(p.lossy for p in CLEAN)
