"""Sparse and packed forms of weights: nothing is lost, SciPy has the same arrays, and sizes are those of the arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse
from honed.kernels.formats import CSR, BlockCSR, Packed
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernels.bf16_cases import rounded

EXAMPLES = settings(max_examples=80, deadline=None, derandomize=True)
shapes = st.one_of(
    st.tuples(st.integers(1, 20), st.integers(1, 20)), st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 3), st.integers(1, 3))
)
sparsities = st.sampled_from([0.0, 0.5, 0.9, 1.0])


def weights(shape: tuple[int, ...], sparsity: float, dtype: Any = np.float32, limit: int = 127) -> np.ndarray:
    rng = np.random.default_rng([*shape, int(sparsity * 100)])
    w = (
        rng.standard_normal(shape).astype(dtype)
        if np.dtype(dtype).kind == "f"
        else rng.integers(-limit, limit, shape, dtype, endpoint=True)
    )
    w[rng.random(shape) < sparsity] = 0
    return w


@EXAMPLES
@given(shape=shapes, sparsity=sparsities, dtype=st.sampled_from([np.float32, np.float64, np.int8, np.int16]))
def test_csr_is_scipys(shape: tuple[int, ...], sparsity: float, dtype: Any) -> None:
    w = weights(shape, sparsity, dtype)
    csr = CSR.from_dense(w)
    theirs = scipy.sparse.csr_matrix(w.reshape(shape[0], -1))
    np.testing.assert_array_equal(csr.indptr, theirs.indptr)
    np.testing.assert_array_equal(csr.indices, theirs.indices)
    np.testing.assert_array_equal(csr.data, theirs.data)
    dense = csr.to_dense()
    assert dense.dtype == w.dtype
    np.testing.assert_array_equal(dense, w)
    assert csr.nbytes == 4 * (shape[0] + 1) + 2 * theirs.nnz + w.itemsize * theirs.nnz
    assert csr.density == theirs.nnz / w.size


@EXAMPLES
@given(
    shape=shapes, sparsity=sparsities, block=st.tuples(st.integers(1, 5), st.integers(1, 5)), dtype=st.sampled_from([np.float32, np.int8])
)
def test_block_csr_of_any_block_loses_nothing(shape: tuple[int, ...], sparsity: float, block: tuple[int, int], dtype: Any) -> None:
    w = weights(shape, sparsity, dtype)
    blocks = BlockCSR.from_dense(w, block)
    dense = blocks.to_dense()
    assert dense.dtype == w.dtype and dense.shape == shape
    np.testing.assert_array_equal(dense, w)
    assert blocks.density == len(blocks.data) * block[0] * block[1] / w.size


def test_block_csr_is_scipys_where_blocks_divide_a_matrix() -> None:
    w = weights((12, 20), 0.9)
    for block in [(1, 1), (4, 1), (1, 4), (3, 5), (12, 20)]:
        ours, theirs = BlockCSR.from_dense(w, block), scipy.sparse.bsr_matrix(w, blocksize=block)
        theirs.sort_indices()
        np.testing.assert_array_equal(ours.indptr, theirs.indptr)
        np.testing.assert_array_equal(ours.indices, theirs.indices)
        np.testing.assert_array_equal(ours.data, theirs.data)
        assert ours.nbytes == 4 * len(theirs.indptr) + (2 + 4 * block[0] * block[1]) * len(theirs.data)


def test_blocks_are_channels_at_one_tap() -> None:
    w = np.zeros((8, 8, 3, 3), np.float32)
    w[4:8, 2, 1, 2] = 1, 2, 3, 4
    w[3, 4:8, 0, 1] = 5
    assert len(BlockCSR.from_dense(w, (4, 1)).data) == 1 + 4
    assert len(BlockCSR.from_dense(w, (1, 4)).data) == 4 + 1


def test_signs_of_zeros_are_not_stored_and_nan_is() -> None:
    w = np.array([[-0.0, np.nan], [np.inf, 0.0]], np.float32)
    for form in (CSR.from_dense(w), BlockCSR.from_dense(w, (1, 1))):
        assert form.data.size == 2
        np.testing.assert_array_equal(form.to_dense(), w)


def test_columns_beyond_16_bits() -> None:
    w = np.zeros((1, 70000), np.float32)
    w[0, 69999] = 1
    csr = CSR.from_dense(w)
    assert csr.indices.dtype == np.int32
    np.testing.assert_array_equal(csr.to_dense(), w)


@pytest.mark.parametrize(
    ("indptr", "indices", "message"),
    [
        ([0, 1], [0], "indptr does not divide 1 entries into 2 rows"),
        ([0, 2, 1], [0], "indptr does not divide"),
        ([0, 0, 1], [2], "indices reach from 2 to 2, expected 0 to 1"),
        ([0, 0, 1], [0, 1], "2 indices for 1 entries"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(indptr: list[int], indices: list[int], message: str) -> None:
    arrays = np.array(indptr, np.int32), np.array(indices, np.uint16)
    with pytest.raises(ValueError, match=message):
        CSR((2, 2), *arrays, np.ones(1, np.float32))
    with pytest.raises(ValueError, match=message):
        BlockCSR((2, 2), (1, 1), *arrays, np.ones((1, 1, 1), np.float32))
    with pytest.raises(ValueError, match="expected at least two dimensions"):
        CSR.from_dense(np.ones(3))
    with pytest.raises(ValueError, match=r"blocks of the shape \(1, 1\), expected \(1, 2\)"):
        BlockCSR((2, 2), (1, 2), *arrays, np.ones((1, 1, 1), np.float32))


@EXAMPLES
@given(n=st.integers(1, 40), k=st.integers(1, 40), sparsity=sparsities, sparse=st.booleans(), limit=st.sampled_from([None, 127, 255, 510]))
def test_packed_products_lose_nothing(n: int, k: int, sparsity: float, sparse: bool, limit: int | None) -> None:
    w = weights((n, k), sparsity) if limit is None else weights((n, k), sparsity, np.int16, limit)
    packed = Packed.from_dense(w, ("sparse_" if sparse else "") + ("gemm_f32" if limit is None else "gemm_u8s8"))
    np.testing.assert_array_equal(packed.to_dense(), w)
    assert packed.nbytes == sum(c.nbytes for c in packed.constants)
    if sparse and (limit is None or limit <= 127):
        assert packed.density == np.count_nonzero(w) / w.size


@EXAMPLES
@given(
    rows=st.integers(1, 6),
    channels=st.integers(1, 9),
    kernel=st.sampled_from([(1, 1), (3, 3), (2, 5)]),
    group=st.integers(1, 3),
    sparsity=sparsities,
    operator=st.sampled_from(["conv_f32", "conv_bf16", "conv_u8s8", "sparse_conv_f32", "sparse_conv_u8s8"]),
)
def test_packed_convolutions_lose_nothing(
    rows: int, channels: int, kernel: tuple[int, int], group: int, sparsity: float, operator: str
) -> None:
    limit = 510 if operator == "sparse_conv_u8s8" else 127
    shape = (rows * group, channels, *kernel)
    w = weights(shape, sparsity, np.int16, limit) if operator.endswith("u8s8") else weights(shape, sparsity)
    expected = rounded(w) if operator.endswith("bf16") else w
    np.testing.assert_array_equal(Packed.from_dense(w, operator, group=group).to_dense(), expected)


@EXAMPLES
@given(n=st.integers(1, 40), k=st.integers(1, 40))
def test_packed_bf16_products_are_rounded(n: int, k: int) -> None:
    w = weights((n, k), 0.3)
    np.testing.assert_array_equal(Packed.from_dense(w, "gemm_bf16").to_dense(), rounded(w))


def test_packed_depthwise_convolutions_lose_nothing() -> None:
    for operator, dtype in [("depthwise_f32", np.float32), ("depthwise_u8s8", np.int16)]:
        w = weights((6, 1, 3, 3), 0.3, dtype)
        np.testing.assert_array_equal(Packed.from_dense(w, operator, group=6).to_dense(), w)


def test_packed_refuses_operators_without_weights() -> None:
    with pytest.raises(ValueError, match="operator 'add': expected one of conv_f32"):
        Packed.from_dense(np.ones((2, 2)), "add")
