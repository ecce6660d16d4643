"""Raising the version of ONNX's operator set that a graph is written in."""

from collections.abc import Iterator

import numpy as np
import onnx
import onnx_graphsurgeon as gs

from .view import ONNX_DOMAINS, operand, unique_name

_WIDENED = frozenset({
    "Add", "Cast", "Constant", "ConstantOfShape", "CumSum", "DequantizeLinear", "Div", "Equal", "Flatten", "GRU", "GreaterOrEqual",
    "Identity", "If", "IsInf", "IsNaN", "LSTM", "LeakyRelu", "LessOrEqual", "Loop", "LpPool", "Mul", "PRelu", "Pad", "Pow", "QLinearMatMul",
    "QuantizeLinear", "RNN", "Relu", "Reshape", "Resize", "Scan", "ScatterElements", "ScatterND", "Shape", "Size", "Squeeze", "Sub",
    "Transpose", "Unsqueeze", "Where",
})  # fmt: skip
"""Operators whose definitions from opset 13 to 21 differ in more types, and in inputs and attributes that may be left out, alone."""

_REDUCTIONS = frozenset(f"Reduce{kind}" for kind in ("L1", "L2", "LogSum", "LogSumExp", "Max", "Mean", "Min", "Prod", "SumSquare"))
_LAST = 21


def raise_opset(graph: gs.Graph, version: int) -> str | None:
    """Writes `graph`, in place, in opset `version` (at most 21) of ONNX's own domain, if it is in an earlier one (13 or later).

    Returns None, or, with the graph left as it is, which nodes have another meaning there that is not known here.
    """
    assert version <= _LAST
    nodes = [node for level in _levels(graph) for node in level.nodes if node.domain in ONNX_DOMAINS]
    if graph.opset >= version:
        return None
    unknown = [f"{node.op} {node.name!r}" for node in nodes if not _can_be_raised(node, graph.opset, version)]
    if unknown:
        return f"opset {version} may define {', '.join(unknown)} otherwise than opset {graph.opset}"
    names = set(graph.tensors())
    for node in nodes:
        if node.op in _REDUCTIONS and graph.opset < 18 <= version:
            _axes_to_input(node, names)
        elif node.op == "Split" and graph.opset < 18 <= version and operand(node, 1) is None:
            node.attrs["num_outputs"] = len(node.outputs)
    for level in _levels(graph):
        level.opset = version
    return None


def _levels(graph: gs.Graph) -> Iterator[gs.Graph]:
    yield graph
    yield from graph.subgraphs(recursive=True)


def _can_be_raised(node: gs.Node, before: int, after: int) -> bool:
    if node.op in _WIDENED or node.op in _REDUCTIONS or node.op == "Split":
        return True
    if node.op == "BatchNormalization":
        return len(node.outputs) == 1
    if node.op == "AveragePool":
        return not node.attrs.get("ceil_mode", 0)
    try:
        old, new = (onnx.defs.get_schema(node.op, version, "") for version in (before, after))
    except onnx.defs.SchemaError:
        return False
    return bool(old.since_version == new.since_version)


def _axes_to_input(node: gs.Node, names: set[str]) -> None:
    axes = node.attrs.pop("axes", None)
    if axes is not None:
        node.inputs.append(gs.Constant(unique_name(f"{node.name}/axes", names), np.array(axes, np.int64)))
