"""gemm_bf16: every variant against NumPy over numbers that ml_dtypes rounded, and against each other bit by bit."""

import numpy as np
import pytest
from honed.kernels import packing
from honed.kernels._native import KernelError, Operator, TensorSpec, isa_levels
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernels.bf16_cases import PRODUCT_ERROR, rounded
from tests.kernels.test_gemm import SHAPES, f32_case

F32 = TensorSpec("f32")
ISAS = pytest.mark.parametrize("isa", isa_levels())


def gemm(x: np.ndarray, w: np.ndarray, bias: np.ndarray, isa: str | None = None, splits: int = 1, **attrs: float) -> np.ndarray:
    op = Operator("gemm_bf16", [F32], [F32], {"n": w.shape[0], "k": w.shape[1], **attrs}, [*packing.pack_gemm_bf16(w), bias], isa)
    return op.run([x], splits)[0]


@ISAS
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_sums_of_rounded_numbers_are_within_their_bound(shape: tuple[int, int, int], isa: str) -> None:
    x, w, bias = f32_case(*shape)
    wide_x, wide_w = rounded(x).astype(np.float64), rounded(w).astype(np.float64)
    bound = (shape[2] + 1) * 2.0**-24 * (abs(wide_x) @ abs(wide_w.T) + abs(bias))
    assert (abs(gemm(x, w, bias, isa, splits=3) - (wide_x @ wide_w.T + bias)) <= bound).all()


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_sums_differ_from_exact_ones_by_the_rounding_of_the_factors(shape: tuple[int, int, int]) -> None:
    x, w, bias = f32_case(*shape)
    products = abs(x).astype(np.float64) @ abs(w.T)
    bound = PRODUCT_ERROR * products + (shape[2] + 1) * 2.0**-24 * ((1 + PRODUCT_ERROR) * products + abs(bias))
    error = abs(gemm(x, w, bias) - (x.astype(np.float64) @ w.T + bias))
    assert (error <= bound).all() and error.max() > 2.0**-14 * products.max()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(m=st.integers(1, 14), n=st.integers(1, 140), k=st.integers(1, 70), splits=st.integers(1, 4), scale=st.sampled_from([1.0, 1e-19]))
def test_variants_agree_to_the_bit(m: int, n: int, k: int, splits: int, scale: float) -> None:
    """With the small scale, products and sums are denormal numbers where they are not flushed."""
    x, w, bias = (a * np.float32(s) for a, s in zip(f32_case(m, n, k), (scale, scale, scale**2), strict=True))
    first, *others = [gemm(x, w, bias, isa, splits) for isa in isa_levels()]
    assert not ((abs(first) < 2.0**-126) & (first != 0)).any()
    for other in others:
        np.testing.assert_array_equal(other.view(np.uint32), first.view(np.uint32))


@ISAS
def test_values_that_are_not_finite_pass_the_clamp_and_a_missing_input_adds_nothing(isa: str) -> None:
    x, w, bias = f32_case(4, 20, 7)
    x[1, 2], x[2, 6], w[:, 6] = np.nan, np.inf, 1.0
    y = gemm(x, w, bias, isa, clamp_lo=-1.5, clamp_hi=1.5)
    plain = gemm(x[[0, 3]], w, bias, isa)
    assert np.isnan(y[1]).all() and (y[2] == 1.5).all()
    np.testing.assert_array_equal(y[[0, 3]], np.clip(plain, -1.5, 1.5))


@ISAS
def test_constants_that_are_denormal_numbers_are_zero(isa: str) -> None:
    x, w, bias = np.zeros((1, 2), np.float32), np.zeros((2, 2), np.float32), np.full(2, 1e-39, np.float32)
    assert (gemm(x, w, bias, isa) == 0).all()
    assert (gemm(x, w, bias, isa, clamp_lo=1e-39) == 0).all()


def test_weights_that_do_not_fit_are_refused() -> None:
    _, w, bias = f32_case(1, 16, 7)
    with pytest.raises(KernelError, match="constant 0 has 96 elements of u16, expected 128"):
        Operator("gemm_bf16", [F32], [F32], {"n": 16, "k": 7}, [packing.pack_gemm_bf16(w[:, :6])[0], bias])
