import numpy as np
import pytest
from honed.kernels._native import Operator, TensorSpec, isa_levels
from honed.kernels.packing import pack_depthwise_f32

from tests.kernels import conv_checks as check
from tests.kernels.conv_cases import DEPTHWISE, Conv

KIND = ("depthwise_f32", pack_depthwise_f32)


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
@pytest.mark.parametrize(
    "conv",
    [
        Conv(in_channels=4, out_channels=4, group=4, height=14, width=14, batch=2),
        Conv(in_channels=3, out_channels=6, group=3, height=7, width=7),
        Conv(in_channels=2, out_channels=2, group=2, height=20, width=37),
        Conv(in_channels=2, out_channels=2, group=2, pad_left=2, pad_right=0, height=9, width=9),
        Conv(in_channels=2, out_channels=2, group=2, kernel_h=5, kernel_w=5, pad_top=2, pad_left=2, pad_bottom=2, pad_right=2, width=11),
    ],
    ids=str,
)
def test_planes_without_gap_columns(conv, isa):
    operands = x, w, bias = check.float_operands(conv)
    x[0, 0, 3, 2] = np.inf  # a tap outside of the row is 0, whatever lies there
    planes = [TensorSpec("f32", True, rows, 0, 0) for rows in (conv.pad_top, 0)]
    op = Operator("depthwise_f32", planes[:1], planes[1:], conv.attrs, [*pack_depthwise_f32(w), bias], isa)
    np.testing.assert_array_equal(op.run([x])[0], check.run_float("depthwise_f32", pack_depthwise_f32, conv, operands, "scalar"))
