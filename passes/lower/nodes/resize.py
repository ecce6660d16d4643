"""Resize over height and width, to sizes or by scales that are constant, or to the sizes of another tensor."""

from __future__ import annotations

import numpy as np
import onnx_graphsurgeon as gs

from ....kernels.codes import ASPECTS, COORDINATE_MODES, FILTERS, NEAREST_MODES
from ..dims import divided, refine, times
from ..program import Dim, Value
from ..reasons import Unsupported, require
from ..shape_values import contents
from ..translate import Translator, handles


@handles("Resize")
def resize(t: Translator, node: gs.Node) -> None:
    mode = _text(node, "mode", "nearest")
    op_type, attrs = _operator(t, node, mode)
    x = t.any(node.inputs[0]) if op_type == "resize_nearest" else t.value(node.inputs[0])
    require(x.shape is not None and len(x.shape) == 4, f"rank {'unknown' if x.shape is None else len(x.shape)}, expected 4")
    require(x.dtype in ("f32", "u8") and (op_type == "resize_nearest" or x.dtype == "f32"), f"input is {x.dtype}, expected f32")
    sizes, like, target = _target(t, node, x)
    shape = refine(t.shape(node.outputs[0]), (*(x.shape or ())[:2], *target))
    y = t.draft.value(node.outputs[0].name, x.dtype, shape, x.zero_point)
    t.emit(op_type, [x] if like is None else [x, like], y, attrs | sizes)
    t.bind(node.outputs[0], y)
    if t.is_shifted(x):
        t.mark_shifted(y)


def _operator(t: Translator, node: gs.Node, mode: str) -> tuple[str, dict[str, int | float]]:
    """The operator for the node's mode, and its attributes but for the sizes."""
    coordinates, nearest = _text(node, "coordinate_transformation_mode", "half_pixel"), _text(node, "nearest_mode", "round_prefer_floor")
    require(mode in FILTERS, f"mode {mode}")
    require(coordinates in COORDINATE_MODES, f"coordinate_transformation_mode {coordinates}")
    require(nearest in NEAREST_MODES, f"nearest_mode {nearest}")
    attrs: dict[str, int | float] = {"coordinate_mode": COORDINATE_MODES[coordinates], "nearest_mode": NEAREST_MODES[nearest]}
    crops, antialias = coordinates == "tf_crop_and_resize", int(node.attrs.get("antialias", 0))
    if mode != "cubic" and not crops and not antialias:
        return f"resize_{mode}", attrs
    attrs |= {"filter": FILTERS[mode], "antialias": antialias, "exclude_outside": int(node.attrs.get("exclude_outside", 0))}
    attrs |= {"cubic_a": float(node.attrs.get("cubic_coeff_a", -0.75)), "value": float(node.attrs.get("extrapolation_value", 0.0))}
    return "resize_filter", attrs | (_region(t, node) if crops else {})


def _region(t: Translator, node: gs.Node) -> dict[str, int | float]:
    axes = _axes(node)
    given = t.require_const(node, 1, "the region of interest").astype(np.float32).reshape(-1).tolist()
    require(len(given) == 2 * len(axes), f"a region of {len(given)} numbers for {len(axes)} axes")
    begins, ends = (_on_all_axes(axes, part, [fill] * 4) for part, fill in ((given[: len(axes)], 0.0), (given[len(axes) :], 1.0)))
    require(begins[:2] + ends[:2] == [0.0, 0.0, 1.0, 1.0], f"a region {begins[:2]} to {ends[:2]} of batch and channels")
    return {"roi_begin_h": begins[2], "roi_end_h": ends[2], "roi_begin_w": begins[3], "roi_end_w": ends[3]}


def _axes(node: gs.Node) -> list[int]:
    return [int(a) % 4 for a in node.attrs.get("axes", range(4))]


def _text(node: gs.Node, name: str, default: str) -> str:
    value = node.attrs.get(name, default)
    return value.decode() if isinstance(value, bytes) else str(value)


def _target(t: Translator, node: gs.Node, x: Value) -> tuple[dict[str, int | float], Value | None, list[Dim]]:
    """Attributes, or a tensor of the size that is meant; and height and width."""
    axes = _axes(node)
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
    aspect = _aspect(node, axes)
    if aspect:
        known = isinstance(height, int) and isinstance(width, int)
        require(known, "keep_aspect_ratio_policy with sizes that are not known before run time")
        return {"out_h": height, "out_w": width, "aspect": aspect}, None, _bounded(shape[2:], [height, width], aspect)
    attrs: dict[str, int | float] = {}
    for name, size, given in (("h", height, shape[2]), ("w", width, shape[3])):
        if isinstance(size, int):
            require(size > 0, f"sizes {[height, width]}")
            attrs[f"out_{name}"] = size
        elif size is not None and size == given:
            attrs[f"scale_{name}"] = 1.0
    if len(attrs) == 2:
        return attrs, None, [height, width]
    return {}, _value_of_size(t, height, width), [height, width]


def _aspect(node: gs.Node, axes: list[int]) -> int:
    """The code of the policy. Over one axis there is nothing to keep."""
    policy = _text(node, "keep_aspect_ratio_policy", "stretch")
    require(policy in ASPECTS, f"keep_aspect_ratio_policy {policy}")
    require(policy == "stretch" or min(axes) >= 2, f"keep_aspect_ratio_policy {policy} over batch and channels")
    return ASPECTS[policy] if len(axes) == 2 else 0


def _bounded(given: list[Dim], sizes: list[int], aspect: int) -> list[Dim]:
    """The sizes that keep the ratio of the input's: see kernels/resize/resize.h."""
    known = [d for d in given if isinstance(d, int)]
    if len(known) < 2:
        return [None, None]
    scales = [size / d for size, d in zip(sizes, known, strict=True)]
    scale = min(scales) if aspect == ASPECTS["not_larger"] else max(scales)
    return [int(scale * d + 0.5) for d in known]


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
