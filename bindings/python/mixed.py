"""Which layers stay f32, which become int8, and which get fewer bits still: `honed.mixed_precision`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from .api import Model, optimize
from .graph import Error, load, to_model
from .graph.errors import RecipeError
from .passes.compress.calibration import DEFAULT_BATCH, Source, open_calibration, spread
from .passes.compress.images import ImageOptions
from .passes.compress.inputs import Feed, input_specs
from .passes.compress.layers import weight_layers
from .passes.compress.metrics import agreement as share_that_agrees
from .passes.compress.observe import Session
from .passes.compress.recipe import Quantize, QuantizeLayer, Recipe, load_recipe
from .passes.compress.trials import integers
from .passes.pipeline import clean
from .passes.sensitivity import Sensitivity
from .passes.sensitivity import sensitivity as measure_sensitivity
from .prediction import predict
from .session import session_of

LEAST_FEEDS = 4
INT8, SMALL = "int8", "small"
Stage = Callable[[str, int, int | None], None]


@dataclass(frozen=True)
class MixedPrecision:
    """recipe: the one that was given, with the layers `floats` left in f32 and `bits` for the weights of the layers `small`.

    agreement: of its result with the model, on samples that its calibration did not see; enough: whether that is what was asked for.
    us: predicted, on one thread. tried: floats, small and agreement of all that was compressed to find it.
    """

    recipe: Recipe
    floats: list[str]
    small: list[str]
    agreement: float
    enough: bool
    us: float = 0.0
    tried: list[dict[str, float]] = field(default_factory=list)


def mixed_precision(
    model: Model, recipe: Recipe | Mapping[str, Any] | str | Path, calibration: Source, agreement: float, *, bits: int | None = None,
    samples: int = 64, images: ImageOptions | None = None, batch: int = DEFAULT_BATCH, dims: Mapping[str, Sequence[int]] | None = None,
    tune_table: str | os.PathLike[str] | None = None, progress: Stage = lambda stage, done, total: None,
) -> MixedPrecision:  # fmt: skip
    """A recipe whose result has its largest output where the model has it, for at least the share `agreement` of unseen samples.

    Where int8 everywhere is not enough, layers stay f32: as few as suffice, those first whose int8 costs most error for each microsecond
    that it saves (error of the model's output with that layer alone in int8; time by the costs of kernels, as `predict` has it). With
    `bits`, the weights of as many other layers as possible get so few, those first that cost least error for each byte.
    Every second one of about 2 · `samples` samples is held out to judge by. dims and tune_table: as `predict` has them, images and batch:
    as `optimize` has them.
    Raises RecipeError for a recipe without `quantize`, Error for too few data, and what `predict`, `sensitivity` and `optimize` raise.
    """
    settings = load_recipe(recipe)
    if settings.quantize is None:
        raise RecipeError("mixed precision: the recipe has no quantize")
    if not 0 < agreement <= 1 or not (bits is None or 2 <= bits <= 7):
        raise Error(f"mixed precision: agreement {agreement:g} with {bits} bits, expected a share above 0, and 2 to 7 bits or none")
    feeds = spread(open_calibration(calibration, input_specs(to_model(load(model))), batch=batch, images=images), 2 * samples)
    if len(feeds) < LEAST_FEEDS:
        raise Error(f"mixed precision: {len(feeds)} calibration samples, expected at least {LEAST_FEEDS}")
    found = measure_sensitivity(
        model, feeds[::2], session_of, {INT8: integers(8)} | ({} if bits is None else {SMALL: integers(bits)}),
        batch=batch, samples=len(feeds), tick=lambda done, total: progress("sensitivity", done, total),
    )  # fmt: skip
    search = _Search(model, settings, settings.quantize, bits, feeds, agreement, progress)
    order = ranked(found, INT8, _microseconds(model, settings, dims, tune_table))
    result = search.try_out(order[: fewest(len(order), lambda count: search.try_out(order[:count], []).enough)], [])
    if bits is not None and result.enough:
        worst = [name for name in ranked(found, SMALL, _sizes(model)) if name not in result.floats]
        spared = fewest(len(worst), lambda count: search.try_out(result.floats, worst[count:]).enough)
        result = search.try_out(result.floats, worst[spared:])
    us = predict(model, result.recipe, dims=dims, tune_table=tune_table).compressed.us
    return replace(result, us=us, tried=search.tried)


class _Search:
    """Compresses with some layers in f32 and some of few bits, on every second feed, and compares on the others."""

    def __init__(
        self, model: Model, settings: Recipe, section: Quantize, bits: int | None, feeds: Sequence[Feed], least: float, progress: Stage
    ) -> None:
        self._model, self._settings, self._section, self._bits, self._least = model, settings, section, bits, least
        self._seen, self._unseen, self._progress = feeds[::2], feeds[1::2], progress
        self._exact = _outputs(session_of(to_model(load(model))), self._unseen)
        self._known: dict[tuple[tuple[str, ...], tuple[str, ...]], MixedPrecision] = {}
        self.tried: list[dict[str, float]] = []

    def try_out(self, floats: Sequence[str], small: Sequence[str]) -> MixedPrecision:
        key = (tuple(floats), tuple(small))
        if key not in self._known:
            self._progress("mixed precision", len(self.tried), None)
            recipe = self._recipe(floats, small)
            compressed = optimize(self._model, recipe, self._seen).model
            agreement = share_that_agrees(self._exact, _outputs(session_of(compressed), self._unseen))
            self._known[key] = MixedPrecision(recipe, list(floats), list(small), agreement, agreement >= self._least)
            self.tried.append({"floats": len(floats), "small": len(small), "agreement": agreement})
        return self._known[key]

    def _recipe(self, floats: Sequence[str], small: Sequence[str]) -> Recipe:
        layers = dict(self._section.layers)
        for name in small:
            layers[name] = layers.get(name, QuantizeLayer()).model_copy(update={"bits": self._bits})
        section = self._section.model_copy(update={"skip": [*self._section.skip, *floats], "layers": layers})
        return self._settings.model_copy(update={"quantize": section})


def fewest(limit: int, enough: Callable[[int], bool]) -> int:
    """The least count up to `limit` that is enough, where more of a thing is never worse; `limit` where none is. By doubling, then
    halving."""
    low, high = -1, 0
    while high < limit and not enough(high):
        low, high = high, min(max(2 * high, 1), limit)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def ranked(found: Sensitivity, technique: str, gains: Mapping[str, float]) -> list[str]:
    """Layers, the most error for each gain first; before all, those without a gain."""
    errors = {trial.name: trial.result_error for trial in found.trials if trial.technique == technique}
    return sorted(errors, key=lambda name: -errors[name] / gains[name] if gains.get(name, 0) > 0 else -np.inf)


def _microseconds(
    model: Model, settings: Recipe, dims: Mapping[str, Sequence[int]] | None, tune_table: str | os.PathLike[str] | None
) -> dict[str, float]:
    """What int8 saves of each layer, by its name."""
    plain = settings.model_copy(update={"quantize": None})
    before, after = (predict(model, recipe, dims=dims, tune_table=tune_table).compressed for recipe in (plain, settings))
    names = {layer.name for layer in after.layers}
    return {name: (before.us_of(name) or 0.0) - (after.us_of(name) or 0.0) for name in names}


def _sizes(model: Model) -> dict[str, float]:
    graph = load(model)
    clean(graph)
    return {layer.name: layer.weight.size for layer in weight_layers(graph)}


def _outputs(session: Session, feeds: Sequence[Feed]) -> list[np.ndarray]:
    """The first output for each feed."""
    return [session.run(None, feed)[0] for feed in feeds]
