"""Activations quantised with many scales, one per index of an axis or per block along it: float arithmetic, as ONNX defines it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx_graphsurgeon as gs

from ..functions import BINARY, UNARY
from ..program import NUMPY_DTYPES, Dim, Value
from ..reasons import Unsupported, require
from ..translate import Tensor, Translator


def spread(node: gs.Node, array: np.ndarray, shape: Sequence[Dim] | None) -> np.ndarray:
    """Scales or zero points of `node` in a shape that broadcasts to `shape`, that of the tensor. Raises Unsupported."""
    if array.size == 1:
        return array.reshape(())
    if shape is None:
        raise Unsupported("many scales for a tensor of unknown rank")
    axis, block = int(node.attrs.get("axis", 1)) % len(shape), int(node.attrs.get("block_size", 0))
    if block == 0:
        return array.reshape([-1 if i == axis else 1 for i in range(len(shape))])
    size = shape[axis]
    if not isinstance(size, int):
        raise Unsupported("blocks along a size that is not known before run time")
    fits = array.ndim == len(shape) and block > 0 and array.shape[axis] == -(-size // block)
    require(fits, f"{list(array.shape)} scales for blocks of {block} along axis {axis} of {list(shape)}")
    return np.repeat(array, block, axis).take(np.arange(size), axis)


def quantize_by_axis(t: Translator, node: gs.Node, scale: np.ndarray, zero_point: np.ndarray, dtype: str) -> None:
    """clamp(rint(x / scale) + zero_point)."""
    x, output = t.value(node.inputs[0]), node.outputs[0]
    limits = np.iinfo(NUMPY_DTYPES[dtype])
    y = _by(t, output, "div", x, spread(node, scale, x.shape))
    y = t.emit("unary_f32", [y], t.temporary(output, "rounded", x.shape), {"op": UNARY["round"].code})
    y = _by(t, output, "add", y, spread(node, zero_point, x.shape))
    clip = {"op": UNARY["clip"].code, "alpha": float(limits.min), "beta": float(limits.max)}
    t.emit("cast", [t.emit("unary_f32", [y], t.temporary(output, "clipped", x.shape), clip)], output, shape=x.shape)


def dequantize_by_axis(t: Translator, node: gs.Node, scale: np.ndarray, zero_point: np.ndarray) -> None:
    """(x - zero_point) * scale."""
    x, output = t.value(node.inputs[0]), node.outputs[0]
    y = t.emit("cast", [x], t.temporary(output, "float", x.shape))
    y = _by(t, output, "sub", y, spread(node, zero_point, x.shape))
    t.bind(output, _by(t, output, "mul", y, spread(node, scale, x.shape)))


def _by(t: Translator, output: Tensor, op: str, x: Value, factors: np.ndarray) -> Value:
    """x op factors over f32."""
    constant = t.draft.constant(f"{output.name}/{op}.by", factors.astype(np.float32))
    return t.emit("binary", [x, constant], t.temporary(output, op, x.shape), {"op": BINARY[op]}, shape=x.shape)
