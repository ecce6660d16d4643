"""From a model to a program and to a file: whole networks, in every quantised form, and what is refused."""

import json
import re
from pathlib import Path

import honed
import numpy as np
import onnxruntime as ort
import pytest
from honed.graph import ModelError, load
from honed.passes.lower import LayerInfo, compile_model, describe, lower
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

from tests.passes.lower.interpret import interpret
from tests.passes.lower.networks import Net, check, normal, reference, types

SHAPE = ("n", 3, 17, 19)


def small_network() -> Net:
    """A stem, a residual block, an inverted residual block, a concatenation, and a classifier."""
    net = Net()

    def conv(x, out, kernel, relu=True, group=1, into=8, **attrs):
        seed = len(net.nodes)
        w = normal((out, into // group, kernel, kernel), seed, (2 / (into // group * kernel**2)) ** 0.5)
        y = net.node("Conv", x, net.const(w), net.const(normal([out], seed + 1, 0.1)), group=group, pads=[kernel // 2] * 4, **attrs)
        return net.node("Relu", y) if relu else y

    x = net.input("x", SHAPE)
    stem = net.node("MaxPool", conv(x, 8, 3, into=3, strides=[2, 2]), kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    block = net.node("Relu", net.node("Add", conv(conv(stem, 8, 3), 8, 3, relu=False), stem))
    deep = conv(conv(block, 16, 1), 16, 3, group=16, into=16, strides=[2, 2])
    short = conv(block, 16, 1, strides=[2, 2], relu=False)
    both = net.node("Concat", net.node("Add", conv(deep, 16, 1, relu=False, into=16), short), deep, axis=1)
    rows = net.node("Flatten", net.node("GlobalAveragePool", net.node("Sigmoid", both)))
    net.node("Gemm", rows, net.const(normal((10, 32), 50)), net.const(normal([10], 51)), transB=1, name="logits")
    return net


class Images(CalibrationDataReader):
    def __init__(self) -> None:
        self.feeds = iter([{"x": normal((2, 3, 17, 19), i)} for i in range(4)])

    def get_next(self):
        return next(self.feeds, None)


def test_float_network():
    for n in (1, 3):
        program = check(small_network().model("logits"), {"x": normal((n, 3, 17, 19))}, atol=1e-4)  # sums over ten layers
    assert not {"binary", "unary_f32", "binary_f32"} & set(types(program)) - {"unary_f32"}


@pytest.mark.parametrize("format", [QuantFormat.QDQ, QuantFormat.QOperator])
@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("per_channel", [False, True])
def test_networks_quantized_by_onnx_runtime(tmp_path: Path, format, signed, per_channel):
    """int8 from end to end; roundings differ from ONNX Runtime's in single steps, which ten layers carry to the outputs."""
    path = tmp_path / "q.onnx"
    kind = QuantType.QInt8 if signed else QuantType.QUInt8
    types_of = {"activation_type": kind, "weight_type": QuantType.QInt8}
    quantize_static(small_network().model("logits"), path, Images(), format, per_channel=per_channel, **types_of)
    program = lower(path)
    assert not [t for t in types(program) if t.startswith(("conv", "depthwise", "sparse_conv")) and t.endswith("f32")]
    assert not [op.name for op in program.ops if "slow" in op.info]
    x = normal((4, 3, 17, 19), 9)
    session = honed.InferenceSession(compile_model(path), threads=1)
    [y] = session.run(None, {"x": x})
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    [expected] = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"]).run(None, {"x": x})
    step = (expected.max() - expected.min()) / 255
    assert np.abs(y - expected).max() <= 2.01 * step
    assert np.mean(y.argmax(1) == expected.argmax(1)) == 1


def test_executor_computes_what_the_interpreter_does():
    model, x = small_network().model("logits"), normal((2, 3, 17, 19))
    session = honed.InferenceSession(compile_model(model), threads=2)
    np.testing.assert_array_equal(session.run(None, {"x": x})[0], interpret(lower(model), {"x": x})["logits"])


@pytest.mark.parametrize("kind", ["model", "bytes", "path", "graph"])
def test_every_kind_of_model(tmp_path: Path, kind):
    model = small_network().model("logits")
    path = tmp_path / "m.onnx"
    path.write_bytes(model.SerializeToString())
    source = {"model": model, "bytes": model.SerializeToString(), "path": path, "graph": load(model)}[kind]
    assert str(lower(source)) == str(lower(model))


def test_a_graph_is_left_as_it_was():
    graph = load(small_network().model("logits"))
    before = [node.op for node in graph.nodes]
    lower(graph)
    assert [node.op for node in graph.nodes] == before


def test_lowering_is_deterministic():
    model = small_network().model("logits")
    assert compile_model(model) == compile_model(model)


def test_program_text():
    net = Net()
    x = net.input("image", ("n", 3, 10, 10))
    y = net.node("Relu", net.node("Conv", x, net.const(normal((4, 3, 3, 3))), pads=[1, 1, 1, 1], strides=[3, 3], name="stem"))
    text = str(lower(net.model(net.node("Flatten", net.node("GlobalAveragePool", y, name="pool"), name="rows"))))
    assert re.sub(r" consts .*?(?=  #)", "", text) == (
        "inputs:\n"
        "  image: f32 dense [n,3,10,10]\n"
        "ops:\n"
        "  image/phases: f32 planar gap 0x0 [n,27,4,4] = to_planar(image) kernel_h=3 kernel_w=3 stride_h=3 stride_w=3"
        " pad_top=1 pad_left=1 pad_bottom=1 pad_right=1  # stem\n"
        "  relu1: f32 planar gap 0x0 [n,4,4,4] = conv_f32(image/phases) in_channels=3 out_channels=4 group=1 kernel_h=3 kernel_w=3"
        " stride_h=3 stride_w=3 dilation_h=1 dilation_w=1 pad_top=0 pad_left=0 pad_bottom=0 pad_right=0 clamp_lo=0.0 clamp_hi=inf  # stem\n"
        "  pool: f32 dense [n,4,1,1] = global_average_pool(relu1)  # pool\n"
        "  rows: f32 dense [n,4] = flatten(pool) axis=1  # rows\n"
        "outputs:\n"
        "  rows: f32 dense [n,4]\n"
    )


def test_every_unsupported_node_is_listed_once():
    net = Net()
    x = net.input("x", (1, 2, 4, 4))
    a, b = net.node("LpNormalization", x, name="first"), net.node("Hardmax", x, name="second")
    c = net.node("Relu", a, name="reads_what_is_missing")
    with pytest.raises(ModelError) as error:
        lower(net.model(c, b))
    assert str(error.value).splitlines() == [
        "2 unsupported nodes:",
        "  first (LpNormalization): no operator runs LpNormalization",
        "  second (Hardmax): no operator runs Hardmax",
    ]


@pytest.mark.parametrize("dtype", [np.float16, np.int16, np.uint32])
def test_types_that_nothing_computes_with(dtype):
    net = Net()
    x = net.input("x", (2, 3), dtype)
    with pytest.raises(ModelError, match=rf"x is {np.dtype(dtype).name}, expected one of f32"):
        lower(net.model(net.node("Reshape", x, net.const([3, 2]))))


@pytest.mark.parametrize(
    ("build", "reason"),
    [
        (lambda n, x: n.node("QuantizeLinear", x, n.input("s", ()), n.const(0, np.uint8)), "the scale is not constant"),
        (lambda n, x: n.node("QuantizeLinear", x, n.const(-0.1, np.float32), n.const(0, np.uint8)), "a scale is not a positive number"),
        (lambda n, x: n.node("QuantizeLinear", x, n.const(0.1, np.float32), n.const(0, np.int16)), "quantised to int16, expected u8 or s8"),
        (lambda n, x: n.node("Dropout", x, "", n.const(True)), "training mode"),
        (lambda n, x: n.node("Pad", x, n.input("p", (8,), np.int64)), "pads is computed at run time"),
    ],
)
def test_refusals(build, reason):
    net = Net(opset=21)
    y = build(net, net.input("x", (1, 3, 4, 4)))
    with pytest.raises(ModelError, match=reason):
        lower(net.model(net.node("Identity", y)))


def slow_network() -> Net:
    net = Net()
    a, b = (net.round_trip(net.input(n, (1, 4, 5, 5)), 0.03, 119) for n in "ab")
    net.quantize(net.node("Mul", a, b, name="gate"), 0.02, 101, name="y")
    return net


def test_strict_refuses_what_is_slow():
    model = slow_network().model("y")
    with pytest.raises(ModelError, match="1 slow operators:\n  gate: no operator over u8: dequantised, computed in float"):
        lower(model, strict=True)
    assert [layer.slow is not None for layer in describe(lower(model))].count(True) == 1


def test_description_of_layers():
    layers = describe(lower(small_network().model("logits")))
    assert all(isinstance(layer, LayerInfo) for layer in layers)
    [gemm] = [layer for layer in layers if layer.kernel == "gemm_f32"]
    assert (gemm.name, gemm.nodes, gemm.weights, gemm.dtype, gemm.shape) == ("logits", ["logits"], 320, "f32", ["n", 10])
    residual = [layer for layer in layers if len(layer.nodes) == 3]
    assert len(residual) == 1
    assert json.loads(json.dumps([layer.to_json() for layer in layers]))[0]["kernel"] == "conv_f32"


def test_reference_is_what_it_says():
    """The oracle of these tests does not rewrite the model: it sees every node."""
    net = Net()
    y = net.quantize(net.round_trip(net.input("x", (2, 3)), 0.5, 3), 0.5, 3)
    np.testing.assert_array_equal(reference(net.model(y), {"x": np.full((2, 3), 0.26, np.float32)})[0], np.full((2, 3), 4))
