from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from honed.kernels._native import KernelError, has_code, isa_levels
from honed.kernels.packing import pack_sparse_conv_f32, unpack_lists

from tests.kernels import conv_checks as check
from tests.kernels.conv_cases import CASES, POINTWISE, WIDE, WITH_RESIDUAL, Conv

KIND = ("sparse_conv_f32", pack_sparse_conv_f32)


@dataclass(frozen=True)
class WithoutColumns(Conv):
    """Planes whose rows follow each other without a gap, or with as narrow a one as x and y of one row stride can have."""

    @property
    def gaps(self):
        change = self.pad_left + self.pad_right - self.extent_w
        cols = max(change, 0) + self.extra_cols
        return (max(self.pad_top, self.pad_bottom) + self.extra_rows, cols), (self.extra_rows, cols - change)


MANY_CHUNKS = [*WIDE, Conv(in_channels=90, out_channels=44, height=14, width=14), Conv(in_channels=70, out_channels=40, group=2)]
WITHOUT_COLUMNS = [
    WithoutColumns(in_channels=20, out_channels=33, height=7, width=7),
    WithoutColumns(in_channels=5, out_channels=7, height=14, width=14, batch=2),
    WithoutColumns(kernel_w=7, pad_left=3, pad_right=3, height=5, width=4),
    WithoutColumns(kernel_w=5, dilation_w=3, pad_left=6, pad_right=4, height=9, width=33, extra_cols=1),
]

# Planes large enough for code that is written at run time; many channels make several functions, and weights beyond an instruction's reach.
WRITTEN = [
    Conv(in_channels=40, out_channels=61, height=14, width=14, **POINTWISE),
    Conv(in_channels=5, out_channels=29, height=3, width=50, batch=3),
    Conv(in_channels=6, out_channels=7, height=40, width=5, kernel_h=5, pad_top=2, pad_bottom=1),
    Conv(in_channels=12, out_channels=30, group=3, height=13, width=17, extra_rows=1, extra_cols=2),
    Conv(in_channels=3, out_channels=64, height=38, width=30, kernel_h=7, kernel_w=7, stride_h=2, stride_w=2, pad_top=3, pad_left=3),
    WithoutColumns(in_channels=70, out_channels=33, height=14, width=14),
    WithoutColumns(in_channels=4, out_channels=9, height=12, width=33, kernel_w=5, dilation_w=3, pad_left=6, pad_right=4),
    WithoutColumns(in_channels=4, out_channels=9, height=20, width=19, kernel_w=7, pad_left=3, pad_right=3),
]


@pytest.mark.parametrize("isa", isa_levels())
@pytest.mark.parametrize("conv", CASES, ids=str)
def test_sums_are_within_their_bound(conv, isa):
    for sparsity, block in [(0.0, 1), (0.5, 2), (0.9, 4), (1.0, 1), (0.8, 1)]:
        check.check_bound(*KIND, conv, isa, sparsity, block)


@pytest.mark.parametrize("isa", isa_levels())
@pytest.mark.parametrize("conv", [*MANY_CHUNKS, *WITHOUT_COLUMNS, *WRITTEN], ids=str)
def test_sums_over_several_chunks_and_planes_without_gap_columns(conv, isa):
    for sparsity, block in [(0.5, 2), (0.9, 4), (0.85, 1)]:
        check.check_bound(*KIND, conv, isa, sparsity, block)


@pytest.mark.parametrize("conv", [*CASES, *MANY_CHUNKS, *WITHOUT_COLUMNS, *WRITTEN], ids=str)
def test_variants_agree_to_the_bit(conv):
    for sparsity in (0.0, 0.6, 0.97):
        check.check_variants_agree(*KIND, conv, isa_levels(), sparsity)


def code_maps():
    """Of this process, the executable pieces of memory that are no file's."""
    maps = [line.split() for line in Path("/proc/self/maps").read_text().splitlines()]
    return [fields[0] for fields in maps if "x" in fields[1] and len(fields) == 5]


@pytest.mark.skipif(not has_code(), reason="kernels cannot be written at run time here")
def test_code_is_written_where_it_pays_and_never_writable():
    def maps_of(isa, sparsity=0.9, **shape):
        conv = Conv(in_channels=256, out_channels=256, **shape, **POINTWISE)
        x, w, bias = check.float_operands(conv, sparsity)
        op = conv.operator("sparse_conv_f32", [*pack_sparse_conv_f32(w), bias], isa, dtype="f32")
        op.run([x])
        assert "rwx" not in Path("/proc/self/maps").read_text()
        return len(code_maps())

    before = len(code_maps())
    assert maps_of("avx512vnni", height=28, width=28) == before + 1
    assert maps_of("avx512vnni", height=7, width=7) == before
    assert maps_of("avx512vnni", height=28, width=28, sparsity=0.1) == before
    assert maps_of("avx512", height=28, width=28) == before
    assert len(code_maps()) == before


@pytest.mark.parametrize("isa", isa_levels())
def test_infinities_and_nans_spread_alike(isa):
    """A kept weight of 0 among them: lists of several channels have such."""
    conv = Conv(in_channels=20, out_channels=8, height=16, width=16)
    x, w, bias = check.float_operands(conv, 0.5, 2)
    x[0, 3, 4, 5], x[0, 7, 0, 0], x[0, 9, 15, 15] = np.inf, np.nan, -np.inf
    operands = (x, w, bias)
    expected = check.run_float(*KIND, conv, operands, "scalar")
    np.testing.assert_array_equal(check.run_float(*KIND, conv, operands, isa), expected)
    clamped = check.run_float(*KIND, conv, operands, "scalar", clamp_lo=0.0, clamp_hi=6.0)
    np.testing.assert_array_equal(check.run_float(*KIND, conv, operands, isa, clamp_lo=0.0, clamp_hi=6.0), clamped)


@pytest.mark.parametrize("isa", isa_levels())
def test_residual_and_clamp(isa):
    check.check_float_residual(*KIND, WITH_RESIDUAL, isa)


@pytest.mark.parametrize("isa", isa_levels())
@pytest.mark.parametrize("conv", [WITH_RESIDUAL], ids=str)
def test_gates(conv, isa):
    check.check_float_gates(*KIND, conv, isa)


def test_lists_lose_nothing():
    conv = Conv(in_channels=12, out_channels=14, group=2)
    w = check.float_operands(conv, 0.7)[1]
    np.testing.assert_array_equal(unpack_lists(pack_sparse_conv_f32(w, group=2), conv.weight_shape, 2), w)


def test_weights_of_the_wrong_type_are_refused():
    conv = Conv()
    _, w, bias = check.float_operands(conv, 0.5)
    lists, ids, weights = pack_sparse_conv_f32(w)
    with pytest.raises(KernelError, match="weights f32"):
        conv.operator("sparse_conv_f32", [lists, ids, weights.astype(np.int8), bias], None, dtype="f32")


@pytest.mark.parametrize("dtype", [np.uint16, np.int32])
@pytest.mark.parametrize(
    ("entry", "value", "message"),
    [(0, 70, "do not ascend"), (1, "before", "do not ascend"), (-1, 60000, "names the tap 60000"), (-1, 0, "do not ascend")],
)
def test_taps_that_do_not_ascend_are_refused(entry, value, message, dtype):
    conv = Conv(in_channels=8, out_channels=5)
    _, w, bias = check.float_operands(conv, 0.3)
    lists, ids, weights = pack_sparse_conv_f32(w)
    ids = ids.astype(dtype)
    conv.operator("sparse_conv_f32", [lists, ids, weights, bias], None, dtype="f32")
    ids[entry] = ids[entry - 1] if value == "before" else value
    with pytest.raises(KernelError, match=message):
        conv.operator("sparse_conv_f32", [lists, ids, weights, bias], None, dtype="f32")
