"""gemm_f32 and gemm_u8s8: every variant against NumPy in wider types, and against each other bit by bit."""

import numpy as np
import pytest
from honed.kernels import packing
from honed.kernels._native import KernelError, Operator, TensorSpec, isa_levels
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernels.conv_checks import gated

F32, U8 = TensorSpec("f32"), TensorSpec("u8", zero_point=7)
SHAPES = [
    (1, 1, 1),
    (1, 10, 256),
    (1, 65, 7),
    (1, 64, 33),
    (2, 48, 5),
    (3, 17, 64),
    (5, 130, 31),
    (6, 64, 8),
    (7, 63, 9),
    (13, 100, 50),
    (97, 70, 3),
]


def f32_case(m: int, n: int, k: int, seed: int = 0) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng([seed, m, n, k])
    return tuple(rng.standard_normal(shape).astype(np.float32) for shape in [(m, k), (n, k), (n,)])


def gemm_f32(x: np.ndarray, w: np.ndarray, bias: np.ndarray, isa: str | None = None, splits: int = 1, **attrs: float) -> np.ndarray:
    op = Operator("gemm_f32", [F32], [F32], {"n": w.shape[0], "k": w.shape[1], **attrs}, [*packing.pack_gemm_f32(w), bias], isa)
    return op.run([x], splits)[0]


@pytest.mark.parametrize("isa", isa_levels())
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_gemm_f32_is_within_the_rounding_of_k_fused_multiply_adds(shape: tuple[int, int, int], isa: str) -> None:
    x, w, bias = f32_case(*shape)
    exact = x.astype(np.float64) @ w.T.astype(np.float64) + bias
    bound = (shape[2] + 1) * 2.0**-24 * (abs(x).astype(np.float64) @ abs(w.T) + abs(bias))
    assert (abs(gemm_f32(x, w, bias, isa) - exact) <= bound).all()


@pytest.mark.parametrize("isa", isa_levels())
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_gemm_f32_has_the_same_bits_in_every_variant_and_split(shape: tuple[int, int, int], isa: str) -> None:
    x, w, bias = f32_case(*shape)
    np.testing.assert_array_equal(gemm_f32(x, w, bias, isa, splits=3), gemm_f32(x, w, bias, "scalar"))


@pytest.mark.parametrize("isa", isa_levels())
def test_gemm_f32_clamps_and_lets_nan_pass(isa: str) -> None:
    x, w, bias = f32_case(3, 20, 6)
    x[1, 2] = np.nan
    plain, clamped = gemm_f32(x, w, bias, isa), gemm_f32(x, w, bias, isa, clamp_lo=0.0, clamp_hi=1.5)
    assert np.isnan(clamped[1]).all()
    np.testing.assert_array_equal(clamped, np.clip(plain, 0, 1.5))


@pytest.mark.parametrize("isa", isa_levels())
def test_gemm_keeps_leading_dimensions_and_takes_any_number_of_rows(isa: str) -> None:
    x, w, bias = f32_case(12, 5, 4)
    op = Operator("gemm_f32", [F32], [F32], {"n": 5, "k": 4}, [*packing.pack_gemm_f32(w), bias], isa)
    flat = op.run([x])[0]
    np.testing.assert_array_equal(op.run([x.reshape(2, 3, 2, 4)])[0], flat.reshape(2, 3, 2, 5))
    np.testing.assert_array_equal(op.run([x[0]])[0], flat[0])
    assert op.run([x[:0]])[0].shape == (0, 5)


def u8s8_case(m: int, n: int, k: int, low: int = -128, high: int = 127, seed: int = 0) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng([seed, m, n, k])
    x = rng.integers(0, 256, (m, k), np.uint8)
    w = rng.integers(low, high, (n, k), np.int16, endpoint=True)
    init = rng.integers(-(10**6), 10**6, n, np.int32)
    scale = (rng.random(n) / (40 * np.sqrt(k))).astype(np.float32)
    return x, w, init, scale, (rng.random(n) * 128).astype(np.float32)


def gemm_u8s8(case: tuple[np.ndarray, ...], isa: str | None, out: TensorSpec, splits: int = 1, **attrs: float) -> np.ndarray:
    x, w, *consts = case
    op = Operator("gemm_u8s8", [U8], [out], {"n": w.shape[0], "k": w.shape[1], **attrs}, [*packing.pack_gemm_u8s8(w), *consts], isa)
    return op.run([x], splits)[0]


def expected_u8s8(case: tuple[np.ndarray, ...], lo: float, hi: float) -> np.ndarray:
    """The clamped values before rounding, each with one rounding to f32: the product and the sum are exact in 64 bits of mantissa."""
    x, w, init, scale, offset = case
    acc = (x.astype(np.int64) @ w.T.astype(np.int64) + init).astype(np.int32).astype(np.float32)
    return np.clip((acc.astype(np.longdouble) * scale + offset).astype(np.float32), np.float32(lo), np.float32(hi))


@pytest.mark.parametrize("isa", isa_levels())
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_gemm_u8s8_is_exact(shape: tuple[int, int, int], isa: str) -> None:
    case = u8s8_case(*shape)
    expected = expected_u8s8(case, 0, 255)
    np.testing.assert_array_equal(gemm_u8s8(case, isa, U8, splits=3), np.rint(expected).astype(np.uint8))
    np.testing.assert_array_equal(gemm_u8s8(case, isa, F32), expected_u8s8(case, -np.inf, np.inf))


@pytest.mark.parametrize("isa", isa_levels())
def test_gemm_u8s8_saturates_nowhere_on_the_way(isa: str) -> None:
    x, w, init, scale, offset = u8s8_case(3, 33, 70)
    x[:], w[::2], w[1::2] = 255, 127, -128
    case = (x, w, init, scale, offset)
    np.testing.assert_array_equal(gemm_u8s8(case, isa, F32), expected_u8s8(case, -np.inf, np.inf))


@pytest.mark.parametrize("isa", isa_levels())
@pytest.mark.parametrize("limit", [128, 255, 510])
def test_gemm_u8s8_takes_weights_beyond_s8(isa: str, limit: int) -> None:
    case = u8s8_case(5, 50, 21, -limit, limit)
    case[1][0, :2] = -limit, limit
    np.testing.assert_array_equal(gemm_u8s8(case, isa, F32), expected_u8s8(case, -np.inf, np.inf))


@pytest.mark.parametrize("isa", isa_levels())
def test_gemm_u8s8_clamps_before_it_rounds(isa: str) -> None:
    case = u8s8_case(4, 20, 16)
    expected = np.rint(expected_u8s8(case, 20.5, 99.5)).astype(np.uint8)
    np.testing.assert_array_equal(gemm_u8s8(case, isa, U8, clamp_lo=20.5, clamp_hi=99.5), expected)


@pytest.mark.parametrize("isa", isa_levels())
@pytest.mark.parametrize("shape", [(1, 65, 7), (7, 63, 9)], ids=str)
def test_gemm_u8s8_multiplies_with_a_gate(shape: tuple[int, int, int], isa: str) -> None:
    x, w, init, scale, offset = u8s8_case(*shape)
    case = (x, w, init - np.median(init).astype(np.int32), scale, offset - np.float32(64))
    t = expected_u8s8(case, -np.inf, np.inf)
    for attrs in ({"gate": 1, "gate_scale": 0.02, "gate_offset": 0.5}, {"gate": 2, "gate_scale": 0.07}):
        real, wanted = gemm_u8s8(case, isa, F32, **attrs), gated(t, int(attrs["gate"]), attrs["gate_scale"], attrs.get("gate_offset", 0.0))
        assert (np.abs(real - wanted) <= (0 if attrs["gate"] == 1 else 1.5e-7 * np.abs(t))).all()
        np.testing.assert_array_equal(real, gemm_u8s8(case, "scalar", F32, **attrs))
        quantized = gemm_u8s8(case, isa, U8, clamp_lo=2.0, clamp_hi=90.0, zero_point=11, **attrs)
        np.testing.assert_array_equal(quantized, np.rint(np.clip(real, -9, 79)) + 11)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(m=st.integers(1, 14), n=st.integers(1, 140), k=st.integers(1, 70), splits=st.integers(1, 4), isa=st.sampled_from(isa_levels()))
def test_gemm_of_any_shape(m: int, n: int, k: int, splits: int, isa: str) -> None:
    case = u8s8_case(m, n, k)
    np.testing.assert_array_equal(gemm_u8s8(case, isa, F32, splits), expected_u8s8(case, -np.inf, np.inf))
    x, w, bias = f32_case(m, n, k)
    np.testing.assert_array_equal(gemm_f32(x, w, bias, isa, splits), gemm_f32(x, w, bias, "scalar"))


def test_variants_are_chosen_by_instruction_set() -> None:
    _, w, bias = f32_case(1, 16, 4)
    for isa in isa_levels():
        op = Operator("gemm_f32", [F32], [F32], {"n": 16, "k": 4}, [*packing.pack_gemm_f32(w), bias], isa)
        assert op.kernel_name.endswith("__avx512" if isa == "avx512vnni" else f"__{isa}")
        consts = [*packing.pack_gemm_u8s8(np.ones((16, 4), np.int8)), np.zeros(16, np.int32), bias, bias]
        assert Operator("gemm_u8s8", [U8], [U8], {"n": 16, "k": 4}, consts, isa).kernel_name.endswith(f"__{isa}")


def test_gemm_refuses_what_does_not_fit() -> None:
    x, w, bias = f32_case(2, 20, 6)
    packed, init = packing.pack_gemm_f32(w)[0], np.zeros(20, np.int32)
    with pytest.raises(KernelError, match="constant 0 has 192 elements of f32, expected 96"):
        Operator("gemm_f32", [F32], [F32], {"n": 16, "k": 6}, [packed, bias])
    with pytest.raises(KernelError, match="attribute n is 0"):
        Operator("gemm_f32", [F32], [F32], {"k": 6}, [packed, bias])
    with pytest.raises(KernelError, match="clamp_lo and clamp_hi are 2 and 1"):
        Operator("gemm_f32", [F32], [F32], {"n": 20, "k": 6, "clamp_lo": 2.0, "clamp_hi": 1.0}, [packed, bias])
    with pytest.raises(KernelError, match=r"f32 dense \[2,5\]: expected a last dimension of 6"):
        Operator("gemm_f32", [F32], [F32], {"n": 20, "k": 6}, [packed, bias]).run([x[:, :5]])
    with pytest.raises(KernelError, match="f32 to f32: expected dense u8"):
        Operator("gemm_u8s8", [F32], [F32], {"n": 20, "k": 6})
    with pytest.raises(KernelError, match="multiple of 256"):
        Operator("gemm_u8s8", [U8], [F32], {"n": 20, "k": 6}, [np.zeros(100, np.int8)])
    with pytest.raises(KernelError, match=r"within \[0, 255\]"):
        Operator(
            "gemm_u8s8", [U8], [U8], {"n": 20, "k": 6, "clamp_hi": 300.0}, [*packing.pack_gemm_u8s8(w.astype(np.int8)), init, bias, bias]
        )


def test_packers_refuse_weights_that_they_would_change() -> None:
    with pytest.raises(ValueError, match=r"expected \[N, K\]"):
        packing.pack_gemm_f32(np.zeros(3, np.float32))
    with pytest.raises(ValueError, match="expected integers"):
        packing.pack_gemm_u8s8(np.zeros((2, 2), np.float32))
    with pytest.raises(ValueError, match="reach 511"):
        packing.pack_gemm_u8s8(np.array([[0, 511]]))
