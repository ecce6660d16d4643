"""What `honed predict` says beside what the compressed models then take.

python -m honed.bench predict MODEL... [--pattern 1x1 4x1] [--sparsity 0.8 0.9 0.95] [--precision f32 int8]
        [--threads 2] [--assert 0.1] [--json]

Each model is compressed, with int8 on random calibration data, compiled, and timed.
"""

import argparse
import json
import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

import numpy as np
from rich.table import Table

from .. import Error, optimize, predict
from ..cli.console import Step, err, error_line, out, progress
from ..passes.lower import compile_model
from ..prediction import recipe_of
from ..session import InferenceSession
from .engines import random_feed
from .environment import describe_environment
from .timing import seconds_of

PATTERNS = ("1x1", "4x1")
SPARSITIES = (0.8, 0.9, 0.95)
PRECISIONS = ("f32", "int8")
SECONDS = 1.0
"""For which each model is timed."""
SAMPLES = 2
"""Of calibration data: the ranges do not change the time."""


@dataclass(frozen=True)
class Comparison:
    """One way to compress a model. ratio: predicted over measured."""

    model: str
    precision: str
    pattern: str
    sparsity: float
    predicted_ms: float
    measured_ms: float

    @property
    def ratio(self) -> float:
        return self.predicted_ms / self.measured_ms


def compare(model: Path, precision: str, pattern: str, sparsity: float, threads: int) -> Comparison:
    """sparsity 0: as it is, or int8 alone."""
    recipe = recipe_of(sparsity or None, pattern, precision == "int8") if sparsity or precision == "int8" else {}
    predicted = predict(model, recipe, threads=threads).compressed.us / 1e3
    optimized = optimize(model, recipe, list(_samples(model)) if precision == "int8" else None)
    session = InferenceSession(compile_model(optimized.model), threads=threads)
    feed = random_feed(session)
    measured = statistics.median(seconds_of(lambda: session.run(None, feed), SECONDS)) * 1e3
    return Comparison(model.name, precision, pattern, sparsity, predicted, measured)


def _samples(model: Path) -> Iterator[dict[str, np.ndarray]]:
    session = InferenceSession(model, threads=1)
    return (random_feed(session, seed=seed) for seed in range(SAMPLES))


def ways_of(precisions: Sequence[str], patterns: Sequence[str], sparsities: Sequence[float]) -> list[tuple[str, str, float]]:
    """All of them; of sparsity 0, which has no pattern, one per precision."""
    return [way for way in product(precisions, patterns, sparsities) if way[2] or way[1] == patterns[0]]


def compare_all(models: list[Path], ways: list[tuple[str, str, float]], threads: int, step: Step) -> list[Comparison]:
    found: list[Comparison] = []
    for model, way in product(models, ways):
        step("predicting and measuring", len(found), len(models) * len(ways))
        found.append(compare(model, *way, threads))
    return found


def table_of(comparisons: list[Comparison], threads: int) -> Table:
    table = Table(title=f"One image, threads: {threads}", title_justify="left")
    for name in ("model", "precision", "pattern"):
        table.add_column(name)
    for name in ("zeros", "predicted ms", "measured ms", "ratio"):
        table.add_column(name, justify="right")
    for c in comparisons:
        numbers = (f"{c.predicted_ms:.3f}", f"{c.measured_ms:.3f}", f"{c.ratio:.3f}")
        table.add_row(c.model, c.precision, c.pattern, f"{c.sparsity:.0%}", *numbers)
    return table


def parser() -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(prog="python -m honed.bench predict", description="Predicted beside measured times.")
    result.add_argument("models", nargs="+", type=Path, help=".onnx, fp32")
    result.add_argument("--pattern", nargs="+", default=PATTERNS, choices=("1x1", "2x1", "4x1"))
    result.add_argument("--sparsity", nargs="+", type=float, default=SPARSITIES, help="0: dense")
    result.add_argument("--precision", nargs="+", default=PRECISIONS, choices=PRECISIONS)
    result.add_argument("--threads", type=int, default=1)
    result.add_argument("--assert", type=float, dest="bound", metavar="SHARE", help="fail where one is off by more than that share")
    result.add_argument("--json", action="store_true", help="print JSON instead of a table")
    return result


def main(arguments: list[str] | None = None) -> None:
    """Prints a table. Exit code 1 for an error, and for a prediction that is off by more than --assert allows."""
    options = parser().parse_args(arguments)
    try:
        with progress() as step:
            ways = ways_of(options.precision, options.pattern, options.sparsity)
            found = compare_all(options.models, ways, options.threads, step)
    except (Error, OSError) as error:
        err().print(error_line(error), markup=False)
        sys.exit(1)
    if options.json:
        rows = [asdict(c) | {"ratio": c.ratio} for c in found]
        print(json.dumps({"environment": describe_environment(), "threads": options.threads, "comparisons": rows}, indent=2))
    else:
        out().print(table_of(found, options.threads))
    if options.bound is not None and any(abs(c.ratio - 1) > options.bound for c in found):
        sys.exit(1)
