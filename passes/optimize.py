"""The lossy half of honed: an ONNX model and a recipe in, a smaller ONNX model and a report out."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import onnx
import onnx_graphsurgeon as gs

from ..graph import Error, ModelError, copy, infer_shapes, load, packing, raise_opset, to_model
from .base import Pass
from .compress.augment import augment, check_augmentable
from .compress.calibration import DEFAULT_BATCH, Calibration, Source, open_calibration
from .compress.correct import CorrectStatistics
from .compress.coverage import SPLIT_HALF_FACTS, narrow_warnings
from .compress.equalise import EqualiseChannels
from .compress.equalise_math import scaled_weight
from .compress.factorise import FactoriseLowRank
from .compress.formats import weight_format
from .compress.images import ImageOptions
from .compress.inputs import input_specs
from .compress.layers import Layer, weight_layers
from .compress.measure import describe_layers, measure_noise, measure_sizes
from .compress.observe import Runner, Tick
from .compress.plans import plan_recipe
from .compress.prune import PruneMagnitude
from .compress.prune_reconstruct import PruneReconstruct
from .compress.quantize import QuantizeInt8
from .compress.recipe import Equalise, Quantize, Recipe, load_recipe
from .compress.recipe_prune import Prune
from .compress.report import CompressionReport
from .compress.supports import Supports
from .driver import Driver
from .pipeline import clean

TECHNIQUES = {
    PruneMagnitude.name: "prune", PruneReconstruct.name: "prune", CorrectStatistics.name: "correct", FactoriseLowRank.name: "factorise",
    EqualiseChannels.name: "equalise", QuantizeInt8.name: "quantize",
}  # fmt: skip

JOINT_FACTS = ("sparsity_before", "sparsity", "damping", *SPLIT_HALF_FACTS)
"""Of pruning, where it is done as layers are rounded."""


class Progress(Protocol):
    """Told how far a stage is: "clean", "prune", "correct", "factorise", "quantize", "measure". `total` is None where it is not known."""

    def __call__(self, stage: str, done: int, total: int | None, /) -> None: ...


def optimize(
    model: str | os.PathLike[str] | bytes | onnx.ModelProto | gs.Graph, recipe: Recipe | Mapping[str, Any] | str | Path,
    calibration: Source | Calibration | None = None, runner: Runner | None = None, *, progress: Progress | None = None,
    images: ImageOptions | None = None, batch: int = DEFAULT_BATCH, state: str | os.PathLike[str] | None = None,
) -> tuple[gs.Graph, CompressionReport]:  # fmt: skip
    """Cleans, prunes, corrects, factorises and quantises a model as the recipe says, in this order.

    Returns a new graph in plain ONNX operators and the report; `model` is left as it is, and nothing is written. `calibration` and
    `runner` (which runs models on it) are needed to correct and to quantise; where they are given and can be read twice, the report
    says the SQNR of every layer. `images`: how files of a folder become inputs. `batch`: samples per run where the model leaves it free.
    `state`: a folder for what was solved so far: the same call after an interruption goes on from there.

    Raises ModelError, RecipeError (before any work on the model's weights), ShapeError or Error.
    """
    settings = load_recipe(recipe)
    tell = progress or (lambda stage, done, total: None)
    graph = copy(model) if isinstance(model, gs.Graph) else load(model)
    tell("clean", 0, 1)
    clean(graph)
    tell("clean", 1, 1)
    _check_weights(weight_layers(graph))
    return _Optimizer(graph, settings, calibration, runner, tell, images, batch, None if state is None else Path(state)).run()


def _check_weights(layers: list[Layer]) -> None:
    bad = [layer.name for layer in layers if not all(np.isfinite(a).all() for a in (layer.weight, layer.bias) if a is not None)]
    if bad:
        raise ModelError(f"weights of {', '.join(bad)} hold NaN or infinity, expected finite values")


class _Optimizer:
    """One run of optimize() over a clean graph."""

    def __init__(
        self, graph: gs.Graph, recipe: Recipe, calibration: Source | Calibration | None, runner: Runner | None, tell: Progress,
        images: ImageOptions | None, batch: int, state: Path | None,
    ) -> None:  # fmt: skip
        self.graph, self.recipe, self.tell, self.state = graph, recipe, tell, state
        self.original = to_model(graph)
        self.layers = weight_layers(graph)
        self.plans = plan_recipe(graph, self.layers, recipe)
        self.data: Calibration | None = None
        self.runner = runner
        if calibration is not None and runner is not None:
            self.data = open_calibration(calibration, input_specs(self.original), batch=batch, images=images)
            self._check_readers(self.data)
        self._check_data()
        self.driver = Driver(graph)
        self.report = CompressionReport(describe_layers(self.layers), recipe=describe_recipe(recipe))
        self.origins: dict[str, str] = {}
        self.equalised: EqualiseChannels | None = None

    def _readers(self) -> list[str]:
        """The techniques of the recipe that read calibration data."""
        recipe, prune = self.recipe, self.recipe.prune
        reconstructs = prune is not None and prune.method == "reconstruct"
        sections = (("prune", reconstructs), ("correct", recipe.correct), ("equalise", recipe.equalise), ("quantize", recipe.quantize))
        return [name for name, reads in sections if reads]

    def _check_data(self) -> None:
        if (readers := self._readers()) and self.data is None:
            raise Error(f"{' and '.join(readers)}: needs calibration data and a runner")
        if any(section is not None and section.augment for section in (self.recipe.prune, self.recipe.quantize)):
            check_augmentable(input_specs(self.original))

    def _check_readers(self, data: Calibration) -> None:
        """Data that can be read only once serve one technique."""
        readers, quantize = self._readers(), self.recipe.quantize
        if not data.repeatable and quantize is not None and quantize.reads_again:
            raise Error("calibration data: an iterator can be read only once, and quantize reads it again; pass a list or a function")
        if not data.repeatable and len(readers) > 1:
            names = " and ".join(readers)
            raise Error(f"calibration data: an iterator can be read only once, and {names} read it; pass a list or a function")

    def run(self) -> tuple[gs.Graph, CompressionReport]:
        weights = {layer.name: layer.weight for layer in self.layers}
        if self.recipe.prune is not None and not self.recipe.prune.joint:
            self._prune(self.recipe.prune)
        if self.recipe.correct is not None:
            data, runner = self._needed()
            names = list(self.plans.prune.targets)
            settings, selection = self.recipe.correct, self.plans.correct
            self._run("correct", CorrectStatistics(settings, selection, load(self.original), names, data, runner, self._tick("correct")))
        if self.recipe.factorise is not None:
            factorise = FactoriseLowRank(self.plans.factorise)
            self._run("factorise", factorise)
            self.origins = factorise.origins
        if self.recipe.equalise is not None:
            self._equalise(self.recipe.equalise)
        if self.recipe.quantize is not None:
            self._quantize(self.recipe.quantize)
        self._pack()
        infer_shapes(self.graph)
        self._fill_report(weights)
        return self.graph, self.report

    def _equalise(self, section: Equalise) -> None:
        data, runner = self._needed()
        tick = self._tick("equalise")
        self.equalised = EqualiseChannels(section, self.plans.equalise, data, runner, tick, self._levels(), self.origins)
        self._run("equalise", self.equalised)

    def _quantize(self, section: Quantize) -> None:
        """Where layers became others, which the original model does not have, these are what rounding to outputs compares with."""
        data, runner = self._needed()
        original, gains = (copy(self.graph), {}) if self.origins else (load(self.original), self.equalised.made if self.equalised else {})
        if section.augment:
            data = augment(data, input_specs(self.original), section.augment, section.samples or sys.maxsize)
            section = section.model_copy(update={"samples": None})
        selection, tick = self.plans.quantize, self._tick("quantize")
        supports = self._supports()
        self._run("quantize", QuantizeInt8(section, selection, data, runner, original, tick, self.origins, gains, self.state, supports))

    def _supports(self) -> Supports | None:
        """Of pruning that is done as layers are rounded."""
        section = self.recipe.prune
        return Supports.of(self.plans.prune, section, weight_layers(self.graph)) if section is not None and section.joint else None

    def _pack(self) -> None:
        """Where weights have 4 bits or fewer, the opset has to be one in which they can be stored so."""
        if any(change.facts.get("bits", 8) <= packing.BITS for change in self.driver.report.changes):
            reason = raise_opset(self.graph, packing.OPSET)
            if reason is not None:
                self.report.warnings.append(f"weights of {packing.BITS} bits are stored in 8: {reason}")

    def _levels(self) -> dict[str, int]:
        section = self.recipe.quantize
        if section is None:
            return {}
        formats = {layer.name: weight_format(layer, section, self.plans.quantize, self.origins) for layer in weight_layers(self.graph)}
        return {name: form.limit for name, form in formats.items()}

    def _prune(self, section: Prune) -> None:
        if section.method == "magnitude":
            self._run("prune", PruneMagnitude(self.plans.prune))
            return
        data, runner = self._needed()
        if section.augment:
            data = augment(data, input_specs(self.original), section.augment, section.samples)
        original, tick = copy(self.graph), self._tick("prune")
        self._run("prune", PruneReconstruct(self.plans.prune, section, original, data, runner, tick, self.state))

    def _run(self, stage: str, pass_: Pass) -> None:
        """Passes over data tell how far they are; the others only that they are done."""
        self.tell(stage, 0, None)
        self.driver.run([pass_])
        if pass_.name in (PruneMagnitude.name, FactoriseLowRank.name):
            self.tell(stage, 1, 1)

    def _tick(self, stage: str) -> Tick:
        return lambda done, total: self.tell(stage, done, total)

    def _needed(self) -> tuple[Calibration, Runner]:
        assert self.data is not None and self.runner is not None
        return self.data, self.runner

    def _fill_report(self, weights: dict[str, np.ndarray]) -> None:
        report, known = self.report, {layer.name: layer for layer in self.report.layers}
        for change in self.driver.report.changes:
            name = self.origins.get(change.node, change.node)
            if name in known and "tensor" not in change.facts:
                known[name].techniques.setdefault(TECHNIQUES[change.pass_name], {}).update(change.facts)
        if self.recipe.prune is not None and self.recipe.prune.joint:
            self._tell_pruning_from_rounding()
        for refusal in self.driver.report.refusals:
            technique = TECHNIQUES[refusal.pass_name]
            if refusal.node in known:
                known[refusal.node].techniques[technique] = {"refused": refusal.reason}
            else:
                report.nodes.append({"name": refusal.node, "op": refusal.op, "technique": technique, "refused": refusal.reason})
        order = list(TECHNIQUES.values())
        for layer in report.layers:
            layer.techniques = dict(sorted(layer.techniques.items(), key=lambda item: order.index(item[0])))
        report.passes = [
            {"name": stats.name, "changes": stats.changes, "seconds": stats.seconds} for stats in self.driver.report.passes.values()
        ]
        made, read = ({}, {}) if self.equalised is None else (self.equalised.made, self.equalised.read)
        groups = {layer.name: layer.group for layer in self.layers}
        wanted = {name: scaled_weight(weight, made.get(name), read.get(name), groups[name]) for name, weight in weights.items()}
        measure_sizes(report, wanted, self.graph, self.origins)
        if self.data is not None and self.runner is not None and self.data.repeatable:
            measure_noise(report, self.original, self.graph, self.data, self.runner, self._tick("measure"), made)
        report.warnings += self._coverage()

    def _tell_pruning_from_rounding(self) -> None:
        """Where one pass did both."""
        plan = self.plans.prune
        for layer in self.report.layers:
            if layer.name in plan.targets:
                facts = layer.techniques["quantize"]
                own = {name: facts.pop(name) for name in JOINT_FACTS}
                layer.techniques["prune"] = {"pattern": plan.targets[layer.name].name, **own}
            elif layer.name in plan.refused:
                layer.techniques["prune"] = {"refused": plan.refused[layer.name]}

    def _coverage(self) -> list[str]:
        """What calibration data do not show."""
        facts = {layer.name: layer.techniques.get("prune", {}) for layer in self.report.layers}
        solved = {name: [f[fact] for fact in SPLIT_HALF_FACTS] for name, f in facts.items() if "output_held_out_error" in f}
        if self.data is None:
            return []
        return [*self.data.coverage.warnings(), *narrow_warnings(solved, self.data.coverage.samples)]


def describe_recipe(recipe: Recipe) -> dict[str, Any]:
    """The recipe as JSON types; of masks given as arrays, the names of the layers."""
    document = recipe.model_dump(exclude_none=True, exclude={"prune": {"masks"}})
    if recipe.prune is not None and recipe.prune.masks is not None:
        masks = recipe.prune.masks
        document["prune"]["masks"] = masks if isinstance(masks, str) else sorted(masks)
    return document
