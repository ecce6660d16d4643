from dataclasses import dataclass

import numpy as np
import pytest
from honed.kernels._native import KernelError, isa_levels
from honed.kernels.packing import pack_sparse_conv_f32, unpack_lists

from tests.kernels import conv_checks as check
from tests.kernels.conv_cases import CASES, WIDE, WITH_RESIDUAL, Conv

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


@pytest.mark.parametrize("isa", isa_levels())
@pytest.mark.parametrize("conv", CASES, ids=str)
def test_sums_are_within_their_bound(conv, isa):
    for sparsity, block in [(0.0, 1), (0.5, 2), (0.9, 4), (1.0, 1), (0.8, 1)]:
        check.check_bound(*KIND, conv, isa, sparsity, block)


@pytest.mark.parametrize("isa", isa_levels())
@pytest.mark.parametrize("conv", [*MANY_CHUNKS, *WITHOUT_COLUMNS], ids=str)
def test_sums_over_several_chunks_and_planes_without_gap_columns(conv, isa):
    for sparsity, block in [(0.5, 2), (0.9, 4), (0.85, 1)]:
        check.check_bound(*KIND, conv, isa, sparsity, block)


@pytest.mark.parametrize("conv", [*CASES, *MANY_CHUNKS, *WITHOUT_COLUMNS], ids=str)
def test_variants_agree_to_the_bit(conv):
    check.check_variants_agree(*KIND, conv, isa_levels(), 0.6)


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
