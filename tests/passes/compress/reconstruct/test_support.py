from functools import partial
from itertools import combinations

import numpy as np
import pytest
from honed.passes.compress.reconstruct.patterns import keep_blocks
from honed.passes.compress.reconstruct.refit import refit
from honed.passes.compress.reconstruct.support import choose_support, compare_supports

from tests.passes.compress.reconstruct.problems import correlated


def error_on(problem, keep):
    return problem.errors(refit(problem, keep)).sum()


def dense(problem):
    return refit(problem, np.ones(problem.cross.shape, bool))


def brain_surgeon(problem, count):
    """The support that removing one weight after the other leaves, all others solved again each time (Hassibi and Stork, 1993)."""
    keep = np.ones(problem.cross.shape[1:], bool)
    for _ in range(keep.size - count):
        best = None
        for o in range(len(keep)):
            support = np.flatnonzero(keep[o])
            if len(support):
                inverse = np.linalg.inv(problem.hessian[0][np.ix_(support, support)])
                weight = inverse @ problem.cross[0, o, support]
                loss = weight**2 / np.diag(inverse)
                i = loss.argmin()
                best = min(best or (np.inf, 0, 0), (loss[i], o, support[i]))
        keep[best[1], best[2]] = False
    return keep[None]


@pytest.mark.parametrize("block", [1, 2, 4])
@pytest.mark.parametrize("sparsity", [0.5, 0.75])
def test_better_than_magnitude_on_correlated_inputs(block, sparsity):
    for seed in range(3):
        problem, _, _ = correlated(group=2, seed=seed)
        count = int((1 - sparsity) * problem.cross.size / block)
        keep, near = choose_support(problem.damped(0.001, dense(problem)), partial(keep_blocks, block=block, count=count))
        magnitude = keep_blocks(np.square(dense(problem)), block, count)
        assert np.count_nonzero(keep) == np.count_nonzero(magnitude) == count * block
        assert error_on(problem, keep) < 0.8 * error_on(problem, magnitude)
        assert not near[~keep].any()
        assert all(np.array_equal(keep[:, o], keep[:, o - o % block]) for o in range(8))


def test_as_good_as_the_path_of_optimal_brain_surgeon():
    ratios = []
    for seed in range(4):
        problem, _, _ = correlated(out=4, k=16, seed=seed)
        keep, _ = choose_support(problem, lambda s: keep_blocks(s, 1, 24))
        ratios.append(error_on(problem, keep) / error_on(problem, brain_surgeon(problem, 24)))
    assert np.mean(ratios) < 1.1


def test_many_side_by_side_are_nearly_as_good_as_each_alone():
    for seed in range(3):
        problem, _, _ = correlated(group=2, k=40, seed=seed)
        problem = problem.damped(0.01, dense(problem))
        choices = [partial(keep_blocks, block=block, count=count // block) for block in (1, 2, 4) for count in (320, 160, 64)]
        for choose, (keep, near) in zip(choices, compare_supports(problem, choices), strict=True):
            best, _ = choose_support(problem, choose)
            assert keep.sum() == best.sum() and not near[~keep].any()
            assert error_on(problem, keep) < 1.1 * error_on(problem, best)
            assert problem.errors(near).sum() < 1.5 * error_on(problem, best)


def test_near_the_best_of_all_supports():
    problem, _, _ = correlated(out=1, k=10, seed=2)
    every = []
    for chosen in combinations(range(10), 4):
        keep = np.zeros((1, 1, 10), bool)
        keep[0, 0, list(chosen)] = True
        every.append(error_on(problem, keep))
    keep, _ = choose_support(problem, lambda s: keep_blocks(s, 1, 4))
    assert error_on(problem, keep) <= sorted(every)[3]


def test_the_same_support_every_time():
    problem, _, _ = correlated()
    first, second = (choose_support(problem, lambda s: keep_blocks(s, 1, 60))[0] for _ in range(2))
    assert np.array_equal(first, second)
