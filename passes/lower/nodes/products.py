"""Gemm and MatMul."""

from __future__ import annotations

import numpy as np
import onnx_graphsurgeon as gs

from ..draft import Weights
from ..functions import BINARY
from ..reasons import require
from ..translate import Translator, handles
from .convolution import read_weights


@handles("Gemm")
def gemm(t: Translator, node: gs.Node) -> None:
    a, b = node.inputs[:2]
    x = t.value(a)
    require(x.dtype == "f32", f"input is {x.dtype}, expected f32")
    if node.attrs.get("transA", 0):
        turned = t.temporary(a, "transposed", None if x.shape is None else x.shape[::-1])
        x = t.emit("transpose", [x], turned, consts=[np.array([1, 0], np.int64)])
    trans_b = bool(node.attrs.get("transB", 0))
    alpha, beta = float(node.attrs.get("alpha", 1.0)), float(node.attrs.get("beta", 1.0))
    c = t.input(node, 2)
    w, bias = t.const(b), t.const(c)
    if w is None:
        _product_of_activations(t, node, x, trans_b, alpha, beta)
        return
    row_bias = c is None or (bias is not None and _is_row(bias, w.shape[0 if trans_b else 1]))
    weights = read_weights(t, b, c if row_bias else None, 0 if trans_b else 1)
    _scale(weights, alpha, beta)
    n, k = weights.values.shape
    attrs = {"k": k, "n": n}
    if row_bias:
        t.emit("gemm", [x], node.outputs[0], attrs, weights=weights)
        return
    y = t.emit("gemm", [x], t.temporary(node.outputs[0], "product", t.shape(node.outputs[0])), attrs, weights=weights)
    _add(t, node, y, beta)


def _is_row(c: np.ndarray, n: int) -> bool:
    return c.size in (1, n) and (c.ndim < 2 or c.shape[-2] == 1)


def _scale(weights: Weights, alpha: float, beta: float) -> None:
    if alpha != 1.0:
        if weights.scales is None:
            weights.values = (weights.values * np.float32(alpha)).astype(np.float32)
        else:
            weights.scales = (weights.scales * np.float32(alpha)).astype(np.float32)
        weights.bias_integers = None
    if beta != 1.0:
        weights.bias = (weights.bias * np.float32(beta)).astype(np.float32)
        weights.bias_integers = None


def _product_of_activations(t: Translator, node: gs.Node, x, trans_b: bool, alpha: float, beta: float) -> None:
    b, output = node.inputs[1], node.outputs[0]
    y = t.value(b)
    if trans_b:
        turned = t.temporary(b, "transposed", None if y.shape is None else y.shape[::-1])
        y = t.emit("transpose", [y], turned, consts=[np.array([1, 0], np.int64)])
    plain = t.input(node, 2) is None and alpha == 1.0
    product = t.emit("matmul_f32", [x, y], output if plain else t.temporary(output, "product", t.shape(output)))
    if alpha != 1.0:
        factor = t.draft.constant(f"{output.name}/alpha", np.array(alpha, np.float32))
        scaled = output if t.input(node, 2) is None else t.temporary(output, "scaled", t.shape(output))
        product = t.emit("binary", [product, factor], scaled, {"op": BINARY["mul"]})
    if t.input(node, 2) is not None:
        _add(t, node, product, beta)


def _add(t: Translator, node: gs.Node, product, beta: float) -> None:
    c = t.value(node.inputs[2])
    if beta != 1.0:
        factor = t.draft.constant(f"{c.name}/beta", np.array(beta, np.float32))
        c = t.emit("binary", [c, factor], t.temporary(node.inputs[2], "scaled", c.shape), {"op": BINARY["mul"]})
    t.emit("binary", [product, c], node.outputs[0], {"op": BINARY["add"]})


@handles("MatMul")
def matmul(t: Translator, node: gs.Node) -> None:
    a, b = node.inputs
    x = t.value(a)
    require(x.dtype == "f32", f"input is {x.dtype}, expected f32")
    array = t.const(b)
    if array is None or array.ndim != 2 or x.data is not None:
        t.emit("matmul_f32", [x, t.value(b)], node.outputs[0])
        return
    weights = read_weights(t, b, None, 1)
    n, k = weights.values.shape
    t.emit("gemm", [x], node.outputs[0], {"k": k, "n": n}, weights=weights)
