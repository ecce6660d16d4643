"""Conv in float, against ONNX Runtime."""

import numpy as np
import pytest
from honed.graph import ModelError
from honed.passes.lower import lower
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.passes.lower.networks import Net, check, normal, types

TOLERANCE = 1e-4
"""Sums of some hundred products of standard normals, in another order than ONNX Runtime's."""


def conv_net(x_shape, w_shape, bias=True, **attrs):
    net = Net()
    weights = [net.const(normal(w_shape, 1))] + ([net.const(normal(w_shape[:1], 2))] if bias else [])
    return net.model(net.node("Conv", net.input("x", x_shape), *weights, **attrs))


def check_conv(x_shape, w_shape, bias=True, **attrs):
    return check(conv_net(x_shape, w_shape, bias, **attrs), {"x": normal(x_shape)}, atol=TOLERANCE)


@pytest.mark.parametrize(
    ("x_shape", "w_shape", "attrs"),
    [
        ((1, 3, 9, 11), (4, 3, 3, 3), {"pads": [1, 1, 1, 1]}),
        ((2, 3, 9, 11), (4, 3, 3, 3), {}),
        ((1, 4, 9, 11), (6, 4, 3, 3), {"pads": [0, 2, 1, 0], "strides": [2, 2]}),
        ((1, 4, 9, 11), (6, 4, 1, 1), {"strides": [2, 3]}),
        ((1, 4, 9, 12), (6, 2, 3, 1), {"group": 2, "pads": [1, 0, 1, 0], "strides": [1, 2]}),
        ((1, 6, 9, 11), (6, 1, 5, 3), {"group": 6, "pads": [2, 1, 2, 1]}),
        ((1, 6, 9, 11), (12, 1, 3, 3), {"group": 6, "pads": [1, 1, 1, 1], "strides": [2, 2]}),
        ((1, 3, 17, 17), (2, 3, 3, 3), {"dilations": [3, 2], "pads": [3, 2, 3, 2]}),
        ((1, 3, 17, 17), (2, 3, 3, 3), {"dilations": [2, 2], "strides": [2, 2], "pads": [1, 2, 3, 0]}),
        ((1, 2, 5, 5), (3, 2, 7, 7), {"pads": [3, 3, 3, 3]}),
    ],
)
def test_geometry(x_shape, w_shape, attrs):
    check_conv(x_shape, w_shape, **attrs)


@pytest.mark.parametrize("kernel", [7, 8])
def test_large_strided_kernels_are_convolved_in_another_basis(kernel):
    """It rounds some times more; tests of the kernel hold it to its bound."""
    model = conv_net((2, 3, 97, 130), (64, 3, kernel, kernel), pads=[3, 3, 2, 1], strides=[2, 2])
    program = check(model, {"x": normal((2, 3, 97, 130))}, atol=4 * TOLERANCE)
    assert types(program) == ["to_planar", "conv_winograd_f32", "to_dense"]


def test_without_bias():
    check_conv((1, 3, 6, 6), (4, 3, 3, 3), bias=False)


@pytest.mark.parametrize("auto_pad", ["SAME_UPPER", "SAME_LOWER", "VALID"])
@pytest.mark.parametrize("stride", [1, 2])
def test_auto_pad(auto_pad, stride):
    check_conv((1, 3, 9, 12), (4, 3, 4, 3), auto_pad=auto_pad, strides=[stride, stride], kernel_shape=[4, 3])


def test_one_dimension_runs_with_a_height_of_one():
    program = check_conv((2, 3, 20), (4, 3, 5), pads=[2, 2], strides=[2])
    assert types(program) == ["reshape", "conv_f32", "to_dense", "reshape"]


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    size=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    kernel=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    strides=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    dilations=st.tuples(st.integers(1, 2), st.integers(1, 2)),
    pads=st.tuples(*[st.integers(0, 3)] * 4),
    groups=st.sampled_from([(1, 3, 4), (2, 2, 3), (3, 1, 1), (3, 1, 2)]),
)
def test_any_geometry(size, kernel, strides, dilations, pads, groups):
    fits = [n + pads[i] + pads[2 + i] > (kernel[i] - 1) * dilations[i] for i, n in enumerate(size)]
    if not all(fits):
        return
    group, per_group, out_per_group = groups
    attrs = {"pads": list(pads), "strides": list(strides), "dilations": list(dilations), "group": group}
    check_conv((1, group * per_group, *size), (group * out_per_group, per_group, *kernel), **attrs)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(
    size=st.tuples(*[st.integers(1, 5)] * 3),
    kernel=st.tuples(*[st.integers(1, 3)] * 3),
    strides=st.tuples(*[st.integers(1, 3)] * 3),
    dilations=st.tuples(*[st.integers(1, 2)] * 3),
    pads=st.tuples(*[st.integers(0, 2)] * 6),
    groups=st.sampled_from([(1, 3, 4), (2, 2, 3)]),
)
def test_any_geometry_in_three_dimensions(size, kernel, strides, dilations, pads, groups):
    fits = [n + pads[i] + pads[3 + i] > (kernel[i] - 1) * dilations[i] for i, n in enumerate(size)]
    if not all(fits):
        return
    group, per_group, out_per_group = groups
    attrs = {"pads": list(pads), "strides": list(strides), "dilations": list(dilations), "group": group}
    check_conv((2, group * per_group, *size), (group * out_per_group, per_group, *kernel), **attrs)


@pytest.mark.parametrize("pads", [[1] * 6, [0] * 6, [0, 0, 0, 1, 0, 0]])
def test_batch_known_at_run_time_in_three_dimensions(pads):
    model = conv_net(("n", 2, 4, 5, 6), (3, 2, 3, 3, 3), pads=pads)
    for n in (1, 3):
        check(model, {"x": normal((n, 2, 4, 5, 6))}, atol=TOLERANCE)


def test_size_known_at_run_time():
    net = Net()
    w = [net.const(normal(s, i)) for i, s in enumerate([(4, 3, 3, 3), (4, 4, 3, 3)])]
    y = net.node("Conv", net.input("x", ["n", 3, "h", "w"]), w[0], pads=[1, 1, 1, 1], strides=[2, 2])
    z = net.node("Conv", y, w[1], pads=[1, 1, 1, 1])
    model = net.model(net.node("Relu", net.node("Add", z, y)))
    for shape in [(1, 3, 8, 9), (3, 3, 17, 5)]:
        program = check(model, {"x": normal(shape)}, atol=TOLERANCE)
    assert types(program) == ["conv_f32", "conv_f32", "to_dense"]


@pytest.mark.parametrize(
    ("x_shape", "w_shape", "attrs", "reason"),
    [
        ((1, 1, 4, 4, 4, 4), (1, 1, 2, 2, 2, 2), {}, "4-D convolution, expected 1-D to 3-D"),
        ((1, 1, 4, "h", 4), (1, 1, 2, 2, 2), {}, "a 3-D convolution over sizes that are not known"),
        ((1, 2, 4, "w"), (1, 2, 2, 2), {"auto_pad": "SAME_UPPER", "strides": [2, 2]}, "auto_pad SAME_UPPER with stride 2 over a size"),
        ((1, "c", 4, 4), (3, 2, 2, 2), {"group": 2}, "3 output channels do not divide into 2 groups"),
    ],
)
def test_refusals(x_shape, w_shape, attrs, reason):
    with pytest.raises(ModelError, match=f"conv0 \\(Conv\\): {reason}"):
        net = Net()
        y = net.node("Conv", net.input("x", x_shape), net.const(normal(w_shape, 1)), name="conv0", **attrs)
        lower(net.model(y, dtype=np.float32, rank=len(x_shape)))


def test_weights_that_are_not_constant():
    net = Net()
    model = net.model(net.node("Conv", net.input("x", [1, 2, 4, 4]), net.input("w", [3, 2, 2, 2]), name="conv0"))
    with pytest.raises(ModelError, match=r"conv0 \(Conv\): weights are not constant"):
        lower(model)
