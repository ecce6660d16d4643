"""Shapes of operators of real networks other than convolutions: shapes/operations/*.txt, and how they are found in a model.

python -m honed.bench operations MODEL.onnx [--dims NAME=1x3x224x224] prints the lines of both kinds of files.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import astuple, dataclass, replace
from pathlib import Path

import numpy as np
import onnx_graphsurgeon as gs

from ..cli.console import err, error_line
from ..cli.parsing import dimensions
from ..graph import load
from ..graph.errors import Error
from ..passes.assume import prepare
from .shapes import COLUMNS, FOLDER, Layer

NUMBERS = {
    "gemm": ("rows", "n", "k"),
    "max_pool": ("channels", "size", "kernel", "stride", "pad"),
    "global_average_pool": ("channels", "size"),
    "add": ("channels", "size"),
}
"""What a line says of each kind of operation; the last number of a line is how often the network has it. Planes are square."""


@dataclass(frozen=True)
class Operation:
    """kind: one of NUMBERS, which names the numbers."""

    kind: str
    numbers: tuple[int, ...]
    count: int = 1

    def __str__(self) -> str:
        return f"{self.kind} " + "x".join(map(str, self.numbers))


def read_operations(network: str) -> list[Operation]:
    """The different ones of a network. Raises Error for a network whose operations are not known."""
    path = FOLDER / "operations" / f"{network}.txt"
    if not path.is_file():
        known = sorted(other.stem for other in path.parent.glob("*.txt"))
        raise Error(f"no operations of {network!r}, expected one of {', '.join(known)}")
    lines = (line.split() for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#"))
    return [Operation(kind, tuple(map(int, numbers[:-1])), int(numbers[-1])) for kind, *numbers in lines]


def layers_of(graph: gs.Graph) -> list[Layer]:
    """The different convolutions with square kernels, strides and planes, in the order in which they first run."""
    found = Counter(layer for node in graph.nodes if node.op == "Conv" and (layer := _layer(node)) is not None)
    return [replace(layer, count=count) for layer, count in found.items()]


def operations_of(graph: gs.Graph) -> list[Operation]:
    """The different ones of NUMBERS, in the order in which they first run."""
    found = Counter(operation for node in graph.nodes for operation in _operations(node))
    return [replace(operation, count=count) for operation, count in found.items()]


def _layer(node: gs.Node) -> Layer | None:
    x, weights = node.inputs[0].shape, node.inputs[1].shape
    strides, pads = node.attrs.get("strides", [1, 1]), node.attrs.get("pads", [0] * 4)
    if len(x) != 4 or len({*strides}) > 1 or len({*pads}) > 1 or len({*x[2:]}) > 1 or len({*weights[2:]}) > 1:
        return None
    return Layer(x[1], weights[0], node.attrs.get("group", 1), weights[2], strides[0], pads[0], x[2])


def _operations(node: gs.Node) -> Iterator[Operation]:
    shapes = [tensor.shape for tensor in node.inputs]
    planes = [shape for shape in shapes if shape is not None and len(shape) == 4 and shape[2] == shape[3]]
    if node.op in ("MatMul", "Gemm") and isinstance(node.inputs[1], gs.Constant):
        n = shapes[1][0 if node.attrs.get("transB", 0) else 1]
        yield Operation("gemm", (int(np.prod(shapes[0][:-1])), n, shapes[0][-1]))
    elif node.op == "MaxPool" and planes:
        kernel, stride, pad = (node.attrs.get(name, [default])[0] for name, default in (("kernel_shape", 1), ("strides", 1), ("pads", 0)))
        yield Operation("max_pool", (planes[0][1], planes[0][2], kernel, stride, pad))
    elif node.op == "GlobalAveragePool" and planes:
        yield Operation("global_average_pool", (planes[0][1], planes[0][2]))
    elif node.op == "Add" and len(planes) == 2 and planes[0] == planes[1]:
        yield Operation("add", (planes[0][1], planes[0][2]))


def main(arguments: list[str] | None = None) -> None:
    """Prints the lines of the two files. Exit code 1 and one line for an error."""
    parser = argparse.ArgumentParser(prog="python -m honed.bench operations", description="Shapes of a model's operators.")
    parser.add_argument("model", type=Path, help=".onnx")
    parser.add_argument("--dims", action="append", default=[], metavar="NAME=1x3x224x224", help="an input's shape; may be repeated")
    options = parser.parse_args(arguments)
    try:
        graph = prepare(load(options.model), dimensions(options.dims))
        print("#", *COLUMNS)
        for layer in layers_of(graph):
            print(*astuple(layer))
        print("# kind, its numbers, count")
        for operation in operations_of(graph):
            print(operation.kind, *operation.numbers, operation.count)
    except (Error, OSError) as error:
        err().print(error_line(error), markup=False)
        sys.exit(1)


if __name__ == "__main__":
    main()
