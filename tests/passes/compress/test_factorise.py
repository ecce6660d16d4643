import re

import numpy as np
import onnx
import pytest
from honed.graph import RecipeError, to_model
from honed.passes import Driver
from honed.passes.compress.factorise import FactoriseLowRank, plan_factorising
from honed.passes.compress.layers import weight_layers
from honed.passes.compress.low_rank import rank_for_energy, svd_factors, tucker2_factors
from honed.passes.compress.recipe import Factorise
from honed.passes.compress.select import Target, resolve

from tests.passes.compress.small_models import Builder, cleaned, run_ort, samples


def factorised(model, layers=None, energy=None, skip=(), pruned=()):
    graph = cleaned(model)
    section = Factorise(energy=energy, layers=layers or {}, skip=list(skip))
    selection = resolve("factorise", [Target(n.name, n.op) for n in graph.nodes], section.skip, section.layers)
    rule = FactoriseLowRank(plan_factorising(weight_layers(graph), section, selection, pruned))
    report = Driver(graph, check_patches=True).run([rule])
    result = to_model(graph)
    onnx.checker.check_model(result, full_check=True)
    return result, report, rule


def low_rank_weight(shape, r, q, seed=0):
    rng = np.random.default_rng(seed)
    k = shape[2:]
    core = rng.standard_normal((r, q, *k))
    return np.einsum("oa,ab...,bi->oi...", rng.standard_normal((shape[0], r)), core, rng.standard_normal((q, shape[1]))).astype(np.float32)


def net(weight, bias=True, **attrs):
    b = Builder()
    inputs = ["x", b.const("c_w", weight)]
    if bias:
        inputs.append(b.weight("c_b", (weight.shape[0],)))
    return b.model(["n", weight.shape[1], 12, 13], b.node("Conv", inputs, "c", **attrs))


GEOMETRY = {"strides": [2, 1], "pads": [1, 0, 2, 1], "dilations": [1, 2]}


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("attrs", [{}, GEOMETRY, {"auto_pad": "SAME_UPPER", "strides": [2, 2]}])
def test_a_kernel_of_exact_rank_is_reproduced(bias, attrs):
    source = net(low_rank_weight((16, 12, 3, 3), 3, 2), bias, **attrs)
    model, report, _ = factorised(source, layers={"c": {"rank": [3, 2]}})
    x = samples(2, (12, 12, 13))
    expected, result = (run_ort(m).run(None, {"x": x})[0] for m in (source, model))
    # products of factors rounded to f32: errors add up over 108 taps
    np.testing.assert_allclose(result, expected, atol=3e-5 * np.abs(expected).max())
    assert [n.op_type for n in model.graph.node] == ["Conv"] * 3
    assert [n.name for n in model.graph.node] == ["c_in", "c_core", "c"]
    assert report.changes[0].facts["rank"] == [3, 2]
    assert len(model.graph.node[-1].input) == 2 + bias


@pytest.mark.parametrize("attrs", [{}, {"strides": [2, 3], "pads": [1, 1, 0, 2]}])
def test_a_pointwise_convolution_of_exact_rank_is_reproduced(attrs):
    source = net(low_rank_weight((16, 12, 1, 1), 3, 3), **attrs)
    model, report, _ = factorised(source, layers={"c": {"energy": 0.999999}})
    x = samples(2, (12, 12, 13))
    expected, result = (run_ort(m).run(None, {"x": x})[0] for m in (source, model))
    # products of factors rounded to f32
    np.testing.assert_allclose(result, expected, atol=2e-5 * np.abs(expected).max())
    assert [n.name for n in model.graph.node] == ["c_in", "c"]
    assert report.changes[0].facts["rank"] == [3]


@pytest.mark.parametrize("trans", [0, 1])
def test_gemm_and_matmul(trans):
    b = Builder()
    h = b.gemm("x", "g", 24, 20, trans=trans)
    h = b.node("Unsqueeze", [h, b.const("axes", np.array([0]))], "u")
    source = b.model(["n", 20], b.node("MatMul", [h, b.weight("m_w", (24, 30))], "m"))
    model, _, rule = factorised(source, layers={"g": {"rank": 8}, "m": {"rank": 10}})
    assert [n.op_type for n in model.graph.node] == ["Gemm", "Gemm", "Unsqueeze", "MatMul", "MatMul"]
    assert rule.origins == {"g_in": "g", "g": "g", "m_in": "m", "m": "m"}
    w = {t.name: onnx.numpy_helper.to_array(t).astype(np.float64) for t in source.graph.initializer if t.name != "axes"}

    def closest(a, rank):
        u, s, vt = np.linalg.svd(a, full_matrices=False)
        return (u[:, :rank] * s[:rank]) @ vt[:rank]

    x = samples(5, (20,))
    g = closest(w["g_w"].T if trans else w["g_w"], 8)
    expected = (x @ g + w["g_b"]) @ closest(w["m_w"], 10)
    np.testing.assert_allclose(run_ort(model).run(None, {"x": x})[0][0], expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())


def test_svd_is_the_closest_of_its_rank():
    weight = np.random.default_rng(0).standard_normal((9, 14)).astype(np.float32)
    a, b = svd_factors(weight, 4, None)
    singular = np.linalg.svd(weight.astype(np.float64), compute_uv=False)
    np.testing.assert_allclose(np.square(weight - a @ b).sum(), np.square(singular[4:]).sum(), rtol=1e-4)
    np.testing.assert_allclose(np.square(a).sum(0), np.square(b).sum(1), rtol=1e-4)


def test_tucker_is_no_worse_than_the_higher_order_svd():
    weight = np.random.default_rng(0).standard_normal((12, 10, 3, 3)).astype(np.float32)
    u, core, v = tucker2_factors(weight, (5, 4), None)
    np.testing.assert_allclose(u.T @ u, np.eye(5), atol=1e-5)
    np.testing.assert_allclose(v @ v.T, np.eye(4), atol=1e-5)
    left = np.linalg.svd(weight.reshape(12, -1).astype(np.float64), full_matrices=False)[0][:, :5]
    right = np.linalg.svd(np.moveaxis(weight, 1, 0).reshape(10, -1).astype(np.float64), full_matrices=False)[0][:, :4]
    hosvd = np.einsum("oikl,or,iq->rqkl", weight, left, right)
    assert np.square(core).sum() > np.square(hosvd).sum()
    w = weight.reshape(12, 10, 9).astype(np.float64)
    for _ in range(100):
        left = np.linalg.svd(np.einsum("oik,iq->oqk", w, right).reshape(12, -1))[0][:, :5]
        right = np.linalg.svd(np.einsum("oik,or->irk", w, left).reshape(10, -1))[0][:, :4]
    best = np.square(np.einsum("oik,or,iq->rqk", w, left, right)).sum()
    # iteration stops where a sweep gains less than 1e-6, a little short of the limit
    assert np.square(core).sum() > (1 - 1e-4) * best
    approximation = np.einsum("or,rqkl,qi->oikl", u, core, v)
    np.testing.assert_allclose(np.square(weight - approximation).sum(), np.square(weight).sum() - np.square(core).sum(), rtol=1e-4)


def test_rank_for_energy():
    s = np.array([2.0, 1.0, 1.0, 0.0])
    assert [rank_for_energy(s, e) for e in (0.1, 0.66, 0.7, 0.9, 1.0)] == [1, 1, 2, 3, 3]
    assert rank_for_energy(np.zeros(3), 0.9) == 1


@pytest.mark.parametrize(
    ("shape", "attrs", "layers", "reason"),
    [
        ((16, 12, 3, 3), {}, {"Conv": {"rank": [16, 12]}}, r"rank \[16, 12\] would cost 1\.\d+ times the multiplications"),
        ((16, 12, 1, 1), {}, {"Conv": {"rank": 12}}, r"rank \[12\] would cost 1\.75 times"),
        ((16, 12, 3, 3), {"strides": [3, 3]}, {"Conv": {"rank": [6, 11]}}, r"would cost 1\.\d+ times"),
        ((16, 12, 3, 3), {}, {"Conv": {"rank": 13}}, r"ranks \[13, 13\], expected at most \[16, 12\]"),
        ((16, 12, 1, 1), {}, {"Conv": {"rank": 13}}, "rank 13, expected at most 12"),
        ((16, 12, 1, 1), {}, {"Conv": {"rank": [3, 3]}}, "a pair of ranks"),
    ],
)
def test_refusals(shape, attrs, layers, reason):
    _, report, _ = factorised(net(low_rank_weight(shape, 3, 3), **attrs), layers=layers)
    assert re.search(reason, report.refusals_of("c")["factorise-low-rank"])


def test_more_refusals():
    b = Builder()
    source = b.model(["n", 4, 12, 13], b.conv(b.conv("x", "grouped", 8, 4, group=2), "c", 8, 8))
    _, report, _ = factorised(source, energy=0.9, pruned=["c"])
    assert report.refusals_of("grouped") == {"factorise-low-rank": "a convolution of 2 groups"}
    assert report.refusals_of("c") == {"factorise-low-rank": "pruned: its zeros would be lost"}
    _, report, _ = factorised(source, layers={"grouped": {"rank": 1}}, skip=["grouped"])
    assert report.refusals_of("grouped") == {"factorise-low-rank": "skipped by the recipe ('grouped')"}
    assert report.refusals_of("c") == {"factorise-low-rank": "no rank or energy is given for it"}


def test_impossible_ranks_of_named_layers_are_errors():
    with pytest.raises(RecipeError, match=r"factorise.layers: c: ranks \[20, 3\], expected at most \[16, 12\]"):
        factorised(net(low_rank_weight((16, 12, 3, 3), 3, 3)), layers={"c": {"rank": [20, 3]}})
