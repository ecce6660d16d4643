"""A model in the form that compressing it would give, without data: what predictions are made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import onnx_graphsurgeon as gs

from ..graph import copy, infer_shapes
from ..graph.errors import ShapeError
from .base import Pass
from .compress.assume import AssumeInt8, AssumeWeights
from .compress.factorise import FactoriseLowRank
from .compress.layers import weight_layers
from .compress.plans import Plans, plan_recipe
from .compress.prune import PruneMagnitude
from .compress.recipe import Recipe
from .driver import Driver
from .pipeline import clean


def prepare(graph: gs.Graph, shapes: Mapping[str, Sequence[int]]) -> gs.Graph:
    """A clean copy with weights to prune. shapes: of inputs whose sizes are open, by name."""
    graph = copy(graph)
    _set_shapes(graph, shapes)
    clean(graph)
    Driver(graph).run([AssumeWeights()])
    return graph


def _set_shapes(graph: gs.Graph, shapes: Mapping[str, Sequence[int]]) -> None:
    inputs = {tensor.name: tensor for tensor in graph.inputs}
    sizes: dict[str, int] = {}
    for name, shape in shapes.items():
        known = inputs[name].shape if name in inputs else None
        if known is None or len(known) != len(shape):
            raise ShapeError(f"input {name!r}: no such input of {len(shape)} dimensions, expected one of {', '.join(map(repr, inputs))}")
        sizes |= {old: new for old, new in zip(known, shape, strict=True) if isinstance(old, str)}
        inputs[name].shape = [new if old is None else old for old, new in zip(known, shape, strict=True)]
    if sizes:
        infer_shapes(graph, sizes)


def assume(graph: gs.Graph, recipe: Recipe) -> gs.Graph:
    """A copy of a prepared graph, compressed as the recipe says: pruned by magnitude whatever the method, and int8 with ranges that
    stand for measured ones. Correction and equalisation change no speed and are left out. Raises RecipeError as `optimize` does."""
    graph = copy(graph)
    Driver(graph).run(_passes(plan_recipe(graph, weight_layers(graph), recipe), recipe))
    return graph


def _passes(plans: Plans, recipe: Recipe) -> list[Pass]:
    prune = [PruneMagnitude(plans.prune)] if recipe.prune is not None else []
    factorise = FactoriseLowRank(plans.factorise)
    quantize = [AssumeInt8(recipe.quantize, plans.quantize, factorise.origins)] if recipe.quantize is not None else []
    return [*prune, *([factorise] if recipe.factorise is not None else []), *quantize]
