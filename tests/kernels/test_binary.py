import numpy as np
import pytest
from honed.kernels._native import KernelError, Operator
from honed.kernels.codes import BINARY

from tests.kernels.elementwise_cases import GAPS, SHAPES, dense, layouts, outputs, planar

FUNCTIONS = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "max": np.maximum,
    "min": np.minimum,
    "prelu": lambda a, b: np.where(a < 0, a * b, a),
}


def operands(shape, other=None):
    rng = np.random.default_rng(3)
    return rng.normal(0, 2, shape).astype(np.float32), rng.normal(0, 2, other or shape).astype(np.float32)


def expected(name, a, b, lo=-np.inf, hi=np.inf):
    return np.clip(FUNCTIONS[name](a, b), np.float32(lo), np.float32(hi))


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("shape", [*SHAPES, (3, 1000)])
def test_same_shape(name, shape):
    a, b = operands(shape)
    for specs in layouts(shape, ["f32"] * 3):
        for y in outputs("binary_f32", [a, b], specs[:2], specs[2], {"op": BINARY[name], "clamp_lo": -1.5, "clamp_hi": 3.0}):
            np.testing.assert_array_equal(y, expected(name, a, b, -1.5, 3.0))


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("broadcast", [(1, 1), (1, 5), (3, 1), (3, 5)])
@pytest.mark.parametrize("size", [(1, 1), (7, 5), (33, 130)])
def test_one_number_per_plane(name, broadcast, size):
    a, b = operands((3, 5, *size), (*broadcast, 1, 1))
    for inner, outer in [(g, g) for g in GAPS] + [((1, 1), (2, 3)), ((2, 1), None)]:
        output = dense() if outer is None else planar("f32", outer)
        for y in outputs("binary_f32", [a, b], [planar("f32", inner), dense()], output, {"op": BINARY[name]}):
            np.testing.assert_array_equal(y, expected(name, a, b))


def test_codes():
    for name, code in BINARY.items():
        kernel = Operator("binary_f32", [dense()] * 2, [dense()], {"op": code}, isa="scalar").kernel_name
        assert kernel == f"honed_binary_f32_{name}__scalar"
    assert set(FUNCTIONS) == set(BINARY)


def test_refusals():
    with pytest.raises(KernelError, match="op is 7, expected 0 to 6"):
        Operator("binary_f32", [dense()] * 2, [dense()], {"op": 7})
    with pytest.raises(KernelError, match="clamp_lo and clamp_hi are nan and inf, expected an interval"):
        Operator("binary_f32", [dense()] * 2, [dense()], {"op": 0, "clamp_lo": float("nan")})
    operator = Operator("binary_f32", [planar(), dense()], [planar()], {"op": 0})
    for shape in [(2, 3, 1, 1), (1, 2, 1, 1), (1, 3, 4, 1), (3,)]:
        with pytest.raises(KernelError, match=r"expected the same shape, or a dense \[N or 1, C or 1, 1, 1\]"):
            operator.run([np.zeros((1, 3, 4, 4), np.float32), np.zeros(shape, np.float32)])
    with pytest.raises(KernelError, match="expected the same shape"):
        operator = Operator("binary_f32", [dense()] * 2, [dense()], {"op": 0})
        operator.run([np.zeros((1, 3, 4, 4), np.float32), np.zeros((1, 3, 1, 1), np.float32)])
