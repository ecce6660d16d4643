import numpy as np
import pytest
from honed.passes.compress.reconstruct import refit as module
from honed.passes.compress.reconstruct.refit import refit

from tests.passes.compress.reconstruct.problems import correlated


def supports(shape, density, block=1, seed=1):
    group, out, k = shape
    return np.repeat(np.random.default_rng(seed).random((group, out // block, k)) < density, block, axis=1)


@pytest.fixture(params=["factors", "steps"])
def way(request, monkeypatch):
    monkeypatch.setattr(module, "STEPS_EXPECTED", 1e9 if request.param == "factors" else 0)
    monkeypatch.setattr(module, "TOLERANCE", 1e-8)


@pytest.mark.parametrize("block", [1, 4])
@pytest.mark.parametrize("density", [0.2, 0.6])
def test_survivors_are_those_of_numpy_lstsq(way, block, density):
    problem, x, y = correlated(group=2)
    keep = supports(problem.cross.shape, density, block)
    weight = refit(problem, keep)
    assert not weight[~keep].any()
    bias = problem.bias(weight)
    for g, o in np.ndindex(*keep.shape[:2]):
        design = np.vstack([x[g, keep[g, o]], np.ones(x.shape[2])]).T
        wanted = np.linalg.lstsq(design, y[g, o], rcond=None)[0]
        np.testing.assert_allclose(weight[g, o, keep[g, o]], wanted[:-1], rtol=1e-5, atol=1e-5)
        assert bias[g, o] == pytest.approx(wanted[-1], abs=1e-5)


def test_damping_is_ridge_regression_towards_the_prior(way):
    problem, x, y = correlated(n=12)
    prior = np.random.default_rng(3).standard_normal(problem.cross.shape)
    keep = supports(problem.cross.shape, 0.7)
    weight = refit(problem.damped(0.05, prior), keep)
    centred, wanted = x[0] - x[0].mean(axis=1, keepdims=True), y[0] - y[0].mean(axis=1, keepdims=True)
    ridge = np.sqrt(0.05 * np.trace(problem.hessian[0]) / 24 * x.shape[2])
    for o in range(8):
        kept = keep[0, o]
        design = np.vstack([centred[kept].T, ridge * np.eye(kept.sum())])
        target = np.concatenate([wanted[o], ridge * prior[0, o, kept]])
        np.testing.assert_allclose(weight[0, o, kept], np.linalg.lstsq(design, target, rcond=None)[0], rtol=1e-5, atol=1e-5)


def test_the_errors_of_a_damped_problem_count_the_way_from_the_prior():
    problem, _, _ = correlated()
    prior = np.random.default_rng(3).standard_normal(problem.cross.shape)
    damped = problem.damped(0.1, prior)
    ridge = 0.1 * np.trace(problem.hessian[0]) / 24
    weight = prior + 0.3
    np.testing.assert_allclose(damped.errors(weight), problem.errors(weight) + ridge * 24 * 0.09, rtol=1e-9)


def test_nothing_kept_and_nothing_seen(way):
    problem, _, _ = correlated()
    assert not refit(problem, np.zeros(problem.cross.shape, bool)).any()
    prior = np.ones(problem.cross.shape)
    problem.hessian[:], problem.cross[:] = 0, 0
    np.testing.assert_allclose(refit(problem.damped(0.03, prior), np.ones(problem.cross.shape, bool)), prior)


def test_a_guess_does_not_change_the_result(way):
    problem, _, _ = correlated()
    keep = supports(problem.cross.shape, 0.5)
    guess = np.random.default_rng(5).standard_normal(keep.shape)
    np.testing.assert_allclose(refit(problem, keep, guess), refit(problem, keep), rtol=1e-4, atol=1e-5)
