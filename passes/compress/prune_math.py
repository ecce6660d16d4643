"""Magnitude pruning of weight arrays [out, in / group, *kernel]."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def block_scores(weight: np.ndarray, block: int) -> np.ndarray:
    """f32 [out / block, ...]: root mean square of each block of `block` consecutive output channels of one input channel and tap."""
    if block == 1:
        return np.abs(weight)
    blocks = weight.reshape(weight.shape[0] // block, block, *weight.shape[1:])
    return np.sqrt(np.square(blocks).mean(axis=1))


def normalised(scores: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Scores over the root mean square of the whole weight, so that layers of different scale can be compared."""
    scale = float(np.sqrt(np.square(weight, dtype=np.float64).mean()))
    return scores / np.float32(scale or 1.0)


def lowest_scores(scores: Sequence[np.ndarray], sizes: Sequence[int], sparsity: float) -> list[np.ndarray]:
    """bool arrays in the shapes of `scores`: False for the lowest scores over all arrays together, as many as make up `sparsity` of the
    weights, to the nearest that does not exceed it by half a weight. A score of scores[i] stands for sizes[i] weights. Among equal scores
    the first goes first.
    """
    flat = np.concatenate([score.reshape(-1) for score in scores])
    size = np.concatenate([np.full(score.size, size, np.int64) for score, size in zip(scores, sizes, strict=True)])
    order = np.argsort(flat, kind="stable")
    target = int(np.floor(sparsity * int(size.sum()) + 0.5))
    pruned = order[: np.searchsorted(np.cumsum(size[order]), target, side="right")]
    keep = np.ones(flat.size, bool)
    keep[pruned] = False
    parts = np.split(keep, np.cumsum([score.size for score in scores])[:-1])
    return [part.reshape(score.shape) for part, score in zip(parts, scores, strict=True)]


def expand_blocks(keep: np.ndarray, block: int) -> np.ndarray:
    """A mask of blocks [out / block, ...] as a mask of weights [out, ...]."""
    return np.repeat(keep, block, axis=0)


def sparsity_of(weight: np.ndarray) -> float:
    """The fraction of zeros."""
    return 1.0 - int(np.count_nonzero(weight)) / max(weight.size, 1)
