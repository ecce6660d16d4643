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


def test_gates_are_checked():
    operands = check.int8_operands(WITH_RESIDUAL)
    with pytest.raises(KernelError, match="gate"):
        check.run_int8(*KIND, WITH_RESIDUAL, operands, None, gate=3)
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
