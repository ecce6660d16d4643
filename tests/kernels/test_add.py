import numpy as np
import pytest
from honed.kernels._native import KernelError, Operator, isa_levels

from tests.kernels.conv_cases import fma
from tests.kernels.elementwise_cases import SHAPES, dense, layouts, outputs, planar

ATTRS = {"scale_a": 0.71, "scale_b": 0.53, "offset": -11.25}


def expected(a, b, scale_a, scale_b, offset, lo=0.0, hi=255.0):
    f = np.float32
    inner = fma(b.astype(f), np.full(b.shape, scale_b, f), np.full(b.shape, offset, f))
    total = fma(a.astype(f), np.full(a.shape, scale_a, f), inner)
    return np.rint(np.clip(total, f(lo), f(hi))).astype(np.uint8)


def operands(shape, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, shape).astype(np.uint8), rng.integers(0, 256, shape).astype(np.uint8)


@pytest.mark.parametrize("shape", [*SHAPES, (77,)])
def test_add_u8_in_every_layout(shape):
    a, b = operands(shape)
    for specs in layouts(shape, ["u8", "u8", "u8"], zero_point=9):
        for y in outputs("add_u8", [a, b], specs[:2], specs[2], ATTRS):
            np.testing.assert_array_equal(y, expected(a, b, *ATTRS.values()))


@pytest.mark.parametrize("scales", [(1.0, 1.0, -128.0), (0.5, 0.5, 0.0), (-1.0, 2.0, 3.5), (1e30, 1e30, -1e38), (0.1, 0.3, 0.5)])
@pytest.mark.parametrize("clamp", [(0.0, 255.0), (13.0, 200.0), (7.0, 7.0)])
def test_add_u8_rounds_and_clamps(scales, clamp):
    a, b = np.meshgrid(np.arange(256, dtype=np.uint8), np.arange(256, dtype=np.uint8))
    attrs = dict(zip(("scale_a", "scale_b", "offset", "clamp_lo", "clamp_hi"), (*scales, *clamp), strict=True))
    for y in outputs("add_u8", [a, b], [dense("u8")] * 2, dense("u8"), attrs):
        np.testing.assert_array_equal(y, expected(a, b, *scales, *clamp))


def test_add_u8_refuses():
    u8 = dense("u8")
    with pytest.raises(KernelError, match=r"clamp_lo and clamp_hi are 0 and 256, expected them within 0 and 255"):
        Operator("add_u8", [u8, u8], [u8], {"clamp_hi": 256.0})
    with pytest.raises(KernelError, match="expected an interval"):
        Operator("add_u8", [u8, u8], [u8], {"clamp_lo": 2.0, "clamp_hi": 1.0})
    with pytest.raises(KernelError, match="input 1 is f32, expected u8"):
        Operator("add_u8", [u8, dense()], [u8], {})
    operator = Operator("add_u8", [planar("u8"), planar("u8")], [planar("u8")], {})
    with pytest.raises(KernelError, match=r"u8 planar \[1,2,3,4\] and u8 planar \[1,2,3,5\], expected the same shape"):
        operator.run([np.zeros((1, 2, 3, 4), np.uint8), np.zeros((1, 2, 3, 5), np.uint8)])


def test_kernels_are_named_by_instruction_set():
    names = [Operator("add_u8", [dense("u8")] * 2, [dense("u8")], {}, isa=isa).kernel_name for isa in isa_levels()]
    available = ["honed_add_u8__scalar", "honed_add_u8__avx2", "honed_add_u8__avx512", "honed_add_u8__avx512"]
    assert names == available[: len(names)]
