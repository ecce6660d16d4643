from dataclasses import replace

import numpy as np
import pytest
from honed.kernels._native import KernelError, isa_levels
from honed.kernels.packing import pack_conv_bf16, pack_conv_f32
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.kernels import conv_checks as check
from tests.kernels.conv_cases import CASES, POINTWISE, WIDE, WITH_RESIDUAL, Conv

KIND = ("conv_f32", pack_conv_f32)


@pytest.mark.parametrize("isa", isa_levels())
@pytest.mark.parametrize("conv", CASES + WIDE, ids=str)
def test_sums_are_within_their_bound(conv, isa):
    check.check_bound(*KIND, conv, isa)


@pytest.mark.parametrize("conv", CASES + WIDE, ids=str)
def test_variants_agree_to_the_bit(conv):
    check.check_variants_agree(*KIND, conv, isa_levels())


@pytest.mark.parametrize("isa", isa_levels())
def test_residual_and_clamp(isa):
    check.check_float_residual(*KIND, WITH_RESIDUAL, isa)


@pytest.mark.parametrize("isa", isa_levels())
@pytest.mark.parametrize("conv", [WITH_RESIDUAL, replace(WITH_RESIDUAL, **POINTWISE)], ids=str)
def test_gates(conv, isa):
    check.check_float_gates(*KIND, conv, isa)


@pytest.mark.parametrize("gaps", [(0, 3), (2, 0), (1, 1), (0, 0)], ids=str)
@pytest.mark.parametrize("isa", isa_levels())
@pytest.mark.parametrize("conv", check.POINTWISE_CASES, ids=str)
def test_pixels_beyond_whole_vectors_and_row_strides_of_a_pointwise_kernel(conv, isa, gaps):
    check.check_pointwise(*KIND, conv, isa, gaps)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    size=st.tuples(st.integers(1, 60), st.integers(1, 30)),
    channels=st.tuples(st.integers(1, 12), st.integers(1, 20)),
    gaps=st.tuples(st.integers(0, 2), st.integers(0, 2)),
)
def test_any_size_of_a_pointwise_kernel(size, channels, gaps):
    conv = Conv(height=size[0], width=size[1], in_channels=channels[0], out_channels=channels[1], **POINTWISE)
    for isa in isa_levels():
        check.check_pointwise(*KIND, conv, isa, gaps)


def test_gaps_smaller_than_the_pads_are_refused():
    conv = Conv(pad_left=2, pad_right=2, kernel_w=5)
    x, w, bias = check.float_operands(conv)
    narrow = Conv(pad_left=1, pad_right=1, kernel_w=3)
    op = narrow.operator("conv_f32", [*pack_conv_f32(w), bias], None, dtype="f32", kernel_w=5, pad_left=2, pad_right=2)
    with pytest.raises(KernelError, match="gaps of 1 rows and 1 columns, expected at least 1 and 2"):
        op.run([x])


WHOLE = [
    *[conv for conv in CASES if conv.stride_w == 2],
    Conv(in_channels=3, out_channels=32, stride_h=2, stride_w=2, height=65, width=224, batch=2),
    Conv(in_channels=3, stride_h=2, stride_w=2, height=2, width=1, batch=2),
    Conv(in_channels=6, out_channels=20, group=2, kernel_h=5, kernel_w=4, stride_h=2, stride_w=2, height=80, width=67, pad_left=2),
    Conv(in_channels=2, stride_h=1, stride_w=2, dilation_w=2, height=9, width=70, pad_top=3, pad_left=4),
    Conv(in_channels=3, kernel_h=4, kernel_w=4, stride_h=4, stride_w=2, height=32, width=52, pad_top=0, pad_left=0),
    Conv(in_channels=2, kernel_h=2, kernel_w=1, stride_h=3, stride_w=2, height=7, width=31, pad_top=0),
]
"""Read where they lie: inputs of any strides."""


@pytest.mark.parametrize("isa", isa_levels())
@pytest.mark.parametrize("conv", WHOLE, ids=str)
def test_whole_inputs_give_the_bits_of_their_phases(conv, isa):
    operands = check.float_operands(conv)
    expected = check.run_float(*KIND, conv, operands, "scalar")
    reach = conv.extent_w // conv.stride_w
    for gaps in (((0, 0), (0, reach)), ((1, 3), (2, reach + 1))):
        np.testing.assert_array_equal(check.run_whole(*KIND, conv, operands, isa, gaps), expected)
    np.testing.assert_array_equal(check.run_whole(*KIND, conv, operands, isa, gaps, dense=True), expected)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    size=st.tuples(st.integers(1, 40), st.integers(1, 90)),
    kernel=st.tuples(st.integers(1, 7), st.integers(1, 7)),
    stride_h=st.integers(1, 4),
    pads=st.tuples(*[st.integers(0, 3)] * 4),
    dense=st.booleans(),
)
def test_any_geometry_of_a_whole_input(size, kernel, stride_h, pads, dense):
    top, left, bottom, right = pads
    conv = Conv(in_channels=3, out_channels=9, kernel_h=kernel[0], kernel_w=kernel[1], stride_h=stride_h, stride_w=2, pad_top=top,
                pad_left=left, pad_bottom=bottom, pad_right=right, height=size[0], width=size[1])  # fmt: skip
    assume(min(conv.output_shape[2:]) > 0)
    operands = check.float_operands(conv)
    expected = check.run_float(*KIND, conv, operands, "scalar")
    for isa in isa_levels():
        gaps = (0, 1), (1, conv.extent_w // conv.stride_w)
        np.testing.assert_array_equal(check.run_whole(*KIND, conv, operands, isa, gaps, dense=dense), expected)


@pytest.mark.parametrize("isa", isa_levels())
def test_whole_input_with_residual_and_activation(isa):
    conv = WHOLE[-4]
    operands = check.float_operands(conv)
    residual = np.random.default_rng(3).standard_normal(conv.output_shape).astype(np.float32)
    attrs = {"clamp_lo": -0.5, "gate": 2, "gate_scale": 1.3}
    expected = check.run_float(*KIND, conv, operands, "scalar", residual=residual, **attrs)
    gaps = (0, 0), (1, 2), (0, 2)
    np.testing.assert_array_equal(check.run_whole(*KIND, conv, operands, isa, gaps, residual, **attrs), expected)


def test_what_whole_inputs_refuse():
    conv = Conv(stride_h=2, stride_w=2)
    with pytest.raises(KernelError, match="output has gaps of 0 columns, expected at least 1"):
        check.run_whole(*KIND, conv, check.float_operands(conv), None, ((0, 0), (0, 0)))
    with pytest.raises(KernelError, match="row strides differ"):
        residual = np.zeros(conv.output_shape, np.float32)
        check.run_whole(*KIND, conv, check.float_operands(conv), None, ((0, 0), (0, 1), (0, 2)), residual)
    with pytest.raises(KernelError, match="whole input with a stride of 1 columns, expected 2"):
        check.run_whole(*KIND, Conv(), check.float_operands(Conv()), None, ((0, 0), (0, 2)))
    for shape in ((8, 7, 9), (1, 8, 7, 9, 1)):
        with pytest.raises(KernelError, match=f"input has rank {len(shape)}, expected 4"):
            operands = np.zeros(shape, np.float32), *check.float_operands(conv)[1:]
            check.run_whole(*KIND, conv, operands, None, ((0, 0), (0, 1)), dense=True)
    with pytest.raises(KernelError, match="whole"):
        check.run_whole("conv_bf16", pack_conv_bf16, conv, check.float_operands(conv), None, ((0, 0), (0, 1)))
