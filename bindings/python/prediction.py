"""What compressing a model would give, before anyone does it: `honed.predict`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import onnx
import onnx_graphsurgeon as gs

from ._runtime import Engine, Session
from ._runtime import Model as Compiled
from .graph import load
from .graph.errors import Error, RecipeError, ShapeError
from .passes.assume import assume, prepare
from .passes.compress.recipe import Recipe, load_recipe
from .passes.lower import LayerInfo, Program, describe, lower
from .passes.lower.artifact import Artifact
from .passes.lower.costs import current_costs, read_costs

Model = str | os.PathLike[str] | bytes | onnx.ModelProto


@dataclass(frozen=True)
class Estimate:
    """Of one form of a model. us: microseconds for one image; layers: in the order in which they run, each with its us."""

    us: float
    layers: list[LayerInfo]

    def us_of(self, name: str) -> float | None:
        """Of all that runs the layer of that name; None where there is none."""
        found = [layer.us or 0.0 for layer in self.layers if layer.name == name]
        return sum(found) if found else None


@dataclass(frozen=True)
class Prediction:
    """original: the model as it is. compressed: as the recipe says. quantized: with the recipe's int8 alone; None where the recipe has
    no int8, or nothing else. cpu, isa: whose costs the times are estimated from. threads: on which the model is taken to run."""

    original: Estimate
    quantized: Estimate | None
    compressed: Estimate
    cpu: str
    isa: str
    threads: int = 1

    @property
    def speedup(self) -> float:
        """Of the compressed model against the original one."""
        return self.original.us / self.compressed.us

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self) | {"speedup": self.speedup}


def predict(
    model: Model, recipe: Recipe | Mapping[str, Any] | str | Path, *, dims: Mapping[str, Sequence[int]] | None = None,
    tune_table: str | os.PathLike[str] | None = None, threads: int = 1,
) -> Prediction:  # fmt: skip
    """How fast `model` (fp32) would be if it were compressed as the recipe says, estimated from the costs of kernels.

    Nothing is run, and no data are needed: layers are pruned by the magnitude of the weights at hand, which need not be those of the
    model in use, and ranges of activations are made up; neither changes the time.
    dims: shapes of inputs whose sizes the model leaves open, by name. tune_table: as `honed.compile` has it. threads: that one run may use;
    layers are chosen as for one.
    Raises ModelError, RecipeError, ShapeError, or Error for a damaged table.
    """
    settings = load_recipe(recipe)
    forms = Forms(model, dims, tune_table, threads)
    alone = Recipe(skip=settings.skip, quantize=settings.quantize)
    quantized = forms.estimate(alone) if settings.quantize is not None and alone != settings else None
    return Prediction(forms.original(), quantized, forms.estimate(settings), forms.costs.cpu, forms.costs.isa, threads)


class Forms:
    """A model of which many compressed forms are estimated. Arguments and errors: as `predict` has them."""

    def __init__(
        self, model: Model, dims: Mapping[str, Sequence[int]] | None, tune_table: str | os.PathLike[str] | None, threads: int = 1
    ) -> None:
        if threads < 1:
            raise Error(f"threads is {threads}, expected at least 1")
        self.costs = current_costs() if tune_table is None else read_costs(tune_table)
        self.graph = prepare(load(model), dims or {})
        self.threads = threads

    def original(self) -> Estimate:
        """As it is."""
        return self._estimate(self.graph)

    def estimate(self, recipe: Recipe) -> Estimate:
        """As the recipe says."""
        return self._estimate(assume(self.graph, recipe))

    def _estimate(self, graph: gs.Graph) -> Estimate:
        program = lower(graph, costs=self.costs)
        layers = describe(program)
        unknown = [layer.name for layer in layers if layer.us is None or layer.shape is None]
        if unknown:
            which = f"sizes of {len(unknown)} layers are known at run time only, {unknown[0]} first"
            raise ShapeError(f"{which}; give the shapes of the inputs")
        if self.threads > 1:
            spread = self.costs.spread_us
            found = zip(layers, _tasks(program), strict=True)
            layers = [replace(layer, us=spread(layer.kernel, layer.us or 0.0, tasks, self.threads)) for layer, tasks in found]
        return Estimate(sum(layer.us or 0.0 for layer in layers), layers)


def recipe_of(sparsity: float | None, pattern: str, int8: bool) -> dict[str, Any]:
    """The recipe of the command line's options. N:M is a sparsity by itself. Raises RecipeError where they ask for
    nothing."""
    fixed = ":" in pattern
    if sparsity is None and not int8 and not fixed:
        raise RecipeError("nothing to predict: give a sparsity, int8 or a recipe")
    prune = {} if sparsity is None and not fixed else {"prune": {"sparsity": sparsity, "pattern": pattern}}
    return prune | ({"quantize": {}} if int8 else {})


def _tasks(program: Program) -> list[int]:
    """Of every operator, by this machine's kernels, for one image."""
    session = Session(Compiled(Artifact(program).in_memory(), Engine(1)), 1)
    session.reshape(tuple([tuple([dim if isinstance(dim, int) else 1 for dim in value.shape or ()]) for value in program.inputs]))
    return list(session.tasks())
