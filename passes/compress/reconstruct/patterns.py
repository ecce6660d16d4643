"""Patterns of zeros, as choices among scores."""

from __future__ import annotations

import numpy as np


def keep_blocks(scores: np.ndarray, block: int, count: int, allowed: np.ndarray | None = None) -> np.ndarray:
    """True for the `count` blocks of the largest summed score, by weight, in the shape of `scores` [group, out, k].

    A block: `block` consecutive output channels that share an input. Blocks with no weight in `allowed` come last and stay out.
    Among equal sums the later ones stay.
    """
    group, out, k = scores.shape
    sums = scores if block == 1 else scores.reshape(group, out // block, block, k).sum(axis=2)
    if allowed is not None:
        sums = np.where(allowed.reshape(group, out // block, block, k).any(axis=2), sums, -1)
    keep = keep_largest(sums, count)
    keep = keep if block == 1 else np.repeat(keep, block, axis=1)
    return keep if allowed is None else keep & allowed


def keep_of_each(scores: np.ndarray, n: int, m: int, taps: int = 1, allowed: np.ndarray | None = None) -> np.ndarray:
    """True for the n largest scores of every m adjacent input channels, for each output channel and tap; k = input channels · taps.
    Among equal ones the later ones stay."""
    groups = (scores if allowed is None else np.where(allowed, scores, -1)).reshape(*scores.shape[:2], -1, m, taps)
    order = np.argsort(groups, axis=3, kind="stable")
    keep = np.zeros(groups.shape, bool)
    np.put_along_axis(keep, order[:, :, :, m - n :], True, axis=3)
    keep = keep.reshape(scores.shape)
    return keep if allowed is None else keep & allowed


def keep_largest(values: np.ndarray, count: int) -> np.ndarray:
    """True for the `count` largest values; among equal ones the later ones."""
    flat = values.reshape(-1)
    if count >= flat.size:
        return np.ones(values.shape, bool)
    if count <= 0:
        return np.zeros(values.shape, bool)
    least = np.partition(flat, flat.size - count)[flat.size - count]
    keep = flat > least
    ties = np.flatnonzero(flat == least)
    keep[ties[len(ties) - (count - int(np.count_nonzero(keep))) :]] = True
    return keep.reshape(values.shape)
