"""python -m honed.bench agreement MODEL ... [--inputs N] [--seed N] [--tolerance T]

honed's outputs beside ONNX Runtime's, over random inputs: standard normal floats, uniform integers.

A model that ends in DequantizeLinear has an output step, that operator's scale: where two classes are closer than a step, top-1 may differ
by rounding alone. Exit code 1 where top-1 differs beyond a step, or where a float output differs by more than `--tolerance`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper
from rich.table import Table

from ..cli.console import out
from .engines import open_session, random_feed


@dataclass
class Agreement:
    """Counts of inputs; `error`: the largest |difference| in standard deviations of the output."""

    inputs: int = 0
    equal: int = 0
    error: float = 0.0
    same_top1: int = 0
    within_step: int = 0
    beyond_step: int = 0

    def add(self, ours: np.ndarray, theirs: np.ndarray, step: float) -> None:
        """The first output of one input each."""
        ours, theirs = ours.astype(np.float64).reshape(-1), theirs.astype(np.float64).reshape(-1)
        self.inputs += 1
        self.equal += bool(np.array_equal(ours, theirs))
        self.error = max(self.error, float(np.abs(ours - theirs).max() / max(theirs.std(), 1e-30)))
        a, b = int(ours.argmax()), int(theirs.argmax())
        if a == b:
            self.same_top1 += 1
        elif theirs[b] - theirs[a] <= step * 1.001:
            self.within_step += 1
        else:
            self.beyond_step += 1


def output_step(path: Path) -> float:
    """The scale of the DequantizeLinear that makes the first output; 0 where there is none."""
    graph = onnx.load(path, load_external_data=False).graph
    constants = {t.name: t for t in graph.initializer}
    producers = {name: node for node in graph.node for name in node.output}
    node = producers.get(graph.output[0].name)
    if node is None or node.op_type != "DequantizeLinear" or node.input[1] not in constants:
        return 0.0
    return float(numpy_helper.to_array(constants[node.input[1]]).max())


def compare(path: Path, inputs: int, seed: int = 0) -> Agreement:
    """honed against ONNX Runtime on one ONNX file, over inputs of the seeds from `seed` on."""
    ours, theirs, step = open_session("honed", path, 2), open_session("onnxruntime", path, 2), output_step(path)
    agreement = Agreement()
    for i in range(inputs):
        feed = random_feed(theirs, seed=seed + i)
        agreement.add(ours.run(None, feed)[0], theirs.run(None, feed)[0], step)
    return agreement


def table_of(results: Sequence[tuple[Path, Agreement]]) -> Table:
    """One row per model."""
    table = Table("model", "inputs", "equal bits", "largest error / std", "same top-1", "within a step", "beyond")
    for path, a in results:
        table.add_row(path.name, *map(str, (a.inputs, a.equal, f"{a.error:.2g}", a.same_top1, a.within_step, a.beyond_step)))
    return table


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the counts of every model."""
    parser = argparse.ArgumentParser(prog="python -m honed.bench agreement", description="compare honed's outputs with ONNX Runtime's")
    parser.add_argument("models", nargs="+", type=Path, metavar="MODEL", help="ONNX files")
    parser.add_argument("--inputs", type=int, default=64, help="per model")
    parser.add_argument("--seed", type=int, default=0, help="of the first input; the others count on")
    parser.add_argument("--tolerance", type=float, default=1e-4, help="largest error of a float output, in standard deviations")
    options = parser.parse_args(arguments)
    results = [(path, compare(path, options.inputs, options.seed)) for path in options.models]
    out().print(table_of(results))
    failed = [a for path, a in results if a.beyond_step or (output_step(path) == 0.0 and a.error > options.tolerance)]
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
