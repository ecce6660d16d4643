import numpy as np
import pytest
from honed.kernels._native import KernelError, Operator

from tests.kernels.elementwise_cases import GAPS, outputs, planar

NUMPY = {"f32": np.float32, "u8": np.uint8}


def pixels(shape, dtype="u8", seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape).astype(NUMPY[dtype])


@pytest.mark.parametrize("dtype", ["f32", "u8"])
@pytest.mark.parametrize("channels", [(1,), (3, 1), (2, 5, 4), (1,) * 64, (3, 0, 2)])
@pytest.mark.parametrize("gaps", [[(0, 0)], [(1, 1)], [(2, 3), (1, 1)], [(1, 1), (2, 3), (3, 0)]])
def test_concat(dtype, channels, gaps):
    arrays = [pixels((2, c, 7, 13), dtype, i) for i, c in enumerate(channels)]
    specs = [planar(dtype, gaps[i % len(gaps)], 5) for i in range(len(channels))]
    for y in outputs("concat_channels", arrays, specs, planar(dtype, gaps[-1], 5)):
        np.testing.assert_array_equal(y, np.concatenate(arrays, 1))


@pytest.mark.parametrize("inner, outer", [*[(g, g) for g in GAPS], ((1, 1), (2, 3))])
@pytest.mark.parametrize("attrs", [{"channels": 11}, {"start": 3, "channels": 4}, {"start": 1, "channels": 4, "step": 3}])
def test_slice(inner, outer, attrs):
    x = pixels((2, 11, 5, 9))
    start, step = attrs.get("start", 0), attrs.get("step", 1)
    for y in outputs("slice_channels", [x], [planar("u8", inner, 7)], planar("u8", outer, 7), attrs):
        np.testing.assert_array_equal(y, x[:, start : start + attrs["channels"] * step : step])


@pytest.mark.parametrize("inner, outer", [*[(g, g) for g in GAPS], ((1, 1), (2, 3))])
@pytest.mark.parametrize("groups", [1, 2, 3, 12])
def test_shuffle(inner, outer, groups):
    x = pixels((2, 12, 5, 9), "f32")
    expected = x.reshape(2, groups, 12 // groups, 5, 9).swapaxes(1, 2).reshape(x.shape)
    for y in outputs("channel_shuffle", [x], [planar("f32", inner)], planar("f32", outer), {"groups": groups}):
        np.testing.assert_array_equal(y, expected)


def test_refusals():
    u8 = planar("u8")
    with pytest.raises(KernelError, match="input 1 has zero point 3, expected the output's, 0"):
        Operator("concat_channels", [u8, planar("u8", zero_point=3)], [u8])
    with pytest.raises(KernelError, match="input 1 is missing"):
        Operator("concat_channels", [u8, None], [u8])
    with pytest.raises(KernelError, match="0 inputs and 1 outputs, expected 1 to 64 and 1"):
        Operator("concat_channels", [], [u8])
    with pytest.raises(KernelError, match=r"input 1 is u8 planar \[1,2,4,3\], expected it to differ from input 0, u8 planar \[1,2,3,3\]"):
        Operator("concat_channels", [u8, u8], [u8]).run([pixels((1, 2, 3, 3)), pixels((1, 2, 4, 3))])
    with pytest.raises(KernelError, match="channel 4 of an input of 4 channels"):
        Operator("slice_channels", [u8], [u8], {"start": 1, "channels": 4}).run([pixels((1, 4, 3, 3))])
    with pytest.raises(KernelError, match="channels is 0, expected 1 to"):
        Operator("slice_channels", [u8], [u8])
    with pytest.raises(KernelError, match="3 groups do not divide 4 channels"):
        Operator("channel_shuffle", [u8], [u8], {"groups": 3}).run([pixels((1, 4, 3, 3))])
