import numpy as np
import pytest
from honed.passes.compress.histogram import BINS, Histogram, entropy_range, minmax_range, mse_range, percentile_range
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


def test_entropy_keeps_what_has_no_tail_and_clips_outliers():
    rng = np.random.default_rng(0)
    flat = filled(rng.uniform(-1, 1, 200_000))
    lo, hi = entropy_range(flat)
    assert lo < -0.98 and hi > 0.98
    x = rng.standard_normal(200_000)
    x[:2] = 50
    lo, hi = entropy_range(filled(x))
    assert 3 < hi < 10
    assert entropy_range(filled([0.0, 0.0])) == (0.0, 0.0)
    assert entropy_range(filled([2.0]))[0] == 0.0


def test_entropy_is_the_least_divergence_by_the_definition():
    x = np.random.default_rng(1).laplace(size=50_000).astype(np.float32)
    histogram = filled(x)
    lo, hi = entropy_range(histogram, levels=15)
    edges, counts = histogram.edges().astype(np.float64), histogram.counts.astype(np.float64)
    centres = (edges[:-1] + edges[1:]) / 2

    def divergence(low, high):
        p, q = np.zeros(len(counts)), np.zeros(len(counts))
        inside = [i for i, c in enumerate(centres) if low <= c <= high]
        for i, c in enumerate(counts):
            p[min(max(i, inside[0]), inside[-1])] += c
        levels = {}
        for i in inside:
            if counts[i]:
                levels.setdefault(round((centres[i] - low) / (high - low) * 15), []).append(i)
        for members in levels.values():
            q[members] = counts[members].sum() / len(members)
        seen = p > 0
        return (p[seen] / p.sum() * np.log(p[seen] / p.sum() / (np.maximum(q[seen], 1e-9) / q.sum()))).sum()

    least = divergence(lo, hi)
    low, high = minmax_range(histogram)
    assert all(least <= divergence(lo, high * f) * 1.05 and least <= divergence(low * f, hi) * 1.05 for f in np.arange(4, 129, 8) / 128)
    assert least < 0.6 * divergence(low, high)
