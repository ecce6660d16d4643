"""matmul_f32 against NumPy in double precision, and every variant bit by bit."""

from __future__ import annotations

import numpy as np
import pytest
from honed.kernels._native import KernelError, Operator, TensorSpec, isa_levels

SHAPES = [
    ((3, 4), (4, 5)),
    ((1, 70), (70, 130)),
    ((100, 33), (33, 65)),
    ((7,), (7, 3)),
    ((3, 7), (7,)),
    ((7,), (7,)),
    ((2, 3, 4, 5), (5, 6)),
    ((2, 1, 4, 5), (3, 5, 17)),
    ((5, 2), (3, 2, 4)),
    ((2, 4), (3, 4, 2)),
    ((3, 0), (0, 4)),
    ((0, 3), (3, 4)),
    ((0, 3, 4), (4, 2)),
]


def matmul(a: np.ndarray, b: np.ndarray, isa: str | None = None, splits: int = 1) -> np.ndarray:
    return Operator("matmul_f32", [TensorSpec()] * 2, [TensorSpec()], isa=isa).run([a, b], splits)[0]


@pytest.mark.parametrize("isa", isa_levels())
@pytest.mark.parametrize(("left", "right"), SHAPES, ids=str)
def test_matmul_is_numpys(left: tuple[int, ...], right: tuple[int, ...], isa: str) -> None:
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal(s).astype(np.float32) for s in (left, right))
    y = matmul(a, b, isa, splits=3)
    exact = np.matmul(a.astype(np.float64), b.astype(np.float64))
    assert y.shape == exact.shape
    assert (abs(y - exact) <= (left[-1] + 1) * 2.0**-24 * np.matmul(abs(a).astype(np.float64), abs(b))).all()
    np.testing.assert_array_equal(y, matmul(a, b, "scalar"))


def test_matmul_refuses_what_does_not_fit() -> None:
    with pytest.raises(KernelError, match=r"f32 dense \[2,3\] times f32 dense \[4,5\]: the inner dimensions differ"):
        matmul(np.zeros((2, 3), np.float32), np.zeros((4, 5), np.float32))
    with pytest.raises(KernelError, match="do not broadcast"):
        matmul(np.zeros((2, 3, 4), np.float32), np.zeros((3, 4, 5), np.float32))
    with pytest.raises(KernelError, match="the inner dimensions differ"):
        matmul(np.zeros((), np.float32), np.zeros(1, np.float32))
