from dataclasses import replace

import numpy as np
import pytest
from honed.kernels._native import KernelError, isa_levels
from honed.kernels.packing import pack_conv_u8s8

from tests.kernels import conv_checks as check
from tests.kernels.conv_cases import CASES, POINTWISE, WIDE, WITH_RESIDUAL, Conv

KIND = ("conv_u8s8", pack_conv_u8s8)
ROWS = (4, 32)
"""Pixels in the lanes, and output channels."""
NARROW = [
    Conv(in_channels=9, out_channels=40, height=height, width=width, batch=2, **kind)
    for height, width in ((1, 1), (5, 1), (4, 3), (3, 8), (14, 10), (28, 56))
    for kind in ({}, POINTWISE)
]


@pytest.mark.parametrize("isa", isa_levels())
@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("conv", CASES + WIDE + NARROW, ids=str)
def test_bits_are_those_of_exact_integers(conv, rows, isa):
    check.check_bits(*KIND, replace(conv, rows=rows), isa)


@pytest.mark.parametrize("isa", isa_levels())
@pytest.mark.parametrize("rows", ROWS)
def test_residual_has_the_bits_of_add_after_convolution(rows, isa):
    check.check_residual(*KIND, replace(WITH_RESIDUAL, rows=rows), isa)


@pytest.mark.parametrize("isa", isa_levels())
@pytest.mark.parametrize("rows", ROWS)
def test_float_output(rows, isa):
    check.check_float_output(*KIND, replace(WITH_RESIDUAL, rows=rows), isa)


@pytest.mark.parametrize("isa", isa_levels())
@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("conv", [WITH_RESIDUAL, NARROW[5], NARROW[9], WIDE[0]], ids=str)
def test_gates(conv, rows, isa):
    check.check_gates(*KIND, replace(conv, rows=rows), isa)


@pytest.mark.parametrize("isa", isa_levels()[1:])
@pytest.mark.parametrize("channels", [130, 384, 388])
def test_planes_that_are_cut_into_bands(channels, isa):
    conv = Conv(in_channels=channels, out_channels=33, height=30, width=56, extra_rows=3, **POINTWISE)
    for rows in ROWS:
        check.check_bits(*KIND, replace(conv, rows=rows), isa)


@pytest.mark.parametrize("isa", isa_levels())
@pytest.mark.parametrize("pads", [POINTWISE, {"kernel_h": 1, "kernel_w": 1}], ids=["", "padded"])
def test_kernels_of_one_tap(pads, isa):
    conv = Conv(in_channels=21, out_channels=18, group=3, height=9, width=15, batch=2, **pads)
    check.check_bits(*KIND, conv, isa)
    check.check_float_output(*KIND, conv, isa)
    check.check_residual(*KIND, replace(WITH_RESIDUAL, **POINTWISE), isa)


@pytest.mark.parametrize("isa", isa_levels())
@pytest.mark.parametrize(
    "conv", [Conv(in_channels=14, out_channels=10, group=2, width=40), Conv(18, 13, height=9, width=40, **POINTWISE)], ids=str
)
@pytest.mark.parametrize("edges", [(127, 1, 2, -127, -1, -2, 0), (64, 65, -64, -65), (127, -128, 126), (63, 64, 0, -128)], ids=str)
def test_no_sum_of_a_pair_of_products_saturates(edges, conv, isa):
    """Pixels of 255, and pairs of weights whose magnitudes sum to 128, to 129, and to the most there is."""
    rng = np.random.default_rng(5)
    x = rng.choice([0, 254, 255, 255, 255], (conv.batch, conv.in_channels, conv.height, conv.width)).astype(np.uint8)
    w, init = rng.choice(edges, conv.weight_shape), rng.integers(-9, 9, conv.out_channels).astype(np.int32)
    operands = (x, w, init, np.ones(conv.out_channels, np.float32), np.zeros(conv.out_channels, np.float32))
    exact = check.sums(conv, operands)
    assert np.abs(exact).max() < 2**24  # floats hold it
    for rows in ROWS:
        np.testing.assert_array_equal(check.run_int8(*KIND, replace(conv, rows=rows), operands, isa, 3, out_dtype="f32"), exact)


def test_gates_are_checked():
    operands = check.int8_operands(WITH_RESIDUAL)
    with pytest.raises(KernelError, match="gate"):
        check.run_int8(*KIND, WITH_RESIDUAL, operands, None, gate=3)
    for wrong in ({"gate": 2, "gate_scale": -0.1}, {"gate": 2, "gate_scale": np.inf}, {"gate": 1, "gate_offset": np.nan}):
        with pytest.raises(KernelError, match="a gate's scale is"):
            check.run_int8(*KIND, WITH_RESIDUAL, operands, None, **wrong)
    residual = np.zeros(WITH_RESIDUAL.output_shape, np.uint8)
    with pytest.raises(KernelError, match="a gate and a residual"):
        check.run_int8(*KIND, WITH_RESIDUAL, operands, None, residual=residual, residual_zero_point=5, gate=1)


@pytest.mark.parametrize("rows", [0, 8, 33])
def test_other_blocks_of_weights_are_refused(rows):
    conv = Conv(rows=rows)
    _, w, init, scale, offset = check.int8_operands(conv)
    with pytest.raises(KernelError, match=f"attribute rows is {rows}, expected"):
        conv.operator("conv_u8s8", [*pack_conv_u8s8(w), init, scale, offset], None, dtype="u8")


def test_weights_of_the_wrong_size_are_refused():
    conv = Conv()
    _, w, init, scale, offset = check.int8_operands(conv)
    with pytest.raises(KernelError, match="constant 0 has 576 elements of s8, expected 1152 of s8"):
        Conv(out_channels=16).operator("conv_u8s8", [*pack_conv_u8s8(w), init, scale, offset], None, dtype="u8")


def test_weights_outside_s8_are_refused():
    with pytest.raises(ValueError, match="expected -128 to 127"):
        pack_conv_u8s8(np.full((1, 1, 1, 1), 128))
