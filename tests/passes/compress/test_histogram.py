import numpy as np
import pytest
from honed.passes.compress.histogram import BINS, Histogram, minmax_range, mse_range, percentile_range
from honed.passes.compress.moments import ChannelMoments
from hypothesis import given, settings
from hypothesis import strategies as st

# values that underflow when scaled to bins would be counted on the other side of 0
NUMBERS = st.floats(-1e6, 1e6, width=32).map(lambda v: v if abs(v) > 1e-20 else 0.0)


def filled(*parts):
    histogram = Histogram()
    for part in parts:
        histogram.add(np.asarray(part, np.float32))
    return histogram


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.lists(st.lists(NUMBERS, min_size=1, max_size=20), min_size=1, max_size=6))
def test_growth_loses_no_value_and_agrees_with_counting_at_once(parts):
    histogram = filled(*parts)
    values = np.concatenate([np.asarray(p, np.float32) for p in parts])
    assert histogram.total == values.size
    assert (histogram.lo, histogram.hi) == (values.min(), values.max())
    if histogram.reach:
        edges = histogram.edges().astype(np.float64)
        expected, _ = np.histogram(values[values != 0].astype(np.float64), edges)
        assert np.array_equal(histogram.counts, expected)


def test_neighbouring_bins_merge_by_their_sum():
    x = np.linspace(-1, 1, 20_001, dtype=np.float32)
    histogram = filled(x, [100.0])
    expected, _ = np.histogram(np.append(x[x != 0], 100.0), histogram.edges())
    assert histogram.reach == 128 and np.array_equal(histogram.counts, expected)


def test_ranges_hold_zero():
    assert minmax_range(filled([2.0, 3.0])) == (0.0, 3.0)
    assert minmax_range(filled([-2.0, -1.0])) == (-2.0, 0.0)
    for method in (minmax_range, mse_range, lambda h: percentile_range(h, 99)):
        assert method(filled([0.0, 0.0])) == (0.0, 0.0)


def test_percentiles_agree_with_numpy_to_a_bin():
    x = np.random.default_rng(0).standard_normal(200_000).astype(np.float32)
    histogram = filled(*np.array_split(x, 7))
    width = 2 * histogram.reach / BINS
    lo, hi = percentile_range(histogram, 99.5)
    assert abs(lo - np.percentile(x, 0.5)) < 2 * width
    assert abs(hi - np.percentile(x, 99.5)) < 2 * width
    assert percentile_range(histogram, 100) == minmax_range(histogram)


def test_percentile_counts_zeros():
    histogram = filled(np.zeros(900), np.ones(100))
    assert percentile_range(histogram, 89)[1] < 2 * histogram.reach / BINS
    assert percentile_range(histogram, 91)[1] > 0.99


def test_mse_is_the_best_symmetric_clip():
    x = np.random.default_rng(0).laplace(size=400_000).astype(np.float32)
    x[:1] = 40
    histogram = filled(x)
    lo, hi = mse_range(histogram)
    assert hi < 30

    def error(low, high):
        scale = (high - low) / 255
        q = np.clip(np.rint(x / scale) - np.rint(low / scale), 0, 255) + np.rint(low / scale)
        return np.mean((q * scale - x) ** 2)

    assert error(lo, hi) < 0.7 * error(*minmax_range(histogram))
    # the grid is 1/128 of the range and rounding is taken as uniform: within 2 % of any neighbour
    assert all(error(lo, hi) < 1.02 * error(lo * f, hi * f) for f in (0.8, 0.9, 1.1, 1.25))


@pytest.mark.parametrize("axis", [1, -1])
def test_moments_agree_with_numpy(axis):
    x = np.random.default_rng(0).standard_normal((13, 4, 5, 6)).astype(np.float32) * 3 + 100
    moments = ChannelMoments(axis)
    for part in (x[:1], x[1:6], x[6:]):
        moments.add(part)
    axes = (0, 2, 3) if axis == 1 else (0, 1, 2)
    np.testing.assert_allclose(moments.mean, x.mean(axes, dtype=np.float64), rtol=1e-6)
    np.testing.assert_allclose(moments.std, x.std(axes, dtype=np.float64), rtol=1e-5)
