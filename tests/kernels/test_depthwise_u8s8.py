import numpy as np
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


@pytest.mark.parametrize("isa", isa_levels())
@pytest.mark.parametrize("edges", [(127, 1, 2, -127, -1, -2, 0), (64, 65, -64, -65), (127, -128, 126), (63, 64, 0, -128)], ids=str)
def test_no_sum_of_a_pair_of_products_saturates(edges, isa):
    """Pixels of 255, and weights whose magnitudes sum to 128, to 129, and to the most there is; of 3, 4 and 5 taps in a row."""
    rng = np.random.default_rng(5)
    for taps in (3, 4, 5):
        conv = Conv(in_channels=24, out_channels=24, group=24, kernel_h=3, kernel_w=taps, width=40)
        x = rng.choice([0, 254, 255, 255, 255], (1, 24, conv.height, conv.width)).astype(np.uint8)
        w, init = rng.choice(edges, conv.weight_shape), rng.integers(-9, 9, 24).astype(np.int32)
        operands = (x, w, init, np.ones(24, np.float32), np.zeros(24, np.float32))
        np.testing.assert_array_equal(check.run_int8(*KIND, conv, operands, isa, 3, out_dtype="f32"), check.sums(conv, operands))
