"""Which pattern and sparsity each layer gets, by its measured time and what it costs the model's output: `honed.allocate`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .graph import Error, load, to_model
from .graph.errors import RecipeError
from .passes.compress.calibration import DEFAULT_BATCH, Source, open_calibration, spread
from .passes.compress.images import ImageOptions
from .passes.compress.inputs import Feed, input_specs, join_feeds
from .passes.compress.recipe import Recipe, load_recipe
from .passes.compress.recipe_prune import Allocate
from .passes.optimize import Progress
from .prediction import Forms, Model
from .rivals import Rivals
from .shares import Share, Shares, uniform_recipe
from .verdict import Outcome

LEAST_FEEDS = 16
QUARTERS = 4
FINEST_STEP = 0.005


@dataclass(frozen=True)
class Allocation:
    """recipe: the one that was given, with sparsities by layer, which are `layers` where the allocation was better than the uniform one,
    and otherwise the uniform ones. reason: for that, with the figures of both. original_us, budget_us: predicted, of the model as it is,
    and what was allowed."""

    recipe: Recipe
    better: bool
    reason: str
    allocated: Outcome
    uniform: Outcome
    uniform_sparsity: float
    original_us: float
    budget_us: float
    layers: dict[str, Share] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it, without the recipe."""
        result = asdict(self)
        del result["recipe"]
        return result


def allocate(
    model: Model, recipe: Recipe | Mapping[str, Any] | str | Path, calibration: Source, *, images: ImageOptions | None = None,
    batch: int = DEFAULT_BATCH, dims: Mapping[str, Sequence[int]] | None = None, tune_table: str | os.PathLike[str] | None = None,
    progress: Progress | None = None, state: str | os.PathLike[str] | None = None,
) -> Allocation:  # fmt: skip
    """Settles `allocate` in a recipe's `prune`: a pattern and a sparsity for each layer.

    Loss: the error of the model's output with one layer alone pruned and reconstructed, on samples that the solver did not see. Time: of
    the layer, by the costs of kernels, as `predict` has it. Of all allocations within the budget the one of least summed loss is taken
    (SPDY, arXiv 2201.13096); where its form runs slower here than the uniform one's, from a budget that is less by as much. Both are
    compressed as the whole recipe says on one half of the samples and run on the other; `verdict.judge` says which one stays, by the
    times measured, and by how far either's answers are from the model's. With a tune_table, which is that of another machine, times are
    the predicted ones.
    dims and tune_table: as `predict` has them, images, batch and state: as `optimize` has them.
    Raises RecipeError for a recipe without `allocate`, Error for too few data or a budget out of reach, and what `predict` raises.
    """
    settings = load_recipe(recipe)
    if settings.prune is None or settings.prune.allocate is None:
        raise RecipeError("allocate: the recipe has no prune.allocate")
    shares = Shares(Forms(model, dims, tune_table), settings)
    sparsity, budget_us = _budget(shares, settings, settings.prune.allocate)
    shares.check(budget_us)
    seen, unseen, one = _halves(model, calibration, settings.prune.allocate.samples, batch, images)
    tell = progress or (lambda stage, done, total: None)
    place, uniform = None if state is None else Path(state) / "allocation", uniform_recipe(settings, sparsity)
    shares.measure(model, seen, batch, lambda done, total: tell("allocate", done, total), place)
    rivals = Rivals(
        model, shares, uniform, budget_us, seen, unseen, one, batch=batch, tell=tell, measured=tune_table is None, state=place
    )  # fmt: skip
    chosen = rivals.choose()
    allocated, equal, verdict = rivals.compare(shares.recipe(chosen))
    result = shares.recipe(chosen) if verdict.better else uniform
    return Allocation(result, verdict.better, verdict.reason, allocated, equal, sparsity, shares.original_us, budget_us, chosen)


def _budget(shares: Shares, settings: Recipe, section: Allocate) -> tuple[float, float]:
    """The uniform sparsity, and the time that is allowed: what that takes, or by `speedup`. In the latter case the least sparsity that is
    as fast, by halving."""
    assert settings.prune is not None
    if section.speedup is None:
        sparsity = settings.prune.sparsity or 0.0
        return sparsity, shares.uniform_us(sparsity)
    budget_us = shares.original_us / section.speedup
    low, high = 0.0, 1 - FINEST_STEP
    while high - low > FINEST_STEP:
        middle = (low + high) / 2
        low, high = (low, middle) if shares.uniform_us(middle) <= budget_us else (middle, high)
    return high, budget_us


def _halves(
    model: Model, calibration: Source, samples: int, batch: int, images: ImageOptions | None
) -> tuple[list[Feed], list[Feed], Feed]:  # fmt: skip
    """Every second sample to decide by, the others to judge by, and one of these alone; at least four batches of the former."""
    specs = input_specs(to_model(load(model)))
    feeds = spread(open_calibration(calibration, specs, batch=batch, images=images), samples)
    if len(feeds) < LEAST_FEEDS:
        raise Error(f"allocate: {len(feeds)} calibration samples, expected at least {LEAST_FEEDS}")
    size = min(batch, len(feeds) // 2 // QUARTERS)
    return join_feeds(feeds[::2], specs, size), join_feeds(feeds[1::2], specs, size), feeds[1]
