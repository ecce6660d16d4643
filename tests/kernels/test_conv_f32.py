from dataclasses import replace

import pytest
from honed.kernels._native import KernelError, isa_levels
from honed.kernels.packing import pack_conv_f32
from hypothesis import given, settings
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
