"""Recipes: which compression techniques a model gets, with what settings, and where they differ from layer to layer.

The schema is documented in docs/recipes.md. Everything that can be checked without the model is checked here; selectors are
matched against a model by `select.resolve`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from ...graph.errors import RecipeError
from .recipe_prune import Prune
from .recipe_section import Section

RangeMethod = Literal["minmax", "percentile", "mse", "entropy", "output"]
Bits = Annotated[int, Field(ge=2, le=8)]

Energy = Annotated[float, Field(gt=0.0, le=1.0)]
Rank = Annotated[int, Field(ge=1)]
Percentile = Annotated[float, Field(gt=50.0, le=100.0)]

_FILE_LIMIT_BYTES = 4 << 20


class Correct(Section):
    """Restores the mean and variance of every output channel of the pruned layers, measured on `samples` calibration samples."""

    samples: Annotated[int, Field(ge=2)] = 256
    skip: list[str] = []


class FactoriseLayer(Section):
    """A rank, a pair of ranks (output, input) for Tucker-2, or an energy threshold."""

    rank: Rank | Annotated[list[Rank], Field(min_length=2, max_length=2)] | None = None
    energy: Energy | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> FactoriseLayer:
        if (self.rank is None) == (self.energy is None):
            raise ValueError("needs exactly one of rank and energy")
        return self


class Factorise(Section):
    """Low-rank factorisation of the layers in `layers`; with `energy`, of every layer that it makes cheaper."""

    energy: Energy | None = None
    skip: list[str] = []
    layers: dict[str, FactoriseLayer] = {}

    @model_validator(mode="after")
    def _says_what_to_factorise(self) -> Factorise:
        if self.energy is None and not self.layers:
            raise ValueError("names nothing to factorise: give an energy or layers")
        return self


class Equalise(Section):
    """Scales channels against the weights around them, measured on `samples` calibration samples, so that quantisation costs less.

    margin: of a channel below the bound of a Clip, how many times its greatest value has to stay below that bound, where nothing else
    keeps it there.
    """

    method: Literal["noise", "weights"] = "noise"
    margin: Annotated[float, Field(ge=1.0)] = 2.0
    samples: Annotated[int, Field(ge=1)] = 256
    skip: list[str] = []


class QuantizeLayer(Section):
    """What differs for the output ranges of the nodes that a selector matches. Left out: as in the section."""

    range: RangeMethod | None = None
    percentile: Percentile | None = None
    bits: Bits | None = None


class Quantize(Section):
    """Static int8: activations u8, asymmetric, per tensor; weights of at most 8 `bits`, symmetric; biases s32.

    augment: variations of each sample. search_samples: of the range method "output". correct_bias: takes the mean error that rounding
    the weights to nearest adds to each output channel off the bias. rounding: to the nearest integers, or so that the layers' outputs
    come close to the original model's; refit then solves the weights for these before it rounds. per_channel: a scale per output channel,
    or one for a layer's weights. pointwise_bits: of 1x1 convolutions. group_size: of the weights of an output channel that share a step,
    where they have fewer than 8 bits; active_only: these are rounded to what the activation behind a layer passes on.
    """

    range: RangeMethod = "percentile"
    percentile: Percentile = 99.99
    samples: Annotated[int, Field(ge=1)] | None = None
    augment: Annotated[int, Field(ge=0, le=100)] = 0
    search_samples: Annotated[int, Field(ge=1)] = 16
    correct_bias: bool = True
    rounding: Literal["nearest", "outputs"] = "nearest"
    refit: bool = False
    per_channel: bool = True
    bits: Bits = 8
    pointwise_bits: Bits | None = None
    group_size: Annotated[int, Field(ge=2)] | None = None
    active_only: bool = False
    skip: list[str] = []
    layers: dict[str, QuantizeLayer] = {}

    @model_validator(mode="after")
    def _groups_are_solved(self) -> Quantize:
        if self.group_size is not None and (self.rounding != "outputs" or not self.per_channel):
            raise ValueError("group_size needs rounding: outputs, and a scale per channel")
        return self

    @model_validator(mode="after")
    def _active_outputs_are_solved(self) -> Quantize:
        if self.active_only and (self.rounding != "outputs" or not self.per_channel or self.refit):
            raise ValueError("active_only needs rounding: outputs, without refit, and a scale per channel")
        return self

    @property
    def reads_again(self) -> bool:
        """Whether calibration data have to be read more than once."""
        ranges = [self.range, *(layer.range for layer in self.layers.values())]
        return self.rounding == "outputs" or "output" in ranges


class Recipe(Section):
    """The whole recipe. `skip` holds for every technique. Techniques run in the order of the fields."""

    version: Literal[1] = 1
    skip: list[str] = []
    prune: Prune | None = None
    correct: Correct | None = None
    factorise: Factorise | None = None
    equalise: Equalise | None = None
    quantize: Quantize | None = None

    @model_validator(mode="after")
    def _joint_pruning_has_a_partner(self) -> Recipe:
        if self.prune is None or not self.prune.joint:
            return self
        if self.quantize is None or self.quantize.rounding != "outputs":
            raise ValueError("prune.joint needs quantize with rounding: outputs")
        if self.correct is not None or self.factorise is not None:
            raise ValueError("prune.joint prunes last of all: leave out correct and factorise")
        if given := sorted({"samples", "augment"} & self.prune.model_fields_set):
            raise ValueError(f"prune.joint takes the samples of quantize: give {' and '.join(given)} there")
        return self


def load_recipe(source: Recipe | Mapping[str, Any] | str | Path) -> Recipe:
    """A validated recipe from a YAML file, a mapping or a Recipe. The path of masks in a file is relative to that file.

    Raises RecipeError, which names every unknown key and impossible value at once.
    """
    if isinstance(source, Recipe):
        return source
    if isinstance(source, Mapping):
        return _validate(dict(source), "recipe")
    path = Path(source)
    recipe = _validate(_read_yaml(path), str(path))
    if recipe.prune is not None and isinstance(recipe.prune.masks, str):
        masks = str(path.parent / recipe.prune.masks)
        recipe = recipe.model_copy(update={"prune": recipe.prune.model_copy(update={"masks": masks})})
    return recipe


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        size = path.stat().st_size
        if size > _FILE_LIMIT_BYTES:
            raise RecipeError(f"{path}: {size} bytes, expected a recipe of at most {_FILE_LIMIT_BYTES}")
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RecipeError(f"{path}: cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise RecipeError(f"{path}: not YAML: {error}") from error
    if not isinstance(document, dict):
        raise RecipeError(f"{path}: holds {type(document).__name__}, expected a mapping of techniques")
    return document


def _validate(document: dict[str, Any], where: str) -> Recipe:
    switches = ("correct", "equalise", "quantize")
    document = {key: {} if key in switches and value in (True, None) else value for key, value in document.items()}
    try:
        return Recipe.model_validate(document)
    except ValidationError as error:
        lines = [_explain(item) for item in error.errors(include_url=False)]
        raise RecipeError(f"{where}: " + "; ".join(lines)) from error


def _explain(item: Any) -> str:
    key = ".".join(str(part) for part in item["loc"]) or "recipe"
    if item["type"] == "extra_forbidden":
        return f"{key}: unknown key"
    if item["type"] == "value_error":
        return f"{key}: {item['ctx']['error']}"
    return f"{key}: {item['msg'][0].lower()}{item['msg'][1:]}, found {_shorten(item['input'])}"


def _shorten(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
