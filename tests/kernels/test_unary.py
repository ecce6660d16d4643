import numpy as np
import onnxruntime as ort
import pytest
from honed.kernels._native import KernelError, Operator
from honed.kernels.codes import UNARY
from onnx import TensorProto, helper
from scipy import special

from tests.kernels.elementwise_cases import SHAPES, dense, layouts, outputs

ALPHA, GAMMA = np.float64(np.float32(1.6732632)), np.float64(np.float32(1.050701))
# Name: the function in float64, and the bound in ulp of the result (base/math_f32.h).
EXACT = {
    "abs": (np.abs, 0),
    "neg": (np.negative, 0),
    "sign": (np.sign, 0),
    "floor": (np.floor, 0),
    "ceil": (np.ceil, 0),
    "round": (np.rint, 0),
    "sqrt": (np.sqrt, 0.5),
    "reciprocal": (lambda x: 1 / x, 0.5),
    "exp": (np.exp, 1),
    "log": (np.log, 1),
    "sin": (np.sin, 1.6),
    "cos": (np.cos, 1.6),
    "erf": (special.erf, 1.2),
    "tanh": (np.tanh, 1.4),
    "sigmoid": (special.expit, 2.5),
    "softplus": (lambda x: np.logaddexp(0, x), 2),
    "softsign": (lambda x: np.where(np.isinf(x), np.sign(x), x / (1 + np.abs(x))), 1.5),
    "relu": (lambda x: np.maximum(x, 0), 0),
    "leaky_relu": (lambda x: np.where(x < 0, np.float64(np.float32(0.01)) * x, x), 0.5),
    "thresholded_relu": (lambda x: np.where(np.isnan(x), 0, np.where(x > 1, x, 0)), 0),
    "clip": (lambda x: x, 0),
    "elu": (lambda x: np.where(x < 0, np.expm1(np.minimum(x, 0)), x), 1),
    "selu": (lambda x: GAMMA * np.where(x < 0, ALPHA * np.expm1(np.minimum(x, 0)), x), 2),
    "celu": (lambda x: np.where(x < 0, np.expm1(np.minimum(x, 0)), x), 1),
    "hard_sigmoid": (lambda x: np.clip(np.float64(np.float32(0.2)) * x + 0.5, 0, 1), 0.51),
}
# Products with a factor that vanishes: the error is bounded by 1.5e-7 |x| instead.
PRODUCTS = {
    "hard_swish": lambda x: x * np.clip(x / 6 + 0.5, 0, 1),
    "silu": lambda x: x * special.expit(x),
    "gelu": lambda x: x * special.ndtr(x),
    "gelu_tanh": lambda x: x * special.expit(2 * np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)),
    "mish": lambda x: x * np.tanh(np.logaddexp(0, x)),
}
SPECIAL = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1e-45, -1e-45, 1.2e-38, 3.4e38, -3.4e38, 0.5, 1.5, 2.5, -0.5], np.float32)


def floats() -> np.ndarray:
    """Every 60013-th float of all, all near common break points, and the special ones."""
    every = np.arange(0, 2**32, 60013, dtype=np.uint64).astype(np.uint32).view(np.float32)
    rng = np.random.default_rng(0)
    return np.concatenate([every, rng.uniform(-12, 12, 40000), rng.uniform(-120, 120, 20000), SPECIAL]).astype(np.float32)


def run(name: str, x: np.ndarray, **attrs: float) -> np.ndarray:
    """The result; the same bits on every instruction set."""
    runs = list(outputs("unary_f32", [x], [dense()], dense(), {"op": UNARY[name], **attrs}))
    for y in runs[1:]:
        np.testing.assert_array_equal(np.isnan(y), np.isnan(runs[0]))
        np.testing.assert_array_equal(np.where(np.isnan(y), 0, y).view(np.uint32), np.where(np.isnan(y), 0, runs[0]).view(np.uint32))
    return runs[0]


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_functions_within_their_bound(name):
    function, bound = EXACT[name]
    x = floats()
    exact = function(x.astype(np.float64))
    y, rounded = run(name, x), exact.astype(np.float32)
    finite = np.isfinite(rounded)
    np.testing.assert_array_equal(y[~finite], rounded[~finite])
    error = np.abs(y[finite].astype(np.float64) - exact[finite]) / np.spacing(np.abs(rounded[finite])).astype(np.float64)
    assert error.max() <= bound, x[finite][error.argmax()]


@pytest.mark.parametrize("name", PRODUCTS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_products_within_their_bound(name):
    x = floats()
    exact = PRODUCTS[name](x.astype(np.float64))
    y = run(name, x)
    finite = np.isfinite(x)
    assert (np.abs(y[finite] - exact[finite]) <= 1.5e-7 * np.abs(x[finite].astype(np.float64)) + 1e-45).all()
    np.testing.assert_allclose(run(name, np.array([np.inf, -np.inf, np.nan, -np.nan], np.float32)), [np.inf, 0, np.nan, np.nan], 0, 1e-36)


def test_every_function_is_tested_and_has_the_code_of_its_name():
    assert set(EXACT) | set(PRODUCTS) == set(UNARY)
    for name, code in UNARY.items():
        assert Operator("unary_f32", [dense()], [dense()], {"op": code}, isa="scalar").kernel_name == f"honed_unary_f32_{name}__scalar"
    with pytest.raises(KernelError, match=f"op is {len(UNARY)}, expected 0 to {len(UNARY) - 1}"):
        Operator("unary_f32", [dense()], [dense()], {"op": len(UNARY)})


ONNX = {
    "relu": ("Relu", {}, {}),
    "leaky_relu": ("LeakyRelu", {"alpha": 0.3}, {"alpha": 0.3}),
    "thresholded_relu": ("ThresholdedRelu", {"alpha": 0.7}, {"alpha": 0.7}),
    "elu": ("Elu", {"alpha": 1.7}, {"alpha": 1.7}),
    "selu": ("Selu", {}, {}),
    "celu": ("Celu", {"alpha": 0.6}, {"alpha": 0.6}),
    "hard_sigmoid": ("HardSigmoid", {"alpha": 0.15, "beta": 0.4}, {"alpha": 0.15, "beta": 0.4}),
    "hard_swish": ("HardSwish", {}, {}),
    "gelu": ("Gelu", {}, {}),
    "gelu_tanh": ("Gelu", {"approximate": "tanh"}, {}),
    "mish": ("Mish", {}, {}),
    "softplus": ("Softplus", {}, {}),
    "softsign": ("Softsign", {}, {}),
    "round": ("Round", {}, {}),
    "sign": ("Sign", {}, {}),
}


@pytest.mark.parametrize("name", ONNX)
def test_functions_are_onnx(name):
    op, onnx_attrs, attrs = ONNX[name]
    x = np.random.default_rng(1).normal(0, 3, 1000).astype(np.float32)
    node = helper.make_node(op, ["x"], ["y"], **onnx_attrs)
    ends = [[helper.make_tensor_value_info(n, TensorProto.FLOAT, [None])] for n in ("x", "y")]
    model = helper.make_model(helper.make_graph([node], "g", *ends), opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    expected = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"]).run(None, {"x": x})[0]
    # Absolute: ONNX Runtime's own formulas cancel (exp(x) - 1, 1 + erf(x)).
    np.testing.assert_allclose(run(name, x, **attrs), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("attrs", [{"alpha": -1.0, "beta": 1.5}, {"alpha": 0.0, "beta": 6.0}, {"beta": 2.0}, {}])
def test_clip(attrs):
    x = np.concatenate([SPECIAL, np.linspace(-8, 8, 100, dtype=np.float32)])
    expected = np.clip(x, np.float32(attrs.get("alpha", -np.inf)), np.float32(attrs.get("beta", np.inf)))
    np.testing.assert_array_equal(run("clip", x, **attrs), expected)


@pytest.mark.parametrize("alpha", [1.702, 0.0, -0.6, 1e-30, -1e30])
def test_silu_takes_alpha(alpha):
    x = np.linspace(-8, 8, 100, dtype=np.float32)
    np.testing.assert_allclose(run("silu", x, alpha=alpha), x * special.expit(alpha * x.astype(np.float64)), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", ["relu", "exp", "hard_swish"])
@pytest.mark.parametrize("shape", [*SHAPES, (3, 1000)])
def test_layouts(name, shape):
    x = np.random.default_rng(2).normal(0, 3, shape).astype(np.float32)
    expected = run(name, x.reshape(-1)).reshape(shape)
    for specs in layouts(shape, ["f32", "f32"]):
        for y in outputs("unary_f32", [x], specs[:1], specs[1], {"op": UNARY[name]}):
            np.testing.assert_array_equal(y, expected)


def test_refusals():
    with pytest.raises(KernelError, match="alpha and beta are 2 and 1, expected an interval"):
        Operator("unary_f32", [dense()], [dense()], {"op": UNARY["clip"], "alpha": 2.0, "beta": 1.0})
    with pytest.raises(KernelError, match="alpha is 0, expected more than 0"):
        Operator("unary_f32", [dense()], [dense()], {"op": UNARY["celu"], "alpha": 0.0})
    with pytest.raises(KernelError, match="alpha is inf, expected a finite number"):
        Operator("unary_f32", [dense()], [dense()], {"op": UNARY["elu"], "alpha": float("inf")})
    with pytest.raises(KernelError, match="input 0 is u8, expected f32"):
        Operator("unary_f32", [dense("u8")], [dense()], {"op": 0})
