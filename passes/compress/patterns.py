"""Patterns of zeros that pruning can be asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial

import numpy as np

from .layers import Layer
from .prune_math import block_scores, expand_blocks, lowest_scores
from .reconstruct.patterns import keep_blocks, keep_of_each
from .reconstruct.support import Choose, Support, choose_support, keep_strongest


@dataclass(frozen=True)
class Blocks:
    """Blocks of `size` consecutive output channels that share an input channel and a tap; of one: single weights."""

    size: int = 1

    @property
    def name(self) -> str:
        return f"{self.size}x1"

    def misfit(self, layer: Layer) -> str | None:
        """Why the layer cannot have it; None where it can."""
        channels = layer.weight.shape[0] // layer.group
        return f"blocks of {self.size} do not divide {channels} output channels{_of_group(layer)}" if channels % self.size else None

    def scores(self, weight: np.ndarray) -> np.ndarray:
        """Root mean square of what goes or stays together."""
        return block_scores(weight, self.size)

    def unit(self, weight: np.ndarray) -> int:
        """Weights for which one score stands."""
        return self.size

    def expand(self, keep: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """A mask of scores as one of weights."""
        return expand_blocks(keep, self.size)

    def mask(self, weight: np.ndarray, sparsity: float) -> np.ndarray:
        """True where a weight stays, by magnitude."""
        return _least_go(self, weight, sparsity)

    def choice(self, layer: Layer, mask: np.ndarray) -> Choose:
        """Of as many as `mask` keeps, among weights that are not zero."""
        count = int(np.count_nonzero(mask)) // self.size
        return _by_layer(layer, partial(keep_blocks, block=self.size, count=count, allowed=_allowed(layer)))

    def support(self, layer: Layer, mask: np.ndarray) -> Support:
        """As many as `mask` keeps, chosen by what they do to the layer's output."""
        return partial(choose_support, choose=self.choice(layer, mask))


@dataclass(frozen=True)
class Filters:
    """Whole output channels. At least one of a layer stays where it alone is pruned."""

    name = "filters"

    def misfit(self, layer: Layer) -> str | None:
        return None if layer.node.outputs[0].outputs else "its output channels are an output of the model"

    def scores(self, weight: np.ndarray) -> np.ndarray:
        return np.sqrt(np.square(weight).mean(axis=tuple(range(1, weight.ndim))))

    def unit(self, weight: np.ndarray) -> int:
        return weight[0].size

    def expand(self, keep: np.ndarray, weight: np.ndarray) -> np.ndarray:
        return np.broadcast_to(keep.reshape(-1, *[1] * (weight.ndim - 1)), weight.shape)

    def mask(self, weight: np.ndarray, sparsity: float) -> np.ndarray:
        return _least_go(self, weight, min(sparsity, 1 - 1 / len(weight)))

    def support(self, layer: Layer, mask: np.ndarray) -> Support:
        return partial(keep_strongest, count=int(mask.reshape(len(mask), -1).any(axis=1).sum()), allowed=_allowed(layer))


@dataclass(frozen=True)
class Fraction:
    """N of every M adjacent input channels, for each output channel and tap."""

    n: int
    m: int

    @property
    def name(self) -> str:
        return f"{self.n}:{self.m}"

    @property
    def sparsity(self) -> float:
        return 1 - self.n / self.m

    def misfit(self, layer: Layer) -> str | None:
        channels = layer.weight.shape[1]
        return f"groups of {self.m} do not divide {channels} input channels{_of_group(layer)}" if channels % self.m else None

    def mask(self, weight: np.ndarray, sparsity: float) -> np.ndarray:
        """The largest of each group; `sparsity` is the pattern's own."""
        rows = weight.reshape(1, len(weight), -1)
        return self._keep(np.square(rows), weight).reshape(weight.shape)

    def support(self, layer: Layer, mask: np.ndarray) -> Support:
        return partial(choose_support, choose=_by_layer(layer, partial(self._keep, weight=layer.weight, allowed=_allowed(layer))))

    def _keep(self, scores: np.ndarray, weight: np.ndarray, allowed: np.ndarray | None = None) -> np.ndarray:
        return keep_of_each(scores, self.n, self.m, int(np.prod(weight.shape[2:])), allowed)


Pattern = Blocks | Filters | Fraction
BLOCKS = {pattern.name: pattern for pattern in (Blocks(1), Blocks(2), Blocks(4))}


def pattern_of(name: str) -> Pattern:
    """Raises ValueError, which says what there is, for a name that is none."""
    if name in BLOCKS:
        return BLOCKS[name]
    if name == Filters.name:
        return Filters()
    numbers = re.fullmatch(r"([0-9]{1,4}):([0-9]{1,4})", name)
    if numbers is None:
        raise ValueError(f"expected {', '.join(map(repr, BLOCKS))}, 'filters' or N:M as in '2:4', found {name!r}")
    n, m = (int(number) for number in numbers.groups())
    if not 0 < n < m:
        raise ValueError(f"{name} leaves {n} of {m} weights, expected at least one and fewer than all")
    return Fraction(n, m)


def _of_group(layer: Layer) -> str:
    return " of a group" if layer.group > 1 else ""


def _least_go(pattern: Blocks | Filters, weight: np.ndarray, sparsity: float) -> np.ndarray:
    (keep,) = lowest_scores([pattern.scores(weight)], [pattern.unit(weight)], sparsity)
    return pattern.expand(keep, weight)


def _by_layer(layer: Layer, choose: Choose) -> Choose:
    """`choose`, which takes scores in the layer's groups, for scores in whatever groups the layer's problem is stated."""
    shape = (layer.group, layer.weight.shape[0] // layer.group, -1)
    return lambda scores: choose(scores.reshape(shape)).reshape(scores.shape)


def _allowed(layer: Layer) -> np.ndarray | None:
    """Weights [group, out, k] that are not zero; None where none is."""
    allowed = (layer.weight != 0).reshape(layer.group, layer.weight.shape[0] // layer.group, -1)
    return None if allowed.all() else allowed
