import numpy as np
import pytest
from honed.kernels._native import KernelError, Operator

from tests.kernels.elementwise_cases import SHAPES, dense, layouts, outputs

TABLE = np.random.default_rng(5).integers(0, 256, 256).astype(np.uint8)


@pytest.mark.parametrize("shape", [*SHAPES, (1000,)])
def test_lookup_u8(shape):
    x = np.resize(np.arange(256, dtype=np.uint8), shape)
    for specs in layouts(shape, ["u8", "u8"], zero_point=77):
        for y in outputs("lookup_u8", [x], specs[:1], specs[1], consts=[TABLE]):
            np.testing.assert_array_equal(y, TABLE[x])


@pytest.mark.parametrize("source, target", [("s8", "u8"), ("u8", "s8")])
@pytest.mark.parametrize("shape", [*SHAPES, (1000,)])
def test_shift_u8_adds_128_modulo_256(source, target, shape):
    dtypes = {"u8": np.uint8, "s8": np.int8}
    x = np.resize(np.arange(256, dtype=np.uint8).view(dtypes[source]), shape)
    for specs in layouts(shape, [source, target], zero_point=3):
        for y in outputs("shift_u8", [x], specs[:1], specs[1]):
            np.testing.assert_array_equal(y, (x.astype(np.int32) + 128).astype(np.uint8).view(dtypes[target]))


def test_refusals():
    with pytest.raises(KernelError, match="constant 0 has 255 elements of u8, expected 256 of u8"):
        Operator("lookup_u8", [dense("u8")], [dense("u8")], consts=[TABLE[:255]])
    with pytest.raises(KernelError, match="0 constants, expected more than 0"):
        Operator("lookup_u8", [dense("u8")], [dense("u8")])
    with pytest.raises(KernelError, match="expected s8 and u8, or u8 and s8"):
        Operator("shift_u8", [dense("u8")], [dense("u8")])
