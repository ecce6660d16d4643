"""Compress and compile: `honed.optimize` and `honed.compile`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx

from .allocation import allocate
from .graph import Error, load, save, to_model
from .passes.compress.calibration import DEFAULT_BATCH, Source
from .passes.compress.images import ImageOptions
from .passes.compress.observe import Tick
from .passes.compress.recipe import Recipe, load_recipe
from .passes.compress.report import CompressionReport
from .passes.lower import Precision, compile_to_file
from .passes.lower.costs import read_costs
from .passes.optimize import Progress
from .passes.optimize import optimize as optimize_graph
from .passes.sensitivity import SAMPLES, Sensitivity, techniques_of
from .passes.sensitivity import sensitivity as measure_sensitivity
from .session import session_of


@dataclass(frozen=True)
class Optimized:
    """A compressed model and the report on it. `model` is plain ONNX; other runtimes load it as well."""

    model: onnx.ModelProto
    report: CompressionReport

    def save(self, path: str | os.PathLike[str], *, external_data: bool = False) -> None:
        """Writes the model as .onnx, with `external_data` its weights to a file beside it: the whole file or nothing."""
        save(load(self.model), path, external_data)


Model = str | os.PathLike[str] | bytes | onnx.ModelProto


def optimize(
    model: Model, recipe: Recipe | Mapping[str, Any] | str | Path, calibration: Source | None = None, *,
    images: ImageOptions | None = None, batch: int = DEFAULT_BATCH, progress: Progress | None = None,
    state: str | os.PathLike[str] | None = None,
) -> Optimized:  # fmt: skip
    """Compresses an ONNX model as the recipe says: prune, correct, factorise, quantise. `model` is left as it is.

    calibration: what the model sees in use; needed to quantise and to correct. A folder of images (with `images`, which says how they
    become inputs), a .npy or .npz file, an array [samples, ...] or a mapping of them, an iterable of feeds, a function that returns one,
    or ONNX Runtime's CalibrationDataReader. It is streamed.
    batch: samples per run where the model leaves the batch free. progress: called with stage, done and total (None: not known).
    state: a folder in which pruning with reconstruction, rounding to outputs and `allocate` keep what they found: the same call after an
    interruption goes on from there.
    `prune` with `allocate` is settled first, as `allocate` has it, and for inputs of known sizes only.
    Raises RecipeError (before any work on the weights), ModelError, ShapeError or Error.
    """
    settings, allocation = load_recipe(recipe), None
    if settings.prune is not None and settings.prune.allocate is not None:
        if calibration is None:
            raise Error("prune.allocate: needs calibration data")
        allocation = allocate(model, settings, calibration, images=images, batch=batch, progress=progress, state=state)
        settings = allocation.recipe
    graph, report = optimize_graph(model, settings, calibration, session_of, progress=progress, images=images, batch=batch, state=state)
    report.allocation = None if allocation is None else allocation.to_dict()
    return Optimized(to_model(graph), report)


def sensitivity(
    model: Model, calibration: Source, sparsities: Sequence[float] = (0.5, 0.8), *, pattern: str = "1x1", samples: int = SAMPLES,
    images: ImageOptions | None = None, batch: int = DEFAULT_BATCH, tick: Tick | None = None,
) -> Sensitivity:  # fmt: skip
    """Tries int8 and every sparsity on each layer of an fp32 model alone: the error of its output and of the model's, and agreement.

    calibration, images, batch: as of `optimize`. Pruning is by magnitude, in blocks as `pattern` says. tick: called with layers done and
    their number. Raises ModelError, ShapeError or Error.
    """
    techniques = techniques_of(sparsities, pattern)
    return measure_sensitivity(model, calibration, session_of, techniques, images=images, batch=batch, samples=samples, tick=tick)


def compile(
    model: Model | Optimized, path: str | os.PathLike[str], *, strict: bool = False, tune_table: str | os.PathLike[str] | None = None,
    precision: Precision = "f32",
) -> None:  # fmt: skip
    """Writes the .honed file of an ONNX model, fp32 or int8, pruned or not: the whole file or nothing.

    strict: refuse operators that would run, but slowly. tune_table: a file that `honed tune -o` wrote on the CPU that the model is for;
    None: kernels are chosen for this one. precision: "bf16" lets convolutions and Gemms over f32 round the factors of their products to
    bfloat16 where that is faster; the file gives the same bits on every CPU. Raises ModelError, which lists every node
    that cannot be run, and Error for a damaged table.
    """
    costs = None if tune_table is None else read_costs(tune_table)
    compile_to_file(model.model if isinstance(model, Optimized) else model, path, strict=strict, costs=costs, precision=precision)
