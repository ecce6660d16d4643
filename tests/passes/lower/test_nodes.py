"""ONNX operators one by one, against ONNX Runtime."""

import numpy as np
import pytest
from honed.graph import ModelError
from honed.passes.lower import lower

from tests.passes.lower.networks import RNG, Net, check, normal, types

IMAGE = (2, 4, 6, 7)
UNARY = [
    "Abs", "Neg", "Sign", "Floor", "Ceil", "Round", "Sqrt", "Reciprocal", "Exp", "Log", "Sin", "Cos", "Erf", "Tanh", "Sigmoid", "Softplus",
    "Softsign", "Relu", "LeakyRelu", "ThresholdedRelu", "Elu", "Selu", "Celu", "HardSigmoid", "HardSwish", "Mish",
]  # fmt: skip


@pytest.mark.parametrize("op", UNARY)
def test_function(op):
    net = Net(opset=18)
    x = np.abs(normal(IMAGE)) + 0.1 if op in ("Sqrt", "Log", "Reciprocal") else normal(IMAGE, scale=2)
    assert types(check(net.model(net.node(op, net.input("x", IMAGE))), {"x": x})) == ["unary_f32"]


@pytest.mark.parametrize(
    ("op", "attrs"),
    [
        ("LeakyRelu", {"alpha": 0.3}),
        ("Elu", {"alpha": 0.7}),
        ("Selu", {"alpha": 1.5, "gamma": 0.9}),
        ("HardSigmoid", {"alpha": 0.3, "beta": 0.4}),
        ("Celu", {"alpha": 0.6}),
    ],
)
def test_parameters_of_a_function(op, attrs):
    net = Net()
    check(net.model(net.node(op, net.input("x", IMAGE), **attrs)), {"x": normal(IMAGE, scale=3)})


@pytest.mark.parametrize(("op", "attrs"), [("Gelu", {}), ("QuickGelu", {"alpha": 1.702})])
def test_contributed_function(op, attrs):
    net = Net()
    model = net.model(net.node(op, net.input("x", IMAGE), domain="com.microsoft", **attrs), dtype=np.float32)
    assert types(check(model, {"x": normal(IMAGE, scale=3)})) == ["unary_f32"]


def test_silu_and_gelu_from_their_parts():
    net = Net()
    x = net.input("x", IMAGE)
    silu = net.node("Mul", x, net.node("Sigmoid", x))
    erf = net.node("Add", net.node("Erf", net.node("Div", silu, net.const(np.float32(np.sqrt(2))))), net.const(np.float32(1)))
    model = net.model(net.node("Mul", net.node("Mul", silu, erf), net.const(np.float32(0.5))))
    assert types(check(model, {"x": normal(IMAGE, scale=3)})) == ["unary_f32", "unary_f32"]


@pytest.mark.parametrize("bounds", [(-0.5, 1.0), (-0.5, None), (None, 0.3), (None, None), (1.0, -1.0)])
def test_clip(bounds):
    net = Net()
    names = ["" if b is None else net.const(b, np.float32) for b in bounds]
    model = net.model(net.node("Clip", net.input("x", IMAGE), *names))
    check(model, {"x": normal(IMAGE)})


def test_clip_of_integers():
    net = Net()
    model = net.model(net.node("Clip", net.input("x", [5, 7], np.int64), net.const(-3, np.int64), net.const(4, np.int64)))
    check(model, {"x": RNG(0).integers(-9, 9, (5, 7))})


BINARY = ["Add", "Sub", "Mul", "Div", "Pow", "PRelu"]


@pytest.mark.parametrize("op", BINARY)
@pytest.mark.parametrize("shape", [IMAGE, (4, 1, 1), (7,), ()])
def test_arithmetic_with_broadcasting(op, shape):
    net = Net()
    a, b = np.abs(normal(IMAGE)) + 0.5, np.asarray(np.abs(normal(shape, 1)) + 0.5)
    a = a - 1 if op == "PRelu" else a
    check(net.model(net.node(op, net.input("a", IMAGE), net.input("b", shape))), {"a": a, "b": b})


@pytest.mark.parametrize("op", ["Add", "Sub", "Mul", "Div", "Max"])
@pytest.mark.parametrize("shape", [(1, 4, 1, 1), (4, 1, 1), (), (1, 4, 6, 7), (7,)])
@pytest.mark.parametrize("first", [False, True])
def test_arithmetic_on_planes(op, shape, first):
    net = Net()
    x = net.on_planes(net.input("x", (1, 4, 6, 7)))
    c = net.const(np.abs(normal(shape, 1)) + 0.5)
    check(net.model(net.node("Relu", net.node(op, *((c, x) if first else (x, c))))), {"x": np.abs(normal((1, 4, 6, 7))) + 0.5})


def test_one_plane_spread_over_channels():
    net = Net()
    y = net.node("Mul", net.on_planes(net.input("x", (1, 1, 6, 7))), net.const(normal((1, 4, 1, 1), 1)))
    check(net.model(y), {"x": normal((1, 1, 6, 7))})


@pytest.mark.parametrize("op", ["Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"])
def test_comparison(op):
    net = Net()
    feed = {n: RNG(i).integers(0, 3, (4, 5)).astype(np.float32) for i, n in enumerate("ab")}
    check(net.model(net.node(op, net.input("a", (4, 5)), net.input("b", (4, 5)))), feed)


@pytest.mark.parametrize("op", ["And", "Or", "Xor"])
def test_logic(op):
    net = Net()
    feed = {n: RNG(i).integers(0, 2, (4, 5)).astype(bool) for i, n in enumerate("ab")}
    y = net.node(op, net.input("a", (4, 5), np.bool_), net.node("Not", net.input("b", (4, 5), np.bool_)))
    check(net.model(y), feed)


def test_where_and_cast():
    net = Net()
    x = net.input("x", (4, 5))
    mask = net.node("Cast", net.node("Cast", x, to=6), to=9)
    check(net.model(net.node("Where", mask, x, net.const(np.float32(7)))), {"x": normal((4, 5), scale=2)})


@pytest.mark.parametrize("fmod", [0, 1])
def test_mod(fmod):
    net = Net()
    dtype = np.float32 if fmod else np.int64
    feed = {"a": RNG(0).integers(-9, 9, (4, 5)).astype(dtype), "b": np.full(5, 4, dtype)}
    check(net.model(net.node("Mod", net.input("a", (4, 5), dtype), net.input("b", (5,), dtype), fmod=fmod)), feed)


@pytest.mark.parametrize("types_of", [(np.float32, np.int64), (np.float32, np.int32), (np.int64, np.float32), (np.int32, np.float32)])
def test_power_of_mixed_types(types_of):
    net, dtypes = Net(), dict(zip("ab", types_of, strict=True))
    feed = {"a": np.arange(2, 14).reshape(3, 4).astype(dtypes["a"]), "b": np.array([0, 1, 2, 7]).astype(dtypes["b"])}
    check(net.model(net.node("Pow", *(net.input(n, feed[n].shape, dtypes[n]) for n in "ab"))), feed)


@pytest.mark.parametrize("dtype", [np.float32, np.bool_])
def test_mask_of_dropout_is_true(dtype):
    net = Net()
    x, shape = RNG(0).integers(0, 2, (3, 4)).astype(dtype), ("n", 4)
    if dtype == np.bool_:
        net.node("Cast", net.node("Cast", net.input("x", shape, dtype), to=1), name="c", to=1)
        net.node("Dropout", "c", name="y", outputs=2)
    else:
        net.node("Dropout", net.input("x", shape), name="y", outputs=2)
    check(net.model("y", "y.1"), {"x": x})


@pytest.mark.parametrize("op", ["Max", "Min", "Sum", "Mean"])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_several_operands(op, count):
    net = Net()
    names = [net.input(f"x{i}", (2, 3) if i else (1, 3)) for i in range(count)]
    feed = {n: normal((2, 3) if i else (1, 3), i) for i, n in enumerate(names)}
    check(net.model(net.node("Identity", net.node(op, *names))), feed)


POOL = {"kernel_shape": [3, 2], "strides": [2, 1], "pads": [1, 0, 1, 1]}


@pytest.mark.parametrize("shape", [IMAGE, (2, 4, "h", "w")])
@pytest.mark.parametrize(
    ("op", "attrs"),
    [
        ("MaxPool", POOL),
        ("MaxPool", POOL | {"ceil_mode": 1}),
        ("MaxPool", {"kernel_shape": [2, 2], "dilations": [2, 2]}),
        ("MaxPool", {"kernel_shape": [2, 2], "strides": [3, 3], "ceil_mode": 1}),
        ("AveragePool", POOL),
        ("AveragePool", POOL | {"count_include_pad": 1}),
        ("AveragePool", {"kernel_shape": [3, 3], "auto_pad": "SAME_UPPER"}),
        ("GlobalAveragePool", {}),
        ("GlobalMaxPool", {}),
    ],
)
def test_pool(shape, op, attrs):
    net = Net()
    check(net.model(net.node(op, net.input("x", shape), **attrs)), {"x": normal(IMAGE)})


@pytest.mark.parametrize("op", ["MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool"])
def test_pool_of_one_dimension(op):
    net = Net()
    attrs = {} if op.startswith("Global") else {"kernel_shape": [3], "strides": [2], "pads": [1, 1]}
    check(net.model(net.node(op, net.input("x", (2, 4, 11)), **attrs)), {"x": normal((2, 4, 11))})


VOLUME = (2, 3, 4, 5, 6)


@pytest.mark.parametrize(
    ("op", "attrs"),
    [
        ("MaxPool", {"kernel_shape": [2, 3, 2], "strides": [2, 1, 2], "pads": [0, 1, 0, 1, 1, 1]}),
        ("MaxPool", {"kernel_shape": [2, 2, 2], "strides": [2, 3, 3], "ceil_mode": 1}),
        ("AveragePool", {"kernel_shape": [2, 3, 2], "strides": [2, 1, 2], "pads": [0, 1, 0, 1, 1, 1], "ceil_mode": 1}),
        ("AveragePool", {"kernel_shape": [3, 3, 3], "auto_pad": "SAME_LOWER", "count_include_pad": 1}),
        ("GlobalAveragePool", {}),
        ("GlobalMaxPool", {}),
    ],
)
def test_pool_of_three_dimensions(op, attrs):
    net = Net()
    check(net.model(net.node("Relu", net.node(op, net.input("x", VOLUME), **attrs))), {"x": normal(VOLUME)})


@pytest.mark.parametrize("shape", [(2, 3, 11), (2, 3, "h", "w"), VOLUME])
@pytest.mark.parametrize("order", [0, 1])
def test_places_of_maxima(shape, order):
    net, rank = Net(), len(shape) - 2
    attrs = {"kernel_shape": [3] * rank, "strides": [2] * rank, "pads": [1] * 2 * rank, "storage_order": order}
    net.node("MaxPool", net.input("x", shape), name="y", outputs=2, **attrs)
    feed = {"x": normal([d if isinstance(d, int) else 7 for d in shape])}
    assert types(check(net.model("y", "y.1"), feed)) == ["max_pool_nd"]


@pytest.mark.parametrize("op", ["MaxPool", "GlobalMaxPool"])
def test_pool_of_three_dimensions_of_integers(op):
    net = Net()
    x = RNG(0).integers(-100, 100, VOLUME).astype(np.int8)
    attrs = {"kernel_shape": [2, 2, 2]} if op == "MaxPool" else {}
    y = net.node(op, net.dequantize(net.input("x", VOLUME, np.int8), 0.1, 3, np.int8), **attrs)
    check(net.model(net.quantize(y, 0.1, 3, np.int8)), {"x": x})


def test_max_pool_of_integers_on_both_types():
    for dtype in (np.uint8, np.int8):
        net = Net()
        x = RNG(0).integers(0, 100, IMAGE).astype(dtype)
        check(net.model(net.node("MaxPool", net.input("x", IMAGE, dtype), kernel_shape=[2, 2])), {"x": x})


REDUCTIONS = [f"Reduce{name}" for name in ("Sum", "Mean", "Max", "Min", "Prod", "L1", "L2", "SumSquare", "LogSumExp")]


@pytest.mark.parametrize("op", REDUCTIONS)
@pytest.mark.parametrize(("axes", "keepdims"), [([1], 1), ([-1, 0], 0), (None, 1)])
def test_reduction(op, axes, keepdims):
    net = Net(opset=18)
    x = net.input("x", (3, 4, 5))
    y = net.node(op, x, *([] if axes is None else [net.const(axes, np.int64)]), keepdims=keepdims)
    check(net.model(y), {"x": normal((3, 4, 5))}, rtol=2e-5)


@pytest.mark.parametrize(
    ("op", "dtype"),
    [("ReduceMax", np.uint8), ("ReduceMin", np.int8), ("ReduceMax", np.bool_), ("ReduceMin", np.bool_), ("ReduceLogSumExp", np.float64)],
)
def test_reduction_of_other_types(op, dtype):
    net = Net(opset=20)
    x = RNG(0).integers(0, 2 if dtype == np.bool_ else 100, (3, 4, 5)).astype(dtype)
    check(net.model(net.node(op, net.input("x", x.shape, dtype), net.const([1], np.int64))), {"x": x}, rtol=1e-12)


def test_reduction_over_no_axes():
    net = Net(opset=18)
    x = net.node("Relu", net.input("x", (3, 4)))
    check(net.model(net.node("ReduceSum", x, noop_with_empty_axes=1)), {"x": normal((3, 4))})


@pytest.mark.parametrize("keepdims", [0, 1])
def test_mean_over_pixels_is_global_pooling(keepdims):
    net = Net(opset=18)
    y = net.node("ReduceMean", net.input("x", IMAGE), net.const([-1, 2], np.int64), keepdims=keepdims)
    program = check(net.model(y), {"x": normal(IMAGE)})
    assert types(program)[:2] == ["to_planar", "global_average_pool"]


@pytest.mark.parametrize("op", ["ArgMax", "ArgMin"])
def test_arg(op):
    net = Net()
    x = RNG(0).integers(0, 4, (3, 6)).astype(np.float32)
    check(net.model(net.node(op, net.input("x", (3, 6)), axis=1, keepdims=0, select_last_index=1)), {"x": x})


@pytest.mark.parametrize("op", ["Softmax", "LogSoftmax"])
@pytest.mark.parametrize("axis", [1, -1])
def test_softmax(op, axis):
    net = Net()
    check(net.model(net.node(op, net.input("x", (3, 4, 5)), axis=axis)), {"x": normal((3, 4, 5))})


def test_normalizations():
    net, c = Net(), [normal([4], i) for i in range(4)]
    x = net.input("x", IMAGE)
    params = [net.const(v) for v in (c[0], c[1], c[2], np.abs(c[3]) + 0.5)]
    y = net.node("BatchNormalization", net.node("Relu", x), *params, epsilon=1e-3)
    z = net.node("InstanceNormalization", y, *params[:2], epsilon=1e-4)
    w = net.node("LayerNormalization", z, net.const(normal([7], 5)), net.const(normal([7], 6)), axis=-1)
    check(net.model(net.node("LRN", w, size=3, alpha=0.1, beta=0.6, bias=2.0)), {"x": normal(IMAGE)}, atol=1e-4)


@pytest.mark.parametrize("wanted", [["y", "y.1", "y.2"], ["y", "y.2"], ["y.1"]])
def test_mean_and_deviation_of_layer_normalization(wanted):
    net = Net()
    x = net.node("Relu", net.input("x", IMAGE))
    net.node("LayerNormalization", x, net.const(normal([6, 7], 5)), net.const(normal([6, 7], 6)), name="y", outputs=3, axis=2)
    check(net.model(*wanted), {"x": normal(IMAGE)})


def test_batch_normalization_of_rows():
    net = Net()
    params = [net.const(np.abs(normal([4], i)) + 0.5) for i in range(4)]
    x = net.node("Relu", net.input("x", (3, 4)))
    assert types(check(net.model(net.node("BatchNormalization", x, *params)), {"x": normal((3, 4))})) == ["unary_f32", "batch_norm"]


def test_group_normalization():
    net = Net(opset=21)
    y = net.node("GroupNormalization", net.input("x", IMAGE), net.const(normal([4], 1)), net.const(normal([4], 2)), num_groups=2)
    check(net.model(y, dtype=np.float32), {"x": normal(IMAGE)})


MOVEMENTS = {
    "reshape": ("Reshape", [np.array([0, -1, 7])], {}),
    "flatten": ("Flatten", [], {"axis": 2}),
    "squeeze": ("Squeeze", [np.array([0])], {}),
    "unsqueeze": ("Unsqueeze", [np.array([0, 3])], {}),
    "transpose": ("Transpose", [], {"perm": [0, 2, 3, 1]}),
    "reverse": ("Transpose", [], {}),
    "slice": ("Slice", [np.array([1, -2]), np.array([4, 100]), np.array([1, 3]), np.array([2, 1])], {}),
    "slice backwards": ("Slice", [np.array([-1]), np.array([-100]), np.array([1]), np.array([-1])], {}),
    "slice of rows": ("Slice", [np.array([1, 2]), np.array([-1, 2**40]), np.array([2, 3])], {}),
    "slice of rows with a step": ("Slice", [np.array([1]), np.array([5]), np.array([2]), np.array([2])], {}),
    "slice of all": ("Slice", [np.array([0]), np.array([1])], {}),
    "expand": ("Expand", [np.array([3, 1, 1, 1])], {}),
    "tile": ("Tile", [np.array([1, 2, 1, 1])], {}),
    "gather": ("Gather", [np.array([[1, -1]])], {"axis": 1}),
    "gather one": ("Gather", [np.array(2)], {"axis": 1}),
    "depth to space": ("DepthToSpace", [], {"blocksize": 2}),
    "depth to space by columns": ("DepthToSpace", [], {"blocksize": 2, "mode": "CRD"}),
    "space to depth": ("SpaceToDepth", [], {"blocksize": 2}),
}


@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize(("op", "inputs", "attrs"), MOVEMENTS.values(), ids=MOVEMENTS)
def test_movement(op, inputs, attrs, planar):
    net, shape = Net(), (1, 8, 6, 7) if op != "SpaceToDepth" else (1, 8, 6, 8)
    x = net.input("x", shape)
    x = net.on_planes(x) if planar else x
    check(net.model(net.node(op, x, *(net.const(i) for i in inputs), **attrs)), {"x": normal(shape)})


@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize("axis", [1, 2])
@pytest.mark.parametrize("sizes", [None, [3, 1, 4]])
def test_split(planar, axis, sizes):
    net, shape = Net(), (1, 8, 8, 3) if sizes else (1, 6, 6, 3)
    x = net.input("x", shape)
    x = net.on_planes(x) if planar else x
    parts = net.node("Split", x, *([net.const(sizes, np.int64)] if sizes else []), outputs=3, axis=axis)
    y = net.node("Relu", f"{parts}.1")
    check(net.model(parts, y, f"{parts}.2"), {"x": normal(shape)})


@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize("axis", [1, -3, 2])
def test_concat(planar, axis):
    net = Net()
    x = net.input("x", IMAGE)
    a = net.on_planes(x) if planar else x
    program = check(net.model(net.node("Concat", a, x, a, axis=axis), net.node("Concat", x, axis=0)), {"x": normal(IMAGE)})
    assert ("concat_channels" in types(program)) == (planar and axis != 2)


PADS = {"mode": "constant"}, {"mode": "reflect"}, {"mode": "edge"}


@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize("attrs", PADS)
@pytest.mark.parametrize("pads", [[0, 0, 1, 2, 0, 0, 0, 3], [0, 1, 1, 0, 0, 2, 1, 1], [0, 0, -1, 0, 0, 0, 1, -2]])
def test_pad(planar, attrs, pads):
    if attrs["mode"] == "reflect" and min(pads) < 0:
        pytest.skip("ONNX Runtime reflects what negative pads cut off")
    net = Net()
    x = net.input("x", IMAGE)
    x = net.on_planes(x) if planar else x
    y = net.node("Pad", x, net.const(pads, np.int64), *([net.const(1.5, np.float32)] if attrs["mode"] == "constant" else []), **attrs)
    check(net.model(net.node("Relu", y)), {"x": normal(IMAGE)})


def test_pad_of_some_axes():
    net = Net(opset=18)
    y = net.node("Pad", net.input("x", IMAGE), net.const([1, 2], np.int64), "", net.const([-1], np.int64))
    check(net.model(y), {"x": normal(IMAGE)})


@pytest.mark.parametrize("alpha", [1.0, 0.5])
@pytest.mark.parametrize("beta", [1.0, 2.0])
@pytest.mark.parametrize("c_shape", [None, (5,), (1, 5), (), (3, 5), (3, 1)])
def test_gemm(alpha, beta, c_shape):
    net = Net()
    inputs = [net.input("x", (3, 4)), net.const(normal((5, 4), 1))] + ([] if c_shape is None else [net.const(normal(c_shape, 2))])
    check(net.model(net.node("Gemm", *inputs, alpha=alpha, beta=beta, transB=1)), {"x": normal((3, 4))})


@pytest.mark.parametrize("trans", [(0, 0), (1, 0), (0, 1), (1, 1)])
@pytest.mark.parametrize("activations", [False, True])
def test_gemm_transposed(trans, activations):
    net = Net()
    a_shape, b_shape = ((4, 3) if trans[0] else (3, 4)), ((5, 4) if trans[1] else (4, 5))
    feed = {"a": normal(a_shape), "b": normal(b_shape, 1), "c": normal((5,), 2)}
    a = net.input("a", a_shape)
    b, c = (net.input(n, feed[n].shape) if activations else net.const(feed[n]) for n in "bc")
    model = net.model(net.node("Gemm", a, b, c, transA=trans[0], transB=trans[1], alpha=0.5, beta=3.0))
    check(model, feed if activations else {"a": feed["a"]})


@pytest.mark.parametrize(("a", "b"), [((3, 4), (4, 5)), ((2, 3, 4), (4, 5)), ((2, 3, 4), (2, 4, 5)), ((1, 2, 3, 4), (2, 1, 4, 5))])
@pytest.mark.parametrize("constant", [False, True])
def test_matmul(a, b, constant):
    net = Net()
    right = net.const(normal(b, 1)) if constant else net.input("b", b)
    model = net.model(net.node("MatMul", net.input("a", a), right))
    check(model, {"a": normal(a)} | ({} if constant else {"b": normal(b, 1)}))


def test_bias_of_a_product_and_its_activation():
    net = Net()
    y = net.node("MatMul", net.input("x", (2, 3, 4)), net.const(normal((4, 5), 1)))
    program = check(net.model(net.node("Relu", net.node("Add", net.const(normal((5,), 2)), y))), {"x": normal((2, 3, 4))})
    assert types(program) == ["gemm_f32"]


def test_dropout_and_its_mask():
    net = Net()
    y = net.node("Dropout", net.input("x", (3, 4)), outputs=2)
    check(net.model(net.node("Relu", y)), {"x": normal((3, 4))})


def test_identity_between_input_and_output():
    net = Net()
    x = net.input("x", (3, 4))
    check(net.model(net.node("Identity", x), net.node("Identity", x)), {"x": normal((3, 4))})


def test_outputs_that_are_constants():
    net = Net()
    x = net.input("x", (3, 4))
    check(net.model(net.node("Relu", x), net.node("Identity", net.const(normal((2, 2))))), {"x": normal((3, 4))})


@pytest.mark.parametrize(
    ("op", "inputs", "attrs", "reason"),
    [
        ("Hardmax", ["x"], {}, "no operator runs Hardmax"),
        ("Resize", ["x", "", "all scales"], {}, r"scales \[2.0, 1.0\] of batch and channels"),
        ("Abs", ["integers"], {}, "input is s64, expected f32"),
    ],
)
def test_refusals(op, inputs, attrs, reason):
    net = Net()
    names = {
        "x": lambda: net.input("x", (1, 2, 4, 4)),
        "": lambda: "",
        "scales": lambda: net.const([1, 1, 2, 2], np.float32),
        "all scales": lambda: net.const([2, 1, 2, 2], np.float32),
        "integers": lambda: net.input("i", (3,), np.int64),
    }
    if op == "Abs":
        net.input("x", (1, 2, 4, 4))
    y = net.node(op, *(names[i]() for i in inputs), name="bad", **attrs)
    with pytest.raises(ModelError, match=f"bad \\({op}\\): {reason}"):
        lower(net.model(y))
