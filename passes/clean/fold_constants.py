"""Nodes whose inputs are all constant."""

import numpy as np
import onnx_graphsurgeon as gs

from ...graph import View, constant, static_shape
from ...graph.evaluate import EvaluationError, evaluate
from ..base import Match, Reject, RewriteRule
from ..patch import Patch

MAX_GROWTH_BYTES = 1 << 16
"""A constant may be larger than what it is computed from by this much: below, the graph is smaller without the node."""

_SLOW = {"Conv", "ConvTranspose", "ConvInteger", "QLinearConv", "MaxPool", "AveragePool", "LpPool", "Resize", "LSTM", "GRU", "RNN"}
RANDOM = {"RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike", "Multinomial", "Bernoulli", "Dropout"}
_KEPT = {"Identity", "If", "Loop", "Scan", "SequenceMap"}


class FoldConstants(RewriteRule):
    """f(constants) -> constant, evaluated by the ONNX reference implementation.

    DequantizeLinear stays, since it says how a weight is quantised; `dequantize=True` folds it as well. What would grow the model
    (an Expand, a Tile, a ConstantOfShape) stays, and so does what the reference implementation takes long for.
    """

    name = "fold-constants"
    roots = ("*",)

    def __init__(self, dequantize: bool = False) -> None:
        self._kept = _KEPT if dequantize else _KEPT | {"DequantizeLinear"}

    def check(self, node: gs.Node, view: View) -> Match | Reject | None:
        if node.domain or node.op in self._kept or not all(isinstance(t, gs.Constant) or t.is_empty() for t in node.inputs):
            return None
        if node.op in RANDOM:
            return Reject("random")
        if node.op in _SLOW:
            return Reject(f"a constant {node.op} is slow to fold")
        if any(isinstance(a, gs.Graph) for a in node.attrs.values()):
            return Reject("has a subgraph")
        size = _output_bytes(node)
        if size is None:
            return Reject("the size of the result is not known")
        if size > sum(t.values.nbytes for t in node.inputs if not t.is_empty()) + MAX_GROWTH_BYTES:
            return Reject(f"the result would take {size} bytes")
        try:
            arrays = evaluate(node, view.graph.opset, [constant(t) for t in node.inputs])
        except EvaluationError as error:
            return Reject(f"cannot be evaluated: {error}")
        return Match(outputs=[t for t in node.outputs if not t.is_empty()], arrays=arrays)

    def rewrite(self, match: Match, patch: Patch) -> None:
        for tensor, array in zip(match.outputs, match.arrays, strict=True):
            patch.replace(tensor, patch.const(array, tensor))


def _output_bytes(node: gs.Node) -> int | None:
    total = 0
    for tensor in node.outputs:
        if tensor.is_empty():
            continue
        shape = static_shape(tensor)
        if shape is None or tensor.dtype is None or isinstance(tensor.dtype, int):
            return None
        total += int(np.prod(shape, dtype=object)) * np.dtype(tensor.dtype).itemsize
    return total
