import numpy as np
import pytest
from honed.kernels._native import KernelError, isa_levels
from honed.kernels.packing import pack_conv_u8s8

from tests.kernels import conv_checks as check
from tests.kernels.conv_cases import CASES, WIDE, WITH_RESIDUAL, Conv

KIND = ("conv_u8s8", pack_conv_u8s8)


@pytest.mark.parametrize("isa", isa_levels())
@pytest.mark.parametrize("conv", CASES + WIDE, ids=str)
def test_bits_are_those_of_exact_integers(conv, isa):
    check.check_bits(*KIND, conv, isa)


@pytest.mark.parametrize("isa", isa_levels())
def test_residual_has_the_bits_of_add_after_convolution(isa):
    check.check_residual(*KIND, WITH_RESIDUAL, isa)


@pytest.mark.parametrize("isa", isa_levels())
def test_float_output(isa):
    check.check_float_output(*KIND, WITH_RESIDUAL, isa)


def test_weights_of_the_wrong_size_are_refused():
    conv = Conv()
    _, w, init, scale, offset = check.int8_operands(conv)
    with pytest.raises(KernelError, match="constant 0 has 576 elements of s8, expected 1152 of s8"):
        Conv(out_channels=16).operator("conv_u8s8", [*pack_conv_u8s8(w), init, scale, offset], None, dtype="u8")


def test_weights_outside_s8_are_refused():
    with pytest.raises(ValueError, match="expected -128 to 127"):
        pack_conv_u8s8(np.full((1, 1, 1, 1), 128))
