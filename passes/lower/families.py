"""The families of kernels that run convolutions and matrix products: which layers each can run, how it packs weights, and what its work is.

One `Family` each. Its `work` names and counts what its time is made of, from the loops of the kernel; how long a unit of each takes is
measured (`costs`). A new family is one entry of CONVOLUTIONS or PRODUCTS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Literal, TypeAlias

import numpy as np

from ...kernels import packing

BAR, SPARSE_F32_BAR = 0.98, 0.92
"""Estimates err, those of the float lists by more."""
UNWRITTEN = "unwritten"
"""The form of a kernel that is not written when shapes are known, but reads tables."""
SPARSE_FROM = 0.2
"""Share of zeros from which the sparse form is worth packing to look at."""
_SIZES = (1, 2, 4)
Consts: TypeAlias = list[np.ndarray]
Precision: TypeAlias = Literal["f32", "bf16"]
"""What products of f32 numbers may be computed in."""


@dataclass(frozen=True)
class Layer:
    """weights: f32 or integers, output channels first."""

    weights: np.ndarray

    @property
    def int8(self) -> bool:
        return self.weights.dtype != np.float32

    @cached_property
    def zeros(self) -> float:
        return 1.0 - np.count_nonzero(self.weights) / max(self.weights.size, 1)


@dataclass(frozen=True)
class ConvLayer(Layer):
    """weights [OC, IC/group, KH, KW]; attributes of the convolution; pixels of an output plane, gaps included; its height and width.
    residual: whether another tensor is added; gate: the kind of activation that multiplies results with a gate (kernels/conv/gate.h)."""

    conv: Mapping[str, int]
    pixels: int
    size: tuple[int, int]
    residual: bool = False
    gate: int = 0

    @property
    def group(self) -> int:
        return self.conv.get("group", 1)

    @property
    def taps(self) -> int:
        return self.weights.shape[2] * self.weights.shape[3]

    @property
    def phases(self) -> int:
        """Planes per input channel."""
        reach = [(self.conv[f"kernel_{axis}"] - 1) * self.conv.get(f"dilation_{axis}", 1) + 1 for axis in "hw"]
        return int(np.prod([min(self.conv.get(f"stride_{axis}", 1), taps) for axis, taps in zip("hw", reach, strict=True)]))

    def vectors(self, pixels: int = 16) -> int:
        """Of so many pixels, in a plane."""
        return -(-self.pixels // pixels)


@dataclass(frozen=True)
class GemmLayer(Layer):
    """weights [N, K]; rows of x."""

    rows: int


@dataclass(frozen=True)
class Family:
    """A family of kernels. name: the runtime's operator. refuse: why it cannot, or should not, run a layer; None where it can. work:
    amounts by name, always the same names in the same order; it packs only where they depend on that. note: what `inspect` says of the
    packed form. attrs: what the operator needs beside the layer's; families of one operator differ in them. bar: it is taken where its
    estimated time is below that share of the dense form's. pixels_per_product: of the output, that a product with a stored weight
    serves. form: of several in which the kernel may run the layer, the one that it takes, where that has costs of its own; "" is the
    common one, forms are the others."""

    name: str
    refuse: Callable[..., str | None]
    pack: Callable[..., Consts]
    work: Callable[..., dict[str, float]]
    note: Callable[..., str] = lambda layer, packed: ""
    attrs: Mapping[str, int] = field(default_factory=dict)
    bar: float = BAR
    pixels_per_product: int = 1
    form: Callable[..., str] = lambda layer, packed: ""
    forms: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """By which its costs are known."""
        return " ".join([self.name, *map(str, self.attrs.values())])

    @property
    def keys(self) -> list[str]:
        """Of all forms."""
        return [self.key, *(f"{self.key} {form}" for form in self.forms)]

    def key_of_form(self, layer: Layer, packed: Packed) -> str:
        """By which those of the form are known that a layer is run in, where it has any of its own."""
        return " ".join(filter(None, [self.key, self.form(layer, packed)]))


@dataclass(frozen=True)
class Packed:
    """A layer's weights in a family's packed form, which is made when it is asked for."""

    family: Family
    layer: Layer

    @cached_property
    def consts(self) -> Consts:
        return self.family.pack(self.layer)

    def forget(self) -> None:
        """Lets go of the packed form, to make it again should it be asked for."""
        self.__dict__.pop("consts", None)


def _beyond_s8(weights: np.ndarray) -> str | None:
    if weights.dtype == np.float32 or (weights.min(initial=0) >= -128 and weights.max(initial=0) <= 127):
        return None
    return f"integer weights reach {np.abs(weights).max()}, expected -128 to 127"


def _behind(layer: ConvLayer, outputs: float) -> dict[str, float]:
    """What is done to outputs, in the family's unit of them."""
    return {
        "residuals": outputs * layer.residual,
        "hard gates": outputs * (layer.gate == 1),
        "sigmoid gates": outputs * (layer.gate == 2),
    }


# Dense convolutions: kernels/conv/band_plan.h


def _refuse_dense(layer: ConvLayer) -> str | None:
    return _beyond_s8(layer.weights)


def _dense_work(layer: ConvLayer, packed: Packed) -> dict[str, float]:
    """Of integers and of f32."""
    return _band_work(layer, 4 if layer.int8 else 1)


def _bf16_work(layer: ConvLayer, packed: Packed) -> dict[str, float]:
    return _band_work(layer, 2)


def _band_work(layer: ConvLayer, unit: int) -> dict[str, float]:
    """In vectors of 16 pixels of a unit, which is so many channels. A band's pixels are copied once for all output channels; those of an
    f32 kernel of one tap are not. An int8 kernel of one tap has an output of its own kind. Sums are made of whole blocks of output
    channels; what is behind them is done to the layer's own."""
    out_channels, per_group = layer.weights.shape[:2]
    units = -(-per_group // unit)
    words = layer.int8 and _is_of_one_tap(layer)
    block, vectors = (4, 4 * layer.vectors(64) if words else layer.vectors()) if layer.int8 else (8, _float_vectors(layer))
    rows = -(-(out_channels // layer.group) // block) * block * layer.group
    weights = rows * units * layer.taps
    in_place = unit == 1 and layer.taps == 1
    outputs, behind = vectors * rows, _behind(layer, vectors * out_channels)
    return {
        "products": vectors * weights,
        "copied": 0 if in_place else layer.vectors() * units * layer.group * layer.phases,
        "outputs": 0 if words else outputs,
        **{name: 0 if words else amount for name, amount in behind.items()},
        "outputs of words": outputs if words else 0,
        **{f"{name} of words": amount if words else 0 for name, amount in behind.items()},
        "weights": weights,
        "call": 1,
    }


def _is_of_one_tap(layer: ConvLayer) -> bool:
    """Whether words of 64 pixels stay in a cache: kernels/conv_u8s8/operator.c."""
    return layer.taps == 1 and layer.weights.shape[1] <= 384


def _float_vectors(layer: ConvLayer) -> float:
    """Up to 8 pixels beyond whole vectors are taken apart, and cost what they are: kernels/conv/float_rest.h."""
    return layer.pixels / 16 if layer.pixels % 16 <= 8 else layer.vectors()


# Dense int8 convolutions with output channels in the lanes: kernels/conv_u8s8/channels.h

_CHANNELS = 32
"""Output channels per block."""


def _run_width(width: int) -> int:
    """Pixels that are taken side by side: channels_walk_make."""
    return max(4, -(-width // max(-(-width // 7), 1)))


def _channels_work(layer: ConvLayer, packed: Packed) -> dict[str, float]:
    """In dot products of 16 lanes."""
    out_channels, per_group = layer.weights.shape[:2]
    blocks = -(-(out_channels // layer.group) // _CHANNELS) * layer.group
    steps = -(-per_group // 4) * layer.taps
    height, width = layer.size
    run = _run_width(width)
    pixels = height * -(-width // run) * run
    words = layer.vectors(64) * blocks * _CHANNELS
    return {
        "products": pixels * blocks * 2 * steps,
        "copied": layer.vectors() * -(-per_group // 4) * layer.group * layer.phases,
        "results": pixels * blocks * 2,
        "outputs": words,
        **_behind(layer, words),
        "weights": blocks * _CHANNELS * steps,
        "call": 1,
    }


# Sparse convolutions: kernels/conv/lists.h

_TILE_UNITS, _CHUNK_BYTES = 10, 52 * 1024


def _refuse_sparse(layer: ConvLayer) -> str | None:
    few_channels = layer.weights.shape[1] % 4 != 0 and layer.int8
    if layer.zeros < SPARSE_FROM and _beyond_s8(layer.weights) is None and not few_channels:
        return f"{layer.zeros:.0%} zeros, considered from {SPARSE_FROM:.0%}"
    return None


def _steps_work(packed: Packed, times: float) -> dict[str, float]:
    steps = packing.list_steps(packed.consts[0]).sum(0).tolist()
    return {f"steps of {size}": float(times * count) for size, count in zip(_SIZES, steps, strict=True)}


def _sparse_work(pass_words: tuple[int, int, int]) -> Callable[[ConvLayer, Packed], dict[str, float]]:
    """pass_words: how many words of 64 pixels a list of 1, 2 or 4 output channels takes at a time."""

    def work(layer: ConvLayer, packed: Packed) -> dict[str, float]:
        sizes, words = packing.list_sizes(packed.consts[0]), layer.vectors(64)
        passes = (-(-words // each) * int((sizes == size).sum()) for size, each in zip(_SIZES, pass_words, strict=True))
        outputs = words * layer.weights.shape[0]
        return _steps_work(packed, words) | {
            "passes": sum(passes),
            "outputs": outputs,
            **_behind(layer, outputs),
            "inputs": words * int(layer.conv["in_channels"]) * layer.phases,
            "weights": sum(array.nbytes for array in packed.consts),
            "call": 1,
        }

    return work


def _sparse_float_work(layer: ConvLayer, packed: Packed) -> dict[str, float]:
    """kernels/sparse_conv_f32/plan.h: in units of 8 pixels; a list is cut into segments, whose sums are saved and loaded."""
    sizes, units = packing.list_sizes(packed.consts[0]), layer.vectors(8)
    steps = packing.list_steps(packed.consts[0]).sum(1)
    columns = int(layer.conv["in_channels"]) * layer.taps
    tiles = -(-units // _TILE_UNITS)
    tile_pixels = 16 * -(-units // (2 * tiles))
    chunks = -(-columns // max(_CHUNK_BYTES // (4 * tile_pixels), 1))
    segments = np.minimum(np.maximum(steps, 1), -(-chunks // layer.group))
    outputs = units * layer.weights.shape[0]
    return _steps_work(packed, units) | {
        "segments": tiles * int(segments.sum()),
        "saved": units * int((segments * sizes).sum()) - outputs,
        "outputs": outputs,
        **_behind(layer, outputs),
        "columns": units * columns,
        "inputs": units * int(layer.conv["in_channels"]) * layer.phases,
        "weights": sum(array.nbytes for array in packed.consts),
        "call": 1,
    }


_CODE_PIXELS, _CODE_TILES, _CODE_ROWS, _SMALL_CODE = 16, 8, 28, 256 * 1024
"""kernels/sparse_conv_f32/code_plan.c"""


def _float_form(layer: ConvLayer, packed: Packed) -> str:
    """Lists whose code would be larger than all weights, or that few pixels share, stay tables: code_plan.c, worth_it, where a block of
    output channels has its weights with their instructions, the columns that it reads and some bytes per channel."""
    weights = packed.consts[-1].size
    channels, per_group = layer.weights.shape[:2]
    blocks = -(-channels // _CODE_ROWS)
    columns = blocks * min(weights / max(blocks, 1), per_group * layer.group * layer.taps)
    code = 298 * blocks + 43 * channels + 11.5 * weights + 10 * columns
    tiles = -(-layer.pixels // _CODE_PIXELS)
    return UNWRITTEN if tiles < _CODE_TILES or code > max(4 * layer.weights.size, _SMALL_CODE) else ""


def _pack_lists(pack: Callable[..., Consts]) -> Callable[[ConvLayer], Consts]:
    return lambda layer: pack(layer.weights, group=layer.group)


def _lists_note(layer: ConvLayer, packed: Packed) -> str:
    steps = packing.list_steps(packed.consts[0]).sum(0).tolist()
    counts = ", ".join(f"{count} of {size}" for size, count in zip(_SIZES, steps, strict=True) if count)
    return f"{layer.zeros:.0%} zeros, steps {counts}"


# Depthwise convolutions


def _refuse_depthwise(layer: ConvLayer) -> str | None:
    if layer.group != layer.conv["in_channels"]:
        return f"{layer.weights.shape[1]} input channels per output channel, expected 1"
    return "one input channel in all" if layer.conv["in_channels"] == 1 else _beyond_s8(layer.weights)


def _pieces(layer: ConvLayer) -> int:
    """What the kernels cut the taps of a channel into: kernels/depthwise_u8s8/operator.c, cut_segments."""
    kernel_h, kernel_w = layer.conv["kernel_h"], layer.conv["kernel_w"]
    if not layer.int8 or layer.conv.get("dilation_w", 1) != 1:
        return kernel_h * kernel_w
    return kernel_h * sum(kx // layer.conv.get("stride_w", 1) % 4 == 0 for kx in range(kernel_w))


def _depthwise_work(layer: ConvLayer, packed: Packed) -> dict[str, float]:
    channels = layer.weights.shape[0]
    outputs = layer.vectors(64) * channels
    amounts = {
        "products": outputs * _pieces(layer),
        "outputs": outputs,
        **_behind(layer, outputs),
        "planes": channels,
    }
    return {name: float(amount) for name, amount in amounts.items()}


# Winograd convolutions: kernels/conv_winograd_f32


def _winograd_taps(layer: ConvLayer) -> int | None:
    return packing.winograd_taps(layer.weights.shape[2], layer.weights.shape[3], layer.conv.get("stride_h", 1))


def _refuse_winograd(layer: ConvLayer, tile: int) -> str | None:
    stride_h, stride_w = (layer.conv.get(f"stride_{axis}", 1) for axis in "hw")
    plain = stride_h == stride_w and all(layer.conv.get(f"dilation_{axis}", 1) == 1 for axis in "hw")
    if plain and (tile == 4 or stride_h == 1) and _winograd_taps(layer) is not None:
        return None
    return "expected a 3x3 kernel of stride 1, or tiles of 4x4 and one of 5x5 to 8x8 of stride 2, and dilation 1"


def _multiplied_vectors(tiles: int) -> float:
    """Of 16 tiles each. Up to 8 beyond whole vectors are multiplied four at a time, with output channels in the lanes."""
    rest = tiles % 16
    return tiles // 16 + (-(-rest // 4) / 4 if rest <= 8 else 1)


def _winograd(tile: int) -> Family:
    """F(tile x tile, r x r). Its work is counted in vectors of 16 tiles; 16 output channels are computed at a time."""

    def pack(layer: ConvLayer) -> Consts:
        return packing.pack_conv_winograd_f32(layer.weights, tile=tile, group=layer.group, stride_h=layer.conv.get("stride_h", 1))

    def work(layer: ConvLayer, packed: Packed) -> dict[str, float]:
        out_channels, per_group = layer.weights.shape[0], layer.weights.shape[1] * layer.phases
        rows = -(-(out_channels // layer.group) // 16) * 16 * layer.group
        tiles = -(-layer.size[0] // tile) * -(-layer.size[1] // tile)
        vectors = -(-tiles // 16)
        points = (tile + (_winograd_taps(layer) or 0) - 1) ** 2
        return {
            "products": _multiplied_vectors(tiles) * points * rows * per_group,
            "inputs": vectors * per_group * layer.group,
            "outputs": vectors * out_channels,
            **_behind(layer, vectors * out_channels),
            "weights": points * rows * per_group,
            "call": 1,
        }

    def note(layer: ConvLayer, packed: Packed) -> str:
        taps = _winograd_taps(layer)
        return f"F({tile}x{tile}, {taps}x{taps})" + ("" if layer.phases == 1 else f" of {layer.phases} phases")

    refuse = partial(_refuse_winograd, tile=tile)
    return Family("conv_winograd_f32", refuse, pack, work, note, {"tile": tile}, pixels_per_product=tile * tile)


# Matrix products


def _refuse_sparse_product(layer: GemmLayer) -> str | None:
    return None if layer.zeros >= SPARSE_FROM else f"{layer.zeros:.0%} zeros, considered from {SPARSE_FROM:.0%}"


def _product_work(layer: GemmLayer, packed: Packed) -> dict[str, float]:
    weights = sum(array.nbytes for array in packed.consts)
    entries = packed.consts[-1].size
    return {"products": layer.rows * entries, "outputs": layer.rows * layer.weights.shape[0], "weights": weights, "call": 1}


def _zeros_note(layer: GemmLayer, packed: Packed) -> str:
    return f"{layer.zeros:.0%} zeros"


def _bf16_note(layer: Layer, packed: Packed) -> str:
    return "products in bf16"


def _never(layer: Layer) -> None:
    return None


def _of_conv(pack: Callable[..., Consts]) -> Callable[[ConvLayer], Consts]:
    return lambda layer: pack(layer.weights, **layer.conv)


def _of_matrix(pack: Callable[..., Consts]) -> Callable[[GemmLayer], Consts]:
    return lambda layer: pack(layer.weights)


_FLOAT_CONVOLUTIONS = (
    Family("conv_f32", _refuse_dense, _of_conv(packing.pack_conv_f32), _dense_work, bar=1.0),
    Family(
        "sparse_conv_f32",
        _refuse_sparse,
        _pack_lists(packing.pack_sparse_conv_f32),
        _sparse_float_work,
        _lists_note,
        bar=SPARSE_F32_BAR,
        form=_float_form,
        forms=(UNWRITTEN,),
    ),
    Family("depthwise_f32", _refuse_depthwise, _of_conv(packing.pack_depthwise_f32), _depthwise_work),
    _winograd(2),
    _winograd(4),
)
CONVOLUTIONS: dict[str, tuple[Family, ...]] = {
    "u8s8": (
        Family("conv_u8s8", _refuse_dense, _of_conv(packing.pack_conv_u8s8), _dense_work, bar=1.0),
        Family(
            "conv_u8s8",
            _refuse_dense,
            lambda layer: packing.pack_conv_u8s8(layer.weights, group=layer.group, rows=_CHANNELS),
            _channels_work,
            lambda layer, packed: f"blocks of {_CHANNELS} output channels",
            {"rows": _CHANNELS},
        ),
        Family("sparse_conv_u8s8", _refuse_sparse, _pack_lists(packing.pack_sparse_conv_u8s8), _sparse_work((4, 2, 1)), _lists_note),
        Family("depthwise_u8s8", _refuse_depthwise, _of_conv(packing.pack_depthwise_u8s8), _depthwise_work),
    ),
    "f32": _FLOAT_CONVOLUTIONS,
    "bf16": (
        *_FLOAT_CONVOLUTIONS,
        Family("conv_bf16", _refuse_dense, _of_conv(packing.pack_conv_bf16), _bf16_work, _bf16_note),
    ),
}
_FLOAT_PRODUCTS = (
    Family("gemm_f32", _never, _of_matrix(packing.pack_gemm_f32), _product_work, bar=1.0),
    Family("sparse_gemm_f32", _refuse_sparse_product, _of_matrix(packing.pack_sparse_gemm_f32), _product_work, _zeros_note),
)
PRODUCTS: dict[str, tuple[Family, ...]] = {
    "u8s8": (
        Family("gemm_u8s8", _never, _of_matrix(packing.pack_gemm_u8s8), _product_work, bar=1.0),
        Family("sparse_gemm_u8s8", _refuse_sparse_product, _of_matrix(packing.pack_sparse_gemm_u8s8), _product_work, _zeros_note),
    ),
    "f32": _FLOAT_PRODUCTS,
    "bf16": (*_FLOAT_PRODUCTS, Family("gemm_bf16", _never, _of_matrix(packing.pack_gemm_bf16), _product_work, _bf16_note)),
}
"""By the numbers that they may multiply: the first one is the dense form, which wins where times are equal."""
