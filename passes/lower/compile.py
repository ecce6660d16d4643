"""From an ONNX model to a program, and to the bytes of a .honed file."""

from __future__ import annotations

import gc
import os
from dataclasses import asdict, dataclass, field
from typing import Any, TypeAlias, get_args

import onnx
import onnx_graphsurgeon as gs

from ...graph import Error, ModelError, forget_constants, load
from ...kernels._native import trim_memory
from ..clean.recognise_gelu import RecogniseGelu
from ..clean.recognise_silu import RecogniseSilu
from ..clean.remove_dead import RemoveDead
from ..driver import Driver
from ..pipeline import clean
from .artifact import Artifact
from .costs import Costs, current_costs
from .families import Precision
from .finish import finish
from .layout import assign_layouts
from .program import Program
from .quantized_form import to_qdq
from .rewrite import rewrite
from .translate import translate

RECOGNISE = (RecogniseGelu(contrib=True), RecogniseSilu(contrib=True), RemoveDead())
"""Activations that have an operator in ONNX Runtime's domain only, below some opset."""

Model: TypeAlias = str | os.PathLike[str] | bytes | onnx.ModelProto | gs.Graph


def lower(model: Model, *, strict: bool = False, costs: Costs | None = None, precision: Precision = "f32") -> Program:
    """The program that runs `model`, which may be fp32 or quantised (QDQ, QLinear* or *Integer operators), pruned or not.

    strict: refuse operators that would run, but slowly. costs: by which kernels are chosen; None for those of this machine.
    precision: "bf16" lets convolutions and Gemms over f32 round the factors of their products to bfloat16, where that is faster.
    Raises ModelError, which lists every node that cannot be run, and Error for another precision.
    """
    if precision not in get_args(Precision):
        raise Error(f"precision {precision!r}: expected {' or '.join(get_args(Precision))}")
    graph = model.copy() if isinstance(model, gs.Graph) else load(model)
    clean(graph)
    _release_memory()
    Driver(graph).run(RECOGNISE, to_fixpoint=True)
    name = graph.name
    draft = translate(graph, to_qdq(graph))
    forget_constants(graph)
    rewrite(draft)
    for op in draft.walk():
        op.precision = precision
    costs = costs or current_costs()
    assign_layouts(draft, costs)
    program = finish(draft, costs)
    slow = {op.name: op.info["slow"] for op in program.ops if "slow" in op.info}
    if strict and slow:
        raise ModelError(f"{len(slow)} slow operators:\n  " + "\n  ".join(f"{name}: {reason}" for name, reason in slow.items()))
    program.info |= {"name": name}
    return program


def _release_memory() -> None:
    """Frees what passes replaced: the tensors of a graph refer to themselves."""
    gc.collect()
    trim_memory()


def compile_model(model: Model, *, strict: bool = False, costs: Costs | None = None, precision: Precision = "f32") -> memoryview:
    """The .honed file of `model`, read-only, in memory that is aligned to a page. Arguments and errors are those of `lower`."""
    return Artifact(lower(model, strict=strict, costs=costs, precision=precision)).in_memory()


def compile_to_file(
    model: Model, path: str | os.PathLike[str], *, strict: bool = False, costs: Costs | None = None, precision: Precision = "f32"
) -> None:
    """Writes the .honed file of `model`: the whole file or nothing. Arguments and errors are those of `lower`, and OSError."""
    Artifact(lower(model, strict=strict, costs=costs, precision=precision)).save(path)


@dataclass(frozen=True)
class LayerInfo:
    """One operator of a program, for listings.

    nodes: the ONNX nodes that it runs. shape: of its first output. macs: multiply-adds of one image if every weight counts; None where
    they depend on sizes known at run time only, or the operator has no weights. macs_done: those with stored weights, zeros that pad
    the packed form included; where weights are transformed, those that are left. bytes: of inputs, constants and output, of one image.
    sparsity: share of zero weights. candidates: kernels that were not chosen, each with estimated microseconds and the reason. slow:
    why it is slower than it should be.
    """

    name: str
    kernel: str
    nodes: list[str]
    shape: list[int | str | None] | None
    dtype: str
    macs: int | None = None
    macs_done: int | None = None
    bytes: int | None = None
    weights: int = 0
    sparsity: float | None = None
    us: float | None = None
    reason: str = ""
    candidates: list[dict[str, Any]] = field(default_factory=list)
    slow: str | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


_FACTS = ("macs", "macs_done", "bytes", "weights", "sparsity", "us", "reason", "candidates", "slow")


def describe(program: Program) -> list[LayerInfo]:
    """What every operator does, and why by this kernel."""
    return [layer_info(op.name, op.type, op.info) for op in program.ops]


def layer_info(name: str, kernel: str, info: dict[str, Any]) -> LayerInfo:
    """info: what lowering noted of the operator, as the program or the metadata of a .honed file has it."""
    facts = {k: info[k] for k in _FACTS if k in info}
    return LayerInfo(name, kernel, info.get("onnx", []), info.get("shape"), info.get("dtype", ""), **facts)
