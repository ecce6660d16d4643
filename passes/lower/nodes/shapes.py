"""Operators that read or make shapes."""

from __future__ import annotations

import math

import numpy as np
import onnx_graphsurgeon as gs

from ..program import DTYPE_NAMES
from ..reasons import Unsupported, require
from ..shape_values import resolve_ints
from ..translate import Translator, handles

MAX_ELEMENTS = 1 << 28


@handles("Shape")
def shape(t: Translator, node: gs.Node) -> None:
    attrs = {name: int(node.attrs[name]) for name in ("start", "end") if name in node.attrs}
    t.emit("shape_of", [t.any(node.inputs[0])], node.outputs[0], attrs)


@handles("ConstantOfShape")
def constant_of_shape(t: Translator, node: gs.Node) -> None:
    dims = resolve_ints(t, t.value(node.inputs[0]), "the shape")
    require(min(dims, default=0) >= 0 and int(np.prod(dims, dtype=object)) <= MAX_ELEMENTS, f"shape {dims}")
    value = node.attrs.get("value")
    element = np.float32(0) if value is None else np.asarray(getattr(value, "values", value)).reshape(-1)[0]
    array = np.full(dims, element)
    require(array.dtype in DTYPE_NAMES, f"elements are {array.dtype}")
    t.bind(node.outputs[0], t.draft.constant(node.outputs[0].name, array))


@handles("Size")
def size(t: Translator, node: gs.Node) -> None:
    known = t.shape(node.inputs[0])
    sizes = [d for d in known or (None,) if isinstance(d, int)]
    if known is None or len(sizes) < len(known):
        raise Unsupported("the size is not known before run time")
    t.bind(node.outputs[0], t.draft.constant(node.outputs[0].name, np.array(math.prod(sizes), np.int64)))


@handles("Constant")
def constant(t: Translator, node: gs.Node) -> None:
    require("value" in node.attrs, "a constant that is no tensor")
    t.bind(node.outputs[0], t.draft.constant(node.outputs[0].name, np.asarray(node.attrs["value"].values)))
