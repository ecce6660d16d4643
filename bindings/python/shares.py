"""The patterns and sparsities between which an allocation chooses, with the time and the loss of each in each layer."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from .graph.errors import Error, RecipeError
from .passes.compress.allocate import least_loss, loss_at, undominated
from .passes.compress.inputs import Feed
from .passes.compress.layers import weight_layers
from .passes.compress.observe import Tick
from .passes.compress.patterns import BLOCKS
from .passes.compress.plans import plan_recipe
from .passes.compress.recipe import Recipe
from .passes.compress.recipe_prune import BlockPattern, Prune, PruneLayer
from .passes.compress.trials import Reconstructed
from .passes.sensitivity import sensitivity
from .prediction import Forms, Model
from .session import session_of

LEVELS = (0.5, 0.65, 0.75, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97)


@dataclass(frozen=True)
class Share:
    """What a layer may get; without a pattern: it stays dense. us: predicted, on one thread; loss: error of the model's output with this
    layer alone pruned, over its variance."""

    pattern: BlockPattern | None
    sparsity: float
    us: float
    loss: float = 0.0

    @property
    def name(self) -> str:
        return f"{self.pattern} {self.sparsity:.1%}"


class Shares:
    """What every layer may get under a recipe with `prune.allocate`. Raises RecipeError for one that does not fit the model, and what
    `predict` raises."""

    def __init__(self, forms: Forms, settings: Recipe) -> None:
        self.forms, self._settings = forms, settings
        self._section = _pruning(settings)
        assert self._section.allocate is not None
        self.original_us = forms.original().us
        self._names = _free_layers(forms, settings)
        dense = forms.estimate(settings.model_copy(update={"prune": None}))
        self._options = {name: [Share(None, 0.0, dense.us_of(name) or 0.0)] for name in self._names}
        self._rest_us = dense.us - sum(options[0].us for options in self._options.values())
        for pattern in self._section.allocate.patterns:
            for level in LEVELS:
                estimate = forms.estimate(uniform_recipe(settings, level, pattern))
                for name in self._names:
                    self._options[name].append(Share(pattern, level, estimate.us_of(name) or 0.0))
        self._options = {name: _worth_trying(options) for name, options in self._options.items()}

    def uniform_us(self, sparsity: float) -> float:
        """Of the allocation that gives all layers the same."""
        return self.forms.estimate(uniform_recipe(self._settings, sparsity)).us

    @property
    def least_us(self) -> float:
        """Of the fastest shares."""
        return self._rest_us + sum(min(share.us for share in options) for options in self._options.values())

    def check(self, budget_us: float) -> None:
        """Raises Error for a budget that not even the fastest shares keep to."""
        if self.least_us > budget_us:
            raise Error(f"allocate: {budget_us:.0f} us is out of reach: the fastest allocation takes {self.least_us:.0f} us")

    def measure(self, model: Model, feeds: Sequence[Feed], batch: int, tick: Tick, state: Path | None = None) -> None:
        """Finds the losses: solved on every second feed, measured on the others; of every second sparsity, and in between from these.
        state: a folder by which it is continued."""
        tried = {layer: _tried(options) for layer, options in self._options.items()}
        solver = Reconstructed(lambda layer: [(s.sparsity, BLOCKS[s.pattern]) for s in tried[layer] if s.pattern], self._section.damping)
        names = {share.name: share for shares in tried.values() for share in shares}
        techniques = {name: solver.technique(share.sparsity, BLOCKS[share.pattern]) for name, share in names.items() if share.pattern}
        found = sensitivity(
            model, feeds, session_of, techniques, batch=batch, samples=sys.maxsize, tick=tick, names=self._names, held_out=True,
            state=state, key=repr((self._section.damping, self._options)),
        )  # fmt: skip
        losses = {(trial.name, trial.technique): trial.result_error for trial in found.trials}
        for layer, options in self._options.items():
            known = {(s.pattern, s.sparsity): losses[layer, s.name] for s in tried[layer] if s.pattern and (layer, s.name) in losses}
            self._options[layer] = undominated([_with_loss(share, known) for share in options])

    def within(self, budget_us: float) -> dict[str, Share]:
        """The share of every layer, of least summed loss. Raises Error for a budget out of reach."""
        self.check(budget_us)
        shares = least_loss(list(self._options.values()), budget_us - self._rest_us)
        return dict(zip(self._options, shares, strict=True))

    @property
    def digest(self) -> str:
        """Of all that `within` depends on."""
        return hashlib.sha256(repr((self._rest_us, self._options)).encode()).hexdigest()

    def recipe(self, shares: Mapping[str, Share]) -> Recipe:
        """The settings with these shares."""
        dense = [name for name, share in shares.items() if share.pattern is None]
        chosen = {n: PruneLayer(sparsity=s.sparsity, pattern=s.pattern) for n, s in shares.items() if s.pattern is not None}
        changes = {"allocate": None, "sparsity": None, "skip": [*self._section.skip, *dense], "layers": {**self._section.layers, **chosen}}
        return self._settings.model_copy(update={"prune": self._section.model_copy(update=changes)})


def uniform_recipe(settings: Recipe, sparsity: float, pattern: BlockPattern | None = None) -> Recipe:
    """The settings with one sparsity, and pattern, for all layers that have none of their own."""
    section = _pruning(settings)
    changes = {"allocate": None, "sparsity": sparsity, "pattern": pattern or section.pattern}
    return settings.model_copy(update={"prune": section.model_copy(update=changes)})


def _pruning(settings: Recipe) -> Prune:
    if settings.prune is None or settings.prune.allocate is None:
        raise RecipeError("allocate: the recipe has no prune.allocate")
    return settings.prune


def _free_layers(forms: Forms, settings: Recipe) -> list[str]:
    """Layers that pruning takes and that have no sparsity of their own."""
    free = uniform_recipe(settings, 0.5, "1x1")
    plan_recipe(forms.graph, weight_layers(forms.graph), free)
    assert free.prune is not None
    section = free.prune.model_copy(update={"skip": [*free.prune.skip, *free.prune.layers], "layers": {}})
    plans = plan_recipe(forms.graph, weight_layers(forms.graph), free.model_copy(update={"prune": section}))
    return list(plans.prune.targets)


def _worth_trying(options: Sequence[Share]) -> list[Share]:
    """Without what is sure to lose: some other option, of no coarser pattern and no more zeros, is no slower."""

    def finer(a: Share, b: Share) -> bool:
        blocks = [0 if share.pattern is None else BLOCKS[share.pattern].size for share in (a, b)]
        return blocks[0] <= blocks[1] and a.sparsity <= b.sparsity and a != b

    return [b for b in options if not any(finer(a, b) and a.us <= b.us for a in options)]


def _tried(options: Sequence[Share]) -> list[Share]:
    """Of every pattern the least and the greatest sparsity, and every second one."""
    chosen: list[Share] = []
    for pattern in dict.fromkeys(share.pattern for share in options if share.pattern is not None):
        same = sorted((share for share in options if share.pattern == pattern), key=lambda share: share.sparsity)
        chosen += [share for i, share in enumerate(same) if i % 2 == 0 or i == len(same) - 1]
    return chosen


def _with_loss(share: Share, known: Mapping[tuple[BlockPattern, float], float]) -> Share:
    """The share with its loss, from those known by pattern and sparsity; without any of the pattern: infinite."""
    if share.pattern is None:
        return share
    same = {sparsity: loss for (pattern, sparsity), loss in known.items() if pattern == share.pattern}
    return replace(share, loss=loss_at(share.sparsity, same) if same else float("inf"))
