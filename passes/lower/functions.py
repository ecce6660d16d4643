"""Elementwise functions: the runtime's codes, and what they compute, for tables over quantised values.

Codes of unary functions are those of `unary_f32`, codes of binary ones those of `binary`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...kernels import codes

BINARY = {
    name: code
    for code, name in enumerate(
        ("add", "sub", "mul", "div", "max", "min", "pow", "mod", "fmod", "equal", "less", "less_equal", "greater", "greater_equal", "and",
         "or", "xor", "prelu")
    )
} | {"prelu": 17}  # fmt: skip
COMMUTATIVE = {BINARY[name] for name in ("add", "mul", "max", "min")}
PLANAR_BINARY = {BINARY[name]: code for name, code in codes.BINARY.items()}
"""From codes of `binary` to those of `binary_f32`."""


@dataclass(frozen=True)
class Unary:
    """A function of the operator `unary_f32`, with its parameters alpha and beta."""

    code: int
    compute: Callable[[np.ndarray, float, float], np.ndarray]


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return (1 / (1 + np.exp(-x.astype(np.float64)))).astype(np.float32)


def _softplus(x: np.ndarray) -> np.ndarray:
    return np.logaddexp(0, x.astype(np.float64)).astype(np.float32)


def _erf(x: np.ndarray) -> np.ndarray:
    return np.array([math.erf(v) for v in x.reshape(-1)]).reshape(x.shape)


def _gelu(x: np.ndarray) -> np.ndarray:
    return 0.5 * x * (1 + _erf(x / math.sqrt(2)))


def _gelu_tanh(x: np.ndarray) -> np.ndarray:
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def _elu(x: np.ndarray, alpha: float) -> np.ndarray:
    return np.where(x < 0, alpha * np.expm1(np.minimum(x, 0)), x)


def _of_one(function: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray, float, float], np.ndarray]:
    return lambda x, a, b: function(x)


_FUNCTIONS: dict[str, Callable[[np.ndarray, float, float], np.ndarray]] = {
    "relu": lambda x, a, b: np.maximum(x, 0),
    "clip": lambda x, a, b: np.clip(x, a, b),
    "leaky_relu": lambda x, a, b: np.where(x < 0, a * x, x),
    "thresholded_relu": lambda x, a, b: np.where(x > a, x, 0),
    "sigmoid": lambda x, a, b: _sigmoid(x),
    "hard_sigmoid": lambda x, a, b: np.clip(a * x + b, 0, 1),
    "hard_swish": lambda x, a, b: x * np.clip(x / 6 + 0.5, 0, 1),
    "silu": lambda x, a, b: x * _sigmoid(a * x),
    "elu": lambda x, a, b: _elu(x, a),
    "celu": lambda x, a, b: np.maximum(x, 0) + np.minimum(0, a * np.expm1(x / a)),
    "selu": lambda x, a, b: b * _elu(x, a),
    "gelu": lambda x, a, b: _gelu(x),
    "gelu_tanh": lambda x, a, b: _gelu_tanh(x),
    "mish": lambda x, a, b: x * np.tanh(_softplus(x)),
    "softplus": lambda x, a, b: _softplus(x),
    "softsign": lambda x, a, b: x / (1 + np.abs(x)),
    "erf": lambda x, a, b: _erf(x),
    "reciprocal": lambda x, a, b: 1 / x,
    "round": lambda x, a, b: np.rint(x),
    **{
        name: _of_one(function)
        for name, function in {
            "tanh": np.tanh, "exp": np.exp, "log": np.log, "sqrt": np.sqrt, "abs": np.abs, "neg": np.negative, "floor": np.floor,
            "ceil": np.ceil, "sign": np.sign, "sin": np.sin, "cos": np.cos,
        }.items()
    },
}  # fmt: skip
UNARY = {name: Unary(code, _FUNCTIONS[name]) for name, code in codes.UNARY.items()}
_BY_CODE = {unary.code: unary for unary in UNARY.values()}

_BINARY_FUNCTIONS: dict[int, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    BINARY["add"]: np.add,
    BINARY["sub"]: np.subtract,
    BINARY["mul"]: np.multiply,
    BINARY["div"]: np.divide,
    BINARY["max"]: np.maximum,
    BINARY["min"]: np.minimum,
    BINARY["pow"]: np.power,
}


def compute_unary(code: int, x: np.ndarray, alpha: float, beta: float) -> np.ndarray:
    """The function `code` over float32, rounded to float32."""
    with np.errstate(all="ignore"):
        return np.asarray(_BY_CODE[code].compute(x, alpha, beta), np.float32)


def compute_binary(code: int, a: np.ndarray, b: np.ndarray) -> np.ndarray | None:
    """a op b over float32; None for operators that have no float result."""
    function = _BINARY_FUNCTIONS.get(code)
    with np.errstate(all="ignore"):
        return None if function is None else np.asarray(function(a, b), np.float32)
