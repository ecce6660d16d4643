"""Arithmetic with constants into the layer before it."""

import numpy as np
import pytest

from tests.onnx_text import f32, model
from tests.passes.clean.check import cleaned, ops, refusal

NAME = "fold-channel-arithmetic"


def conv(arithmetic, k, bias="", y="1,5,4,4", more=""):
    body = f"g (float[1,3,6,6] x) => (float[{y}] y) {{ c = Conv(x, w{bias}) y = {arithmetic} {more} }}"
    return model(body, w=f32(5, 3, 3, 3), b=f32(5), k=k)


@pytest.mark.parametrize("arithmetic", ["Add(c, k)", "Add(k, c)", "Sub(c, k)", "Sub(k, c)", "Mul(c, k)", "Mul(k, c)", "Div(c, k)"])
@pytest.mark.parametrize("bias", ["", ", b"])
def test_operators(arithmetic, bias):
    for k in (f32(1, 5, 1, 1) + 3, f32(5, 1, 1) + 3, np.float32(1.7), np.full((1, 1), -0.3, np.float32)):
        graph, _ = cleaned(conv(arithmetic, k, bias), NAME)
        assert ops(graph) == ["Conv"]


def test_gemm_and_conv_transpose():
    body = "g (float[2,4] x) => (float[2,6] y) { c = Gemm<beta=3.0>(x, w, b) y = Add(c, k) }"
    assert ops(cleaned(model(body, w=f32(4, 6), b=f32(6), k=f32(6)), NAME)[0]) == ["Gemm"]
    body = "g (float[1,4,3,3] x) => (float[1,6,5,5] y) { c = ConvTranspose<group=2>(x, w) y = Mul(c, k) }"
    assert ops(cleaned(model(body, w=f32(4, 3, 3, 3), k=f32(6, 1, 1)), NAME)[0]) == ["ConvTranspose"]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (conv("Add(c, k)", f32(4)), "the constant of shape [4] depends on more than the 5 channels of Conv"),
        (conv("Add(c, k)", f32(1, 5, 4, 4)), "the constant of shape [1, 5, 4, 4] depends on more than the 5 channels of Conv"),
        (conv("Div(c, k)", np.zeros((5, 1, 1), np.float32)), "divides by 0"),
        (model("g (float[1,5,4,4] x) => (float[1,5,4,4] y) { c = Relu(x) y = Add(c, k) }", k=f32(5, 1, 1)),
         "its input is not made by Conv, ConvTranspose or Gemm"),
    ],
)
def test_refusals(source, reason):
    if reason == "divides by 0":
        source.graph.output[0].name = "z"
        source.graph.node.add(op_type="IsInf", input=["y"], output=["z"])
        source.graph.output[0].type.tensor_type.elem_type = 9
    assert refusal(source, NAME) == reason


@pytest.mark.parametrize("arithmetic", ["Div(k, c)", "Add(c, c)"])
def test_what_it_is_not_about(arithmetic):
    assert not cleaned(conv(arithmetic, f32(5, 1, 1)), NAME)[1].changes
