"""Resize over height and width, to sizes or by scales that are constant, or to the sizes of another tensor."""

from __future__ import annotations

import numpy as np
import onnx_graphsurgeon as gs

from ....kernels.codes import COORDINATE_MODES, NEAREST_MODES
from ..dims import divided, refine, times
from ..program import Dim, Value
from ..reasons import Unsupported, require
from ..shape_values import contents
from ..translate import Translator, handles


@handles("Resize")
def resize(t: Translator, node: gs.Node) -> None:
    mode, coordinates = _text(node, "mode", "nearest"), _text(node, "coordinate_transformation_mode", "half_pixel")
    nearest = _text(node, "nearest_mode", "round_prefer_floor")
    require(mode in ("nearest", "linear"), f"mode {mode}")
    require(coordinates in COORDINATE_MODES, f"coordinate_transformation_mode {coordinates}")
    require(nearest in NEAREST_MODES, f"nearest_mode {nearest}")
    require(not node.attrs.get("antialias", 0), "antialias")
    require(_text(node, "keep_aspect_ratio_policy", "stretch") == "stretch", "keep_aspect_ratio_policy")
    x = t.any(node.inputs[0]) if mode == "nearest" else t.value(node.inputs[0])
    require(x.shape is not None and len(x.shape) == 4, f"rank {'unknown' if x.shape is None else len(x.shape)}, expected 4")
    require(x.dtype in ("f32", "u8") and (mode == "nearest" or x.dtype == "f32"), f"input is {x.dtype}, expected f32")
    attrs: dict[str, int | float] = {"coordinate_mode": COORDINATE_MODES[coordinates], "nearest_mode": NEAREST_MODES[nearest]}
    sizes, like, target = _target(t, node, x)
    shape = refine(t.shape(node.outputs[0]), (*(x.shape or ())[:2], *target))
    y = t.draft.value(node.outputs[0].name, x.dtype, shape, x.zero_point)
    t.emit(f"resize_{mode}", [x] if like is None else [x, like], y, attrs | sizes)
    t.bind(node.outputs[0], y)
    if t.is_shifted(x):
        t.mark_shifted(y)


def _text(node: gs.Node, name: str, default: str) -> str:
    value = node.attrs.get(name, default)
    return value.decode() if isinstance(value, bytes) else str(value)


def _target(t: Translator, node: gs.Node, x: Value) -> tuple[dict[str, int | float], Value | None, list[Dim]]:
    """Attributes, or a tensor of the size that is meant; and height and width."""
    axes = [int(a) % 4 for a in node.attrs.get("axes", range(4))]
    scales = t.input(node, 2)
    array = t.const(scales)
    if array is not None and array.size:
        full = _on_all_axes(axes, array.astype(np.float32).tolist(), [1.0] * 4)
        require(full[:2] == [1.0, 1.0], f"scales {full[:2]} of batch and channels")
        require(min(full[2:]) > 0, f"scales {full[2:]}")
        return {"scale_h": full[2], "scale_w": full[3]}, None, [_scaled(d, s) for d, s in zip((x.shape or ())[2:], full[2:], strict=True)]
    sizes = t.input(node, 3)
    found = None if sizes is None else contents(t.draft, t.value(sizes))
    if found is None:
        raise Unsupported("scales or sizes are not constant")
    shape = list(x.shape or ())
    full = _on_all_axes(axes, found, shape)
    require(full[:2] == shape[:2], f"batch and channels change from {shape[:2]} to {full[:2]}")
    height, width = full[2:]
    if isinstance(height, int) and isinstance(width, int):
        require(min(height, width) > 0, f"sizes {[height, width]}")
        return {"out_h": height, "out_w": width}, None, [height, width]
    return {}, _value_of_size(t, height, width), [height, width]


def _on_all_axes(axes: list[int], given: list, default: list) -> list:
    require(len(given) == len(axes), f"{len(given)} scales or sizes for {len(axes)} axes")
    result = list(default)
    for axis, item in zip(axes, given, strict=True):
        result[axis] = item
    return result


def _scaled(dim: Dim, scale: float) -> Dim:
    if isinstance(dim, int):
        return int(np.float32(dim) * np.float32(scale))
    if scale >= 1 and scale == int(scale):
        return times(dim, int(scale))
    return divided(dim, int(1 / scale)) if 1 / scale == int(1 / scale) else None


def _value_of_size(t: Translator, height: Dim, width: Dim) -> Value:
    """A tensor of that height and width."""
    if height is not None and width is not None:
        for value in t.draft.known():
            if value.shape is not None and len(value.shape) == 4 and value.shape[2:] == (height, width):
                return value
    raise Unsupported(f"sizes {[height, width]} are not those of any tensor before it")
