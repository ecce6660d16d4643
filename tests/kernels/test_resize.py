from functools import cache

import numpy as np
import onnxruntime as ort
import pytest
from honed.kernels._native import KernelError, Operator
from honed.kernels.codes import ASPECTS, COORDINATE_MODES, NEAREST_MODES
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

from tests.kernels.elementwise_cases import GAPS, dense, outputs, planar

COORDINATES = sorted(set(COORDINATE_MODES) - {"tf_crop_and_resize"})
NUMPY = {"f32": np.float32, "u8": np.uint8}
ONNX_TYPES = {"f32": TensorProto.FLOAT, "u8": TensorProto.UINT8}


@cache
def session(dtype, sized, attrs):
    names = ["x", "", "", "sizes"] if sized else ["x", "", "scales"]
    node = helper.make_node("Resize", names, ["y"], **dict(attrs))
    shape = helper.make_tensor_value_info(names[-1], TensorProto.INT64 if sized else TensorProto.FLOAT, [4])
    ends = [helper.make_tensor_value_info(n, ONNX_TYPES[dtype], [None] * 4) for n in ("x", "y")]
    graph = helper.make_graph([node], "g", [ends[0], shape], ends[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=10)
    return ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


def reference(x, mode, coordinates, nearest, sizes=None, scales=None):
    """ONNX Runtime."""
    attrs = {"mode": mode, "coordinate_transformation_mode": coordinates, "nearest_mode": nearest}
    run = session("u8" if x.dtype == np.uint8 else "f32", sizes is not None, tuple(sorted(attrs.items()))).run
    if sizes is not None:
        return run(None, {"x": x, "sizes": np.array([*x.shape[:2], *sizes], np.int64)})[0]
    return run(None, {"x": x, "scales": np.array([1, 1, *scales], np.float32)})[0]


def pixels(shape, dtype):
    return np.random.default_rng(0).integers(0, 256, shape).astype(NUMPY[dtype])


def check(mode, dtype, shape, coordinates, nearest="round_prefer_floor", sizes=None, scales=None, gaps=(1, 1, 2, 3)):
    x = pixels(shape, dtype)
    expected = reference(x, mode, coordinates, nearest, sizes, scales)
    attrs = {"coordinate_mode": COORDINATE_MODES[coordinates], "nearest_mode": NEAREST_MODES[nearest]}
    attrs |= {"out_h": sizes[0], "out_w": sizes[1]} if sizes else {"scale_h": scales[0], "scale_w": scales[1]}
    runs = list(outputs(f"resize_{mode}", [x], [planar(dtype, gaps[:2], 9)], planar(dtype, gaps[2:], 9), attrs))
    for y in runs:
        np.testing.assert_array_equal(y, runs[0])
        if mode == "nearest":
            np.testing.assert_array_equal(y, expected)
        else:
            # Weights are differences of positions up to the width: 2^-23 of that, times pixels up to 255.
            np.testing.assert_allclose(y, expected, rtol=1e-5, atol=255 * max(x.shape[2:]) * 2.0**-22)


@pytest.mark.parametrize("dtype", ["f32", "u8"])
@pytest.mark.parametrize("coordinates", COORDINATES)
@pytest.mark.parametrize("nearest", NEAREST_MODES)
def test_nearest_modes(dtype, coordinates, nearest):
    for sizes in [(14, 26), (5, 9), (21, 1), (7, 13)]:
        check("nearest", dtype, (2, 3, 7, 13), coordinates, nearest, sizes=sizes)
    for scales in [(2.0, 2.0), (0.5, 3.0), (1.7, 0.6)]:
        check("nearest", dtype, (2, 3, 7, 13), coordinates, nearest, scales=scales)


@pytest.mark.parametrize("coordinates", COORDINATES)
@pytest.mark.parametrize("gaps", GAPS)
def test_linear_modes(coordinates, gaps):
    for sizes in [(14, 26), (5, 9), (21, 1), (7, 13)]:
        check("linear", "f32", (2, 3, 7, 13), coordinates, sizes=sizes, gaps=(*gaps, *gaps))
    for scales in [(2.0, 2.0), (0.5, 3.0), (1.7, 0.6)]:
        check("linear", "f32", (2, 3, 7, 13), coordinates, scales=scales, gaps=(*gaps, 0, 1))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    mode=st.sampled_from(["nearest", "linear"]),
    size=st.tuples(st.integers(1, 12), st.integers(1, 70)),
    sizes=st.tuples(st.integers(1, 30), st.integers(1, 140)),
    coordinates=st.sampled_from(COORDINATES),
)
def test_any_size(mode, size, sizes, coordinates):
    assume(mode == "linear" or coordinates != "align_corners")  # exact ties there depend on the order of two roundings
    check(mode, "f32", (1, 2, *size), coordinates, sizes=sizes)


def test_large_planes_in_blocks_of_rows():
    check("nearest", "u8", (1, 2, 90, 110), "asymmetric", "floor", scales=(2.0, 2.0))
    check("linear", "f32", (1, 2, 90, 110), "half_pixel", scales=(2.0, 2.0))


@pytest.mark.parametrize("like", [planar("u8", (1, 2), 7), dense("f32")])
def test_sizes_of_another_tensor(like):
    x = pixels((2, 3, 7, 13), "f32")
    other = pixels((1, 5, 14, 9), like.dtype)
    for mode in ("nearest", "linear"):
        [y] = Operator(f"resize_{mode}", [planar(), like], [planar()]).run([x, other])
        [expected] = Operator(f"resize_{mode}", [planar()], [planar()], {"out_h": 14, "out_w": 9}).run([x])
        np.testing.assert_array_equal(y, expected)
    with pytest.raises(KernelError, match=r"input 1 is .*, expected rank 4 with 1 to"):
        Operator("resize_nearest", [planar(), like], [planar()]).run([x, other[:, :, :0]])


@pytest.mark.parametrize("policy", ["not_larger", "not_smaller"])
@pytest.mark.parametrize("sizes", [(9, 30), (14, 5), (7, 13), (3, 8)])
def test_aspect_is_kept(policy, sizes):
    node = helper.make_node("Resize", ["x", "", "", "sizes"], ["y"], mode="linear", axes=[2, 3], keep_aspect_ratio_policy=policy)
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [None] * 4) for n in ("x", "y")]
    given = helper.make_tensor_value_info("sizes", TensorProto.INT64, [2])
    graph = helper.make_graph([node], "g", [ends[0], given], ends[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=10)
    x = pixels((2, 3, 7, 13), "f32")
    [expected] = ReferenceEvaluator(model).run(None, {"x": x, "sizes": np.array(sizes)})
    for name in ("resize_linear", "resize_filter"):
        attrs = {"out_h": sizes[0], "out_w": sizes[1], "aspect": ASPECTS[policy]}
        [y] = Operator(name, [planar()], [planar()], attrs).run([x])
        np.testing.assert_allclose(y, expected, atol=255 * 13 * 2.0**-22)


def test_refusals():
    with pytest.raises(KernelError, match="out_w and scale_w are 0 and 0, expected a size or a scale above 0"):
        Operator("resize_linear", [planar()], [planar()], {"out_h": 4})
    with pytest.raises(KernelError, match="scale_h is inf, expected a finite number"):
        Operator("resize_linear", [planar()], [planar()], {"scale_h": float("inf"), "scale_w": 1.0})
    with pytest.raises(KernelError, match="coordinate_mode is 5, expected 0 to 4"):
        Operator("resize_linear", [planar()], [planar()], {"out_h": 4, "out_w": 4, "coordinate_mode": 5})
    with pytest.raises(KernelError, match="attribute aspect without sizes"):
        Operator("resize_nearest", [planar()], [planar()], {"scale_h": 2.0, "out_w": 4, "aspect": 1})
    wide = np.zeros((1, 1, 4, 100), np.float32)
    with pytest.raises(KernelError, match=r"4 pixels times 0\.1, expected a size of 1 to"):
        Operator("resize_nearest", [planar()], [planar()], {"out_h": 1, "out_w": 10, "aspect": 1}).run([wide])
    with pytest.raises(KernelError, match="input 0 is u8, expected f32"):
        Operator("resize_linear", [planar("u8")], [planar("u8")], {"out_h": 4, "out_w": 4})
    with pytest.raises(KernelError, match="output 0 is dense, expected planar"):
        Operator("resize_nearest", [planar()], [dense()], {"out_h": 4, "out_w": 4})
    x = np.zeros((1, 1, 4, 4), np.float32)
    with pytest.raises(KernelError, match=r"4 pixels times scale_h 0\.1, expected a size of 1 to"):
        Operator("resize_nearest", [planar()], [planar()], {"scale_h": 0.1, "scale_w": 1.0}).run([x])
    with pytest.raises(KernelError, match=r"4 pixels times scale_w 1e[+]30"):
        Operator("resize_nearest", [planar()], [planar()], {"scale_h": 1.0, "scale_w": 1e30}).run([x])
    with pytest.raises(KernelError, match="0 pixels along h, expected 1 to"):
        Operator("resize_nearest", [planar()], [planar()], {"out_h": 4, "out_w": 4}).run([x[:, :, :0]])
