"""Probes of operators without weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from ..kernels.codes import BINARY, UNARY
from ..passes.lower.program import Op, Value
from .cases import ZERO_POINT
from .probes import Probe, square_window

PLANES = ((16, 112), (64, 56), (144, 28), (96, 14), (1024, 14), (512, 7))
"""Channels and size of the planes."""
SMOOTH = ("relu", "clip", "sigmoid", "hard_sigmoid", "hard_swish", "silu", "gelu", "tanh", "exp")
REQUANTIZE: dict[str, int | float] = {"scale": 1.0, "offset": float(ZERO_POINT)}


def elementwise_probes() -> Iterator[Callable[[], Probe]]:
    """One for each kind of plane."""
    for channels, size in PLANES:
        yield lambda channels=channels, size=size: _probe(channels, size)  # type: ignore[misc]


def _probe(channels: int, size: int) -> Probe:
    probe = Probe()
    shape = (1, channels, size, size)
    for dtype in ("u8", "f32"):
        _shared(probe, dtype, shape)
    _of_bytes(probe, shape)
    _of_floats(probe, shape)
    return probe


def _shared(probe: Probe, dtype: str, shape: tuple[int, ...]) -> None:
    """What exists for u8 and f32."""
    channels, size = shape[1:3]
    x = probe.planes(dtype, shape, 1, 1)
    probe.add(Op("to_dense", "to_dense", [x], [probe.output(dtype, shape, False)]))
    again = probe.output(dtype, shape, True, 0, 0)
    probe.add(Op("to_planar", "to_planar", [x], [again]))
    for kernel in (1, 3):
        probe.split(x, shape, 0, x.gap_cols, square_window(kernel, 2, kernel // 2))
    quantized: dict[str, int | float] = REQUANTIZE if dtype == "u8" else {}
    probe.add(Op("global_average_pool", "pool", [x], [probe.output(dtype, (1, channels, 1, 1), False)], dict(quantized)))
    for kernel, stride in ((3, 2), (2, 2), (3, 1)):
        out = (size + (2 if kernel == 3 else 0) - kernel) // stride + 1
        window = square_window(kernel, stride, 1 if kernel == 3 else 0)
        y_shape = (1, channels, out, out)
        probe.add(Op("max_pool", "pool", [x], [probe.output(dtype, y_shape)], dict(window)))
        probe.add(Op("average_pool", "pool", [x], [probe.output(dtype, y_shape)], {**window, **quantized}))
    joined = probe.output(dtype, (1, 2 * channels, size, size), True, 1, 1)  # of the inputs' strides, as in networks
    probe.add(Op("concat_channels", "concat", [x, x], [joined]))


def _of_bytes(probe: Probe, shape: tuple[int, ...]) -> None:
    x = probe.planes("u8", shape, 0, 1)
    other = probe.planes("u8", shape, 0, 1)
    probe.add(
        Op("quantize", "quantize", [probe.source("f32", shape)], [probe.output("u8", shape)], {"scale": 0.1, "zero_point": ZERO_POINT})
    )
    probe.add(Op("dequantize", "dequantize", [x], [probe.output("f32", shape)], {"scale": 0.1, "zero_point": ZERO_POINT}))
    probe.add(Op("dequantize", "dequantize", [x], [probe.output("f32", shape, False)], {"scale": 0.1, "zero_point": ZERO_POINT}))
    weights: dict[str, int | float] = {"scale_a": 0.5, "scale_b": 0.5, "offset": 0.0}
    probe.add(Op("add_u8", "add", [x, other], [probe.output("u8", shape, True, 0, 1)], weights))
    gates = probe.source("f32", (1, shape[1], 1, 1))
    probe.add(Op("scale_u8", "scale", [x, gates], [probe.output("u8", shape, True, 0, 1)], {"scale": 0.5, "zero_point": ZERO_POINT}))
    table = np.arange(256, dtype=np.uint8)
    probe.add(Op("lookup_u8", "lookup", [x], [probe.output("u8", shape, True, 0, 1)], {}, [table]))


def _of_floats(probe: Probe, shape: tuple[int, ...]) -> None:
    one_each = (1, shape[1], 1, 1)
    scales = probe.source("f32", one_each)
    for function in SMOOTH:
        probe.add(Op("unary_f32", function, [_fresh(probe, shape)], [probe.output("f32", shape)], {"op": UNARY[function]}))
        probe.add(Op("unary_f32", function, [scales], [probe.output("f32", one_each, False)], {"op": UNARY[function]}))
    for operation in ("add", "mul"):
        for other in (_fresh(probe, shape), scales):
            operands = [_fresh(probe, shape), other]
            probe.add(Op("binary_f32", operation, [*operands], [probe.output("f32", shape)], {"op": BINARY[operation]}))
    dense = probe.source("f32", shape)
    probe.add(Op("binary", "add", [dense, dense], [probe.output("f32", shape, False)], {"op": 0}))
    rows = (shape[2] * shape[3], shape[1])
    matrix = probe.source("f32", rows)
    probe.add(Op("softmax", "softmax", [matrix], [probe.output("f32", rows, False)], {"axis": -1}))
    scale = [np.ones(shape[1], np.float32)] * 2
    probe.add(Op("layer_norm", "layer_norm", [matrix], [probe.output("f32", rows, False)], {"axis": -1, "epsilon": 1e-5}, scale))
    probe.add(
        Op("transpose", "transpose", [dense], [probe.output("f32", (1, shape[2], shape[3], shape[1]), False)], {}, [np.array([0, 2, 3, 1])])
    )


def _fresh(probe: Probe, shape: tuple[int, ...]) -> Value:
    """Planes that nothing reads but the next operator, whose output takes their place, as in networks."""
    return probe.planes("f32", shape, 0, 0)
