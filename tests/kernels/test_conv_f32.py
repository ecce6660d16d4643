import numpy as np
import pytest
from honed.kernels._native import KernelError, Operator, TensorSpec, isa_levels
from honed.kernels.packing import pack_conv_f32

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


POINTWISE_CASES = [
    Conv(in_channels=19, out_channels=height + 3, height=height, width=width, batch=2, **POINTWISE)
    for height, width in ((7, 7), (14, 14), (3, 6), (5, 10), (9, 11), (16, 16))
] + [Conv(in_channels=96, out_channels=9, height=31, width=60, **POINTWISE)]


@pytest.mark.parametrize("gaps", [(0, 3), (2, 0), (1, 1)], ids=str)
@pytest.mark.parametrize("isa", isa_levels())
@pytest.mark.parametrize("conv", POINTWISE_CASES, ids=str)
def test_pixels_beyond_whole_vectors_and_row_strides_of_a_pointwise_kernel(conv, isa, gaps):
    x, w, bias = check.float_operands(conv)
    residual = np.random.default_rng(3).standard_normal(conv.output_shape).astype(np.float32)
    source, out, other = (TensorSpec("f32", True, rows, cols, 0) for rows, cols in ((0, gaps[0]), (1, gaps[1]), (0, gaps[1])))
    op = Operator("conv_f32", [source, other], [out], conv.attrs | {"clamp_lo": -2.0}, [*pack_conv_f32(w), bias], isa)
    actual = op.run([x, residual], 3)[0]
    sums = check.run_float(*KIND, conv, (x, w, bias), "scalar")
    np.testing.assert_array_equal(actual, np.maximum(sums + residual, np.float32(-2)))


def test_gaps_smaller_than_the_pads_are_refused():
    conv = Conv(pad_left=2, pad_right=2, kernel_w=5)
    x, w, bias = check.float_operands(conv)
    narrow = Conv(pad_left=1, pad_right=1, kernel_w=3)
    op = narrow.operator("conv_f32", [*pack_conv_f32(w), bias], None, dtype="f32", kernel_w=5, pad_left=2, pad_right=2)
    with pytest.raises(KernelError, match="gaps of 1 rows and 1 columns, expected at least 1 and 2"):
        op.run([x])
