import numpy as np
import pytest
from honed.kernels._native import KernelError, Operator, isa_levels

from tests.kernels.elementwise_cases import GAPS, SHAPES, dense, layouts, outputs, planar

ATTRS = {"scale": 1.7, "zero_point": 37, "output_zero_point": 21}


def expected(a, b, scale, zero_point, output_zero_point, lo=0, hi=255):
    f = np.float32
    product = (a.astype(f) - f(zero_point)) * (b * f(scale))
    return (np.rint(np.clip(product, lo - output_zero_point, hi - output_zero_point)) + output_zero_point).astype(np.uint8)


def operands(shape, other=None):
    rng = np.random.default_rng(5)
    return rng.integers(0, 256, shape).astype(np.uint8), rng.uniform(-0.2, 1, other or shape).astype(np.float32)


@pytest.mark.parametrize("shape", [*SHAPES, (77,)])
def test_numbers_of_one_shape_in_every_layout(shape):
    a, b = operands(shape)
    for specs in layouts(shape, ["u8", "f32", "u8"], zero_point=9):
        for y in outputs("scale_u8", [a, b], specs[:2], specs[2], ATTRS):
            np.testing.assert_array_equal(y, expected(a, b, *ATTRS.values()))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("clamp", [(0.0, 255.0), (13.0, 200.0), (7.0, 7.0)])
def test_one_number_per_plane(shape, clamp):
    bounds = dict(zip(("clamp_lo", "clamp_hi"), clamp, strict=True))
    for other in {(shape[0], shape[1], 1, 1), (1, shape[1], 1, 1), (shape[0], 1, 1, 1), (1, 1, 1, 1)}:
        a, b = operands(shape, other)
        for gaps in GAPS:
            for output in (planar("u8", gaps, 21), planar("u8", (3, 2), 21), dense("u8")):
                for y in outputs("scale_u8", [a, b], [planar("u8", gaps, 37), dense()], output, ATTRS | bounds):
                    np.testing.assert_array_equal(y, expected(a, b, *ATTRS.values(), *clamp))


def test_results_beyond_u8_saturate():
    a = np.arange(256, dtype=np.uint8).reshape(1, 1, 16, 16)
    for number in (1e38, -1e38, np.inf, -np.inf):
        b = np.full((1, 1, 1, 1), number, np.float32)
        with np.errstate(invalid="ignore"):
            wanted = np.where(np.arange(256) == 37, 21, np.where((np.arange(256) > 37) == (number > 0), 255, 0)).reshape(a.shape)
        results = list(outputs("scale_u8", [a, b], [planar("u8"), dense()], planar("u8"), ATTRS))
        assert all(np.array_equal(y, results[0]) for y in results)
        defined = np.isfinite(number) | (a != 37)
        np.testing.assert_array_equal(results[0][defined], wanted[defined])


def test_what_cannot_be_is_refused():
    u8 = dense("u8")
    with pytest.raises(KernelError, match="expected them within 0 and 255"):
        Operator("scale_u8", [u8, dense()], [u8], {"clamp_hi": 256.0})
    with pytest.raises(KernelError, match="zero_point"):
        Operator("scale_u8", [u8, dense()], [u8], {"output_zero_point": 256})
    with pytest.raises(KernelError, match="input 1 is u8, expected f32"):
        Operator("scale_u8", [u8, u8], [u8], {})
    operator = Operator("scale_u8", [planar("u8"), dense()], [planar("u8")], {})
    with pytest.raises(KernelError, match="expected the same shape, or a dense"):
        operator.run([np.zeros((1, 2, 3, 4), np.uint8), np.zeros((1, 3, 1, 1), np.float32)])


def test_kernels_are_named_by_instruction_set():
    names = [Operator("scale_u8", [dense("u8"), dense()], [dense("u8")], {}, isa=isa).kernel_name for isa in isa_levels()]
    variants = [name.removeprefix("honed_scale_u8__") for name in names]
    assert variants[:3] == ["scalar", "avx2", "avx512"][: len(names)]
    assert all(variant in ("avx512", "avx512vbmi") for variant in variants[3:])
