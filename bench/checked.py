"""Kernels with data and exact results: what the suites time, once a result has been compared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..graph.errors import Error
from ..kernels import packing
from ..kernels._native import Operator, TensorSpec
from .cases import ZERO_POINT, draw_weights
from .kernels import Case, phases_of
from .operations import Operation
from .shapes import Layer

EPSILON = float(np.finfo(np.float32).eps)


@dataclass
class Checked:
    """An operator, its inputs, the exact result and by how much it may be missed. macs: multiply-adds as if every weight counted.
    bytes: of inputs and result."""

    operator: Operator
    arrays: list[np.ndarray]
    exact: np.ndarray
    bound: float | np.ndarray = 0.0
    macs: int = 0

    @property
    def bytes(self) -> int:
        return sum(array.nbytes for array in self.arrays) + self.exact.size * self.arrays[0].itemsize

    def check(self) -> None:
        """Runs once. Raises Error for a result that is off."""
        found = self.operator.run(self.arrays)[0].astype(np.float64)
        off = np.abs(found - self.exact.astype(np.float64))
        if found.shape != self.exact.shape or not (off <= self.bound).all():
            raise Error(f"{self.operator.kernel_name} is off by {off.max()}, expected at most {np.max(self.bound)}")


def convolution(layer: Layer, kernel: str, pattern: str, sparsity: float) -> Iterator[Checked]:
    """The layer by that operator, once for each of its forms that can run it."""
    case = Case(layer, sparsity, pattern, kernel.endswith("u8s8"), precision="bf16" if kernel.endswith("bf16") else "f32")
    for candidate, _ in case.candidates():
        if candidate.kernel == kernel:
            planes = phases_of(layer, case.x, ZERO_POINT if case.int8 else 0)
            yield Checked(case.operator(candidate, None), [planes], case.exact, case.bound, layer.macs)


def product(operation: Operation, kernel: str, sparsity: float = 0.0) -> Checked:
    """A matrix product with weights by that operator."""
    rows, n, k = operation.numbers
    rng, int8 = np.random.default_rng(0), kernel.endswith("u8s8")
    weights = draw_weights((n, k), sparsity, "1x1", int8, rng)
    x = rng.integers(0, 256, (rows, k), np.uint8) if int8 else rng.standard_normal((rows, k)).astype(np.float32)
    if kernel.endswith("bf16"):
        weights, x = (packing.from_bf16(packing.to_bf16(values)) for values in (weights, x))
    exact = x.astype(np.float64) @ weights.astype(np.float64).T
    terms = np.abs(x).astype(np.float64) @ np.abs(weights).astype(np.float64).T
    packed = getattr(packing, f"pack_{kernel}")(weights)
    consts = [np.zeros(n, np.int32), np.ones(n, np.float32), np.zeros(n, np.float32)] if int8 else [np.zeros(n, np.float32)]
    dtype = "u8" if int8 else "f32"
    operator = Operator(kernel, [TensorSpec(dtype)], [TensorSpec("f32")], {"k": k, "n": n}, [*packed, *consts])
    if int8:
        return Checked(operator, [x], exact.astype(np.float32), macs=rows * n * k)
    return Checked(operator, [x], exact, k * EPSILON * terms, rows * n * k)


def _planes(numbers: tuple[int, ...], dtype: str, seed: int = 0) -> np.ndarray:
    """numbers: channels and size."""
    rng, shape = np.random.default_rng(seed), (1, numbers[0], numbers[1], numbers[1])
    return rng.integers(0, 256, shape, np.uint8) if dtype == "u8" else rng.standard_normal(shape).astype(np.float32)


def _planar(dtype: str, gap: int = 1) -> TensorSpec:
    return TensorSpec(dtype, True, gap, gap, 0)


def add(operation: Operation, dtype: str) -> Checked:
    """Of planes: (a + b) / 2 of u8, whose halves are rounded to even, or a + b."""
    arrays = [_planes(operation.numbers, dtype, seed) for seed in (0, 1)]
    total = arrays[0].astype(np.float64) + arrays[1].astype(np.float64)
    specs = [_planar(dtype)] * 2
    if dtype == "u8":
        operator = Operator("add_u8", specs, [_planar(dtype)], {"scale_a": 0.5, "scale_b": 0.5, "offset": 0.0})
        return Checked(operator, arrays, np.rint(total / 2).astype(np.uint8))
    return Checked(Operator("binary_f32", specs, [_planar(dtype)], {"op": 0}), arrays, total.astype(np.float32))


def max_pool(operation: Operation, dtype: str) -> Checked:
    """Against NumPy's maximum over shifted planes."""
    _, _, kernel, stride, pad = operation.numbers
    x = _planes(operation.numbers, dtype)
    lowest = 0 if dtype == "u8" else -np.inf
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)), constant_values=lowest)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kernel, kernel), (2, 3))[:, :, ::stride, ::stride]
    square = {f"{name}_{axis}": value for name, value in (("kernel", kernel), ("stride", stride)) for axis in "hw"}
    sides = dict.fromkeys(("pad_top", "pad_left", "pad_bottom", "pad_right"), pad)
    return Checked(Operator("max_pool", [_planar(dtype)], [_planar(dtype)], square | sides), [x], windows.max((-2, -1)))


def global_average_pool(operation: Operation, dtype: str) -> Checked:
    """The mean; of u8 rounded, which may differ from the exact mean's rounding by one where that is next to a half."""
    x = _planes(operation.numbers, dtype)
    mean = x.astype(np.float64).mean((2, 3), keepdims=True)
    attributes = {"input_scale": 1.0, "output_scale": 1.0, "zero_point": 0} if dtype == "u8" else {}
    operator = Operator("global_average_pool", [_planar(dtype)], [TensorSpec(dtype)], attributes)
    if dtype == "u8":
        near_half = np.abs(mean - np.floor(mean) - 0.5) < 1e-4
        return Checked(operator, [x], np.rint(mean), np.where(near_half, 1.0, 0.0))
    return Checked(operator, [x], mean, x[0, 0].size * EPSILON * np.abs(x).astype(np.float64).mean((2, 3), keepdims=True))


def to_planar(layer: Layer, dtype: str) -> Checked:
    """The input of a convolution, dense, into its planes; of a strided one, into their phases."""
    x = _planes((layer.in_channels, layer.size), dtype)
    square = {f"{name}_{axis}": value for name, value in (("kernel", layer.kernel), ("stride", layer.stride)) for axis in "hw"}
    sides = dict.fromkeys(("pad_top", "pad_left", "pad_bottom", "pad_right"), layer.pad if layer.stride > 1 else 0)
    operator = Operator("to_planar", [TensorSpec(dtype)], [_planar(dtype)], square | sides)
    return Checked(operator, [x], phases_of(layer, x, 0))


def to_dense(layer: Layer, dtype: str) -> Checked:
    """A convolution's output into a dense tensor."""
    x = _planes((layer.out_channels, layer.out_size), dtype)
    return Checked(Operator("to_dense", [_planar(dtype)], [TensorSpec(dtype)]), [x], x)
