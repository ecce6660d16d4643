"""From an ONNX graph to a draft: one runtime operator (or a few) per node, quantisation still explicit.

Each family of ONNX operators has a module in `nodes/`, which registers a handler per operator type. A handler either emits, or raises
`Unsupported` with the reason; all reasons are collected, so that a model is refused once, with everything that is wrong with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import numpy as np
import onnx_graphsurgeon as gs

from ...graph.errors import ModelError
from .dims import refine
from .draft import Draft, DraftOp, QuantizedConstant, Weights
from .program import DTYPE_NAMES, Dim, Value
from .reasons import Unsupported, require

Tensor: TypeAlias = gs.Tensor
Attrs: TypeAlias = Mapping[str, int | float]
Handler = Callable[["Translator", gs.Node], None]
HANDLERS: dict[str, Handler] = {}
SHAPE_KEEPING = {"unary_f32", "cast", "clip", "softmax", "log_softmax", "layer_norm", "group_norm", "batch_norm", "lrn", "dequantize"}


def handles(*op_types: str) -> Callable[[Handler], Handler]:
    """Registers a handler for ONNX operator types of the standard domain, or of another: "com.microsoft:Gelu"."""

    def register(handler: Handler) -> Handler:
        HANDLERS.update(dict.fromkeys(op_types, handler))
        return handler

    return register


def translate(graph: gs.Graph, notes: dict[str, str] | None = None) -> Draft:
    """`graph` in execution order, cleaned, with shapes; `notes` name nodes that are slow and why.

    Raises ModelError that lists every node that nothing can run.
    """
    from . import nodes  # noqa: F401  registers the handlers

    translator = Translator(graph, notes or {})
    problems = translator.begin()
    for node in graph.nodes:
        try:
            translator.node(node)
        except Unsupported as reason:
            problems.append(f"{node.name or '(unnamed)'} ({node.op}): {reason}")
            for tensor in node.outputs:
                translator.abandon(tensor)
    problems += translator.finish()
    if problems:
        raise ModelError(f"{len(problems)} unsupported node{'s' * (len(problems) > 1)}:\n  " + "\n  ".join(problems))
    return translator.draft


class Translator:
    """What handlers work with: the draft, and the value of every ONNX tensor seen so far.

    A u8 value may stand for an s8 tensor, shifted by 128 (`is_shifted`): `value` gives the tensor itself, `shifted` the u8 form.
    """

    def __init__(self, graph: gs.Graph, notes: dict[str, str]):
        self.graph = graph
        self.draft = Draft()
        self._notes = notes
        self._values: dict[str, Value] = {}
        self._abandoned: set[str] = set()
        self._shifted: set[Value] = set()
        self._forms: dict[tuple[Value, str], Value] = {}
        self._node: gs.Node | None = None

    def begin(self) -> list[str]:
        """Sets the draft's inputs; returns what is wrong with them."""
        problems = []
        for tensor in self.graph.inputs:
            try:
                value = self.draft.value(tensor.name, self.dtype(tensor), self.shape(tensor))
            except Unsupported as reason:
                problems.append(f"input {tensor.name}: {reason}")
                self.abandon(tensor)
                continue
            self.draft.inputs.append(value)
            self._values[tensor.name] = value
        return problems

    def node(self, node: gs.Node) -> None:
        self._node = node
        key = node.op if node.domain in (None, "", "ai.onnx") else f"{node.domain}:{node.op}"
        require(key in HANDLERS, f"no operator runs {key}")
        if any(t.name in self._abandoned for t in node.inputs):
            for tensor in node.outputs:
                self.abandon(tensor)
            return
        HANDLERS[key](self, node)

    def abandon(self, tensor: Tensor) -> None:
        """The tensor comes from an unsupported node: whatever reads it is skipped."""
        self._abandoned.add(tensor.name)

    def finish(self) -> list[str]:
        """Sets the draft's outputs; returns what is wrong with them."""
        problems = []
        for tensor in self.graph.outputs:
            if tensor.name not in self._abandoned:
                try:
                    self.draft.outputs.append((tensor.name, self.value(tensor)))
                except Unsupported as reason:
                    problems.append(f"output {tensor.name}: {reason}")
        return problems

    # What is known of a tensor.

    @staticmethod
    def shape(tensor: Tensor) -> tuple[Dim, ...] | None:
        if tensor.shape is None:
            return None
        return tuple(int(d) if isinstance(d, (int, np.integer)) else d if isinstance(d, str) and d else None for d in tensor.shape)

    @staticmethod
    def dtype(tensor: Tensor) -> str:
        require(tensor.dtype is not None, f"the type of {tensor.name} is unknown")
        try:
            name = DTYPE_NAMES.get(np.dtype(tensor.dtype), "")
        except TypeError:
            name = ""
        expected = ", ".join(n for n in DTYPE_NAMES.values() if n != "u16")
        require(name not in ("", "u16"), f"{tensor.name} is {tensor.dtype}, expected one of {expected}")
        return name

    def is_used(self, tensor: Tensor) -> bool:
        """Whether a node or the caller reads the tensor."""
        return bool(tensor.outputs) or any(tensor is output for output in self.graph.outputs)

    def rank(self, tensor: Tensor) -> int:
        require(tensor.shape is not None, f"the rank of {tensor.name} is unknown")
        return len(tensor.shape)

    def const(self, tensor: Tensor | None) -> np.ndarray | None:
        """The elements of a constant (float32 of a quantised one), or None."""
        if tensor is None or tensor.is_empty():
            return None
        if isinstance(tensor, gs.Constant):
            return np.asarray(tensor.values)
        value = self._values.get(tensor.name)
        return value.real() if isinstance(value, QuantizedConstant) else None if value is None else value.data

    def require_const(self, node: gs.Node, index: int, what: str) -> np.ndarray:
        array = self.const(self.input(node, index))
        if array is None:
            raise Unsupported(f"{what} is not constant")
        return array

    def quantized_const(self, tensor: Tensor | None) -> QuantizedConstant | None:
        value = None if tensor is None else self._values.get(tensor.name)
        return value if isinstance(value, QuantizedConstant) else None

    @staticmethod
    def input(node: gs.Node, index: int) -> Tensor | None:
        """An input, or None where it is left out."""
        return node.inputs[index] if index < len(node.inputs) and not node.inputs[index].is_empty() else None

    # Values.

    def bind(self, tensor: Tensor, value: Value) -> None:
        self._values[tensor.name] = value

    def value(self, tensor: Tensor) -> Value:
        """The tensor as ONNX has it."""
        value = self.any(tensor)
        if isinstance(value, QuantizedConstant):
            return self._form(value, "real", lambda: self.draft.constant(value.name, value.real()))
        return self._form(value, "s8", lambda: self._flip(value, "s8")) if value in self._shifted else value

    def shifted(self, tensor: Tensor) -> Value:
        """A u8 or s8 tensor as u8: s8 is shifted by 128."""
        value = self.any(tensor)
        if value.dtype != "s8":
            return value
        result = self._form(value, "u8", lambda: self._flip(value, "u8"))
        self._shifted.add(result)
        return result

    def any(self, tensor: Tensor) -> Value:
        """The tensor in the form in which it was made, which may be u8 for an s8 one."""
        if tensor.name not in self._values:
            if not isinstance(tensor, gs.Constant):
                raise Unsupported(f"input {tensor.name} is written by no node")
            self.dtype(tensor)
            self._values[tensor.name] = self.draft.constant(tensor.name, np.asarray(tensor.values))
        return self._values[tensor.name]

    def is_shifted(self, value: Value) -> bool:
        return value in self._shifted

    def mark_shifted(self, value: Value) -> None:
        self._shifted.add(value)

    def _form(self, value: Value, kind: str, make: Callable[[], Value]) -> Value:
        key = (value, kind)
        if key not in self._forms:
            self._forms[key] = make()
        return self._forms[key]

    def _flip(self, value: Value, dtype: str) -> Value:
        if value.data is not None:
            flipped = (value.data.view(np.uint8) ^ np.uint8(128)).view(np.uint8 if dtype == "u8" else np.int8)
            return self.draft.constant(value.name, flipped)
        result = self.draft.value(value.name, dtype, value.shape)
        self.draft.add(DraftOp("shift_u8", value.name, [value], [result]))
        return result

    # Operators.

    def emit(
        self,
        op_type: str,
        inputs: Sequence[Value | None],
        output: Tensor | Value,
        attrs: Attrs | None = None,
        consts: Sequence[np.ndarray] = (),
        weights: Weights | None = None,
        shape: tuple[Dim, ...] | None = None,
    ) -> Value:
        """Appends one operator with one output, under the name of the node at hand. An ONNX tensor as output gets a fresh value.

        shape: what the operator makes of its input's shape; absent, elementwise operators keep that of input 0.
        """
        if shape is None and op_type in SHAPE_KEEPING and inputs[0] is not None:
            shape = inputs[0].shape
        value = output
        if not isinstance(value, Value):
            value = self.draft.value(output.name, self.dtype(output), refine(self.shape(output), shape))
        self.emit_many(op_type, inputs, [value], attrs, consts, weights)
        if not isinstance(output, Value):
            self.bind(output, value)
        return value

    def emit_many(
        self,
        op_type: str,
        inputs: Sequence[Value | None],
        outputs: Sequence[Value],
        attrs: Attrs | None = None,
        consts: Sequence[np.ndarray] = (),
        weights: Weights | None = None,
    ) -> DraftOp:
        assert self._node is not None
        name = self._node.name or self._node.op
        info = {"onnx": [name], "onnx_op": self._node.op}
        if name in self._notes:
            info["slow"] = self._notes[name]
        op = DraftOp(op_type, name, list(inputs), list(outputs), dict(attrs or {}), list(consts), info, weights)
        return self.draft.add(op)

    def temporary(self, tensor: Tensor, suffix: str, shape: tuple[Dim, ...] | None, dtype: str = "f32", zero_point: int = 0) -> Value:
        """A value between the operators that one node becomes."""
        return self.draft.value(f"{tensor.name}/{suffix}", dtype, shape, zero_point)
