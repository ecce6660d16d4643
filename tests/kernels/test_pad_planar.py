import numpy as np
import pytest
from honed.kernels._native import KernelError, Operator
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernels.elementwise_cases import outputs, planar

MODES = ["constant", "reflect", "edge"]
NUMPY = {"f32": np.float32, "u8": np.uint8}


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    size=st.tuples(st.integers(1, 9), st.integers(1, 80)),
    pads=st.tuples(*[st.integers(-3, 4)] * 4),
    mode=st.sampled_from(MODES),
    dtype=st.sampled_from(["f32", "u8"]),
    gaps=st.tuples(*[st.integers(0, 3)] * 4),
)
def test_pad(size, pads, mode, dtype, gaps):
    top, left, bottom, right = (min(max(p, 0), n - 1) if mode == "reflect" else p for p, n in zip(pads, size * 2, strict=True))
    top, left = max(top, 1 - size[0]), max(left, 1 - size[1])  # something is left to pad
    bottom, right = max(bottom, 1 - size[0] - min(top, 0)), max(right, 1 - size[1] - min(left, 0))
    x = np.random.default_rng(0).integers(0, 256, (2, 3, *size)).astype(NUMPY[dtype])
    cut = x[:, :, max(0, -top) : size[0] + min(0, bottom), max(0, -left) : size[1] + min(0, right)]
    grown = [(0, 0), (0, 0), (max(0, top), max(0, bottom)), (max(0, left), max(0, right))]
    expected = np.pad(cut, grown, mode, **({"constant_values": 77} if mode == "constant" else {}))
    attrs = {"pad_top": top, "pad_left": left, "pad_bottom": bottom, "pad_right": right, "mode": MODES.index(mode)}
    attrs["value"] = 77.0 if dtype == "f32" else 77
    for y in outputs("pad_planar", [x], [planar(dtype, gaps[:2], 9)], planar(dtype, gaps[2:], 9), attrs):
        np.testing.assert_array_equal(y, expected)


def test_large_planes_in_blocks_of_rows():
    x = np.random.default_rng(0).normal(0, 1, (1, 2, 150, 170)).astype(np.float32)
    attrs = {"pad_top": 3, "pad_left": 2, "pad_bottom": 1, "pad_right": 5, "value": -1.5}
    for y in outputs("pad_planar", [x], [planar("f32", (1, 1))], planar("f32", (0, 2)), attrs):
        np.testing.assert_array_equal(y, np.pad(x, [(0, 0), (0, 0), (3, 1), (2, 5)], constant_values=-1.5))


def test_refusals():
    with pytest.raises(KernelError, match="mode is 3, expected 0 to 2"):
        Operator("pad_planar", [planar()], [planar()], {"mode": 3})
    with pytest.raises(KernelError, match="value is 256, expected 0 to 255"):
        Operator("pad_planar", [planar("u8")], [planar("u8")], {"value": 256})
    with pytest.raises(KernelError, match="padding 0 and 3 of 3 pixels, expected less than the image"):
        Operator("pad_planar", [planar()], [planar()], {"mode": 1, "pad_right": 3}).run([np.zeros((1, 1, 3, 3), np.float32)])
    with pytest.raises(KernelError, match="dimension 2 is -1"):
        Operator("pad_planar", [planar()], [planar()], {"pad_top": -4}).run([np.zeros((1, 1, 3, 3), np.float32)])
