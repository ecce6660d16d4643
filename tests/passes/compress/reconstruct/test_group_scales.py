import numpy as np
import pytest
from honed.passes.compress.reconstruct.group_scales import choose_multiples
from honed.passes.compress.reconstruct.refit import refit

from tests.passes.compress.reconstruct.problems import correlated


def solved(**shape):
    problem, _, _ = correlated(**shape)
    damped = problem.damped(0.01, np.zeros(problem.cross.shape))
    return damped, refit(damped, np.ones(problem.cross.shape, bool))


def rounding_error(weight, step, limit, diagonal):
    return float((np.square(np.clip(np.rint(weight / step), -limit, limit) * step - weight) * diagonal).sum())


@pytest.mark.parametrize(("limit", "most"), [(7, 18), (3, 42), (63, 2)])
def test_each_group_has_the_best_of_all_multiples(limit, most):
    problem, weight = solved(k=21, out=5, group=2, n=100)
    scale, multiples = choose_multiples(problem, weight, limit, 8)
    assert np.array_equal(multiples, np.rint(multiples)) and multiples.min() >= 1 and multiples.max() <= most
    for g, o in np.ndindex(scale.shape):
        for start in (0, 8, 16):
            part = slice(start, start + 8)
            diagonal = np.diag(problem.hessian[g])[part]
            errors = [rounding_error(weight[g, o, part], scale[g, o] * m, limit, diagonal) for m in range(1, most + 1)]
            assert len(set(multiples[g, o, part])) == 1
            assert errors[int(multiples[g, o, start]) - 1] <= min(errors) * (1 + 1e-9)


def test_weak_groups_get_fine_steps():
    problem, weight = solved(k=32, out=6, n=100)
    weight[:, :, 16:] *= 0.1
    scale, multiples = choose_multiples(problem, weight, 7, 16)
    assert (multiples[:, :, 0] >= 5 * multiples[:, :, 16]).all()
    peak = np.abs(weight).max(axis=2) / 7
    diagonal = np.diagonal(problem.hessian, axis1=1, axis2=2)
    for o in range(6):
        whole = rounding_error(weight[0, o], peak[0, o], 7, diagonal[0])
        assert rounding_error(weight[0, o], scale[0, o] * multiples[0, o], 7, diagonal[0]) < 0.8 * whole


def test_channels_without_weights_have_a_scale():
    problem, weight = solved(k=8, out=3, n=50)
    weight[0, 1] = 0
    scale, multiples = choose_multiples(problem, weight, 7, 4)
    assert (scale > 0).all() and np.isfinite(scale).all() and (multiples >= 1).all()
