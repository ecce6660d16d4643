"""Functions of one quantised tensor as tables: all 256 entries, against ONNX Runtime computing in float."""

import numpy as np
import pytest
from honed.passes.lower import lower

from tests.passes.lower.networks import RNG, Net, reference, run, types

ALL = np.arange(256, dtype=np.uint8).reshape(1, 1, 16, 16)
FUNCTIONS = {
    "Sigmoid": {}, "Tanh": {}, "HardSwish": {}, "HardSigmoid": {}, "LeakyRelu": {"alpha": 0.1}, "Elu": {}, "Selu": {}, "Softplus": {},
    "Exp": {},
    "Abs": {}, "Neg": {}, "Erf": {}, "Mish": {}, "Relu": {}, "Softsign": {}, "Celu": {"alpha": 0.7}, "Floor": {}, "Ceil": {}, "Round": {},
    "Sign": {}, "Sin": {}, "Cos": {}, "ThresholdedRelu": {},
}  # fmt: skip


def check_table(build, expected=("lookup_u8",), steps=0):
    """build(net, x) returns the float result of the dequantised x. A table may be `steps` off where the function's float value, which
    ONNX Runtime rounds its own way, lies on a half."""
    net = Net(opset=18)
    x = net.dequantize(net.input("x", ALL.shape, np.uint8), 0.0317, 119)
    model = net.model(net.quantize(build(net, x), 0.0213, 101))
    program, [y] = run(model, {"x": ALL}, strict=True)
    assert types(program) == list(expected)
    difference = np.abs(y.astype(int) - reference(model, {"x": ALL})[0].astype(int))
    assert difference.max() <= steps
    return program


@pytest.mark.parametrize(("op", "attrs"), FUNCTIONS.items(), ids=FUNCTIONS)
def test_function(op, attrs):
    check_table(lambda net, x: net.node(op, x, **attrs))


def test_clip():
    check_table(lambda net, x: net.node("Clip", x, net.const(-0.4, np.float32), net.const(1.1, np.float32)))


@pytest.mark.parametrize("op", ["Add", "Sub", "Mul", "Div", "Max", "Min", "Pow"])
@pytest.mark.parametrize("first", [False, True])
def test_arithmetic_with_a_number(op, first):
    number = 2.0 if op == "Pow" else 0.7
    check_table(lambda net, x: net.node(op, *((net.const(number, np.float32), x) if first else (x, net.const(number, np.float32)))))


def test_chain_of_functions():
    def hard_swish(net, x):
        gate = net.node("Clip", net.node("Add", x, net.const(3, np.float32)), net.const(0, np.float32), net.const(6, np.float32))
        return net.node("Div", net.node("Mul", x, gate), net.const(6.1, np.float32))

    check_table(hard_swish)


def test_product_with_a_quantised_function_of_the_same_tensor():
    check_table(lambda net, x: net.node("Mul", x, net.round_trip(net.node("Sigmoid", x), 1 / 256, 0)))


def test_inner_rounding_is_kept():
    check_table(lambda net, x: net.node("Tanh", net.round_trip(net.node("Sigmoid", x), 1 / 16, 3)))


def test_two_tensors_are_no_table():
    net = Net()
    a, b = (net.dequantize(net.input(n, ALL.shape, np.uint8), 0.03, 119) for n in "ab")
    program, _ = run(net.model(net.quantize(net.node("Mul", a, b), 0.02, 101)), {"a": ALL, "b": RNG(0).permutation(ALL)})
    assert types(program) == ["dequantize", "dequantize", "binary", "quantize"]


def test_numbers_per_channel_are_no_table():
    net, shape = Net(), (1, 2, 8, 16)
    x = net.dequantize(net.input("x", shape, np.uint8), 0.03, 119)
    model = net.model(net.quantize(net.node("Mul", x, net.const([[[2]], [[3]]], np.float32)), 0.02, 101))
    program, _ = run(model, {"x": ALL.reshape(shape)})
    assert "lookup_u8" not in types(program)


def test_number_that_adds_a_dimension_is_no_table():
    net = Net()
    x = net.dequantize(net.input("x", (16, 16), np.uint8), 0.03, 119)
    model = net.model(net.quantize(net.node("Mul", x, net.const([[[2]]], np.float32)), 0.02, 101))
    program, [y] = run(model, {"x": ALL[0, 0]})
    assert y.shape == (1, 16, 16)
    assert "lookup_u8" not in types(program)


def test_endless_chain_is_no_table():
    net = Net()
    x = net.dequantize(net.input("x", (4, 4), np.uint8), 0.03, 119)
    y = net.const(np.ones((4, 4)), np.float32)
    y = net.node("Mul", net.input("b", (4, 4)), y)
    for _ in range(1200):
        y = net.node("Tanh", y)
    program = lower(net.model(net.quantize(net.node("Add", x, y), 0.02, 101)))
    assert "lookup_u8" not in types(program)


def test_tables_after_one_another_are_one():
    net = Net()
    x = net.dequantize(net.input("x", ALL.shape, np.uint8), 0.0317, 119)
    y = net.dequantize(net.quantize(net.node("Relu", net.node("MaxPool", x, kernel_shape=[2, 2])), 0.011, 20), 0.011, 20)
    model = net.model(net.quantize(net.node("Sigmoid", y), 0.004, 3))
    program, [got] = run(model, {"x": ALL}, strict=True)
    np.testing.assert_array_equal(got, reference(model, {"x": ALL})[0])
    assert types(program) == ["to_planar", "max_pool", "lookup_u8"]
