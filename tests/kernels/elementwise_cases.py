"""Tensors and layouts to test elementwise and planar operators with, and every way to run one operator."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from honed.kernels._native import Operator, TensorSpec, isa_levels

SHAPES = [(1, 1, 1, 1), (1, 3, 7, 5), (2, 5, 1, 37), (1, 2, 13, 64), (3, 1, 31, 1), (1, 2, 67, 131)]
GAPS = [(0, 0), (1, 1), (2, 3), (3, 0)]


def planar(dtype: str = "f32", gaps: tuple[int, int] = (0, 0), zero_point: int = 0) -> TensorSpec:
    return TensorSpec(dtype, planar=True, gap_rows=gaps[0], gap_cols=gaps[1], zero_point=zero_point)


def dense(dtype: str = "f32") -> TensorSpec:
    return TensorSpec(dtype)


def outputs(name: str, arrays: Sequence, specs: Sequence, output: TensorSpec, attrs=None, consts=()) -> Iterator[np.ndarray]:
    """The first output on every instruction set, with the tasks in 1 and in 3 ranges. Gaps and bounds are checked by the harness."""
    for isa in isa_levels():
        operator = Operator(name, specs, [output], attrs, consts, isa=isa)
        for splits in (1, 3):
            yield operator.run(arrays, splits=splits)[0]


def layouts(shape: tuple[int, ...], dtypes: Sequence[str], zero_point: int = 0) -> Iterator[list[TensorSpec]]:
    """Layouts for operands of one shape: all planar with each of GAPS, then gaps that differ, then mixtures with dense."""

    def spec(dtype: str, gaps: tuple[int, int] | None) -> TensorSpec:
        return dense(dtype) if gaps is None else planar(dtype, gaps, zero_point if dtype == "u8" else 0)

    if len(shape) != 4:
        yield [dense(d) for d in dtypes]
        return
    same: list[list] = [[g] * len(dtypes) for g in [*GAPS, None]]
    pairs: list[tuple] = [((1, 1), (2, 3)), ((2, 1), None), (None, (1, 1)), ((0, 0), (3, 0)), (None, (3, 0)), ((3, 0), None)]
    mixed = [[first] * (len(dtypes) - 1) + [last] for first, last in pairs]
    for choice in same + mixed:
        yield [spec(d, g) for d, g in zip(dtypes, choice, strict=True)]
