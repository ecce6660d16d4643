"""A small network of the runtime's operators, int8 and float, for damage to be done to."""

import numpy as np
from honed.kernels import packing
from honed.passes.lower.program import Dim, Op, Program, Value

RNG = np.random.default_rng(2)
CONV = {"kernel_h": 3, "kernel_w": 3, "pad_top": 1, "pad_left": 1, "pad_bottom": 1, "pad_right": 1}
POOL = {"kernel_h": 2, "kernel_w": 2, "stride_h": 2, "stride_w": 2}
SCALE = {"scale": 0.05, "zero_point": 128}


def planar(name: str, dtype: str, *shape: Dim) -> Value:
    return Value(name, dtype, shape, "planar", 1, 1, 128 if dtype == "u8" else 0)


def requantization(channels: int) -> list[np.ndarray]:
    """init, scale and offset of an int8 operator."""
    scale = RNG.uniform(0.005, 0.01, channels).astype(np.float32)
    return [RNG.integers(-500, 500, channels, np.int32), scale, np.full(channels, 128, np.float32)]


def sparse(weights: np.ndarray) -> np.ndarray:
    return np.where(RNG.random(weights.shape) < 0.7, 0, weights).astype(weights.dtype)


def int8_network() -> Program:
    """Quantised: dense and sparse convolution, residual, strided convolution, pooling, a classifier. x f32 [n,4,6,7]."""
    n = "n"
    x, xq = Value("x", "f32", (n, 4, 6, 7)), planar("x.q", "u8", n, 4, 6, 7)
    a, b, c, d = (planar(name, "u8", n, 6, 6, 7) for name in "abcd")
    phases, strided = planar("phases", "u8", n, 24, 4, 5), planar("strided", "u8", n, 5, 3, 4)
    strided.gap_cols = 2  # one column less, and the same stride
    pooled, mean = planar("pooled", "u8", n, 6, 3, 3), Value("mean", "u8", (n, 6, 1, 1), zero_point=128)
    flat, logits = Value("flat", "u8", (n, 6), zero_point=128), Value("logits", "f32", (n, 3))
    dense = Value("strided.dense", "u8", (n, 5, 3, 4), zero_point=128)
    first, second = RNG.integers(-127, 128, (6, 4, 3, 3)), sparse(RNG.integers(-127, 128, (6, 6, 3, 3)))
    third = sparse(RNG.integers(-127, 128, (5, 6, 3, 3)))
    strides = {"kernel_h": 3, "kernel_w": 3, "stride_h": 2, "stride_w": 2}
    conv = {**CONV, "in_channels": 4, "out_channels": 6}
    residual = {"sum_scale": 0.7, "residual_scale": 0.6, "sum_offset": -30.0, "sum_lo": 0.0, "sum_hi": 255.0}
    ops = [
        Op("quantize", "q", [x], [xq], SCALE),
        Op("conv_u8s8", "conv 1", [xq], [a], conv, [*packing.pack_conv_u8s8(first), *requantization(6)]),
        Op("sparse_conv_u8s8", "conv 2", [a, a], [b], {**conv, **residual, "in_channels": 6},
           [*packing.pack_sparse_conv_u8s8(second), *requantization(6)]),
        Op("add_u8", "add", [a, b], [c], {"scale_a": 0.5, "scale_b": 0.5, "offset": 1.0}),
        Op("lookup_u8", "table", [c], [d], {}, [RNG.integers(0, 256, 256, np.uint8)]),
        Op("to_planar", "phases", [d], [phases], {**strides, "pad_top": 1, "pad_left": 1, "pad_right": 1, "pad_bottom": 1}),
        Op("sparse_conv_u8s8", "conv 3", [phases], [strided], {**strides, "in_channels": 6, "out_channels": 5},
           [*packing.pack_sparse_conv_u8s8(third), *requantization(5)]),
        Op("to_dense", "store", [strided], [dense]),
        Op("max_pool", "pool", [d], [pooled], POOL),
        Op("global_average_pool", "mean", [pooled], [mean], {"scale": 1.0, "offset": 128.0}),
        Op("reshape", "flat", [mean], [flat], {"rank": 2, "dim0": 0, "dim1": -1}),
        Op("gemm_u8s8", "classifier", [flat], [logits], {"k": 6, "n": 3},
           [*packing.pack_gemm_u8s8(RNG.integers(-127, 128, (3, 6))), *requantization(3)]),
    ]  # fmt: skip
    return Program([x], [logits, dense], ops, {"made by": "test"})


def float_network() -> Program:
    """Float: sparse convolution, pooling, elementwise operators with a constant operand, dense data movement. x f32 [n,4,6,h]."""
    x, planes = Value("x", "f32", ("n", 4, 6, "h")), planar("planes", "f32", "n", 4, 6, "h")
    a, b, c = (planar(name, "f32", "n", 6, 6, "h") for name in "abc")
    bias = Value("bias", "f32", (1, 6, 1, 1), data=RNG.normal(size=(1, 6, 1, 1)).astype(np.float32))
    pooled, dense = planar("pooled", "f32", "n", 6, 3, None), Value("dense", "f32", ("n", 6, 3, None))
    turned, part = Value("turned", "f32", (None, 3, 6, "n")), Value("part", "f32", None)
    joined, tiled = Value("joined", "f32", None), Value("tiled", "f32", (None, 3, None, None))
    low, product = Value("low", "f32", (None, 3, 6, None)), Value("product", "f32", (None, 3, 6, 5))
    weights = sparse(RNG.normal(size=(6, 4, 3, 3)).astype(np.float32))
    fully = RNG.normal(size=(5, 6)).astype(np.float32)
    swapped = Value("swapped", "f32", (None, 3, "n", 6))
    ops = [
        Op("to_planar", "load", [x], [planes], {"kernel_h": 3, "kernel_w": 3}),
        Op("sparse_conv_f32", "conv", [planes], [a], {**CONV, "in_channels": 4, "out_channels": 6},
           [*packing.pack_sparse_conv_f32(weights), np.ones(6, np.float32)]),
        Op("unary_f32", "activation", [a], [b], {"op": 1}),
        Op("binary_f32", "scale", [b, bias], [c], {"op": 2, "clamp_lo": -3.0}),
        Op("average_pool", "pool", [c], [pooled], {**POOL, "ceil_mode": 1}),
        Op("to_dense", "store", [pooled], [dense]),
        Op("transpose", "turn", [dense], [turned], {}, [np.array([3, 2, 1, 0])]),
        Op("slice", "slice", [turned], [part], {}, [np.array([0]), np.array([-1]), np.array([2]), np.array([2])]),
        Op("concat", "join", [part, turned], [joined], {"axis": 2}),
        Op("tile", "tile", [joined], [tiled], {}, [np.array([2, 1, 1, 1])]),
        Op("split", "split", [turned], [low], {"axis": 3}),
        Op("transpose", "swap", [low], [swapped], {}, [np.array([0, 1, 3, 2])]),
        Op("gemm_f32", "fully connected", [swapped], [product], {"k": 6, "n": 5}, [*packing.pack_gemm_f32(fully), np.ones(5, np.float32)]),
    ]  # fmt: skip
    return Program([x], [tiled, product, low], ops)
