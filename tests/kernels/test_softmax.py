"""softmax and log_softmax: every variant against SciPy in double precision, and against each other bit by bit."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special
from honed.kernels._native import KernelError, Operator, TensorSpec, isa_levels
from hypothesis import given, settings
from hypothesis import strategies as st

CASES = [((1,), 0), ((3, 1000), -1), ((2, 17), 1), ((5, 16), 1), ((2, 21, 5, 13), 1), ((4, 7), 0), ((2, 3, 130), 1), ((300, 9), 1)]


def run(name: str, x: np.ndarray, axis: int, isa: str | None = None, splits: int = 1) -> np.ndarray:
    return Operator(name, [TensorSpec()], [TensorSpec()], {"axis": axis}, isa=isa).run([x], splits)[0]


@pytest.mark.parametrize("isa", isa_levels())
@pytest.mark.parametrize(("shape", "axis"), CASES, ids=str)
def test_softmax_is_as_close_as_its_sum_allows(shape: tuple[int, ...], axis: int, isa: str) -> None:
    x = (np.random.default_rng(0).standard_normal(shape) * 5).astype(np.float32)
    # x - max is rounded to half an ulp of up to 32, which exp turns into a relative error; each addition of the sum adds half an ulp.
    bound = 16 * 2.0**-24 + (x.shape[axis] + 8) * 2.0**-24
    exact = scipy.special.softmax(x.astype(np.float64), axis)
    assert (abs(run("softmax", x, axis, isa) - exact) <= bound * exact).all()
    logs = scipy.special.log_softmax(x.astype(np.float64), axis)
    assert (abs(run("log_softmax", x, axis, isa) - logs) <= bound + abs(logs) * 2.0**-23).all()


@pytest.mark.parametrize("isa", isa_levels())
@pytest.mark.parametrize(("shape", "axis"), CASES, ids=str)
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax_has_the_same_bits_in_every_variant_and_split(name: str, shape: tuple[int, ...], axis: int, isa: str) -> None:
    x = (np.random.default_rng(1).standard_normal(shape) * 5).astype(np.float32)
    np.testing.assert_array_equal(run(name, x, axis, isa, splits=3), run(name, x, axis, "scalar"))


@pytest.mark.parametrize("isa", isa_levels())
@pytest.mark.parametrize("axis", [0, 1])
def test_softmax_of_extreme_values(axis: int, isa: str) -> None:
    x = np.full((40, 40), -np.inf, np.float32)
    x[np.arange(40), np.arange(40)] = 3e38
    np.testing.assert_array_equal(run("softmax", x, axis, isa), np.eye(40))
    x[:] = 5
    x[7, 7] = np.nan
    y = run("softmax", x, axis, isa)
    assert np.isnan(np.moveaxis(y, axis, -1)[7]).all() and np.isfinite(y).sum() == 40 * 39


@settings(max_examples=50, deadline=None, derandomize=True)
@given(data=st.data(), splits=st.integers(1, 3), isa=st.sampled_from(isa_levels()))
def test_softmax_of_any_shape(data: st.DataObject, splits: int, isa: str) -> None:
    shape = data.draw(st.lists(st.integers(0, 20), min_size=1, max_size=4))
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    x = np.random.default_rng(2).standard_normal(shape).astype(np.float32)
    y = run("softmax", x, axis, isa, splits)
    assert y.shape == tuple(shape)
    # 20 additions at most, and the rounding of the quotient.
    np.testing.assert_allclose(y, scipy.special.softmax(x.astype(np.float64), axis) if x.size else y, rtol=3e-6)


def test_softmax_refuses_other_types_and_axes() -> None:
    with pytest.raises(KernelError, match="axis 2 of a tensor of rank 2"):
        run("softmax", np.zeros((2, 2), np.float32), 2)
    with pytest.raises(KernelError, match="input 0 is s32, expected f32"):
        Operator("softmax", [TensorSpec("s32")], [TensorSpec("s32")])
