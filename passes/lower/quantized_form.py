"""One form for all quantised models: QLinear* and *Integer operators become DequantizeLinear → float operator → QuantizeLinear.

ONNX defines QLinearConv and QLinearMatMul as exactly that, and ONNX Runtime its contributed operators (com.microsoft). One recogniser
then serves every exporter.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import numpy as np
import onnx_graphsurgeon as gs

from ...graph import index_of, infer_shapes
from .dynamic_form import dynamic
from .form_writer import FormWriter, Tensor, operand, size_of, take


def to_qdq(graph: gs.Graph) -> dict[str, str]:
    """Rewrites `graph` in place. Returns notes: node name → why it will be slower than its model promises."""
    notes: dict[str, str] = {}
    number = count()
    changed = False
    for node in list(graph.nodes):
        if node.op in ("QuantizeLinear", "DequantizeLinear") and node.domain == "com.microsoft":
            node.domain = None
        form = FORMS.get(node.op)
        if form is None or node.domain not in _DOMAINS.get(node.op, _ANY):
            continue
        writer = FormWriter(graph, node, lambda: next(number))
        note = form(writer, node)
        if note:
            notes[node.name] = note
        position = index_of(graph.nodes, node)
        node.inputs.clear()
        node.outputs.clear()
        graph.nodes[position : position + 1] = writer.nodes
        changed = True
    if changed:
        infer_shapes(graph)
    return notes


def _integer_bias(w: FormWriter, bias: Tensor | None, x_scale: Tensor, w_scale: Tensor) -> list[Tensor]:
    """An s32 bias stands for bias * (x_scale * w_scale)."""
    if bias is None:
        return []
    if isinstance(x_scale, gs.Constant) and isinstance(w_scale, gs.Constant):
        scale = w.constant(np.float32(np.float64(x_scale.values.reshape(-1)[0]) * w_scale.values.astype(np.float64)).astype(np.float32))
    else:
        scale = w.emit("Mul", [x_scale, w_scale], w.variable())
    return [w.dequantize(bias, scale, None)]


def _conv(w: FormWriter, node: gs.Node) -> None:
    x, xs, xz, weight, ws, wz, ys, yz = node.inputs[:8]
    bias = _integer_bias(w, operand(node, 8), xs, ws)
    output = take(node)
    y = w.emit("Conv", [w.dequantize(x, xs, xz), w.dequantize(weight, ws, wz), *bias], w.variable(shape=output.shape), node.attrs)
    w.quantize(y, ys, yz, output)


def _matmul(w: FormWriter, node: gs.Node) -> None:
    a, a_s, az, b, bs, bz, ys, yz = node.inputs[:8]
    output = take(node)
    last = (len(b.shape) - 1) if b.shape is not None else 0
    y = w.emit("MatMul", [w.dequantize(a, a_s, az), w.dequantize(b, bs, bz, last)], w.variable(shape=output.shape))
    w.quantize(y, ys, yz, output)


def _gemm(w: FormWriter, node: gs.Node) -> None:
    a, a_s, az, b, bs, bz = node.inputs[:6]
    bias = _integer_bias(w, operand(node, 6), a_s, bs)
    ys, yz = operand(node, 7), operand(node, 8)
    output = take(node)
    axis = 0 if node.attrs.get("transB", 0) else 1
    inputs = [w.dequantize(a, a_s, az), w.dequantize(b, bs, bz, axis), *bias]
    attrs = {k: node.attrs[k] for k in ("alpha", "transA", "transB") if k in node.attrs}
    y = w.emit("Gemm", inputs, output if ys is None else w.variable(shape=output.shape), attrs)
    if ys is not None:
        w.quantize(y, ys, yz, output)


def _binary(op: str) -> Callable[[FormWriter, gs.Node], None]:
    def form(w: FormWriter, node: gs.Node) -> None:
        a, a_s, az, b, bs, bz, ys = node.inputs[:7]
        output = take(node)
        y = w.emit(op, [w.dequantize(a, a_s, az), w.dequantize(b, bs, bz)], w.variable(shape=output.shape))
        w.quantize(y, ys, operand(node, 7), output)

    return form


def _unary(op: str) -> Callable[[FormWriter, gs.Node], None]:
    def form(w: FormWriter, node: gs.Node) -> None:
        x, xs, xz, ys = node.inputs[:4]
        output = take(node)
        attrs = {k: v for k, v in node.attrs.items() if k not in ("channels_last", "opset")}
        x = w.dequantize(x, xs, xz)
        if node.attrs.get("channels_last", 0):
            x = w.emit("Transpose", [x], w.variable(), {"perm": [0, 3, 1, 2]})
            y = w.emit(op, [x], w.variable(), attrs)
            y = w.emit("Transpose", [y], w.variable(shape=output.shape), {"perm": [0, 2, 3, 1]})
        else:
            y = w.emit(op, [x], w.variable(shape=output.shape), attrs)
        w.quantize(y, ys, operand(node, 4), output)

    return form


def _concat(w: FormWriter, node: gs.Node) -> None:
    ys, yz = node.inputs[:2]
    parts = [w.dequantize(*node.inputs[i : i + 3]) for i in range(2, len(node.inputs), 3)]
    output = take(node)
    w.quantize(w.emit("Concat", parts, w.variable(shape=output.shape), node.attrs), ys, yz, output)


def _integer_product(op: str) -> Callable[[FormWriter, gs.Node], None]:
    """ConvInteger and MatMulInteger: the float operator over x - zero_point. Its sums are integers, and the Cast to float that
    usually follows is no longer needed."""

    def form(w: FormWriter, node: gs.Node) -> None:
        x, weight = node.inputs[:2]
        one = w.constant(np.array(1, np.float32))
        last = len(weight.shape) - 1 if op == "MatMul" and weight.shape is not None else 0
        wz = operand(node, 3)
        w_scale = one if wz is None or size_of(wz) == 1 else w.constant(np.ones(size_of(wz), np.float32))
        is_float = x.dtype == np.float32
        real = x if is_float else w.dequantize(x, one, operand(node, 2))
        inputs = [real, w.dequantize(weight, w_scale, wz, last)]
        output = take(node)
        casts = [u for u in output.outputs if u.op == "Cast" and u.attrs.get("to") in (1, np.float32)]
        y = w.emit(op, inputs, w.variable(shape=output.shape), node.attrs)
        for cast in casts:
            cast.op, cast.attrs, cast.inputs = "Identity", {}, [y]
        if output.outputs or index_of(w.graph.outputs, output) >= 0:
            w.emit("Cast", [y], output, {"to": 6})

    return form


_ANY: tuple[str | None, ...] = (None, "", "ai.onnx")
_MICROSOFT = ("com.microsoft",)
FORMS: dict[str, Callable[[FormWriter, gs.Node], str | None]] = {
    "QLinearConv": _conv,
    "QLinearMatMul": _matmul,
    "ConvInteger": _integer_product("Conv"),
    "MatMulInteger": _integer_product("MatMul"),
    "DynamicQuantizeLinear": dynamic,
    "QGemm": _gemm,
    "QLinearAdd": _binary("Add"),
    "QLinearMul": _binary("Mul"),
    "QLinearConcat": _concat,
    "QLinearAveragePool": _unary("AveragePool"),
    "QLinearGlobalAveragePool": _unary("GlobalAveragePool"),
    "QLinearLeakyRelu": _unary("LeakyRelu"),
    "QLinearSigmoid": _unary("Sigmoid"),
    "QLinearSoftmax": _unary("Softmax"),
}
_DOMAINS = {op: _MICROSOFT for op in FORMS if op.startswith(("QLinear", "QG")) and op not in ("QLinearConv", "QLinearMatMul")}
