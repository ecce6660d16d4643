import numpy as np
import pytest
from honed.passes.compress.reconstruct.patterns import keep_blocks, keep_largest, keep_of_each


@pytest.mark.parametrize("count", [0, 1, 7, 24, 30])
def test_the_largest_stay(count):
    values = np.random.default_rng(0).permutation(24).reshape(2, 3, 4).astype(np.float32)
    keep = keep_largest(values, count)
    assert keep.shape == values.shape and np.array_equal(np.sort(values[keep]), np.arange(24)[max(24 - count, 0) :])


def test_of_equal_values_the_later_ones_stay():
    assert keep_largest(np.array([1.0, 0, 1, 1, 2]), 3).tolist() == [False, False, True, True, True]


@pytest.mark.parametrize("block", [1, 2, 4])
def test_blocks_are_judged_by_their_sum(block):
    scores = np.random.default_rng(1).random((2, 8, 5))
    keep = keep_blocks(scores, block, 6)
    sums = scores.reshape(2, 8 // block, block, 5).sum(axis=2)
    wanted = np.repeat(sums >= np.sort(sums.reshape(-1))[-6], block, axis=1)
    assert np.array_equal(keep, wanted)


def test_what_is_not_allowed_stays_out_and_goes_first():
    scores = np.ones((1, 4, 3))
    scores[0, 0] = 9
    allowed = np.ones((1, 4, 3), bool)
    allowed[0, 0] = allowed[0, 2, 1] = False
    assert np.array_equal(keep_blocks(scores, 1, 8, allowed), allowed)
    assert np.array_equal(keep_blocks(scores, 2, 6, allowed), allowed)


def test_of_each_group_of_input_channels_the_largest_stay_tap_by_tap():
    scores = np.random.default_rng(0).permutation(2 * 3 * 8 * 3).reshape(2, 3, 24).astype(np.float32)
    keep = keep_of_each(scores, 3, 4, taps=3)
    for index in np.ndindex(2, 3, 2, 3):
        g, out, part, tap = index
        channels = [(4 * part + i) * 3 + tap for i in range(4)]
        assert [c for c in channels if keep[g, out, c]] == sorted(sorted(channels, key=lambda c: scores[g, out, c])[1:])
    allowed = np.random.default_rng(1).random(scores.shape) < 0.6
    kept = keep_of_each(scores, 2, 4, 3, allowed)
    parts = [a.reshape(2, 3, 2, 4, 3).sum(axis=3) for a in (kept, allowed)]
    assert not kept[~allowed].any() and np.array_equal(parts[0], np.minimum(parts[1], 2))
