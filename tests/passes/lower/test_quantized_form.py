"""QLinear* and *Integer operators, against ONNX Runtime's own kernels for them."""

import numpy as np
import pytest
from honed.graph import load
from honed.passes.lower import lower
from honed.passes.lower.quantized_form import to_qdq

from tests.passes.lower.networks import RNG, Net, normal, reference, run, types

X, Y = (0.05, 120), (0.11, 90)
SHAPE = (1, 4, 6, 7)


def params(net, scale, zero_point, dtype=np.uint8):
    return [net.const(scale, np.float32), net.const(zero_point, dtype)]


def image(seed=0, shape=SHAPE, dtype=np.uint8):
    limits = np.iinfo(dtype)
    return RNG(seed).integers(limits.min, limits.max + 1, shape).astype(dtype)


def check_steps(model, feed, steps=1, share=0.01):
    """Integers within `steps` of ONNX Runtime's, which rounds intermediate results otherwise, and at most `share` of them differing."""
    program, outputs = run(model, feed)
    for y, expected in zip(outputs, reference(model, feed), strict=True):
        assert y.dtype == expected.dtype
        difference = np.abs(y.astype(np.int64) - expected.astype(np.int64))
        assert difference.max() <= steps
        assert np.mean(difference > 0) <= share
    return program


@pytest.mark.parametrize("op", ["QLinearAdd", "QLinearMul"])
@pytest.mark.parametrize("dtype", [np.uint8, np.int8])
def test_binary(op, dtype):
    net, shift = Net(), 0 if dtype is np.uint8 else -128
    a, b = (net.input(n, SHAPE, dtype) for n in "ab")
    scales = ((a, 0.0513, 120), (b, 0.0707, 100))
    inputs = [p for x, scale, zero_point in scales for p in (x, *params(net, scale, zero_point + shift, dtype))]
    inputs += params(net, 0.1987, 130 + shift, dtype)
    model = net.model(net.node(op, *inputs, domain="com.microsoft"), dtype=dtype)
    program = check_steps(model, {"a": image(1, dtype=dtype), "b": image(2, dtype=dtype)})
    assert ("add_u8" in types(program)) == (op == "QLinearAdd")
    slow = [op.info["slow"] for op in program.ops if "slow" in op.info]
    assert slow == ([] if op == "QLinearAdd" else ["no operator over u8: dequantised, computed in float, quantised again"])


@pytest.mark.parametrize(("op", "attrs"), [("QLinearSigmoid", {}), ("QLinearLeakyRelu", {"alpha": 0.2})])
def test_unary_is_a_table(op, attrs):
    net = Net()
    inputs = [net.input("x", SHAPE, np.uint8), *params(net, *X), *params(net, 1 / 128, 3)]
    program = check_steps(net.model(net.node(op, *inputs, domain="com.microsoft", **attrs), dtype=np.uint8), {"x": image()})
    assert types(program) == ["lookup_u8"]


def test_global_average_pool():
    net = Net()
    inputs = [net.input("x", SHAPE, np.uint8), *params(net, *X), *params(net, 0.01, 100)]
    model = net.model(net.node("QLinearGlobalAveragePool", *inputs, domain="com.microsoft", channels_last=0), dtype=np.uint8)
    assert types(check_steps(model, {"x": image()})) == ["to_planar", "global_average_pool"]


@pytest.mark.parametrize("include_pad", [0, 1])
def test_average_pool(include_pad):
    net = Net()
    inputs = [net.input("x", SHAPE, np.uint8), *params(net, *X), *params(net, 0.03, 100)]
    attrs = {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1], "count_include_pad": include_pad}
    model = net.model(net.node("QLinearAveragePool", *inputs, domain="com.microsoft", **attrs), dtype=np.uint8)
    # ONNX Runtime multiplies by the inverse of the count: ties on halves may fall to the other side.
    assert types(check_steps(model, {"x": image()}, share=0.05)) == ["to_planar", "average_pool", "to_dense"]


def test_channels_last_is_transposed():
    net = Net()
    inputs = [net.input("x", (1, 6, 7, 4), np.uint8), *params(net, *X), *params(net, 0.01, 100)]
    model = net.model(net.node("QLinearGlobalAveragePool", *inputs, domain="com.microsoft", channels_last=1), dtype=np.uint8)
    check_steps(model, {"x": image(shape=(1, 6, 7, 4))})


def test_concat():
    net = Net()
    inputs = params(net, *Y)
    for name, scale, zero_point in (("a", 0.05, 120), ("b", 0.11, 90), ("c", 0.2, 3)):
        inputs += [net.input(name, SHAPE, np.uint8), *params(net, scale, zero_point)]
    model = net.model(net.node("QLinearConcat", *inputs, domain="com.microsoft", axis=1), dtype=np.uint8)
    program = check_steps(model, {n: image(i) for i, n in enumerate("abc")})
    assert sorted(types(program)) == ["concat", "lookup_u8", "lookup_u8"]


@pytest.mark.parametrize("per_channel", [False, True])
def test_matmul(per_channel):
    net = Net()
    w = RNG(1).integers(-127, 128, (6, 5)).astype(np.int8)
    scales = RNG(2).uniform(0.01, 0.02, 5 if per_channel else ()).astype(np.float32)
    inputs = [net.input("x", [3, 6], np.uint8), *params(net, *X), net.const(w), net.const(scales)]
    inputs.append(net.const(np.zeros(scales.shape), np.int8))
    model = net.model(net.node("QLinearMatMul", *inputs, *params(net, 0.2, 128)))
    assert types(check_steps(model, {"x": image(shape=(3, 6))})) == ["gemm_u8s8"]


def test_product_of_two_activations_is_slow():
    net = Net()
    a, b = net.input("a", [2, 3, 6], np.uint8), net.input("b", [2, 6, 5], np.uint8)
    model = net.model(net.node("QLinearMatMul", a, *params(net, *X), b, *params(net, *Y), *params(net, 0.5, 128)))
    program = check_steps(model, {"a": image(1, (2, 3, 6)), "b": image(2, (2, 6, 5))})
    assert types(program) == ["dequantize", "dequantize", "matmul_f32", "quantize"]
    assert "slow" in program.ops[2].info


@pytest.mark.parametrize("trans_b", [0, 1])
@pytest.mark.parametrize("quantized", [False, True])
def test_gemm(trans_b, quantized):
    net = Net()
    w = RNG(1).integers(-127, 128, (5, 6) if trans_b else (6, 5)).astype(np.int8)
    bias = RNG(2).integers(-3000, 3000, 5).astype(np.int32)
    inputs = [net.input("x", [3, 6], np.uint8), *params(net, *X), net.const(w), *params(net, 0.01, 0, np.int8), net.const(bias)]
    if quantized:
        y = net.node("QGemm", *inputs, *params(net, 0.2, 128), domain="com.microsoft", transB=trans_b)
        model = net.model(y, dtype=np.uint8, rank=2)
        check_steps(model, {"x": image(shape=(3, 6))})
    else:
        model = net.model(net.node("QGemm", *inputs, domain="com.microsoft", transB=trans_b), dtype=np.float32, rank=2)
        _, [y] = run(model, {"x": image(shape=(3, 6))})
        np.testing.assert_allclose(y, reference(model, {"x": image(shape=(3, 6))})[0], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("zero_points", [False, True])
def test_conv_integer_and_its_cast(zero_points):
    """The sums are integers below 2^24: exact in float32."""
    net = Net()
    w = RNG(1).integers(0, 256, (5, 4, 3, 3)).astype(np.uint8)
    inputs = [net.input("x", SHAPE, np.uint8), net.const(w)] + ([net.const(7, np.uint8), net.const(131, np.uint8)] if zero_points else [])
    acc = net.node("ConvInteger", *inputs, pads=[1, 1, 1, 1])
    model = net.model(net.node("Mul", net.node("Cast", acc, to=1), net.const(0.25, np.float32)))
    program, [y] = run(model, {"x": image()})
    np.testing.assert_array_equal(y, reference(model, {"x": image()})[0])
    assert any("u8s8" in t for t in types(program))


def test_matmul_integer_that_stays_an_integer():
    net = Net()
    w = RNG(1).integers(-128, 128, (6, 5)).astype(np.int8)
    model = net.model(net.node("MatMulInteger", net.input("x", [3, 6], np.uint8), net.const(w), net.const(7, np.uint8)))
    program, [y] = run(model, {"x": image(shape=(3, 6))})
    np.testing.assert_array_equal(y, reference(model, {"x": image(shape=(3, 6))})[0])
    assert types(program) == ["gemm_u8s8", "cast"]


def dynamic_model():
    net = Net()
    x, w = net.input("x", [1, 4, 6, 7]), RNG(1).integers(-128, 128, (5, 4, 3, 3)).astype(np.int8)
    q = net.node("DynamicQuantizeLinear", x, outputs=3, name="q")
    acc = net.node("Cast", net.node("ConvInteger", q, net.const(w), "q.2", pads=[1, 1, 1, 1], name="conv"), to=1)
    scale = net.node("Mul", "q.1", net.const(0.01, np.float32))
    return net.model(net.node("Mul", acc, scale)), w


def test_dynamic_quantisation_runs_in_float_and_is_slow():
    model, w = dynamic_model()
    x = normal(SHAPE)
    program, [y] = run(model, {"x": x})
    step = (x.max() - x.min()) / 255
    # ONNX Runtime rounds every input to a step, by at most half of it.
    bound = step / 2 * 0.01 * np.abs(w.astype(float)).sum(axis=(1, 2, 3)).max() * 1.01
    assert np.abs(y - reference(model, {"x": x})[0]).max() < bound
    slow = {op.type: op.info.get("slow") for op in program.ops}
    assert slow["conv_f32"] == "weights are quantised and the input is not: computed in float"


def test_rewritten_graph_has_standard_operators_only():
    net = Net()
    inputs = [net.input("x", SHAPE, np.uint8), *params(net, *X), *params(net, *Y)]
    graph = load(net.model(net.node("QLinearSigmoid", *inputs, domain="com.microsoft"), dtype=np.uint8))
    assert to_qdq(graph) == {}
    assert [node.op for node in graph.nodes] == ["DequantizeLinear", "Sigmoid", "QuantizeLinear"]
    assert all(node.domain in (None, "") for node in graph.nodes)


def test_quantize_of_the_contributed_domain():
    net = Net()
    q = net.node("QuantizeLinear", net.input("x", SHAPE), *params(net, *X), domain="com.microsoft")
    model = net.model(net.node("DequantizeLinear", q, *params(net, *X), domain="com.microsoft"), dtype=np.float32)
    assert types(lower(model)) == ["quantize", "dequantize"]
