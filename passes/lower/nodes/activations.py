"""Elementwise functions of one tensor."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx_graphsurgeon as gs

from ..functions import BINARY, UNARY
from ..reasons import require
from ..translate import Translator, handles

Parameters = dict[str, float]


def _fixed(function: str, **parameters: float) -> Callable[[gs.Node], tuple[str, Parameters]]:
    return lambda node: (function, parameters)


def _attrs(function: str, **defaults: float) -> Callable[[gs.Node], tuple[str, Parameters]]:
    """alpha and beta are the node's attributes of these names, in this order."""

    def read(node: gs.Node) -> tuple[str, Parameters]:
        values = [float(node.attrs.get(name, default)) for name, default in defaults.items()]
        return function, dict(zip(("alpha", "beta"), values, strict=False))

    return read


def _gelu(node: gs.Node) -> tuple[str, Parameters]:
    approximate = node.attrs.get("approximate", "none")
    return ("gelu_tanh" if approximate in ("tanh", b"tanh") else "gelu"), {}


_FUNCTIONS: dict[str, Callable[[gs.Node], tuple[str, Parameters]]] = {
    "Relu": _fixed("relu"),
    "LeakyRelu": _attrs("leaky_relu", alpha=0.01),
    "ThresholdedRelu": _attrs("thresholded_relu", alpha=1.0),
    "Sigmoid": _fixed("sigmoid"),
    "HardSigmoid": _attrs("hard_sigmoid", alpha=0.2, beta=0.5),
    "HardSwish": _fixed("hard_swish"),
    "Swish": _attrs("silu", alpha=1.0),
    "com.microsoft:QuickGelu": _attrs("silu", alpha=1.702),
    "Elu": _attrs("elu", alpha=1.0),
    "Celu": _attrs("celu", alpha=1.0),
    "Selu": _attrs("selu", alpha=1.67326319217681884765625, gamma=1.05070102214813232421875),
    "Gelu": _gelu,
    "com.microsoft:Gelu": _gelu,
    "Mish": _fixed("mish"),
    **{
        name: _fixed(name.lower())
        for name in (
            "Tanh", "Softplus", "Softsign", "Erf", "Exp", "Log", "Sqrt", "Abs", "Neg", "Reciprocal", "Floor", "Ceil", "Round", "Sign",
            "Sin", "Cos",
        )
    },
}  # fmt: skip


def _function(t: Translator, node: gs.Node) -> None:
    function, parameters = _FUNCTIONS[node.op if node.domain in (None, "", "ai.onnx") else f"{node.domain}:{node.op}"](node)
    x = t.value(node.inputs[0])
    require(x.dtype == "f32", f"input is {x.dtype}, expected f32")
    t.emit("unary_f32", [x], node.outputs[0], {"op": UNARY[function].code, **parameters})


handles(*_FUNCTIONS)(_function)


@handles("Clip")
def clip(t: Translator, node: gs.Node) -> None:
    bounds = []
    for index, attr in ((1, "min"), (2, "max")):
        given = t.input(node, index)
        bounds.append(t.require_const(node, index, f"the {attr}") if given is not None else node.attrs.get(attr))
    x = t.value(node.inputs[0])
    lo, hi = (None if b is None else np.asarray(b).reshape(-1)[0] for b in bounds)
    if x.dtype == "f32":
        lo, hi = -np.inf if lo is None else float(lo), np.inf if hi is None else float(hi)
        t.emit("unary_f32", [x], node.outputs[0], {"op": UNARY["clip"].code, "alpha": min(lo, hi), "beta": hi})
        return
    limits = {name: v.item() for name, v in (("lo", lo), ("hi", hi)) if v is not None}
    t.emit("clip", [x], node.outputs[0], limits)


@handles("Identity")
def identity(t: Translator, node: gs.Node) -> None:
    t.bind(node.outputs[0], t.any(node.inputs[0]))


@handles("Dropout")
def dropout(t: Translator, node: gs.Node) -> None:
    """The identity, and a mask that is true everywhere."""
    training = t.input(node, 2)
    require(training is None or not t.require_const(node, 2, "training_mode").any(), "training mode")
    t.bind(node.outputs[0], t.any(node.inputs[0]))
    for mask in node.outputs[1:]:
        if t.is_used(mask):
            x = t.value(node.inputs[0])
            some = x if x.dtype == "bool" else t.emit("cast", [x], t.temporary(mask, "some", x.shape, "bool"))
            t.emit("binary", [some, t.draft.constant(f"{mask.name}/true", np.array(True))], mask, {"op": BINARY["or"]}, shape=x.shape)


@handles("Cast", "CastLike")
def cast(t: Translator, node: gs.Node) -> None:
    x = t.value(node.inputs[0])
    if t.dtype(node.outputs[0]) == x.dtype:
        t.bind(node.outputs[0], x)
        return
    t.emit("cast", [x], node.outputs[0])


@handles("Not")
def invert(t: Translator, node: gs.Node) -> None:
    true = t.draft.constant(f"{node.outputs[0].name}/true", np.array(True))
    t.emit("binary", [t.value(node.inputs[0]), true], node.outputs[0], {"op": 16})
