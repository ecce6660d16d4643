import pytest
from honed.kernels._native import isa_levels
from honed.kernels.packing import pack_depthwise_f32

from tests.kernels import conv_checks as check
from tests.kernels.conv_cases import DEPTHWISE

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
