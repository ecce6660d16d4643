"""ConvTranspose in float, against ONNX Runtime."""

import numpy as np
import pytest
from honed.graph import ModelError
from honed.passes.lower import lower
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.passes.lower.networks import Net, check, normal, reference, run, types

TOLERANCE = 1e-4
"""Sums of some hundred products of standard normals, in another order than ONNX Runtime's."""


def transposed_net(x_shape, w_shape, bias=True, **attrs):
    net = Net()
    weights = [net.const(normal(w_shape, 1))] + ([net.const(normal([w_shape[1] * attrs.get("group", 1)], 2))] if bias else [])
    return net.model(net.node("ConvTranspose", net.input("x", x_shape), *weights, **attrs), dtype=np.float32, rank=len(x_shape))


def check_transposed(x_shape, w_shape, bias=True, **attrs):
    return check(transposed_net(x_shape, w_shape, bias, **attrs), {"x": normal(x_shape)}, atol=TOLERANCE)


@pytest.mark.parametrize(
    ("w_shape", "attrs"),
    [
        ((4, 3, 2, 2), {"strides": [2, 2]}),
        ((4, 3, 3, 3), {"strides": [2, 2], "pads": [1, 1, 1, 1], "output_padding": [1, 1]}),
        ((4, 3, 4, 4), {"strides": [2, 2], "pads": [1, 0, 1, 2]}),
        ((4, 3, 3, 3), {}),
        ((4, 3, 3, 3), {"strides": [3, 3], "dilations": [2, 2]}),
        ((4, 3, 3, 2), {"group": 2, "strides": [2, 2], "pads": [0, 1, 1, 0]}),
        ((4, 3, 3, 3), {"strides": [3, 2], "output_padding": [2, 1]}),
        ((4, 3, 3, 3), {"output_shape": [11, 16], "strides": [2, 2], "output_padding": [1, 1]}),
        ((4, 3, 3, 3), {"output_shape": [10, 14], "strides": [2, 2]}),
        ((4, 3, 3, 3), {"output_shape": [12, 16], "strides": [2, 2]}),
        ((4, 3, 3, 3), {"output_shape": [10, 14], "strides": [2, 2], "auto_pad": "SAME_UPPER"}),
    ],
)
@pytest.mark.parametrize("bias", [True, False])
def test_geometry(w_shape, attrs, bias):
    check_transposed((2, 4, 5, 7), w_shape, bias, **attrs)


@pytest.mark.parametrize("auto_pad", ["SAME_UPPER", "SAME_LOWER", "VALID"])
@pytest.mark.parametrize("strides", [[2, 2], [3, 1], [2, 3]])
def test_auto_pad(auto_pad, strides):
    check_transposed((2, 4, 5, 7), (4, 3, 4, 3), auto_pad=auto_pad, strides=strides)


def test_auto_pad_of_windows_smaller_than_the_stride():
    """The output is the input times the stride in ONNX; ONNX Runtime leaves out what no window reaches."""
    x, attrs = normal((2, 4, 5, 7)), {"strides": [3, 2]}
    [y] = run(transposed_net(x.shape, (4, 3, 2, 1), **attrs, auto_pad="SAME_UPPER"), {"x": x})[1]
    [expected] = reference(transposed_net(x.shape, (4, 3, 2, 1), **attrs, output_shape=[15, 14]), {"x": x})
    np.testing.assert_allclose(y, expected, atol=TOLERANCE)


def test_nothing_is_cut_off_a_kernel_as_large_as_the_stride():
    program = check_transposed((1, 4, 5, 7), (4, 3, 2, 2), strides=[2, 2])
    assert types(program) == ["to_planar", "conv_f32", "to_dense", "depth_to_space"]


@pytest.mark.parametrize("rank", [1, 2, 3])
@settings(max_examples=15, deadline=None, derandomize=True)
@given(data=st.data())
def test_any_geometry(rank, data):
    def draw(lo, hi, n=rank):
        return data.draw(st.lists(st.integers(lo, hi), min_size=n, max_size=n))

    size, kernel, strides, dilations, pads = draw(1, 4), draw(1, 3), draw(1, 3), draw(1, 2), draw(0, 1, 2 * rank)
    output_padding = [min(p, s - 1) for p, s in zip(draw(0, 2), strides, strict=True)]
    out = [
        s * (n - 1) + (k - 1) * d + 1 + more - pads[i] - pads[rank + i]
        for i, (n, k, s, d, more) in enumerate(zip(size, kernel, strides, dilations, output_padding, strict=True))
    ]
    if min(out) < 1:
        return
    group, per_group, out_per_group = data.draw(st.sampled_from([(1, 3, 2), (2, 2, 3)]))
    attrs = {"strides": strides, "dilations": dilations, "pads": pads, "output_padding": output_padding, "group": group}
    check_transposed((2, group * per_group, *size), (group * per_group, out_per_group, *kernel), **attrs)


@pytest.mark.parametrize(
    ("x_shape", "model_shape", "kernel"),
    [
        ((2, 4, 5, 7), ("n", 4, "h", "w"), [3, 3]),
        ((2, 4, 7), ("n", 4, "w"), [3]),
        ((2, 4, 3, 4, 5), ("n", 4, 3, 4, 5), [2, 3, 3]),
    ],
)
def test_size_known_at_run_time(x_shape, model_shape, kernel):
    strides = [2] * len(kernel)
    check(transposed_net(model_shape, (4, 3, *kernel), strides=strides), {"x": normal(x_shape)}, atol=TOLERANCE)


@pytest.mark.parametrize(
    ("x_shape", "attrs", "reason"),
    [
        ((1, 4, "h", 5), {"output_shape": [9, 9]}, "output_shape over sizes that are not known"),
        ((1, 4, 5, 5), {"pads": [-1, 0, 0, 0]}, "pads must not contain negative values"),
        ((1, 3, 5, 5), {}, r"weights \[4, 3, 3, 3\] in 1 groups do not fit the 3 channels"),
    ],
)
def test_refusals(x_shape, attrs, reason):
    with pytest.raises(ModelError, match=reason):
        lower(transposed_net(x_shape, (4, 3, 3, 3), **attrs))


def test_sizes_of_three_dimensions_must_be_known():
    with pytest.raises(ModelError, match="a 3-D convolution over sizes that are not known before run time"):
        lower(transposed_net((1, 4, "d", 4, 4), (4, 3, 2, 2, 2)))
