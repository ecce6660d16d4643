"""DynamicQuantizeLinear. In front of integer products it is dropped: they compute in float, which is at least as precise."""

from __future__ import annotations

import numpy as np
import onnx_graphsurgeon as gs

from ...graph import index_of
from .form_writer import FormWriter, Tensor

_PRODUCTS = {"ConvInteger", "MatMulInteger", "DequantizeLinear"}


def dynamic(w: FormWriter, node: gs.Node) -> str | None:
    """The float form of the node, or nothing where only integer products read what it quantises. Returns a note for `slow`."""
    quantized = (node.outputs[0], node.outputs[2])
    if any(index_of(w.graph.outputs, t) >= 0 for t in node.outputs) or not all(map(_feeds_products, quantized)):
        _write(w, node)
        return None
    x, outputs = node.inputs[0], list(node.outputs)
    unit = [w.constant(np.array(1, np.float32)), w.constant(np.array(0, np.uint8))]
    for old, new in zip(outputs, [x, *unit], strict=False):
        for user in list(old.outputs):
            user.inputs = [new if t is old else t for t in user.inputs]
            if user.op == "DequantizeLinear" and new is x:
                user.op, user.attrs, user.inputs = "Identity", {}, [x]
    return "dynamically quantised: computed in float"


def _feeds_products(tensor: Tensor) -> bool:
    return all(user.op in _PRODUCTS for user in tensor.outputs)


def _write(w: FormWriter, node: gs.Node) -> None:
    """lo = min(0, min x), hi = max(0, max x); scale = (hi - lo) / 255, or 1 where that is 0; zero_point = round(clamp(-lo / scale));
    y = clamp(round(x / scale) + zero_point)."""
    x = node.inputs[0]
    zero, one, steps = (w.constant(np.array(v, np.float32)) for v in (0, 1, 255))
    y, scale, zero_point = list(node.outputs)
    node.outputs.clear()
    lo = _emit(w, "Min", zero, _emit(w, "ReduceMin", x, keepdims=0))
    hi = _emit(w, "Max", zero, _emit(w, "ReduceMax", x, keepdims=0))
    width = _emit(w, "Div", _emit(w, "Sub", hi, lo), steps)
    w.emit("Where", [_emit(w, "Equal", width, zero, dtype=np.bool_), one, width], scale)
    zero_real = _emit(w, "Round", _emit(w, "Clip", _emit(w, "Div", _emit(w, "Sub", zero, lo), scale), zero, steps))
    w.emit("Cast", [zero_real], zero_point, {"to": 2})
    moved = _emit(w, "Add", _emit(w, "Round", _emit(w, "Div", x, scale, shape=x.shape), shape=x.shape), zero_real, shape=x.shape)
    w.emit("Cast", [_emit(w, "Clip", moved, zero, steps, shape=x.shape)], y, {"to": 2})


def _emit(w: FormWriter, op: str, *inputs: Tensor, dtype: type = np.float32, shape: object = (), **attrs: int) -> Tensor:
    return w.emit(op, list(inputs), w.variable(dtype, shape), attrs)
