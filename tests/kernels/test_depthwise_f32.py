import numpy as np
import pytest
from honed.kernels._native import KernelError, Operator, TensorSpec, isa_levels
from honed.kernels.packing import pack_depthwise_f32

from tests.kernels import conv_checks as check
from tests.kernels.conv_cases import DEPTHWISE, Conv

KIND = ("depthwise_f32", pack_depthwise_f32)
PADDED = {f"pad_{side}": 2 for side in ("top", "left", "bottom", "right")}
WHOLE = [
    Conv(in_channels=4, out_channels=4, group=4, stride_h=2, stride_w=2, height=14, width=14, batch=2),
    Conv(in_channels=3, out_channels=6, group=3, stride_h=2, stride_w=2, height=9, width=113),
    Conv(in_channels=2, out_channels=2, group=2, stride_h=2, stride_w=2, height=56, width=64),
    Conv(in_channels=2, out_channels=2, group=2, stride_h=2, stride_w=2, height=7, width=7, **{**PADDED, "pad_top": 0, "pad_left": 0}),
    Conv(in_channels=2, out_channels=2, group=2, stride_h=2, stride_w=2, height=40, width=41, **PADDED | {"pad_top": 3}),
    Conv(in_channels=2, out_channels=2, group=2, stride_h=1, stride_w=2, height=8, width=70, dilation_h=2),
    Conv(in_channels=3, out_channels=3, group=3, kernel_h=5, kernel_w=5, stride_h=2, stride_w=2, height=20, width=37, **PADDED),
    Conv(in_channels=2, out_channels=2, group=2, kernel_h=1, kernel_w=4, stride_h=3, stride_w=2, height=6, width=3, **PADDED),
    Conv(in_channels=2, out_channels=2, group=2, stride_h=2, stride_w=2, height=1, width=1),
    Conv(in_channels=2, out_channels=2, group=2, stride_h=2, stride_w=2, height=1, width=64),
    Conv(in_channels=40, out_channels=40, group=40, height=14, width=14, batch=2),
    Conv(in_channels=3, out_channels=6, group=3, height=9, width=113),
    Conv(in_channels=2, out_channels=2, group=2, height=80, width=128),
    Conv(in_channels=2, out_channels=2, group=2, height=7, width=48, **{**PADDED, "pad_top": 0, "pad_left": 0}),
    Conv(in_channels=2, out_channels=2, group=2, height=20, width=41, **PADDED | {"pad_top": 3}),
    Conv(in_channels=3, out_channels=3, group=3, kernel_h=5, kernel_w=5, height=20, width=37, dilation_w=2, **PADDED),
    Conv(in_channels=2, out_channels=2, group=2, height=1, width=64),
]
"""Read where they lie: inputs of any strides."""


@pytest.mark.parametrize("isa", isa_levels())
@pytest.mark.parametrize("conv", DEPTHWISE, ids=str)
def test_sums_are_within_their_bound(conv, isa):
    check.check_bound(*KIND, conv, isa)


@pytest.mark.parametrize("conv", DEPTHWISE, ids=str)
def test_variants_agree_to_the_bit(conv):
    check.check_variants_agree(*KIND, conv, isa_levels())


@pytest.mark.parametrize("isa", isa_levels())
def test_residual_and_clamp(isa):
    check.check_float_residual(*KIND, DEPTHWISE[1], isa)


@pytest.mark.parametrize("isa", isa_levels())
@pytest.mark.parametrize("conv", DEPTHWISE[:4], ids=str)
def test_gates(conv, isa):
    check.check_float_gates(*KIND, conv, isa)


WITHOUT_COLUMNS = [
    Conv(in_channels=4, out_channels=4, group=4, height=14, width=14, batch=2),
    Conv(in_channels=3, out_channels=6, group=3, height=7, width=7),
    Conv(in_channels=2, out_channels=2, group=2, height=20, width=37),
    Conv(in_channels=2, out_channels=2, group=2, pad_left=2, pad_right=0, height=9, width=9),
    Conv(in_channels=2, out_channels=2, group=2, kernel_h=5, kernel_w=5, **PADDED, width=11),
    Conv(in_channels=2, out_channels=2, group=2, kernel_h=5, kernel_w=5, **PADDED | {"pad_left": 3, "pad_right": 1}, width=11),
    Conv(in_channels=2, out_channels=2, group=2, kernel_h=7, kernel_w=7, **dict.fromkeys(PADDED, 3), height=5, width=26),
]


def without_columns(conv, isa, x, w, bias, **attrs):
    planes = [TensorSpec("f32", True, rows, 0, 0) for rows in (conv.pad_top, 0)]
    return Operator("depthwise_f32", planes[:1], planes[1:], conv.attrs | attrs, [*pack_depthwise_f32(w), bias], isa).run([x])[0]


@pytest.mark.parametrize("isa", isa_levels())
@pytest.mark.parametrize("conv", WITHOUT_COLUMNS, ids=str)
def test_planes_without_gap_columns(conv, isa):
    operands = x, w, bias = check.float_operands(conv)
    x[0, 0, 3, 2] = np.inf  # a tap outside of the row is 0, whatever lies there
    expected = check.run_float("depthwise_f32", pack_depthwise_f32, conv, operands, "scalar")
    np.testing.assert_array_equal(without_columns(conv, isa, x, w, bias), expected)


@pytest.mark.parametrize("isa", isa_levels())
@pytest.mark.parametrize("taps", [3, 5, 7])
def test_planes_that_end_anywhere_in_a_word(taps, isa):
    """Between other planes, which are not written to, with an activation."""
    pads = dict.fromkeys(PADDED, taps // 2)
    for width in (1, 15, 16, 17, 31, 32, 33, 47, 49, 63, 64, 65, 80, 97, 129):
        conv = Conv(in_channels=3, out_channels=3, group=3, kernel_h=taps, kernel_w=taps, height=1 + width % 2, width=width, **pads)
        operands = check.float_operands(conv)
        for gate in ({}, {"gate": 2}):
            expected = check.run_float("depthwise_f32", pack_depthwise_f32, conv, operands, "scalar", **gate)
            np.testing.assert_array_equal(without_columns(conv, isa, *operands, **gate), expected)
            np.testing.assert_array_equal(check.run_float("depthwise_f32", pack_depthwise_f32, conv, operands, isa, **gate), expected)


@pytest.mark.parametrize("isa", isa_levels())
@pytest.mark.parametrize("conv", WHOLE, ids=str)
def test_whole_inputs_give_the_bits_of_flat_pixels(conv, isa):
    operands = check.float_operands(conv)
    expected = check.run_float("depthwise_f32", pack_depthwise_f32, conv, operands, "scalar")
    for gaps in (((0, 0), (0, 0)), ((1, 3), (2, 1)), ((0, 1), (1, 0))):
        np.testing.assert_array_equal(check.run_whole(*KIND, conv, operands, isa, gaps), expected)


@pytest.mark.parametrize("isa", isa_levels())
def test_whole_input_with_residual_and_clamp(isa):
    conv = WHOLE[1]
    operands = check.float_operands(conv)
    sums = check.run_float("depthwise_f32", pack_depthwise_f32, conv, operands, "scalar")
    residual = np.random.default_rng(3).standard_normal(conv.output_shape).astype(np.float32)
    gaps = (0, 0), (1, 2), (0, 1)
    actual = check.run_whole(*KIND, conv, operands, isa, gaps, residual, clamp_lo=-0.5, clamp_hi=1.5)
    np.testing.assert_array_equal(actual, np.clip(sums + residual, np.float32(-0.5), np.float32(1.5)))
    gate = {"gate": 2, "gate_scale": 1.3}
    expected = check.run_float("depthwise_f32", pack_depthwise_f32, conv, operands, "scalar", residual=residual, **gate)
    np.testing.assert_array_equal(check.run_whole(*KIND, conv, operands, isa, gaps, residual, **gate), expected)


@pytest.mark.parametrize("attrs", [{"stride_w": 3}, {"dilation_w": 2}])
def test_whole_inputs_refuse_what_is_neither_a_column_nor_two_adjacent_ones(attrs):
    conv = Conv(in_channels=2, out_channels=2, group=2, stride_h=2, stride_w=2, height=9, width=9)
    w, planes = np.zeros(conv.weight_shape, np.float32), [TensorSpec("f32", True)]
    with pytest.raises(KernelError, match="whole input"):
        consts = [*pack_depthwise_f32(w), np.zeros(2, np.float32)]
        Operator("depthwise_f32", planes, planes, conv.attrs | {"whole": 1} | attrs, consts, "scalar")
