import numpy as np
from honed.passes.compress.channel_ranges import RangeByChannel


def test_ranges_agree_with_numpy_and_hold_zero():
    x = np.random.default_rng(0).standard_normal((9, 4, 5, 6)).astype(np.float32) + np.array([0, 9, -9, 1], np.float32).reshape(4, 1, 1)
    observer = RangeByChannel()
    for part in (x[:2], x[2:3], x[3:]):
        observer.add(part)
    ranges = observer.ranges()
    assert np.array_equal(ranges.lo, np.minimum(x.min((0, 2, 3)), 0)) and np.array_equal(ranges.hi, np.maximum(x.max((0, 2, 3)), 0))
    assert np.array_equal(ranges.reach, np.maximum(-ranges.lo, ranges.hi))
    np.testing.assert_allclose(ranges.std, x.std((0, 2, 3), dtype=np.float64), rtol=1e-5)
    assert ranges.lo[1] == 0 and ranges.hi[2] == 0
