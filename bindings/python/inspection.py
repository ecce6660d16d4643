"""What a model consists of and how it would run: `honed.inspect`."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import onnx

from .passes.lower import LayerInfo, Precision, compile_model, layer_info, read_metadata
from .session import InferenceSession, Source, TensorInfo, is_compiled

INTEGER_SUFFIX = "_u8s8"
"""Of operators that multiply integers."""
BF16_SUFFIX = "_bf16"
"""Of operators that multiply bfloat16."""


@dataclass(frozen=True)
class Layer:
    """An operator of the compiled model. `info` is what lowering decided; `kernel` the function that this machine runs."""

    info: LayerInfo
    kernel: str

    def to_dict(self) -> dict[str, Any]:
        facts = asdict(self.info)
        return {"name": facts.pop("name"), "operator": facts.pop("kernel"), "kernel": self.kernel, **facts}


@dataclass(frozen=True)
class Totals:
    """Sums over a model.

    operators: ONNX operators of an ONNX model, else the runtime's, and how many of each. macs: multiply-adds of one image if every
    weight counted; None where a size is known at run time only. macs_nonzero: those whose weight is not zero. weights: of all
    convolutions and matrix products, without biases. sparsity: the share of zeros among them. precision: "fp32", "int8", "bf16", or how
    many of the layers with weights compute in int8 and in bf16. file_bytes: of what was inspected; compiled_bytes: of its compiled form.
    """

    operators: dict[str, int]
    macs: int | None
    macs_nonzero: int | None
    weights: int
    sparsity: float
    precision: str
    file_bytes: int
    compiled_bytes: int


@dataclass(frozen=True)
class Inspection:
    """Inputs, outputs, layers in the order in which they run, and totals."""

    inputs: list[TensorInfo]
    outputs: list[TensorInfo]
    layers: list[Layer]
    totals: Totals

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "totals": asdict(self.totals),
            "inputs": [asdict(tensor) for tensor in self.inputs],
            "outputs": [asdict(tensor) for tensor in self.outputs],
            "layers": [layer.to_dict() for layer in self.layers],
        }

    def summary(self) -> str:
        """One line: precision, multiply-adds, weights, bytes."""
        totals = self.totals
        macs = "? MACs" if totals.macs is None else f"{totals.macs / 1e6:.1f} M MACs"
        kept = "" if not totals.sparsity else f", {totals.sparsity:.1%} of them zero"
        return f"{totals.precision}, {macs}, {totals.weights / 1e6:.2f} M weights{kept}, {totals.file_bytes / 1e6:.2f} MB"


def inspect(model: Source, *, strict: bool = False, precision: Precision | None = None) -> Inspection:
    """Compiles `model` (.onnx or .honed: a path or bytes) and tells for each layer its shape, multiply-adds, share of zeros, the
    kernel chosen and why not the others.

    strict: refuse operators that would run, but slowly. precision: as InferenceSession has it. Raises Error, ModelError, ArtifactError,
    OSError.
    """
    content = Path(model).read_bytes() if isinstance(model, (str, os.PathLike)) else bytes(model)
    compiled = content if is_compiled(model) else compile_model(model, strict=strict, precision=precision or "f32")
    session = InferenceSession(compiled, precision=precision if compiled is content else None)
    facts = read_metadata(compiled)["ops"]
    layers = [Layer(layer_info(op.name, op.type, info), op.kernel) for op, info in zip(session.plan(), facts, strict=True)]
    operators = _onnx_operators(content) if compiled is not content else Counter(layer.info.kernel for layer in layers)
    totals = _totals(layers, dict(operators.most_common()), len(content), len(compiled))
    return Inspection(session.get_inputs(), session.get_outputs(), layers, totals)


def _onnx_operators(content: bytes) -> Counter[str]:
    return Counter(node.op_type for node in onnx.load_from_string(content).graph.node)


def _totals(layers: list[Layer], operators: dict[str, int], file_bytes: int, compiled_bytes: int) -> Totals:
    infos = [layer.info for layer in layers if layer.info.weights]
    macs = [info.macs for info in infos]
    known = [count for count in macs if count is not None]
    kept = [round(info.macs * (1 - (info.sparsity or 0))) for info in infos if info.macs is not None]
    weights = sum(info.weights for info in infos)
    zeros = sum(info.weights * (info.sparsity or 0) for info in infos)
    complete = len(known) == len(macs)
    return Totals(
        operators=operators,
        macs=sum(known) if complete else None,
        macs_nonzero=sum(kept) if complete else None,
        weights=weights,
        sparsity=zeros / max(weights, 1),
        precision=describe_precision(len(infos), int8=_count(infos, INTEGER_SUFFIX), bf16=_count(infos, BF16_SUFFIX)),
        file_bytes=file_bytes,
        compiled_bytes=compiled_bytes,
    )


def _count(infos: list[LayerInfo], suffix: str) -> int:
    return sum(info.kernel.endswith(suffix) for info in infos)


def describe_precision(total: int, *, int8: int, bf16: int = 0) -> str:
    """How many of `total` layers with weights compute in what: "fp32", "int8", "bf16", or for example "int8 20 of 21, bf16 1 of 21"."""
    parts = [(name, count) for name, count in (("int8", int8), ("bf16", bf16)) if count > 0]
    return ", ".join(name if count == total else f"{name} {count} of {total}" for name, count in parts) or "fp32"
