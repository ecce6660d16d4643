import itertools

import numpy as np
import pytest
from honed.passes.compress.reconstruct.refit import refit
from honed.passes.compress.reconstruct.rounding import choose_scales, quantise_to_outputs, refit_scales, round_to_outputs

from tests.passes.compress.reconstruct.problems import correlated


def solved(limit, **shape):
    problem, _, _ = correlated(**shape)
    keep = np.ones(problem.cross.shape, bool)
    damped = problem.damped(0.01, np.zeros(keep.shape))
    weight = refit(damped, keep)
    return damped, weight, np.abs(weight).max(axis=2) / limit, keep


def error(problem, integers, scale):
    return problem.errors(integers * scale[:, :, None])


@pytest.mark.parametrize("limit", [1, 7, 127])
def test_nearer_to_the_outputs_than_rounding_to_nearest(limit):
    problem, weight, scale, keep = solved(limit, group=2, k=300, out=16, n=800)
    integers = round_to_outputs(problem, weight, scale, limit, keep)
    nearest = np.clip(np.rint(weight / scale[:, :, None]), -limit, limit)
    lost, lost_nearest = (error(problem, q, scale) - problem.errors(weight) for q in (integers, nearest))
    assert np.array_equal(integers, np.rint(integers)) and np.abs(integers).max() <= limit
    assert (lost <= lost_nearest * (1 + 1e-9)).all() and lost.sum() < 0.6 * lost_nearest.sum()


def test_near_the_best_of_all_integers():
    """Against every one of 5⁵ choices."""
    problem, weight, scale, keep = solved(2, k=5, out=12, n=200)
    integers = round_to_outputs(problem, weight, scale, 2, keep)
    choices = np.array(list(itertools.product(range(-2, 3), repeat=5)), np.float64)
    best = [problem.errors(np.where(np.arange(12)[None, :, None] == o, c * scale[0, o], 0))[0, o] for o in range(12) for c in choices]
    best = np.array(best).reshape(12, -1).min(axis=1)
    found = error(problem, integers, scale)[0]
    assert (found >= best - 1e-9).all() and np.mean(found <= best + 1e-9) > 0.6 and found.sum() < 1.1 * best.sum()


def test_uncorrelated_inputs_are_rounded_to_nearest():
    problem, weight, scale, keep = solved(7)
    problem.hessian = np.eye(24)[None] * 2.0
    problem.cross = weight @ problem.hessian
    assert np.array_equal(round_to_outputs(problem, weight, scale, 7, keep), np.rint(weight / scale[:, :, None]))


def test_zeros_stay():
    problem, _, _, keep = solved(7, group=2)
    keep &= np.random.default_rng(0).random(keep.shape) < 0.5
    integers, _ = quantise_to_outputs(problem, refit(problem, keep), 7, keep)
    assert not integers[~keep].any() and np.count_nonzero(integers) > 0.8 * keep.sum()


def test_scales_and_integers_that_suit_each_other():
    problem, weight, plain, keep = solved(7, k=60, n=800)
    chosen = choose_scales(problem, weight, 7)
    assert (chosen <= plain * (1 + 1e-12)).all() and (chosen > 0).all()
    integers = round_to_outputs(problem, weight, chosen, 7, keep)
    refitted = refit_scales(problem, integers, chosen)
    assert (error(problem, integers, refitted) <= error(problem, integers, chosen) * (1 + 1e-12)).all()
    grid = error(problem, integers, refitted * 1.001), error(problem, integers, refitted * 0.999)
    assert (error(problem, integers, refitted) <= np.minimum(*grid)).all()
    integers, scale = quantise_to_outputs(problem, weight, 7, keep)
    assert error(problem, integers, scale).sum() < error(problem, round_to_outputs(problem, weight, plain, 7, keep), plain).sum()


def test_one_scale_for_all():
    problem, weight, _, keep = solved(127)
    integers, scale = quantise_to_outputs(problem, weight, 127, keep, per_channel=False)
    assert (scale == np.abs(weight).max() / 127).all() and np.abs(integers).max() <= 127


def test_channels_without_weights():
    problem, weight, _, keep = solved(7)
    keep[0, 3] = False
    integers, scale = quantise_to_outputs(problem, np.where(keep, weight, 0), 7, keep)
    assert not integers[0, 3].any() and np.isfinite(scale).all() and (scale > 0).all()


def test_groups_of_columns_lose_less_and_have_few_levels():
    problem, weight, _, keep = solved(7, k=64, out=12, n=800)
    scaled = weight * np.repeat([1.0, 0.2, 0.5, 0.1], 16)
    problem.cross = scaled @ problem.hessian
    problem.power = (problem.cross * scaled).sum(axis=2)
    integers, scale = quantise_to_outputs(problem, scaled, 7, keep, group_size=16)
    whole, plain = quantise_to_outputs(problem, scaled, 7, keep)
    assert np.array_equal(integers, np.rint(integers)) and np.abs(integers).max() <= 127
    for row in integers[0].reshape(12, 4, 16):
        for group in row:
            multiple = np.gcd.reduce(group.astype(int)) or 1
            assert len(np.unique(group)) <= 15 and np.abs(group).max() <= 7 * multiple
    assert error(problem, integers, scale).sum() < 0.5 * error(problem, whole, plain).sum()


def test_a_step_for_every_weight_is_kept_to():
    """Against every one of 5⁴ choices."""
    problem, weight, scale, keep = solved(2, k=4, out=10, n=200)
    steps = scale[:, :, None] * np.array([1.0, 0.5, 2.0, 0.25])
    integers = round_to_outputs(problem, weight, steps, 2, keep)
    choices = np.array(list(itertools.product(range(-2, 3), repeat=4)), np.float64)
    best = [min(problem.errors(np.where(np.arange(10)[None, :, None] == o, c * steps, 0))[0, o] for c in choices) for o in range(10)]
    found = problem.errors(integers * steps)[0]
    assert (found >= np.array(best) - 1e-9).all() and found.sum() < 1.1 * np.sum(best)
