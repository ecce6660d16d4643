"""A recipe matched against a model: what every technique will do to every layer, decided before any of them starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import onnx_graphsurgeon as gs

from ...graph.errors import RecipeError
from .factorise import FactorisePlan, plan_factorising
from .layers import Layer
from .prune import PrunePlan, plan_pruning
from .recipe import Recipe
from .select import Selection, Target, resolve

T = TypeVar("T")


@dataclass
class Plans:
    """What to prune and factorise; what to leave out of correction and equalisation; what to leave out of and change in quantisation."""

    prune: PrunePlan = field(default_factory=PrunePlan)
    correct: Selection[None] = field(default_factory=Selection)
    factorise: FactorisePlan = field(default_factory=FactorisePlan)
    equalise: Selection[None] = field(default_factory=Selection)
    quantize: Selection[Any] = field(default_factory=Selection)


def plan_recipe(graph: gs.Graph, layers: list[Layer], recipe: Recipe) -> Plans:
    """Raises RecipeError with everything in the recipe that does not fit the model."""
    return _Planner(graph, layers, recipe).plan()


class _Planner:
    def __init__(self, graph: gs.Graph, layers: list[Layer], recipe: Recipe) -> None:
        self._layers, self._recipe = layers, recipe
        self._nodes = [Target(node.name, node.op) for node in graph.nodes]
        self._problems: list[str] = []

    def plan(self) -> Plans:
        recipe, plans = self._recipe, Plans()
        skipped = self._attempt(lambda: resolve("skip", self._nodes, recipe.skip), Selection()).skipped
        layers = [Target(layer.name, layer.node.op) for layer in self._layers]
        if (prune := recipe.prune) is not None:
            chosen = self._select("prune", prune, layers, skipped)
            plans.prune = self._attempt(lambda: plan_pruning(self._layers, prune, chosen), plans.prune)
        if recipe.correct is not None:
            plans.correct = self._select("correct", recipe.correct, layers, skipped)
        if (factorise := recipe.factorise) is not None:
            picked = self._select("factorise", factorise, layers, skipped)
            pruned = plans.prune.targets
            plans.factorise = self._attempt(lambda: plan_factorising(self._layers, factorise, picked, pruned), plans.factorise)
        if recipe.equalise is not None:
            plans.equalise = self._select("equalise", recipe.equalise, layers, skipped)
        if recipe.quantize is not None:
            plans.quantize = self._select("quantize", recipe.quantize, self._nodes, skipped)
            self._check_joint(plans)
        if self._problems:
            raise RecipeError("; ".join(self._problems))
        return plans

    def _check_joint(self, plans: Plans) -> None:
        joint = self._recipe.prune is not None and self._recipe.prune.joint
        if joint and (left := [name for name in plans.prune.targets if name in plans.quantize.skipped]):
            self._problems.append(f"prune.joint: quantize skips {', '.join(left)}, which prune does not")

    def _select(self, section: str, settings: Any, targets: list[Target], skipped: dict[str, str]) -> Selection[Any]:
        nothing: Selection[Any] = Selection()
        found = self._attempt(lambda: resolve(section, targets, settings.skip, getattr(settings, "layers", {})), nothing)
        found.skipped = {**skipped, **found.skipped}
        return found

    def _attempt(self, make: Callable[[], T], fallback: T) -> T:
        try:
            return make()
        except RecipeError as error:
            self._problems.append(str(error))
            return fallback
