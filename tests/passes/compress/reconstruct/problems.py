"""Least-squares problems for the tests of solvers."""

import numpy as np
from honed.passes.compress.reconstruct.moments import Problem


def correlated(group=1, out=8, k=24, n=400, noise=0.05, seed=0):
    """A problem with correlated inputs of different scale, and its data: x [group, k, n], y [group, out, n]."""
    rng = np.random.default_rng(seed)
    mixing = rng.standard_normal((group, k, k)) / np.sqrt(k) + 0.5 * np.eye(k)
    x = np.maximum(mixing @ rng.standard_normal((group, k, n)) * rng.uniform(0.3, 2.0, (group, k, 1)) + 0.3, 0)
    y = rng.standard_normal((group, out, k)) @ x + noise * rng.standard_normal((group, out, n)) + 1.0
    return problem_of(x, y), x, y


def problem_of(x, y):
    """The problem of data, each mean taken away, straight from the definition."""
    mean_x, mean_y, n = x.mean(axis=2), y.mean(axis=2), x.shape[2]
    a, b = x - mean_x[:, :, None], y - mean_y[:, :, None]
    power = np.square(b).mean(axis=2)
    return Problem(a @ a.transpose(0, 2, 1) / n, b @ a.transpose(0, 2, 1) / n, power, power, mean_x, mean_y)
