"""What a graph costs to run and to keep: multiply-adds, parameters, bytes, zeros."""

import math
from dataclasses import dataclass

import numpy as np
import onnx_graphsurgeon as gs

from .export import copy
from .infer import infer_shapes
from .view import operand, static_shape

# operator -> inputs that are (data, weight, bias)
_LAYERS: dict[str, tuple[int, int, int]] = {
    "Conv": (0, 1, 2), "ConvTranspose": (0, 1, 2), "Gemm": (0, 1, 2), "MatMul": (0, 1, 2),
    "FusedConv": (0, 1, 2), "FusedGemm": (0, 1, 2),
    "ConvInteger": (0, 1, 4), "MatMulInteger": (0, 1, 4), "QLinearConv": (0, 3, 8), "QLinearMatMul": (0, 3, 8), "QGemm": (0, 3, 6),
}
_ZERO_POINTS = {"ConvInteger": 3, "MatMulInteger": 3, "QLinearConv": 5, "QLinearMatMul": 5, "QGemm": 5}
_WRAPPERS = ("DequantizeLinear", "QuantizeLinear", "Identity", "Transpose", "Reshape", "Cast")


@dataclass(frozen=True)
class NodeCost:
    """macs: multiply-adds if every weight counts, 0 for operators that do not multiply by weights or matrices, None where a shape is not
    known. parameters, zero_parameters: elements of constants that are weights, and those equal to 0 (to the zero point, of quantised ones).
    weight_bytes: of these constants as stored. activation_bytes: of the inputs and outputs; None where a shape is not known."""

    name: str
    op: str
    output_shape: tuple[int, ...] | None
    macs: int | None
    parameters: int
    zero_parameters: int
    weight_bytes: int
    activation_bytes: int | None

    @property
    def sparsity(self) -> float:
        """Share of the parameters that are 0."""
        return self.zero_parameters / self.parameters if self.parameters else 0.0


@dataclass(frozen=True)
class Costs:
    """Per node, in order, and totals; constants that several nodes share count once in the totals, operators of unknown cost do not."""

    nodes: tuple[NodeCost, ...]
    macs: int
    parameters: int
    zero_parameters: int
    weight_bytes: int
    peak_activation_bytes: int


def costs(graph: gs.Graph, dims: dict[str, int] | None = None, default: int = 1) -> Costs:
    """The costs of `graph` with the symbolic dimensions of its inputs set as in `dims`, or to `default`. `graph` stays as it is."""
    sized = copy(graph)
    symbols = {d for tensor in sized.inputs for d in tensor.shape or () if isinstance(d, str)}
    for tensor in sized.inputs:
        if tensor.shape is not None:
            tensor.shape = [default if d is None else d for d in tensor.shape]
    infer_shapes(sized, {symbol: (dims or {}).get(symbol, default) for symbol in symbols} or None)
    nodes, shared = [], {}
    for node in sized.nodes:
        weights = _weights(node)
        shared.update({id(tensor): (tensor, zero) for tensor, zero in weights})
        nodes.append(_node_cost(node, weights))
    return Costs(
        tuple(nodes),
        sum(node.macs or 0 for node in nodes),
        sum(tensor.values.size for tensor, _ in shared.values()),
        sum(_zeros(tensor, zero) for tensor, zero in shared.values()),
        sum(tensor.values.nbytes for tensor, _ in shared.values()),
        max((node.activation_bytes or 0 for node in nodes), default=0),
    )


def _node_cost(node: gs.Node, weights: list[tuple[gs.Constant, np.ndarray | None]]) -> NodeCost:
    activations = [t for t in [*node.inputs, *node.outputs] if isinstance(t, gs.Variable) and not t.is_empty()]
    sizes = [_bytes(tensor) for tensor in activations]
    return NodeCost(
        node.name, node.op, static_shape(node.outputs[0]) if node.outputs else None, _macs(node),
        sum(tensor.values.size for tensor, _ in weights),
        sum(_zeros(tensor, zero) for tensor, zero in weights),
        sum(tensor.values.nbytes for tensor, _ in weights),
        None if any(size is None for size in sizes) else sum(size or 0 for size in sizes),
    )


def _bytes(tensor: gs.Variable) -> int | None:
    shape = static_shape(tensor)
    if shape is None or tensor.dtype is None or isinstance(tensor.dtype, int):
        return None
    return math.prod(shape) * np.dtype(tensor.dtype).itemsize


def _macs(node: gs.Node) -> int | None:
    if node.op not in _LAYERS:
        return 0
    data, weight, _ = _LAYERS[node.op]
    x, w, y = static_shape(operand(node, data)), static_shape(operand(node, weight)), static_shape(node.outputs[0])
    if x is None or w is None or y is None or len(x) < 1 or len(w) < 1:
        return None
    if node.op == "ConvTranspose":
        return math.prod(x) * math.prod(w[1:])
    if "Conv" in node.op:
        return math.prod(y) * math.prod(w[1:])
    if node.op in ("Gemm", "FusedGemm", "QGemm"):
        return math.prod(y) * x[0 if node.attrs.get("transA", 0) else 1]
    return math.prod(y) * x[-1]


def _weights(node: gs.Node) -> list[tuple[gs.Constant, np.ndarray | None]]:
    """The constants that are weights of `node`, each with its zero point."""
    if node.op in _LAYERS:
        found: list[tuple[gs.Constant, np.ndarray | None]] = []
        for index in _LAYERS[node.op][1:]:
            source = _behind(operand(node, index))
            if source is not None:
                zero = operand(node, _ZERO_POINTS[node.op]) if node.op in _ZERO_POINTS and not found else None
                found.append((source[0], zero.values if isinstance(zero, gs.Constant) else source[1]))
        return found
    if node.op in _WRAPPERS:
        return []
    return [(t, None) for t in node.inputs if isinstance(t, gs.Constant) and t.values.dtype.kind == "f" and t.values.size > 1]


def _behind(tensor: gs.Tensor | None) -> tuple[gs.Constant, np.ndarray | None] | None:
    """The constant behind quantisation and changes of layout, and its zero point in a shape that broadcasts to it."""
    zero = None
    while isinstance(tensor, gs.Variable) and tensor.inputs and tensor.inputs[0].op in _WRAPPERS:
        node = tensor.inputs[0]
        point = operand(node, 2) if node.op == "DequantizeLinear" else None
        if isinstance(point, gs.Constant):
            zero = point.values
            if zero.ndim == 1 and zero.size > 1 and node.inputs[0].shape is not None:
                rank = len(node.inputs[0].shape)
                axis = node.attrs.get("axis", 1) % rank
                zero = zero.reshape([-1 if i == axis else 1 for i in range(rank)])
        tensor = node.inputs[0]
    return (tensor, zero) if isinstance(tensor, gs.Constant) else None


def _zeros(tensor: gs.Constant, zero: np.ndarray | None) -> int:
    values = tensor.values
    if zero is None or values.dtype != zero.dtype:
        return values.size - int(np.count_nonzero(values))
    if zero.ndim == 1 and zero.size > 1:
        zero = zero.reshape(-1, *[1] * (values.ndim - 1))
    return int(np.count_nonzero(values == zero))
