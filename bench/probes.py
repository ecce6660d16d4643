"""Programs that do nothing but run given operators one after the other, each timed: what costs are measured with.

Caches and clock are thus as within a network. Each convolution reads planes that were written just before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .._runtime import Engine, Model, Session
from ..kernels.codes import UNARY
from ..passes.lower.artifact import write_artifact
from ..passes.lower.conversions import phase_shape
from ..passes.lower.costs.model import Floats
from ..passes.lower.families import CONVOLUTIONS, PRODUCTS, Family, GemmLayer, Packed
from ..passes.lower.loose import is_better_whole
from ..passes.lower.program import NUMPY_DTYPES, Dim, Op, Program, Value
from ..passes.lower.work import family_of, operator_work
from .cases import ZERO_POINT, Sample, attributes

_FORGOTTEN_BYTES = 32 << 20
"""As much is read, and as much written."""

FAMILIES = {key: family for group in (*CONVOLUTIONS.values(), *PRODUCTS.values()) for family in group for key in family.keys}


PADS = ("pad_top", "pad_left", "pad_bottom", "pad_right")


def square_window(kernel: int, stride: int, pad: int) -> dict[str, int]:
    """Attributes of operators that have one."""
    return {"kernel_h": kernel, "kernel_w": kernel, "stride_h": stride, "stride_w": stride, **dict.fromkeys(PADS, pad)}


def has_forms(family: str) -> bool:
    """Whether it has several: families.Family.form."""
    return family in FAMILIES and bool(FAMILIES[family].forms)


@dataclass(frozen=True)
class Timed:
    """A measured operator: its family, its work, and nanoseconds."""

    family: str
    work: dict[str, float]
    ns: float


class Probe:
    """A program under construction; every operator added may come with a family and its work."""

    def __init__(self) -> None:
        self._inputs: dict[tuple[str, tuple[int, ...]], Value] = {}
        self._ops: list[Op] = []
        self._kinds: list[tuple[str, dict[str, float]] | None] = []

    def source(self, dtype: str, shape: tuple[int, ...]) -> Value:
        """A graph input of the shape: one for all that ask for it."""
        key = (dtype, shape)
        if key not in self._inputs:
            self._inputs[key] = Value(f"x{len(self._inputs)}", dtype, shape, zero_point=ZERO_POINT if dtype == "u8" else 0)
        return self._inputs[key]

    def add(self, op: Op, family: str | None = None, work: dict[str, float] | None = None) -> Value:
        """Appends an operator; without a family, it is counted as one without weights. Returns its output."""
        self._ops.append(op)
        if family is None:
            family, work = family_of(op), operator_work(op)
        self._kinds.append(None if work is None else (family, work))
        return op.outputs[0]

    def output(self, dtype: str, shape: tuple[Dim, ...], planar: bool = True, gap_rows: int = 0, gap_cols: int = 0) -> Value:
        zero = ZERO_POINT if dtype == "u8" else 0
        layout = "planar" if planar else "dense"
        return Value(f"v{len(self._ops)}", dtype, shape, layout, gap_rows, gap_cols, zero)

    def planes(self, dtype: str, shape: tuple[int, ...], gap_rows: int, gap_cols: int, window: Mapping[str, int] | None = None) -> Value:
        """Of a graph input. window: of a strided convolution, into whose phases it is split."""
        return self.split(self.source(dtype, shape), shape, gap_rows, gap_cols, window)

    def split(self, x: Value, shape: tuple[int, ...], gap_rows: int, gap_cols: int, window: Mapping[str, int] | None = None) -> Value:
        """The planes of a value of that shape, as of a graph input."""
        out = shape if window is None else phase_shape(shape, window)
        value = self.output(x.dtype, out, True, gap_rows, gap_cols)
        return self.add(Op("to_planar", "to_planar", [x], [value], dict(window or {})))

    def convolution(self, sample: Sample, family: Family, residual: bool = False, gate: int = 0) -> None:
        """A layer by one of its families, between values with the gaps that lowering gives them."""
        layer, dtype = sample.layer, "u8" if sample.int8 else "f32"
        seen = sample.conv_layer(residual, gate, family)
        packed = Packed(family, seen)
        work = family.work(seen, packed)
        size, attrs = layer.out_size, attributes(layer)
        whole = is_better_whole(family.name, attrs, size)
        pads = dict.fromkeys(PADS, layer.pad)
        window = None if layer.stride == 1 or whole else square_window(layer.kernel, layer.stride, layer.pad)
        x_shape = (1, layer.in_channels, layer.size, layer.size)
        y_shape = (1, layer.out_channels, size, size)
        numbers: dict[str, int | float] = {**attrs, **family.attrs, **({"whole": 1, **pads} if whole else {})}
        (in_cols, out_cols), in_rows = sample.gaps_for(family), 0 if whole else sample.gap_rows
        others = [self.planes(dtype, y_shape, 0, out_cols)] if residual else []
        inputs = [self.planes(dtype, x_shape, in_rows, in_cols, window), *others]
        if residual:
            numbers |= {"sum_scale": 1.0, "residual_scale": 1.0, "sum_offset": 0.0, "sum_lo": 0.0, "sum_hi": 255.0} if sample.int8 else {}
        if gate:
            numbers |= {"gate": gate, "gate_scale": 0.5, "gate_offset": 0.5}
        output = self.output(dtype, y_shape, True, 0, out_cols)
        op = Op(family.name, family.key, [*inputs], [output], numbers, [*packed.consts, *sample.constants()])
        self.add(op, family.key_of_form(seen, packed), work)

    def product(self, weights: np.ndarray, rows: int, family: Family) -> None:
        """A matrix product with weights [N, K]."""
        seen = GemmLayer(weights, rows)
        packed = Packed(family, seen)
        n, k = weights.shape
        rest = [np.zeros(n, np.int32), np.ones(n, np.float32)] if seen.int8 else []
        dtype = "u8" if seen.int8 else "f32"
        op = Op(family.name, family.key, [self._moved(dtype, (rows, k))], [self.output(dtype, (rows, n), False)], {"k": k, "n": n})
        op.consts = [*packed.consts, *rest, np.zeros(n, np.float32)]
        self.add(op, family.key, family.work(seen, packed))

    def forget(self) -> None:
        """Moves more memory than caches hold: what comes next is far."""
        self._moved("f32", (_FORGOTTEN_BYTES // 4,))

    def _moved(self, dtype: str, shape: tuple[int, ...]) -> Value:
        """A value that was written just before, by an operator that does not count."""
        x, y = self.source(dtype, shape), self.output(dtype, shape, False)
        if dtype == "f32":
            self._ops.append(Op("unary_f32", "move", [x], [y], {"op": UNARY["relu"]}))
        else:
            self._ops.append(Op("lookup_u8", "move", [x], [y], {}, [np.arange(256, dtype=np.uint8)]))
        self._kinds.append(None)
        return y

    def has_forms(self) -> bool:
        """Whether an operator was added whose kernel has other forms."""
        return any(kind is not None and has_forms(kind[0]) for kind in self._kinds)

    def program(self) -> Program:
        """The operators that were added, and one more that ends it."""
        result = Value("result", "f32", (1,))
        last = Op("unary_f32", "last", [self.source("f32", (1,))], [result], {"op": 0})
        return Program(list(self._inputs.values()), [result], [*self._ops, last])

    def time(self, engine: Engine, rounds: int = 9, runs: int = 2) -> list[Timed]:
        """The operators' times on one thread."""
        program = self.program()
        session = Session(Model(write_artifact(program), engine), 1)
        typical = profile_ns(session, random_inputs(program), rounds, runs)
        return [Timed(*kind, float(ns)) for kind, ns in zip(self._kinds, typical, strict=False) if kind is not None]


def profile_ns(session: Session, feed: list[np.ndarray], rounds: int, runs: int) -> Floats:
    """Nanoseconds of each operator: the median of `rounds` means over `runs` runs, as networks are timed."""
    session.run(feed)
    measured = []
    for _ in range(rounds):
        session.profile(True)
        for _ in range(runs):
            session.run(feed)
        measured.append(session.profile_seconds())
    return np.asarray(np.median(measured, axis=0) * 1e9)


def random_inputs(program: Program) -> list[np.ndarray]:
    """One array per input of the program, all of whose sizes are known."""
    rng = np.random.default_rng(0)
    return [_random(value, rng) for value in program.inputs]


def _random(value: Value, rng: np.random.Generator) -> np.ndarray:
    shape: Sequence[int] = [dim for dim in value.shape or () if isinstance(dim, int)]
    if value.dtype == "f32":
        return rng.standard_normal(shape).astype(np.float32)
    return rng.integers(0, 100, shape).astype(NUMPY_DTYPES[value.dtype])
