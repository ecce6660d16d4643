"""That no compression makes a model slower: each compressed form beside the dense one, in turn, in one process.

python -m honed.bench never-slower MODEL... [--pattern 1x1 2x1 4x1] [--sparsity 0.3 0.5 0.8 0.9] [--least 0.98] [--threads 1] [--json]

Pruned fp32 is set against fp32, int8 against fp32, pruned int8 against int8. Models are compressed without data, as for `honed predict`.
"""

import argparse
import json
import statistics
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter

import onnx_graphsurgeon as gs
from rich.table import Table

from .. import Error
from ..cli.console import err, error_line, out
from ..cli.parsing import dimensions
from ..graph import load
from ..passes.assume import assume, prepare
from ..passes.compress.recipe import load_recipe
from ..passes.lower import compile_model
from ..prediction import recipe_of
from ..session import InferenceSession
from .engines import random_feed
from .environment import describe_environment

PATTERNS = ("1x1", "2x1", "4x1")
SPARSITIES = (0.3, 0.5, 0.8, 0.9)
LEAST = 0.98
SECONDS, ROUNDS = 0.6, 15
"""Both are reached by every comparison."""


@dataclass(frozen=True)
class Ratio:
    """ratio: the median, over the rounds, of the dense form's time over the compressed one's."""

    model: str
    recipe: str
    dense_ms: float
    compressed_ms: float
    ratio: float


class Contest:
    """The forms of one model."""

    def __init__(self, model: Path, threads: int, dims: dict[str, tuple[int, ...]]) -> None:
        self.name, self._threads, self._dims = model.name, threads, dims
        self._graph = prepare(load(model), {})
        self._dense = {False: self._session(self._graph), True: self._form(None, "1x1", True)}

    def _session(self, graph: gs.Graph) -> InferenceSession:
        return InferenceSession(compile_model(graph), threads=self._threads)

    def _form(self, sparsity: float | None, pattern: str, int8: bool) -> InferenceSession:
        return self._session(assume(self._graph, load_recipe(recipe_of(sparsity, pattern, int8))))

    def ratios(self, patterns: list[str], sparsities: list[float]) -> Iterator[Ratio]:
        """int8 alone, then every pattern and sparsity in both precisions."""
        yield self._ratio("int8", self._dense[False], self._dense[True])
        for int8 in (False, True):
            for pattern in patterns:
                for sparsity in sparsities:
                    recipe = f"{'int8' if int8 else 'fp32'} {pattern} {sparsity:.0%}"
                    yield self._ratio(recipe, self._dense[int8], self._form(sparsity, pattern, int8))

    def _ratio(self, recipe: str, dense: InferenceSession, compressed: InferenceSession) -> Ratio:
        times = in_turn((dense, compressed), self._dims)
        dense_ms, compressed_ms = (statistics.median(column) * 1e3 for column in zip(*times, strict=True))
        return Ratio(self.name, recipe, dense_ms, compressed_ms, statistics.median(a / b for a, b in times))


def in_turn(sessions: tuple[InferenceSession, InferenceSession], dims: dict[str, tuple[int, ...]]) -> list[tuple[float, float]]:
    """Seconds of a run of each, round by round; every other round begins with the second one."""
    feed = random_feed(sessions[0], dims)
    for session in sessions:
        session.run(None, feed)
    times: list[tuple[float, float]] = []
    end = perf_counter() + SECONDS
    while len(times) < ROUNDS or perf_counter() < end:
        order = (0, 1) if len(times) % 2 == 0 else (1, 0)
        taken = [0.0, 0.0]
        for i in order:
            start = perf_counter()
            sessions[i].run(None, feed)
            taken[i] = perf_counter() - start
        times.append((taken[0], taken[1]))
    return times


def table_of(ratios: list[Ratio], least: float) -> Table:
    """Those below `least` are marked."""
    table = Table(title="Dense over compressed: above 1, compression pays", title_justify="left")
    for name in ("model", "recipe"):
        table.add_column(name)
    for name in ("dense ms", "compressed ms", "ratio"):
        table.add_column(name, justify="right")
    for r in ratios:
        mark = " <--" if r.ratio < least else ""
        table.add_row(r.model, r.recipe, f"{r.dense_ms:.3f}", f"{r.compressed_ms:.3f}", f"{r.ratio:.3f}{mark}")
    return table


def parser() -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(prog="python -m honed.bench never-slower", description="Compressed forms of models beside dense ones.")
    result.add_argument("models", nargs="+", type=Path, help=".onnx, fp32")
    result.add_argument("--pattern", nargs="+", default=list(PATTERNS), choices=PATTERNS)
    result.add_argument("--sparsity", nargs="+", type=float, default=list(SPARSITIES))
    result.add_argument("--threads", type=int, default=1)
    result.add_argument("--dims", action="append", default=[], metavar="NAME=1x3x224x224", help="an input's shape; may be repeated")
    result.add_argument("--least", type=float, default=LEAST, help=f"the ratio that counts as not slower (default: {LEAST})")
    result.add_argument("--json", action="store_true", help="print JSON instead of a table")
    return result


def main(arguments: list[str] | None = None) -> None:
    """Prints a table. Exit code 1 for an error, and where a compressed form is slower."""
    options = parser().parse_args(arguments)
    try:
        contests = (Contest(model, options.threads, dimensions(options.dims)) for model in options.models)
        found = [ratio for contest in contests for ratio in contest.ratios(options.pattern, options.sparsity)]
    except (Error, OSError) as error:
        err().print(error_line(error), markup=False)
        sys.exit(1)
    if options.json:
        print(json.dumps({"environment": describe_environment(), "ratios": [asdict(ratio) for ratio in found]}, indent=2))
    else:
        out().print(table_of(found, options.least))
    if any(ratio.ratio < options.least for ratio in found):
        sys.exit(1)
