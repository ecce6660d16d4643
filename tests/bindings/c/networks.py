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
    """Quantised: a dense convolution with an activation, sparse ones with a residual and a stride, squeeze-and-excite, a classifier.
    x f32 [n,4,6,7]."""
    n = "n"
    x, xq = Value("x", "f32", (n, 4, 6, 7)), planar("x.q", "u8", n, 4, 6, 7)
    a, b, c, d, e = (planar(name, "u8", n, 6, 6, 7) for name in "abcde")
    gate = Value("gate", "f32", (n, 6, 1, 1))
    phases, strided = planar("phases", "u8", n, 24, 4, 5), planar("strided", "u8", n, 5, 3, 4)
    strided.gap_cols = 2  # one column less, and the same stride
    pooled, mean = planar("pooled", "u8", n, 6, 3, 3), Value("mean", "u8", (n, 6, 1, 1), zero_point=128)
    flat, logits = Value("flat", "u8", (n, 6), zero_point=128), Value("logits", "f32", (n, 3))
    dense = Value("strided.dense", "u8", (n, 5, 3, 4), zero_point=128)
    first, second = RNG.integers(-8, 8, (6, 4, 3, 3)), sparse(RNG.integers(-127, 128, (6, 6, 3, 3)))
    third = sparse(RNG.integers(-127, 128, (5, 6, 3, 3)))
    strides = {"kernel_h": 3, "kernel_w": 3, "stride_h": 2, "stride_w": 2}
    conv = {**CONV, "in_channels": 4, "out_channels": 6}
    residual = {"sum_scale": 0.7, "residual_scale": 0.6, "sum_offset": -30.0, "sum_lo": 0.0, "sum_hi": 255.0}
    ops = [
        Op("quantize", "q", [x], [xq], SCALE),
        Op("conv_u8s8", "conv 1", [xq], [a], {**conv, "gate": 2, "gate_scale": 0.05}, [*packing.pack_conv_u8s8(first), *requantization(6)]),
        Op("sparse_conv_u8s8", "conv 2", [a, a], [b], {**conv, **residual, "in_channels": 6},
           [*packing.pack_sparse_conv_u8s8(second), *requantization(6)]),
        Op("add_u8", "add", [a, b], [c], {"scale_a": 0.5, "scale_b": 0.5, "offset": 1.0}),
        Op("lookup_u8", "table", [c], [d], {}, [RNG.integers(0, 256, 256, np.uint8)]),
        Op("max_pool", "pool", [d], [pooled], POOL),
        Op("global_average_pool", "mean", [pooled], [mean], {"input_scale": 1.0, "output_scale": 1.0, "zero_point": 128}),
        Op("dequantize", "squeeze", [mean], [gate], SCALE),
        Op("scale_u8", "excite", [d, gate], [e], {"scale": 0.7, "zero_point": 128, "output_zero_point": 128}),
        Op("to_planar", "phases", [e], [phases], {**strides, "pad_top": 1, "pad_left": 1, "pad_right": 1, "pad_bottom": 1}),
        Op("sparse_conv_u8s8", "conv 3", [phases], [strided], {**strides, "in_channels": 6, "out_channels": 5},
           [*packing.pack_sparse_conv_u8s8(third), *requantization(5)]),
        Op("to_dense", "store", [strided], [dense]),
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
    halves = Value("halves", "f32", (None, 3, 6, 5))
    thin = Value("thin", "f32", (None, 3, 6, 5))
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
        Op("gemm_bf16", "rounded", [swapped], [halves], {"k": 6, "n": 5}, [*packing.pack_gemm_bf16(fully), np.ones(5, np.float32)]),
        Op("sparse_gemm_f32", "thin", [swapped], [thin], {"k": 6, "n": 5},
           [*packing.pack_sparse_gemm_f32(sparse(fully)), np.ones(5, np.float32)]),
    ]  # fmt: skip
    return Program([x], [tiled, product, halves, low, thin], ops)


def planar_network() -> Program:
    """The other operators over planes, each on the same input. x f32 [n,6,5,6]."""
    n = "n"
    x, p, u = Value("x", "f32", (n, 6, 5, 6)), planar("p", "f32", n, 6, 5, 6), planar("u", "u8", n, 6, 5, 6)
    s, us = Value("s", "s8", (n, 6, 5, 6)), Value("us", "u8", (n, 6, 5, 6), zero_point=128)
    peak = Value("peak", "f32", (n, 6, 1, 1))
    conv = {**CONV, "in_channels": 6}
    weights = RNG.normal(size=(4, 6, 3, 3)).astype(np.float32)
    single, single_s8 = RNG.normal(size=(12, 1, 3, 3)).astype(np.float32), RNG.integers(-127, 128, (12, 1, 3, 3))
    ops = [
        Op("to_planar", "load", [x], [p], {"kernel_h": 1, "kernel_w": 1}),
        Op("quantize", "q", [p], [u], SCALE),
        Op("quantize", "q s8", [x], [s], {"scale": 0.05}),
        Op("shift_u8", "shift", [s], [us]),
        Op("global_max_pool", "peak", [p], [peak]),
    ]
    thin = sparse(RNG.integers(-127, 128, (3, 6)))
    scores = Value("scores", "f32", (n, 6, 5, 3))
    ops.append(
        Op("sparse_gemm_u8s8", "thin", [us], [scores], {"k": 6, "n": 3}, [*packing.pack_sparse_gemm_u8s8(thin), *requantization(3)])
    )
    outputs = [us, peak, scores]

    def branch(
        kind: str, inputs: list[Value], dtype: str, attrs: dict[str, int | float], *consts: np.ndarray, name: str | None = None
    ) -> Value:
        """An operator over planes whose result leaves through to_dense. name: where it is not its kind."""
        name = name or kind
        planes = planar(f"{name}.planes", dtype, n, None, None, None)
        dense = Value(name, dtype, (n, None, None, None), zero_point=planes.zero_point)
        ops.extend([Op(kind, name, inputs, [planes], attrs, list(consts)), Op("to_dense", f"store {name}", [planes], [dense])])
        outputs.append(dense)
        return planes

    branch("conv_f32", [p], "f32", {**conv, "out_channels": 4}, *packing.pack_conv_f32(weights), np.ones(4, np.float32))
    every_second = {**conv, "out_channels": 4, "stride_h": 2, "stride_w": 2, "whole": 1}
    branch("conv_f32", [x], "f32", every_second, *packing.pack_conv_f32(weights), np.ones(4, np.float32), name="conv_f32 whole")
    branch("conv_bf16", [p], "f32", {**conv, "out_channels": 4}, *packing.pack_conv_bf16(weights), np.ones(4, np.float32))
    winograd = {**conv, "out_channels": 4, "tile": 4}
    branch("conv_winograd_f32", [p], "f32", winograd, *packing.pack_conv_winograd_f32(weights), np.ones(4, np.float32))
    depthwise = {**conv, "out_channels": 12, "group": 6}
    branch("depthwise_f32", [p], "f32", depthwise, *packing.pack_depthwise_f32(single), np.ones(12, np.float32))
    halved = {**depthwise, "stride_h": 2, "stride_w": 2, "whole": 1}
    branch("depthwise_f32", [p], "f32", halved, *packing.pack_depthwise_f32(single), np.ones(12, np.float32), name="depthwise_f32 whole")
    branch("depthwise_u8s8", [u], "u8", depthwise, *packing.pack_depthwise_u8s8(single_s8), *requantization(12))
    branch("dequantize", [u], "f32", SCALE)
    branch("concat_channels", [u, u], "u8", {})
    branch("slice_channels", [p], "f32", {"start": 1, "channels": 2, "step": 2})
    branch("channel_shuffle", [u], "u8", {"groups": 2})
    branch("pad_planar", [p], "f32", {"pad_top": 1, "pad_left": 2, "pad_bottom": -1, "mode": 1})
    branch("resize_nearest", [u], "u8", {"scale_h": 2.0, "out_w": 3})
    branch("resize_linear", [p], "f32", {"scale_h": 1.5, "scale_w": 0.5})
    branch("resize_filter", [p], "f32", {"out_h": 7, "out_w": 4, "filter": 2, "antialias": 1, "coordinate_mode": 5, "roi_end_w": 1.5})
    return Program([x], outputs, ops)


def dense_network() -> Program:
    """Operators over dense tensors, each on the same inputs. x f32 [n,4,3,h], indices s64 [2]."""
    x, indices = Value("x", "f32", ("n", 4, 3, "h")), Value("indices", "s64", (2,))
    ops: list[Op] = []
    outputs: list[Value] = []

    def op(kind: str, inputs: list[Value], rank: int, attrs: dict[str, int | float], *consts: np.ndarray, dtype: str = "f32") -> Value:
        y = Value(kind, dtype, (None,) * rank)
        ops.append(Op(kind, kind, list(inputs), [y], attrs, list(consts)))
        outputs.append(y)
        return y

    four = [RNG.uniform(1, 2, 4).astype(np.float32) for _ in range(4)]
    positive = op("binary", [x, x], 4, {"op": 9}, dtype="bool")
    op("where", [positive, x, x], 4, {})
    op("cast", [x], 4, {}, dtype="s32")
    op("clip", [x], 4, {"lo": -1.0, "hi": 1.0})
    op("softmax", [x], 4, {"axis": 1})
    op("log_softmax", [x], 4, {"axis": -1})
    op("reduce", [x], 3, {"op": 1, "keepdims": 0}, np.array([2]))
    op("argmax", [x], 4, {"axis": 1}, dtype="s64")
    op("argmin", [x], 3, {"axis": -1, "keepdims": 0}, dtype="s64")
    op("batch_norm", [x], 4, {}, *four)
    op("group_norm", [x], 4, {"num_groups": 2}, *four[:2])
    turned = op("transpose", [x], 4, {}, np.array([0, 2, 3, 1]))
    op("layer_norm", [turned], 4, {"axis": -1}, *four[:2])
    windows = [np.array(v) for v in ([2, 2], [1, 2], [1, 1], [0, 1, 0, 1])]
    op("average_pool_nd", [x], 4, {"count_include_pad": 1}, *windows)
    peaks = [Value("peaks", "f32", (None,) * 4), Value("places", "s64", (None,) * 4)]
    statistics = [Value(name, "f32", (None,) * 4) for name in ("normalised", "mean", "deviation")]
    ops.append(Op("max_pool_nd", "peaks", [x], peaks, {"column_major": 1}, windows))
    ops.append(Op("layer_norm", "statistics", [turned], statistics, {"axis": 3}, four[:1]))
    outputs.extend([*peaks, *statistics])
    op("lrn", [x], 4, {"size": 3})
    op("gather", [x, indices], 4, {"axis": 1})
    op("pad", [x], 4, {"mode": 0}, np.array([0, 1, 0, -1, 0, 0, 2, 1]))
    op("shape_of", [x], 1, {"start": 1}, dtype="s64")
    op("expand", [op("unsqueeze", [x], 5, {}, np.array([1]))], 5, {}, np.array([2, 1, 1, 1]))
    op("squeeze", [op("slice", [x], 4, {}, np.array([1]), np.array([2]), np.array([1]), np.array([1]))], 3, {}, np.array([1]))
    op("depth_to_space", [x], 4, {"blocksize": 2})
    op("space_to_depth", [op("tile", [x], 4, {}, np.array([1, 1, 2, 2]))], 4, {"blocksize": 2})
    op("flatten", [op("split", [x], 4, {"axis": 3}, np.array([3]))], 2, {"axis": 3})
    op("matmul_f32", [x, x], 4, {})
    return Program([x, indices], outputs, ops)


def residual_network() -> Program:
    """Sparse float convolutions over planes large enough for code that is written at run time; the second one's output lies where its
    residual was. x f32 [n,6,20,9]."""
    x, dense = Value("x", "f32", ("n", 6, 20, 9)), Value("dense", "f32", ("n", 6, 20, 9))
    planes, a, b = (planar(name, "f32", "n", 6, 20, 9) for name in ("planes", "a", "b"))
    conv = {**CONV, "in_channels": 6, "out_channels": 6}
    first, second = (packing.pack_sparse_conv_f32(sparse(RNG.normal(size=(6, 6, 3, 3)).astype(np.float32))) for _ in range(2))
    ops = [
        Op("to_planar", "load", [x], [planes], {"kernel_h": 3, "kernel_w": 3}),
        Op("sparse_conv_f32", "conv 1", [planes], [a], conv, [*first, np.ones(6, np.float32)]),
        Op("sparse_conv_f32", "conv 2", [a, planes], [b], {**conv, "clamp_lo": 0.0}, [*second, np.ones(6, np.float32)]),
        Op("to_dense", "store", [b], [dense]),
    ]
    return Program([x], [dense], ops)


def mobile_network() -> Program:
    """A strided stem in another basis, then pointwise and depthwise layers over planes of 7 x 7, whose last pixel the others take along.
    x f32 [n,3,14,14]."""
    n = "n"
    x, y = Value("x", "f32", (n, 3, 14, 14)), Value("y", "f32", (n, 9, 7, 7))
    phases = planar("phases", "f32", n, 12, 10, 10)
    channels = {"stem": 6, "wide": 20, "deep": 20, "narrow": 9}
    stem, wide, deep, narrow = (Value(name, "f32", (n, count, 7, 7), "planar") for name, count in channels.items())
    strides = {"kernel_h": 7, "kernel_w": 7, "stride_h": 2, "stride_w": 2}
    pads = dict.fromkeys(("pad_top", "pad_left", "pad_bottom", "pad_right"), 3)
    first, single = RNG.normal(size=(6, 3, 7, 7)).astype(np.float32), RNG.normal(size=(20, 1, 3, 3)).astype(np.float32)
    expand, project = (RNG.normal(size=(*shape, 1, 1)).astype(np.float32) for shape in ((20, 6), (9, 20)))
    point = {"kernel_h": 1, "kernel_w": 1}
    ops = [
        Op("to_planar", "phases", [x], [phases], strides | pads),
        Op("conv_winograd_f32", "stem", [phases], [stem], {**strides, "in_channels": 3, "out_channels": 6, "tile": 4},
           [*packing.pack_conv_winograd_f32(first, stride_h=2), np.ones(6, np.float32)]),
        Op("conv_f32", "expand", [stem], [wide], {**point, "in_channels": 6, "out_channels": 20},
           [*packing.pack_conv_f32(expand), np.ones(20, np.float32)]),
        Op("depthwise_f32", "deep", [wide], [deep], {**CONV, "in_channels": 20, "out_channels": 20, "group": 20, "whole": 1},
           [*packing.pack_depthwise_f32(single), np.ones(20, np.float32)]),
        Op("conv_f32", "project", [deep], [narrow], {**point, "in_channels": 20, "out_channels": 9},
           [*packing.pack_conv_f32(project), np.ones(9, np.float32)]),
        Op("to_dense", "store", [narrow], [y]),
    ]  # fmt: skip
    return Program([x], [y], ops)


NETWORKS = [int8_network, float_network, planar_network, dense_network, residual_network, mobile_network]
