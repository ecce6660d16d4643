import numpy as np
import pytest
from honed.passes.compress.channel_ranges import RangeByChannel
from honed.passes.compress.equalise_math import (
    STRENGTHS,
    balance,
    bound,
    column_peaks,
    expected_noise,
    greatest_output,
    mildest,
    row_peaks,
    scaled_weight,
    toward_equal,
)
from honed.passes.compress.quantize_math import activation_params, fake_quantize


def test_scaling_both_sides_of_a_grouped_layer():
    rng = np.random.default_rng(0)
    weight, made, read = rng.standard_normal((6, 2, 3, 3)).astype(np.float32), rng.uniform(0.5, 2, 6), rng.uniform(0.5, 2, 4)
    result = scaled_weight(weight, made, read, 2)
    for o in range(6):
        for i in range(2):
            np.testing.assert_allclose(result[o, i], weight[o, i] * made[o] / read[o // 3 * 2 + i], rtol=1e-6)
    assert np.array_equal(scaled_weight(weight, None, None, 2), weight)


def test_peaks_by_loop():
    weight = np.random.default_rng(0).standard_normal((6, 2, 3, 3))
    assert np.array_equal(row_peaks(weight), [np.abs(weight[o]).max() for o in range(6)])
    expected = [np.abs(weight[3 * (i // 2) : 3 * (i // 2) + 3, i % 2]).max() for i in range(4)]
    assert np.array_equal(column_peaks(weight, 2), expected)


def test_balance_makes_both_sides_equal():
    made, read = np.array([4.0, 0.25, 0.0, 3.0]), np.array([1.0, 9.0, 2.0, 0.0])
    f = balance(made, read)
    np.testing.assert_allclose((made * f)[:2], (read / f)[:2])
    assert list(f[2:]) == [1, 1]


def test_bounded_factors_leave_clipping_as_it_was():
    rng = np.random.default_rng(0)
    reach = np.array([6.0, 5.9, 2.0, 0.01, 0.0])
    x = rng.uniform(-1, 1, (1000, 5)) * reach
    f = bound(np.array([0.5, 3.0, 9.0, 1e5, 7.0]), reach, 6.0)
    np.testing.assert_allclose(np.clip(f * x, 0, 6), f * np.clip(x, 0, 6), rtol=1e-12)
    assert f[0] == 1 and f[1] == pytest.approx(6 / 5.9) and f[2] == 3 and np.isfinite(f).all()
    assert np.array_equal(bound(np.array([0.5, 9.0]), reach[:2], np.inf), [0.5, 9.0])
    assert bound(np.array([9.0]), np.array([6.25]), 6.0) == [1.0]


@pytest.mark.parametrize("group", [1, 2, 4])
def test_the_greatest_output_is_that_of_the_worst_input(group):
    rng = np.random.default_rng(group)
    weight, bias = rng.standard_normal((4, 4 // group, 3, 3)), rng.standard_normal(4)
    lo, hi = -rng.uniform(0, 2, 4), rng.uniform(0, 3, 4)
    worst = []
    for o in range(4):
        first = o // (4 // group) * (4 // group)
        terms = [w * (hi[first + i] if w > 0 else lo[first + i]) for i, taps in enumerate(weight[o]) for w in taps.ravel()]
        worst.append(sum(terms) + bias[o])
    np.testing.assert_allclose(greatest_output(weight, bias, lo, hi, group), worst, rtol=1e-12)
    np.testing.assert_allclose(greatest_output(weight, None, lo, hi, group), worst - bias, rtol=1e-12, atol=1e-12)


def test_full_strength_reaches_the_target_and_none_changes_nothing():
    reach = np.array([8.0, 2.0, 0.0, 1e-9])
    np.testing.assert_allclose((toward_equal(reach, np.inf, 1.0) * reach)[:2], 8.0)
    np.testing.assert_allclose((toward_equal(reach, 6.0, 1.0) * reach)[:2], 6.0)
    assert np.array_equal(toward_equal(reach, np.inf, 0.0), np.ones(4))
    assert np.isfinite(toward_equal(reach, np.inf, 1.0)).all()


@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0])
def test_expected_noise_is_what_quantisation_adds(strength):
    """Against quantised inputs and weights, multiplied out."""
    rng = np.random.default_rng(1)
    x = rng.standard_normal((20_000, 12)).astype(np.float32) * np.geomspace(0.05, 1, 12).astype(np.float32)
    weight = rng.standard_normal((16, 12)).astype(np.float32)
    observer = RangeByChannel()
    observer.add(x)
    ranges = observer.ranges()
    f = toward_equal(ranges.reach, np.inf, strength)
    scaled = weight / f.astype(np.float32)
    steps = np.abs(scaled).max(axis=1, keepdims=True) / 31
    rounded = np.rint(scaled / steps) * steps
    xs = x * f.astype(np.float32)
    seen = fake_quantize(xs, activation_params(float(xs.min()), float(xs.max())))
    exact = x @ weight.T
    noise = np.square(seen @ rounded.T - exact).mean() / np.square(exact).mean()
    # 192 weights are a small sample of rounding errors, and their sum is not the sum of their means
    assert noise == pytest.approx(expected_noise(f, weight, 1, ranges, 31), rel=0.25)


def test_strengths_hold_both_ends():
    assert STRENGTHS[0] == 0 and STRENGTHS[-1] == 1


def test_the_mildest_of_what_is_hardly_worse():
    assert mildest([0.1, 0.01, 0.00105, 0.00101, 0.001]) == 2
    assert mildest([0.00115, 0.001, 0.002]) == 0
    assert mildest([1e-4, 1e-6]) == 0
    assert mildest([0.1, 0.05, 0.02]) == 2
