"""Layouts: how few copies there are, and that the gaps meet every convolution's needs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.passes.lower.networks import RNG, Net, check, normal, types

TOLERANCE = 1e-4
"""Sums of some hundred products of standard normals, in another order than ONNX Runtime's."""


def conv(net, x, kernel=3, pads=None, seed=0, channels=4, **attrs):
    pad = kernel // 2 if pads is None else pads
    return net.node("Conv", x, net.const(normal((channels, 4, kernel, kernel), seed)), pads=[pad] * 4, **attrs)


def check_gaps(program):
    """Row strides of convolutions over flat pixels agree, and gaps hold the padding that is read."""
    for op in program.ops:
        x, y, whole = op.inputs[0], op.outputs[0], op.attrs.get("whole", 0)
        if ("conv" not in op.type and "depthwise" not in op.type) or "winograd" in op.type or (whole and "depthwise" in op.type):
            continue
        if whole:
            assert y.gap_cols >= (op.attrs["kernel_w"] - 1) * op.attrs["dilation_w"] // 2
            assert all(r.shape[3] + r.gap_cols == y.shape[3] + y.gap_cols for r in op.inputs[1:])
            continue
        pads = {s: op.attrs.get(f"pad_{s}", 0) for s in ("top", "left", "bottom", "right")}
        assert x.gap_rows >= max(pads["top"], pads["bottom"])
        assert op.type == "depthwise_f32" or x.gap_cols >= max(pads["left"], pads["right"])
        pointwise = op.type == "conv_f32" and op.attrs["kernel_h"] == op.attrs["kernel_w"] == 1 and not any(pads.values())
        for other in op.inputs[1:] if pointwise else op.inputs:
            assert other.shape[3] + other.gap_cols == y.shape[3] + y.gap_cols


def run(net, outputs, shape):
    program = check(net.model(*outputs), {"x": normal(shape)}, atol=TOLERANCE)
    check_gaps(program)
    return program


def test_one_copy_serves_all_convolutions_of_equal_stride_and_kernel():
    net = Net()
    x = net.node("Relu", net.input("x", (1, 4, 9, 9)))
    a, b = conv(net, x, strides=[3, 3]), conv(net, x, seed=1, strides=[3, 3])
    program = run(net, [net.node("Concat", a, b, conv(net, x, 1, strides=[3, 3]), axis=1)], (1, 4, 9, 9))
    assert types(program).count("to_planar") == 2
    assert program.ops[0].outputs[0].layout == "dense"


def test_elementwise_operators_write_planes_for_a_convolution():
    net = Net()
    program = run(net, [conv(net, net.node("Tanh", net.input("x", (1, 4, 9, 9))))], (1, 4, 9, 9))
    assert types(program) == ["unary_f32", "conv_f32", "to_dense"]


def test_gaps_are_no_wider_than_the_paddings():
    net = Net()
    y = conv(net, conv(net, net.input("x", (1, 4, 9, 9)), 1), 5)
    program = run(net, [y], (1, 4, 9, 9))
    planar = [v for v in program.values() if v.layout == "planar"]
    assert [(v.gap_rows, v.gap_cols) for v in planar] == [(0, 0), (2, 2), (0, 2)]


def test_float_kernels_that_find_their_padding_themselves_need_no_gap_columns():
    net = Net()
    x = net.node("Conv", net.input("x", (1, 4, 12, 12)), net.const(normal((64, 4, 1, 1))))
    y = net.node("Conv", x, net.const(normal((64, 64, 3, 3), 1, 0.1)), pads=[1] * 4)
    z = net.node("Conv", y, net.const(normal((64, 1, 3, 3), 2)), pads=[1] * 4, group=64)
    program = run(net, [net.node("Conv", z, net.const(normal((4, 64, 1, 1), 3, 0.1)))], (1, 4, 12, 12))
    assert {"conv_winograd_f32", "depthwise_f32", "conv_f32"} <= set(types(program))
    assert {v.gap_cols for v in program.values() if v.layout == "planar"} == {0}


def test_convolution_without_padding_widens_the_gap_by_what_it_cuts():
    net = Net()
    x = conv(net, net.input("x", (1, 4, 9, 9)), 3, 0)
    program = run(net, [conv(net, x, 3, 1, seed=1)], (1, 4, 9, 9))
    assert [v.gap_cols for v in program.values() if v.layout == "planar"] == [0, 2, 2]


@pytest.mark.parametrize(("size", "in_place"), [(72, True), (12, False)])
def test_pointwise_convolution_reads_planes_in_place_where_that_costs_few_columns(size, in_place):
    """Its input has a gap, since a strided convolution made it out of phases."""
    net = Net()
    x = conv(net, net.input("x", (1, 4, 2 * size, 2 * size)), strides=[2, 2])
    program = run(net, [conv(net, x, 1)], (1, 4, 2 * size, 2 * size))
    x, y = next((op.inputs[0], op.outputs[0]) for op in program.ops if op.type == "conv_f32" and op.attrs["kernel_h"] == 1)
    assert (x.gap_cols, y.gap_cols) == (1, 1 if in_place else 0)


def test_widths_that_differ_by_other_ways_agree():
    net = Net()
    x = net.node("Tanh", net.input("x", (1, 4, 7, 9)))
    a = conv(net, x, 3, 0)
    b = net.node("Conv", x, net.const(normal((4, 4, 3, 1), 5)), pads=[0, 0, 0, 0])
    c = net.node("Conv", b, net.const(normal((4, 4, 1, 3), 6)), pads=[0, 0, 0, 0])
    program = run(net, [net.node("Add", a, c)], (1, 4, 7, 9))
    assert types(program).count("to_planar") == 0
    assert len({v.shape[3] + v.gap_cols for v in program.values() if v.layout == "planar"}) == 1


def test_wide_padding_is_kept_from_the_other_values():
    net = Net()
    x = conv(net, net.input("x", (1, 4, 24, 24)))
    branches = [conv(net, x, 1), *(conv(net, x, 3, d, seed=d, dilations=[d, d]) for d in (12, 18))]
    program = run(net, [net.node("Concat", *branches, axis=1)], (1, 4, 24, 24))
    by_name = {op.name: op for op in program.ops}
    assert by_name["conv0"].outputs[0].gap_cols == 1
    assert types(program).count("to_planar") == 3


def test_values_of_elementwise_operators_get_equal_strides():
    net = Net()
    x = conv(net, net.input("x", (1, 4, 9, 9)))
    y = net.node("Mul", net.node("Sigmoid", x), net.node("Tanh", conv(net, x, 1, seed=3)))
    program = run(net, [conv(net, y, 5, seed=4)], (1, 4, 9, 9))
    for op in program.ops:
        if op.type in ("unary_f32", "binary_f32"):
            assert len({(v.gap_rows, v.gap_cols) for v in (*op.inputs, *op.outputs)}) == 1


def test_squeeze_and_excite_multiplies_planes_by_pixels():
    net = Net()
    x = conv(net, net.input("x", ("n", 4, 9, 9)))
    gate = net.node("Sigmoid", conv(net, net.node("Relu", conv(net, net.node("GlobalAveragePool", x), 1)), 1, seed=2))
    program = check(net.model(conv(net, net.node("Mul", gate, x), 1)), {"x": normal((2, 4, 9, 9))}, atol=TOLERANCE)
    gate_types = ["flatten", "gemm_f32", "reshape", "flatten", "gemm_f32", "reshape", "unary_f32"]
    expected = ["to_planar", "conv_f32", "global_average_pool", *gate_types, "binary_f32", "conv_f32", "to_dense"]
    assert types(program) == expected


def test_grouped_pixels_stay_a_convolution():
    net = Net()
    x = net.node("GlobalAveragePool", net.input("x", (1, 4, 9, 9)))
    program = run(net, [net.node("Conv", x, net.const(normal((4, 2, 1, 1))), group=2)], (1, 4, 9, 9))
    assert types(program) == ["to_planar", "global_average_pool", "to_planar", "conv_f32", "to_dense"]


def test_value_that_is_an_output_and_read_on():
    net = Net()
    x = conv(net, net.input("x", (1, 4, 9, 9)))
    program = run(net, [x, conv(net, x, seed=1)], (1, 4, 9, 9))
    assert types(program) == ["to_planar", "conv_f32", "to_dense", "conv_f32", "to_dense"]


def test_quantized_planes_keep_their_zero_point_in_the_gaps():
    net = Net()
    x = net.round_trip(net.input("x", (1, 4, 9, 9)), 0.02, 77)
    w = net.dequantize(net.const(RNG(1).integers(-127, 128, (4, 4, 3, 3)).astype(np.int8)), 0.01, 0, np.int8)
    y = net.node("Conv", x, w, pads=[1, 1, 1, 1])
    program = check(net.model(net.dequantize(net.quantize(y, 0.1, 128), 0.1, 128)), {"x": normal((1, 4, 9, 9))}, atol=1e-6)
    assert [v.zero_point for v in program.values() if v.layout == "planar"] == [77, 128]


@pytest.mark.parametrize("spatial", [(9, 13), ("h", "w")])
@settings(max_examples=20, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6))
def test_random_networks(spatial, seed):
    """Chains with branches, sums, pools and paddings of all sorts: right results, and gaps that suffice."""
    rng, net = RNG(seed), Net()
    live = [net.node("Relu", net.input("x", ("n", 4, *spatial)))]
    for step in range(8):
        x = live[rng.integers(len(live))]
        kind = rng.integers(7)
        if kind == 0:
            live.append(net.node("Relu", conv(net, x, int(rng.choice([1, 3, 5])), seed=step)))
        elif kind == 1:
            live.append(conv(net, x, 3, seed=step, dilations=[2, 2], pads=2))
        elif kind == 2:
            live.append(net.node("Add", x, conv(net, x, 3, seed=step)))
        elif kind == 3:
            live.append(net.node("Sigmoid", x))
        elif kind == 4:
            live.append(net.node("AveragePool", x, kernel_shape=[3, 3], pads=[1, 1, 1, 1]))
        elif kind == 5:
            live.append(net.node("Mul", x, net.node("Sigmoid", conv(net, net.node("GlobalAveragePool", x), 1, seed=step))))
        else:
            live.append(conv(net, conv(net, x, 3, 0, seed=step), 3, 2, seed=step + 50))
    total = live[-1]
    for value in live[1:-1]:
        total = net.node("Add", total, value)
    x = normal((2, 4, 9, 13), seed, 0.1)
    program = check(net.model(total), {"x": x}, atol=1e-3, rtol=1e-4)  # values grow to thousands over eight layers
    if spatial == (9, 13):
        check_gaps(program)


@pytest.mark.parametrize(("taps", "columns", "dilation", "whole"), [(3, 2, 1, 1), (3, 1, 1, 0), (3, 3, 1, 0), (5, 2, 1, 0), (3, 2, 2, 0)])
def test_depthwise_convolutions_of_every_second_column_read_their_input_as_it_is(taps, columns, dilation, whole):
    net = Net()
    x = net.node("Relu", conv(net, net.input("x", (1, 4, 12, 15)), 1))
    weights, pad = net.const(normal((4, 1, taps, taps))), taps // 2 * dilation
    y = net.node("Conv", x, weights, pads=[pad] * 4, strides=[2, columns], dilations=[dilation] * 2, group=4)
    program = run(net, [net.node("GlobalAveragePool", y)], (1, 4, 12, 15))
    depthwise = next(op for op in program.ops if op.type == "depthwise_f32")
    assert depthwise.attrs.get("whole", 0) == whole
    assert types(program).count("to_planar") == 2 - whole


@pytest.mark.parametrize("dense", [True, False])
@pytest.mark.parametrize(
    ("taps", "strides", "dilation", "whole"),
    [(3, (2, 2), 1, 1), (5, (1, 2), 1, 1), (2, (3, 2), 1, 1), (3, (2, 2), 2, 1), (1, (2, 2), 1, 0), (3, (2, 1), 1, 0), (4, (4, 4), 1, 0)],
)
def test_convolutions_of_every_second_column_read_their_input_as_it_is(taps, strides, dilation, whole, dense):
    net = Net()
    x = net.input("x", (2, 4, 12, 21))
    y = conv(net, x if dense else conv(net, x, 1), taps, strides=strides, dilations=[dilation] * 2)
    program = run(net, [net.node("Add", y, conv(net, y, 1))], (2, 4, 12, 21))
    strided = next(op for op in program.ops if op.type == "conv_f32" and (op.attrs["stride_h"], op.attrs["stride_w"]) == strides)
    assert strided.attrs.get("whole", 0) == whole
    assert types(program).count("to_planar") == 2 - whole - dense


def test_residual_of_a_convolution_that_reads_its_input_as_it_is():
    net = Net()
    x = net.input("x", (1, 4, 12, 21))
    short = conv(net, x, 1, strides=[2, 2])
    program = run(net, [net.node("Relu", net.node("Add", short, conv(net, x, 5, strides=[2, 2])))], (1, 4, 12, 21))
    [strided] = [op for op in program.ops if op.attrs.get("whole", 0)]
    assert len(strided.inputs) == 2
    assert strided.inputs[0].layout == "dense"
