"""Activations quantised with many scales, and scales that are computed from the data, against ONNX Runtime."""

import numpy as np
import pytest
from honed.graph import ModelError
from honed.passes.lower import lower

from tests.passes.lower.networks import RNG, Net, check, normal, types

SHAPE = (2, 3, 5)


def parameters(net, shape, dtype):
    scales = RNG(1).uniform(0.01, 0.05, shape).astype(np.float32)
    zero_points = RNG(2).integers(*((100, 150) if dtype is np.uint8 else (-20, 20)), shape).astype(dtype)
    return net.const(scales), net.const(zero_points)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8])
@pytest.mark.parametrize("axis", [1, -1])
@pytest.mark.parametrize("shape", [SHAPE, ("n", 3, 5)])
def test_one_scale_per_index_of_an_axis(dtype, axis, shape):
    net = Net()
    scales = parameters(net, [SHAPE[axis]], dtype)
    q = net.node("QuantizeLinear", net.input("x", shape), *scales, axis=axis)
    model = net.model(q, net.node("DequantizeLinear", q, *scales, axis=axis))
    check(model, {"x": normal(SHAPE, scale=3)})


@pytest.mark.parametrize("block", [2, 3, 5])
@pytest.mark.parametrize("dtype", [np.uint8, np.int8])
def test_one_scale_per_block(block, dtype):
    net = Net(opset=21)
    scales = parameters(net, [2, 3, -(-5 // block)], dtype)
    q = net.node("QuantizeLinear", net.input("x", SHAPE), *scales, axis=2, block_size=block)
    check(net.model(q, net.node("DequantizeLinear", q, *scales, axis=2, block_size=block)), {"x": normal(SHAPE, scale=3)})


def test_blocks_of_a_constant():
    net = Net(opset=21)
    w = net.const(RNG(0).integers(-128, 128, (6, 4)), np.int8)
    scales = parameters(net, [2, 4], np.int8)
    y = net.node("MatMul", net.input("x", (3, 6)), net.node("DequantizeLinear", w, *scales, axis=0, block_size=3))
    assert types(check(net.model(y), {"x": normal((3, 6))}, atol=1e-4)) == ["gemm_f32"]


@pytest.mark.parametrize(
    ("x_shape", "scales", "attrs", "reason"),
    [
        (SHAPE, [4], {"axis": 1}, r"of shape \[4\] does not fit axis 1 of shape \[2, 3, 5\]"),
        ((2, 3, "w"), [2, 3, 2], {"axis": 2, "block_size": 3}, "blocks along a size that is not known"),
        (SHAPE, [2, 3, 3], {"axis": 2, "block_size": 3}, r"\[2, 3, 3\] scales for blocks of 3 along axis 2"),
    ],
)
def test_refusals(x_shape, scales, attrs, reason):
    net = Net(opset=21)
    y = net.node("QuantizeLinear", net.input("x", x_shape), *parameters(net, scales, np.uint8), **attrs)
    with pytest.raises(ModelError, match=reason):
        lower(net.model(y, dtype=np.uint8, rank=3))


@pytest.mark.parametrize("shift", [0.0, 4.0, -4.0])
def test_scale_of_the_data(shift):
    net = Net()
    net.node("DynamicQuantizeLinear", net.input("x", SHAPE), name="y", outputs=3)
    check(net.model("y", "y.1", "y.2"), {"x": normal(SHAPE) + np.float32(shift)})


def test_scale_of_zeros_is_one():
    net = Net()
    net.node("DynamicQuantizeLinear", net.input("x", SHAPE), name="y", outputs=3)
    check(net.model("y", "y.1", "y.2"), {"x": np.zeros(SHAPE, np.float32)})


def test_data_and_its_scale_are_read_by_others_than_products():
    net = Net()
    y = net.node("DynamicQuantizeLinear", net.input("x", SHAPE), name="y", outputs=3)
    z = net.node("Mul", net.node("Cast", net.node("Reshape", y, net.const([30], np.int64)), to=1), "y.1")
    check(net.model(z), {"x": normal(SHAPE)})
