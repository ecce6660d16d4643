import pytest
from honed.kernels._native import KernelError, isa_levels
from honed.kernels.packing import pack_depthwise_u8s8

from tests.kernels import conv_checks as check
from tests.kernels.conv_cases import DEPTHWISE, Conv

KIND = ("depthwise_u8s8", pack_depthwise_u8s8)


@pytest.mark.parametrize("isa", isa_levels())
@pytest.mark.parametrize("conv", DEPTHWISE, ids=str)
def test_bits_are_those_of_exact_integers(conv, isa):
    check.check_bits(*KIND, conv, isa)


@pytest.mark.parametrize("isa", isa_levels())
@pytest.mark.parametrize("conv", DEPTHWISE[:3], ids=str)
def test_residual_has_the_bits_of_add_after_convolution(conv, isa):
    check.check_residual(*KIND, conv, isa)


@pytest.mark.parametrize("isa", isa_levels())
def test_float_output(isa):
    check.check_float_output(*KIND, DEPTHWISE[1], isa)


@pytest.mark.parametrize("isa", isa_levels())
def test_gates(isa):
    check.check_gates(*KIND, DEPTHWISE[1], isa)


def test_groups_of_several_channels_are_refused():
    conv = Conv(group=4)
    _, w, init, scale, offset = check.int8_operands(conv)
    with pytest.raises(KernelError, match="4 groups of 8 channels, expected one input channel per group"):
        conv.operator("depthwise_u8s8", [*pack_depthwise_u8s8(w), init, scale, offset], None, dtype="u8")
