"""sparse_gemm_f32 and sparse_gemm_u8s8: every variant gives the bits of the dense products."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from honed.kernels import packing
from honed.kernels._native import KernelError, Operator, TensorSpec, isa_levels
from hypothesis import given, settings
from hypothesis import strategies as st

F32, U8 = TensorSpec("f32"), TensorSpec("u8")
SHAPES = [(1, 1, 1), (1, 130, 70), (2, 67, 33), (1, 70, 128), (2, 19, 517), (3, 17, 64), (16, 64, 20), (17, 66, 9), (40, 5, 31), (0, 4, 4)]
SPARSITIES = [0.0, 0.5, 0.9, 1.0]


def weights(n: int, k: int, sparsity: float, limit: int | None = None) -> np.ndarray:
    """f32, or integers up to a limit."""
    rng = np.random.default_rng([n, k, int(sparsity * 100)])
    w = rng.standard_normal((n, k)).astype(np.float32) if limit is None else rng.integers(-limit, limit, (n, k), np.int16, endpoint=True)
    w[rng.random((n, k)) < sparsity] = 0
    return w


def product(name: str, x: np.ndarray, w: np.ndarray, consts: list[np.ndarray], out: TensorSpec, isa: str | None, splits: int) -> np.ndarray:
    pack: Callable[[np.ndarray], list[np.ndarray]] = getattr(packing, f"pack_{name}")
    attrs = {"n": w.shape[0], "k": w.shape[1]}
    return Operator(name, [F32 if x.dtype == np.float32 else U8], [out], attrs, [*pack(w), *consts], isa).run([x], splits)[0]


def agree(m: int, n: int, k: int, sparsity: float, isa: str, splits: int) -> None:
    rng = np.random.default_rng(0)
    x, bias = rng.standard_normal((m, k)).astype(np.float32), rng.standard_normal(n).astype(np.float32)
    w = weights(n, k, sparsity)
    dense = product("gemm_f32", x, w, [bias], F32, "scalar", 1)
    np.testing.assert_array_equal(product("sparse_gemm_f32", x, w, [bias], F32, isa, splits), dense)
    x8, w8 = rng.integers(0, 256, (m, k), np.uint8), weights(n, k, sparsity, 510)
    consts = [rng.integers(-9999, 9999, n, np.int32), np.full(n, 1 / 300, np.float32), np.full(n, 101.5, np.float32)]
    for out in (F32, U8):
        dense = product("gemm_u8s8", x8, w8, consts, out, "scalar", 1)
        np.testing.assert_array_equal(product("sparse_gemm_u8s8", x8, w8, consts, out, isa, splits), dense)


@pytest.mark.parametrize("isa", isa_levels())
@pytest.mark.parametrize("sparsity", SPARSITIES)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_sparse_products_are_the_dense_ones(shape: tuple[int, int, int], sparsity: float, isa: str) -> None:
    agree(*shape, sparsity, isa, splits=3)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    m=st.integers(1, 35) | st.integers(1, 2),
    n=st.integers(1, 140),
    k=st.integers(1, 40) | st.integers(120, 400),
    sparsity=st.sampled_from(SPARSITIES),
    isa=st.sampled_from(isa_levels()),
    splits=st.integers(1, 4),
)
def test_sparse_products_of_any_shape(m: int, n: int, k: int, sparsity: float, isa: str, splits: int) -> None:
    agree(m, n, k, sparsity, isa, splits)


@pytest.mark.parametrize("isa", isa_levels())
def test_indices_beyond_16_bits(isa: str) -> None:
    w = np.zeros((2, 65537), np.float32)
    w[0, [3, 65536]] = 2, 3
    x = np.zeros((3, 65537), np.float32)
    x[:, [3, 65536]] = 1, 10
    assert packing.pack_sparse_gemm_f32(w)[1].dtype == np.int32
    assert product("sparse_gemm_f32", x, w, [np.zeros(2, np.float32)], F32, isa, 1).tolist() == [[32, 0]] * 3
    assert product("sparse_gemm_f32", x[:1], w, [np.zeros(2, np.float32)], F32, isa, 1).tolist() == [[32, 0]]


@pytest.mark.parametrize("isa", isa_levels())
@pytest.mark.parametrize("columns", [257, 65537])
def test_outputs_of_very_different_lengths(isa: str, columns: int) -> None:
    rng = np.random.default_rng(5)
    w = np.zeros((40, columns), np.int16)
    w[3] = rng.integers(-255, 255, columns)
    w[17, [0, columns - 1]] = 7, -300
    w[18:34, :200] = rng.integers(-9, 9, (16, 200))
    x = rng.integers(0, 256, (2, columns), np.uint8)
    consts = [np.zeros(40, np.int32), np.ones(40, np.float32), np.zeros(40, np.float32)]
    few = np.where(np.arange(columns) == 5, w, 0)
    np.testing.assert_array_equal(product("sparse_gemm_u8s8", x, few, consts, F32, isa, 1), (x.astype(np.int64) @ few.T).astype(np.float32))
    exact = (x.astype(np.int64) @ w.T).astype(np.float32)
    for rows in (x, x[:1]):
        np.testing.assert_array_equal(product("sparse_gemm_u8s8", rows, w, consts, F32, isa, 2), exact[: len(rows)])


@pytest.mark.parametrize("isa", isa_levels())
def test_sparse_gemm_clamps_and_lets_nan_pass(isa: str) -> None:
    w, bias = weights(20, 6, 0.3), np.zeros(20, np.float32)
    w[:, 2] = 1
    x = np.random.default_rng(0).standard_normal((5, 6)).astype(np.float32)
    x[1, 2] = np.nan
    attrs = {"n": 20, "k": 6, "clamp_lo": -0.5, "clamp_hi": 1.0}
    op = Operator("sparse_gemm_f32", [F32], [F32], attrs, [*packing.pack_sparse_gemm_f32(w), bias], isa)
    plain = product("gemm_f32", x, w, [bias], F32, None, 1)
    for rows in (x, x[:2]):
        np.testing.assert_array_equal(op.run([rows])[0], np.clip(plain, -0.5, 1)[: len(rows)])


def test_kernels_are_chosen_by_instruction_set() -> None:
    for isa in isa_levels():
        consts = [*packing.pack_sparse_gemm_f32(np.eye(4, dtype=np.float32)), np.zeros(4, np.float32)]
        op = Operator("sparse_gemm_f32", [F32], [F32], {"n": 4, "k": 4}, consts, isa)
        assert op.kernel_name == "honed_sparse_gemm_f32__" + ("avx512" if isa == "avx512vnni" else isa)
        consts = [*packing.pack_sparse_gemm_u8s8(np.eye(4, dtype=np.int8)), np.zeros(4, np.int32), *np.zeros((2, 4), np.float32)]
        op = Operator("sparse_gemm_u8s8", [U8], [U8], {"n": 4, "k": 4}, consts, isa)
        variants = ("avx512vbmi", "avx512") if isa == "avx512vnni" else (isa,)
        assert op.kernel_name in [f"honed_sparse_gemm_u8s8__{variant}" for variant in variants]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c[0].__setitem__(0, 1), "rows span the entries 1 to 4, expected 0 to 4"),
        (lambda c: c[0].__setitem__(4, 5), "rows span the entries 0 to 5, expected 0 to 4"),
        (lambda c: c[0].__setitem__(2, -7), "row 1 ends before it begins"),
        (lambda c: c[0].__setitem__(1, 100), "row 1 ends before it begins"),
        (lambda c: c[1].__setitem__(3, 4), "entry 3 has the index 4, expected less than 4"),
        (lambda c: c.__setitem__(1, np.array([0, 1, 2, -1], np.int32)), "entry 3 has the index -1"),
        (lambda c: c.__setitem__(1, np.zeros(4, np.int64)), "constant 1 has 4 elements of s64, expected 4 of u16"),
        (lambda c: c.__setitem__(2, c[2][:3]), "constant 2 has 3 elements of f32, expected 4"),
        (lambda c: c.__setitem__(0, c[0][:4]), "constant 0 has 4 elements of s32, expected 5"),
        (lambda c: c.__delitem__(slice(1, None)), "1 constants, expected more than 1"),
    ],
)
def test_hostile_rows_are_refused(change: Callable[[list[np.ndarray]], None], message: str) -> None:
    consts = [*packing.pack_sparse_gemm_f32(np.eye(4, dtype=np.float32)), np.zeros(4, np.float32)]
    change(consts)
    with pytest.raises(KernelError, match=message):
        Operator("sparse_gemm_f32", [F32], [F32], {"n": 4, "k": 4}, consts)
