import numpy as np
import pytest

from tests.kernels.conv_cases import CASES, Conv, exact
from honed.kernels._native import KernelError, isa_levels
from honed.kernels.packing import pack_sparse_conv_f32, unpack_lists

SPARSITIES = [0.0, 0.5, 0.9, 1.0]


def make(conv: Conv, sparsity: float, block: int = 1):
    rng = np.random.default_rng(7)
    keep = np.repeat(rng.random((-(-conv.out_channels // block), *conv.weight_shape[1:])) >= sparsity, block, 0)[: conv.out_channels]
    w = (rng.standard_normal(conv.weight_shape) * keep).astype(np.float32)
    x = rng.standard_normal((conv.batch, conv.in_channels, conv.height, conv.width)).astype(np.float32)
    return x, w, rng.standard_normal(conv.out_channels).astype(np.float32)


def run(conv, w, x, bias, isa, splits=1, residual=None, **attrs):
    op = conv.operator("sparse_conv_f32", [*pack_sparse_conv_f32(w, group=conv.group), bias], isa, dtype="f32",
                       residual_zero_point=None if residual is None else 0, **attrs)
    return op.run([conv.operator_input(x)] + ([] if residual is None else [residual]), splits)[0]


def bound(conv, x, w, bias):
    """k * eps * sum |w * x|: every fused multiply-add rounds once."""
    terms = np.prod(conv.weight_shape[1:]) + 2
    return terms * np.finfo(np.float32).eps * (exact(conv, np.abs(x), np.abs(w)) + np.abs(bias).reshape(1, -1, 1, 1) + 1)


@pytest.mark.parametrize("isa", isa_levels())
@pytest.mark.parametrize("conv", CASES, ids=str)
def test_sums_are_within_their_bound(conv, isa):
    for i, sparsity in enumerate(SPARSITIES):
        x, w, bias = make(conv, sparsity, block=[1, 2, 4, 1][i])
        expected = exact(conv, x, w) + bias.reshape(1, -1, 1, 1)
        for splits in (1, 3):
            assert (np.abs(run(conv, w, x, bias, isa, splits) - expected) <= bound(conv, x, w, bias)).all()


@pytest.mark.parametrize("conv", CASES, ids=str)
def test_variants_agree_to_the_bit(conv):
    x, w, bias = make(conv, 0.6)
    first, *others = [run(conv, w, x, bias, isa) for isa in isa_levels()]
    for other in others:
        np.testing.assert_array_equal(other, first)


@pytest.mark.parametrize("isa", isa_levels())
def test_residual_and_clamp(isa):
    conv = Conv(in_channels=9, out_channels=6, height=15, width=14, batch=2)
    x, w, bias = make(conv, 0.5)
    residual = np.random.default_rng(3).standard_normal(conv.output_shape).astype(np.float32)
    expected = np.clip(run(conv, w, x, bias, isa) + residual, np.float32(-0.25), np.float32(1.5))
    actual = run(conv, w, x, bias, isa, residual=residual, clamp_lo=-0.25, clamp_hi=1.5)
    np.testing.assert_array_equal(actual, expected)


def test_lists_lose_nothing():
    conv = Conv(in_channels=12, out_channels=14, group=2)
    w = make(conv, 0.7)[1]
    np.testing.assert_array_equal(unpack_lists(pack_sparse_conv_f32(w, group=2), conv.weight_shape, 2), w)


def test_weights_of_the_wrong_type_are_refused():
    conv = Conv()
    _, w, bias = make(conv, 0.5)
    lists, ids, weights = pack_sparse_conv_f32(w)
    with pytest.raises(KernelError, match="weights f32"):
        conv.operator("sparse_conv_f32", [lists, ids, weights.astype(np.int8), bias], None, dtype="f32")
