"""Convolutions over [N, C, D, H, W] by 2-D convolutions over frames, whose channels are those of all frames that an output frame reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..program import Dim, Value
from ..reasons import Unsupported, require
from ..translate import Tensor, Translator

MAX_GATHERED = 1 << 16


def emit_on_frames(
    t: Translator, x: Value, output: Tensor, places: np.ndarray, shape: Sequence[Dim], emit: Callable[[Value, Value], Value]
) -> None:
    """output[:, :, o] = emit(the frames places[o] of x side by side, channel by channel).

    places: [output frames, taps], a place outside of x is a frame of zeros. shape: of `output`, without N.
    emit: the 2-D operator from [N·D', C·taps, H, W] to a value of [N·D', C', H', W'].
    """
    n, *known = x.shape or (None,) * 5
    sizes, out_sizes = [d for d in known if isinstance(d, int)], [d for d in shape if isinstance(d, int)]
    if len(sizes) < 4 or len(out_sizes) < 4:
        raise Unsupported("a 3-D convolution over sizes that are not known before run time")
    (channels, depth, height, width), (frames, taps) = sizes, places.shape
    require(0 < places.size <= MAX_GATHERED and min(out_sizes) > 0, f"{frames} output frames of {taps} taps")
    outside = (places < 0) | (places >= depth)
    if outside.any():
        pads = np.zeros((2, 5), np.int64)
        pads[1, 2] = 1
        padded = t.temporary(output, "padded", (n, channels, depth + 1, height, width))
        x = t.emit("pad", [x], padded, {}, [pads.reshape(-1), np.zeros(1, np.float32)])
    indices = np.where(outside, depth, places).astype(np.int64)
    y = t.emit("gather", [x], t.temporary(output, "taps", (n, channels, frames, taps, height, width)), {"axis": 2}, [indices])
    y = _transpose(t, y, t.temporary(output, "frames", (n, frames, channels, taps, height, width)), [0, 2, 1, 3, 4, 5])
    flat = n * frames if isinstance(n, int) else None
    y = _reshape(t, y, t.temporary(output, "images", (flat, channels * taps, height, width)))
    y = emit(y, t.temporary(output, "convolved", (flat, out_sizes[0], *out_sizes[2:])))
    y = _reshape(t, y, t.temporary(output, "by frame", (n, frames, out_sizes[0], *out_sizes[2:])))
    t.bind(output, _transpose(t, y, t.draft.value(output.name, "f32", (n, *out_sizes)), [0, 2, 1, 3, 4]))


def _transpose(t: Translator, x: Value, y: Value, perm: list[int]) -> Value:
    return t.emit("transpose", [x], y, {}, [np.array(perm, np.int64)])


def _reshape(t: Translator, x: Value, y: Value) -> Value:
    """To the shape of `y`, of which only the first dimension may be unknown."""
    dims = {f"dim{i}": d if i and isinstance(d, int) else -1 for i, d in enumerate(y.shape or ())}
    return t.emit("reshape", [x], y, {"rank": len(dims), **dims})
