import numpy as np
import pytest
from honed.kernels._native import KernelError, Operator, TensorSpec, isa_levels
from honed.kernels.packing import pack_conv_bf16, pack_conv_f32

from tests.kernels import conv_checks as check
from tests.kernels.bf16_cases import PRODUCT_ERROR, f32_of, rounded
from tests.kernels.conv_cases import CASES, POINTWISE, WIDE, WITH_RESIDUAL, Conv, exact

KIND = ("conv_bf16", pack_conv_bf16)
ISAS = pytest.mark.parametrize("isa", isa_levels())


@ISAS
@pytest.mark.parametrize("conv", CASES + WIDE, ids=str)
def test_sums_of_rounded_numbers_are_within_their_bound(conv, isa):
    check.check_bound(*KIND, conv, isa, rounded=rounded)


@pytest.mark.parametrize("conv", CASES + WIDE, ids=str)
def test_sums_differ_from_those_of_f32_by_the_rounding_of_the_factors(conv):
    x, w, bias = operands = check.float_operands(conv)
    products = exact(conv, np.abs(x), np.abs(w))
    summing = (np.prod(conv.weight_shape[1:]) + 1) * np.finfo(np.float32).eps * (products * (1 + PRODUCT_ERROR) + 4)
    expected = exact(conv, x, w) + bias.reshape(1, -1, 1, 1)
    error = np.abs(check.run_float(*KIND, conv, operands, None) - expected)
    assert (error <= PRODUCT_ERROR * products + summing).all()
    assert error.max() > 100 * np.abs(check.run_float("conv_f32", pack_conv_f32, conv, operands, None) - expected).max()


@pytest.mark.parametrize("conv", CASES + WIDE, ids=str)
def test_variants_agree_to_the_bit(conv):
    check.check_variants_agree(*KIND, conv, isa_levels())


@ISAS
def test_residual_and_clamp(isa):
    check.check_float_residual(*KIND, WITH_RESIDUAL, isa)


@ISAS
@pytest.mark.parametrize("conv", [WITH_RESIDUAL], ids=str)
def test_gates(conv, isa):
    check.check_float_gates(*KIND, conv, isa)


@ISAS
@pytest.mark.parametrize("gaps", [(0, 3), (2, 0), (1, 1), (0, 0)], ids=str)
@pytest.mark.parametrize("conv", check.POINTWISE_CASES, ids=str)
def test_pixels_beyond_whole_vectors_and_row_strides_of_a_pointwise_kernel(conv, isa, gaps):
    check.check_pointwise(*KIND, conv, isa, gaps)


def _pixels(x: np.ndarray, w: np.ndarray, bias: float, residual: np.ndarray, isa: str) -> np.ndarray:
    """One output channel of a 1x1 kernel; x and residual hold a pixel per column, x a channel per row."""
    planes, dense = TensorSpec("f32", True, 0, 0, 0), [a.reshape(1, -1, 1, x.shape[1]) for a in (x, residual)]
    attrs = {"in_channels": x.shape[0], "out_channels": 1, "kernel_h": 1, "kernel_w": 1}
    consts = [*pack_conv_bf16(w.reshape(1, -1, 1, 1)), np.array([bias], np.float32)]
    return Operator("conv_bf16", [planes, planes], [planes], attrs, consts, isa).run([np.ascontiguousarray(d) for d in dense])[0].ravel()


@ISAS
def test_denormal_numbers_are_zero_wherever_they_are(isa):
    tiny = np.float32(2**-126)
    #                 a pixel     a weight times it     a product       a bias and sum   a residual   all that is no denormal
    x = np.array([[tiny * 0.99], [2.0**100], [2.0**-70]], np.float32)
    w = np.array([2.0**100, tiny * 0.99, 2.0**-70], np.float32)
    zero = _pixels(np.repeat(x, 3, 1), w, float(tiny / 2), np.array([0, tiny / 2, -tiny], np.float32), isa)
    np.testing.assert_array_equal(zero, np.array([0, 0, -tiny], np.float32))
    # An exact sum of FLT_MIN - 2^-150: tiny in 24 bits, though the nearest denormal's neighbour is FLT_MIN.
    x, w = np.array([[2.0**-75], [0]], np.float32), np.array([-(2.0**-75), 0], np.float32)
    assert _pixels(x, w, float(tiny), np.zeros(1, np.float32), isa) == 0
    x[0] = 2.0**-76
    assert _pixels(x, w, float(tiny), np.zeros(1, np.float32), isa) == tiny


@ISAS
def test_a_pair_is_summed_up_with_its_second_channel_first(isa):
    # 2^24 + 1 is no f32: the bias loses a 1 that joins before the second channel has cancelled it.
    x, w = np.array([[1.0], [-(2.0**12)]], np.float32), np.array([1.0, 2.0**12], np.float32)
    np.testing.assert_array_equal(_pixels(x, w, 2.0**24, np.zeros(1, np.float32), isa), [1])
    np.testing.assert_array_equal(_pixels(x[::-1], w[::-1], 2.0**24, np.zeros(1, np.float32), isa), [0])


@ISAS
def test_values_that_are_not_finite(isa):
    """Of an odd number of channels: the channel that the last pair lacks adds nothing. NaN becomes the lower clamp."""
    inf, nan = np.inf, np.nan
    x = np.array([[1, inf, -inf, nan, 3.4e38, 1], [0, 0, 0, 0, 0, 0], [1, 1, inf, 1, 1, inf]], np.float32)
    y = _pixels(x, np.array([1, 1, 1], np.float32), 0.0, np.zeros(6, np.float32), isa)
    np.testing.assert_array_equal(y, np.array([2, inf, -inf, -inf, inf, inf], np.float32))


def test_conversion_of_activations_is_that_of_ml_dtypes():
    """A weight of 1 hands the converted pixel on. Denormal numbers are the exception: they become zero."""
    rng = np.random.default_rng(1)
    bits = np.concatenate([rng.integers(0, 2**32, 40000, np.uint64), np.arange(2**16, dtype=np.uint64) << 16 | 0x8000])
    x = f32_of(bits)
    x = x[~np.isnan(x)]
    expected = np.where(np.abs(x) < np.finfo(np.float32).tiny, np.float32(0), rounded(x))
    for isa in isa_levels():
        y = _pixels(np.stack([x, np.zeros_like(x)]), np.array([1, 0], np.float32), 0.0, np.zeros_like(x), isa)
        np.testing.assert_array_equal(y, expected)


def test_missing_weights_are_refused():
    conv = Conv(in_channels=5, **POINTWISE)
    _, w, bias = check.float_operands(conv)
    with pytest.raises(KernelError, match="constant 0"):
        conv.operator("conv_bf16", [pack_conv_bf16(w)[0][:, :, :-1], bias], None, dtype="f32")
