"""A stable text form of a graph, for goldens, errors and comparison."""

import hashlib
from functools import cache
from typing import Any

import numpy as np
import onnx
import onnx_graphsurgeon as gs

from .view import ONNX_DOMAINS

_INTEGERS_SHOWN = 8


def format_graph(graph: gs.Graph) -> str:
    """The graph as text: inputs, nodes in order, outputs. Constants are shown in place: a few integers or one float with their
    values, others as dtype, shape and sparsity. Names of nodes and attributes with their default are not shown, and inner
    tensors are numbered, so the text depends on what the graph computes, not on what a tool called it.
    """
    return "\n".join(_lines(graph, "", {})) + "\n"


def fingerprint(graph: gs.Graph) -> str:
    """A hash of the graph: its text, samples of its constants, and which nodes share them."""
    digest = hashlib.sha256(format_graph(graph).encode())
    numbers: dict[int, int] = {}
    for node in graph.nodes:
        for tensor in node.inputs:
            if isinstance(tensor, gs.Constant):
                digest.update(b"%d " % numbers.setdefault(id(tensor), len(numbers)))
                digest.update(sample(tensor.values))
    return digest.hexdigest()


def sample(values: np.ndarray) -> bytes:
    """Bytes that tell most arrays apart without reading all of a large one; equal for equal arrays."""
    flat = values.reshape(-1)
    return flat[:: max(1, flat.size // 1024)].tobytes() if values.dtype != object else repr(flat.tolist()).encode()


def _lines(graph: gs.Graph, indent: str, names: dict[int, str]) -> list[str]:
    lines = []
    for tensor in graph.inputs:
        names[id(tensor)] = tensor.name
        lines.append(f"{indent}input {tensor.name}: {describe(tensor)}")
    for tensor in graph.outputs:
        names.setdefault(id(tensor), tensor.name)
    named = len(graph.inputs) + len(graph.outputs)
    for node in graph.nodes:
        for tensor in node.outputs:
            if not tensor.is_empty():
                names.setdefault(id(tensor), f"%{len(names) - named}")
        lines += _node_lines(node, graph.opset, indent, names)
    lines += [f"{indent}output {tensor.name}: {describe(tensor)}" for tensor in graph.outputs]
    return lines


def _node_lines(node: gs.Node, opset: int, indent: str, names: dict[int, str]) -> list[str]:
    outputs = ", ".join("_" if t.is_empty() else f"{names[id(t)]}: {describe(t)}" for t in node.outputs)
    inputs = ", ".join(_operand(t, names) for t in node.inputs)
    defaults = _defaults(node.op, opset) if node.domain in ONNX_DOMAINS else {}
    plain = {k: v for k, v in sorted(node.attrs.items()) if not isinstance(v, gs.Graph) and (k not in defaults or defaults[k] != v)}
    attrs = " {" + ", ".join(f"{k}={_attribute(v)}" for k, v in plain.items()) + "}" if plain else ""
    op = node.op if node.domain in ONNX_DOMAINS else f"{node.domain}:{node.op}"
    lines = [f"{indent}{outputs} = {op}({inputs}){attrs}"]
    for key, value in sorted(node.attrs.items()):
        if isinstance(value, gs.Graph):
            lines += [f"{indent}  {key}:", *_lines(value, indent + "    ", names)]
    return lines


@cache
def _defaults(op: str, opset: int) -> dict[str, Any]:
    """Attribute -> default, of the operators that ONNX defines."""
    if not onnx.defs.has(op, opset, ""):
        return {}
    attributes = onnx.defs.get_schema(op, opset, "").attributes.values()
    found = {a.name: onnx.helper.get_attribute_value(a.default_value) for a in attributes if a.default_value.name}
    return {name: value.decode() if isinstance(value, bytes) else value for name, value in found.items()}


def _operand(tensor: gs.Tensor, names: dict[int, str]) -> str:
    if tensor.is_empty():
        return "_"
    if isinstance(tensor, gs.Constant):
        return describe_constant(tensor.values)
    return names.get(id(tensor), tensor.name)


def _attribute(value) -> str:
    if isinstance(value, gs.Constant):
        return describe_constant(value.values)
    if isinstance(value, float):
        return f"{value:.7g}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_attribute(v) for v in value) + "]"
    return str(value)


def describe(tensor: gs.Tensor) -> str:
    """"float32[1,64,?,W]": dtype and shape, ? for unknown dimensions, [...] for an unknown rank."""
    dtype = "?" if tensor.dtype is None else str(np.dtype(tensor.dtype)) if not isinstance(tensor.dtype, int) else f"type{tensor.dtype}"
    if tensor.shape is None:
        return f"{dtype}[...]"
    return f"{dtype}[{','.join('?' if d is None else str(d) for d in tensor.shape)}]"


def describe_constant(values: np.ndarray) -> str:
    """"int64[2]{1, 2}" for a few integers or one float, "float32[64,3,7,7] 90.0% zero" for more."""
    dtype, shape = str(values.dtype), ",".join(map(str, values.shape))
    if values.size <= (1 if values.dtype.kind == "f" else _INTEGERS_SHOWN):
        shown = ", ".join(f"{v:.7g}" if values.dtype.kind == "f" else str(v) for v in values.reshape(-1).tolist())
        return f"{dtype}[{shape}]{{{shown}}}"
    zeros = values.size - int(np.count_nonzero(values))
    return f"{dtype}[{shape}]" + (f" {100 * zeros / values.size:.1f}% zero" if zeros else "")
