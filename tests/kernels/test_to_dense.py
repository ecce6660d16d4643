import numpy as np
import pytest
from honed.kernels._native import KernelError, Operator

from tests.kernels.elementwise_cases import GAPS, SHAPES, dense, outputs, planar


@pytest.mark.parametrize("dtype", ["f32", "u8"])
@pytest.mark.parametrize("gaps", GAPS)
@pytest.mark.parametrize("shape", [*SHAPES, (0, 3, 4, 5), (2, 0, 4, 5), (2, 3, 0, 5), (2, 3, 4, 0)])
def test_to_dense_copies(dtype, gaps, shape):
    x = np.random.default_rng(0).integers(0, 256, shape).astype({"f32": np.float32, "u8": np.uint8}[dtype])
    for y in outputs("to_dense", [x], [planar(dtype, gaps, 5)], dense(dtype)):
        np.testing.assert_array_equal(y, x)


def test_to_dense_refuses():
    with pytest.raises(KernelError, match="input 0 is dense, expected planar"):
        Operator("to_dense", [dense()], [dense()])
    with pytest.raises(KernelError, match="output 0 is f32, expected u8"):
        Operator("to_dense", [planar("u8")], [dense()])
