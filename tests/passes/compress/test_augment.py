import numpy as np
import pytest
from honed.graph import Error, RecipeError
from honed.passes.compress import augment as module
from honed.passes.compress.augment import POOL, augment, bilinear, check_augmentable, keep, mirror, recolour, vary, warp
from honed.passes.compress.calibration import open_calibration
from honed.passes.compress.inputs import InputSpec
from honed.passes.compress.layers import weight_layers
from honed.passes.optimize import optimize

from tests.passes.compress.small_models import Builder, residual_net, run_ort, samples

SPECS = [InputSpec("x", np.dtype(np.float32), ("n", 3, 12, 16))]
DATA = samples(10, (3, 12, 16))


def feeds(data=DATA, copies=2, limit=100, batch=4):
    return [feed["x"] for feed in augment(open_calibration(data, SPECS, batch=batch), SPECS, copies, limit).batches()]


def rng():
    return np.random.default_rng(0)


def test_every_batch_is_followed_by_its_variations():
    found = feeds()
    assert [len(x) for x in found] == [4, 4, 4, 4, 4, 4, 2, 2, 2]
    np.testing.assert_array_equal(np.concatenate(found[::3]), DATA)
    assert all(x.dtype == np.float32 and x.shape[1:] == (3, 12, 16) and np.isfinite(x).all() for x in found)
    assert not any(np.array_equal(found[0], x) for x in found[1:])


def test_the_same_ones_every_time_and_no_more_than_the_limit():
    assert all(np.array_equal(a, b) for a, b in zip(feeds(), feeds(), strict=True))
    data = augment(open_calibration(DATA, SPECS, batch=4), SPECS, 3, 8)
    assert data.samples == 32 and sum(len(feed["x"]) for feed in data.batches()) == 32


def test_values_stay_within_the_range_of_the_samples():
    lo, hi = DATA.min(), DATA.max()
    assert all(lo <= x.min() and x.max() <= hi for x in feeds())


def test_mirror_folds_positions():
    assert mirror(np.array([-1.0, 0.0, 2.5, 4.0, 5.0, 9.0]), 5).tolist() == [1.0, 0.0, 2.5, 4.0, 3.0, 1.0]
    assert mirror(np.array([-3.0, 7.0]), 1).tolist() == [0.0, 0.0]


def test_bilinear_is_that_of_scipy():
    ndimage = pytest.importorskip("scipy.ndimage")
    y, x = rng().uniform(0, 11, (5, 7)), rng().uniform(0, 15, (5, 7))
    expected = [ndimage.map_coordinates(plane, [y, x], order=1) for plane in DATA[0]]
    np.testing.assert_allclose(bilinear(DATA[0], y, x), expected, atol=1e-5)


def test_a_warp_moves_what_is_there_and_a_constant_stays_one():
    flat = np.full((3, 12, 16), 0.25, np.float32)
    np.testing.assert_allclose(warp(flat, rng()), flat, rtol=1e-6)
    image = warp(DATA[0], rng())
    assert not np.allclose(image, DATA[0]) and image.std() > 0.1


def test_recolouring_keeps_what_is_where():
    grey = DATA[:1, :1][0]
    result = recolour(grey, rng())
    inside = (result > result.min()) & (result < result.max())
    assert np.corrcoef(result[inside], grey[inside])[0, 1] > 0.999 and not np.allclose(result, grey)


def test_a_mosaic_has_parts_of_other_samples(monkeypatch):
    monkeypatch.setattr(module, "MOSAIC", 1.0)
    monkeypatch.setattr(module, "recolour", lambda image, rng: image)
    zero, one = np.zeros((3, 12, 16), np.float32), np.ones((3, 12, 16), np.float32)
    result = vary(zero, [one], rng())
    assert not result[:, 0, 0].any() and (result[:, -1, -1] == 1).all() and 0.3 < result.mean() < 0.95


def test_the_pool_is_drawn_evenly_from_all_samples():
    counts, draw = np.zeros(4 * POOL), rng()
    for _ in range(100):
        pool = []
        for i in range(4 * POOL):
            keep(pool, np.array(i), i, draw)
        assert len(pool) == POOL
        counts[[int(i) for i in pool]] += 1
    quarters = counts.reshape(4, POOL).sum(axis=1) / (100 * POOL)
    np.testing.assert_allclose(quarters, 0.25, atol=0.03)


def test_only_images_can_be_augmented_and_only_for_a_solver():
    b = Builder()
    y = b.gemm(b.node("Relu", ["x"], "relu"), "fc", 4, 6)
    recipe = {"prune": {"method": "reconstruct", "sparsity": 0.5, "augment": 1}}

    def never(model):
        raise AssertionError("ran")

    with pytest.raises(Error, match=r"inputs are x float32 \['n', 6\], expected one of float32 \[samples, channels"):
        optimize(b.model(["n", 6], y), recipe, samples(8, (6,)), never)
    with pytest.raises(Error, match="expected one of"):
        check_augmentable(SPECS * 2)
    with pytest.raises(RecipeError, match="augment: only with method: reconstruct"):
        optimize(residual_net(), {"prune": {"sparsity": 0.5, "augment": 1}})


def test_reconstruction_sees_the_variations():
    def solved(copies):
        recipe = {"prune": {"method": "reconstruct", "sparsity": 0.6, "augment": copies, "samples": 4}}
        return weight_layers(optimize(residual_net(), recipe, samples(8), run_ort, batch=2)[0])[2].weight

    plain, more = solved(0), solved(4)
    assert np.array_equal(more, solved(4)) and not np.array_equal(more, plain)
