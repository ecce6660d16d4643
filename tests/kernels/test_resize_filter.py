"""resize_filter against onnx.reference in double, and ONNX Runtime where the two agree."""

import numpy as np
import onnxruntime as ort
import pytest
from honed.kernels._native import KernelError, Operator
from honed.kernels.codes import COORDINATE_MODES, FILTERS, NEAREST_MODES
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

from tests.kernels.elementwise_cases import GAPS, outputs, planar

COORDINATES = sorted(set(COORDINATE_MODES) - {"tf_crop_and_resize"})
REGION = [0.1, -0.2, 0.8, 1.3]  # rows and columns begin, rows and columns end


def model(kind, inputs, attrs):
    names = ["x", "roi" if "roi" in inputs else "", "", "sizes"] if "sizes" in inputs else ["x", "roi" if "roi" in inputs else "", "scales"]
    node = helper.make_node("Resize", names, ["y"], axes=[2, 3], **attrs)
    kinds = {"x": kind, "roi": kind, "scales": TensorProto.FLOAT, "sizes": TensorProto.INT64}
    ends = [helper.make_tensor_value_info(n, kinds[n], array.shape) for n, array in inputs.items()]
    graph = helper.make_graph([node], "g", ends, [helper.make_tensor_value_info("y", kind, [None] * 4)])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=10)


def reference(x, sizes, scales, region, attrs):
    """onnx.reference in double."""
    inputs = {"x": x.astype(np.float64)} | ({"roi": np.array(region, np.float64)} if region else {})
    inputs |= {"sizes": np.array(sizes, np.int64)} if sizes else {"scales": np.array(scales, np.float32)}
    return ReferenceEvaluator(model(TensorProto.DOUBLE, inputs, attrs)).run(None, inputs)[0]


def pixels(shape):
    return np.random.default_rng(0).integers(0, 256, shape).astype(np.float32)


def run(x, sizes=None, scales=None, region=None, gaps=(1, 1, 2, 3), mode="cubic", coordinates="half_pixel", nearest="floor", **attrs):
    """From every instruction set, which must agree."""
    given = {"filter": FILTERS[mode], "coordinate_mode": COORDINATE_MODES[coordinates], "nearest_mode": NEAREST_MODES[nearest], **attrs}
    given |= {"out_h": sizes[0], "out_w": sizes[1]} if sizes else {"scale_h": scales[0], "scale_w": scales[1]}
    if region:
        given |= dict(zip(("roi_begin_h", "roi_begin_w", "roi_end_h", "roi_end_w"), region, strict=True))
    runs = list(outputs("resize_filter", [x], [planar("f32", gaps[:2], 9)], planar("f32", gaps[2:], 9), given))
    for y in runs:
        np.testing.assert_array_equal(y, runs[0])
    return runs[0]


def check(shape, sizes=None, scales=None, region=None, gaps=(1, 1, 2, 3), mode="cubic", coordinates="half_pixel", nearest="floor", **attrs):
    x = pixels(shape)
    onnx_attrs = {"mode": mode, "coordinate_transformation_mode": coordinates, "nearest_mode": nearest}
    names = {"cubic_a": "cubic_coeff_a", "value": "extrapolation_value"}
    onnx_attrs |= {names.get(name, name): value for name, value in attrs.items()}
    y = run(x, sizes, scales, region, gaps, mode, coordinates, nearest, **attrs)
    # Positions are f32: off by 2^-23 of the width, times slopes of up to 4 per pixel, times pixels up to 255.
    np.testing.assert_allclose(y, reference(x, sizes, scales, region, onnx_attrs), rtol=1e-5, atol=255 * max(shape[2:]) * 2.0**-21)


SIZES = [(14, 26), (5, 9), (21, 1), (7, 13), (3, 50)]


def sizes_of(coordinates):
    """A single pixel of pytorch_half_pixel lies at 0 in ONNX and ONNX Runtime, at -0.5 in onnx.reference."""
    return [sizes for sizes in SIZES if coordinates != "pytorch_half_pixel" or 1 not in sizes]


@pytest.mark.parametrize("coordinates", COORDINATES)
@pytest.mark.parametrize("antialias", [0, 1])
@pytest.mark.parametrize("exclude_outside", [0, 1])
def test_cubic(coordinates, antialias, exclude_outside):
    for sizes in sizes_of(coordinates):
        check((2, 3, 7, 13), sizes, coordinates=coordinates, antialias=antialias, exclude_outside=exclude_outside)
    if coordinates != "align_corners":  # of which length onnx.reference takes the part behind the point as well
        check((2, 3, 7, 13), None, (2.0, 0.75), coordinates=coordinates, antialias=antialias, exclude_outside=exclude_outside)


@pytest.mark.parametrize("coordinates", COORDINATES)
@pytest.mark.parametrize("exclude_outside", [0, 1])
def test_antialiased_linear(coordinates, exclude_outside):
    for sizes in sizes_of(coordinates):
        check((2, 3, 7, 13), sizes, mode="linear", coordinates=coordinates, antialias=1, exclude_outside=exclude_outside)


@pytest.mark.parametrize("gaps", GAPS)
@pytest.mark.parametrize("a", [-0.5, -0.75])
def test_gaps_and_coefficient(gaps, a):
    check((2, 3, 7, 13), (9, 40), gaps=(*gaps, 0, 1), cubic_a=a)


@pytest.mark.parametrize("mode", ["linear", "cubic"])
@pytest.mark.parametrize("region", [REGION, [0.25, 0.25, 0.75, 0.5], [-1.0, 0.0, -0.5, 1.0]])
def test_regions_of_interest(mode, region):
    for sizes in SIZES:
        check((2, 3, 7, 13), sizes, region=region, mode=mode, coordinates="tf_crop_and_resize", value=7.5)


@pytest.mark.parametrize("nearest", NEAREST_MODES)
def test_nearest_in_a_region_of_interest(nearest):
    for sizes in SIZES:
        check((2, 3, 7, 13), sizes, region=[0.113, -0.171, 0.831, 1.31], mode="nearest", coordinates="tf_crop_and_resize", nearest=nearest)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    mode=st.sampled_from(["linear", "cubic"]),
    size=st.tuples(st.integers(1, 12), st.integers(1, 70)),
    sizes=st.tuples(st.integers(1, 30), st.integers(1, 140)),
    coordinates=st.sampled_from(["half_pixel", "align_corners"]),
    antialias=st.integers(0, 1),
)
def test_any_size(mode, size, sizes, coordinates, antialias):
    check((1, 2, *size), sizes, mode=mode, coordinates=coordinates, antialias=antialias)


@pytest.mark.parametrize("attrs", [{"mode": "linear", "antialias": 1}, {"mode": "cubic", "antialias": 1}, {"mode": "cubic"}])
def test_large_planes_as_in_onnx_runtime(attrs):
    x, inputs = pixels((1, 2, 90, 110)), {"sizes": np.array([37, 180], np.int64)}
    inputs = {"x": x, **inputs}
    # ONNX Runtime's antialiasing leaves pixels outside out whatever exclude_outside says.
    graph = model(TensorProto.FLOAT, inputs, {**attrs, "exclude_outside": 1})
    [expected] = ort.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"]).run(None, inputs)
    y = run(x, (37, 180), exclude_outside=1, **attrs)
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=255 * 110 * 2.0**-21)


def test_regions_far_outside_and_tiny_scales_are_harmless():
    x = pixels((1, 1, 4, 4))
    far = {"mode": "cubic", "coordinates": "tf_crop_and_resize", "value": 3.0}
    assert (run(x, (3, 3), region=[1e30, -1e30, 1e30, 3e38], **far) == 3).all()
    assert np.isfinite(run(x, (3, 3), coordinates="half_pixel_symmetric", mode="cubic", scale_h=1e-38, scale_w=1e-38)).all()
    with pytest.raises(KernelError, match="a filter for scale 1e-30 over 3 pixels, expected at most"):
        run(x, (3, 3), scale_h=1e-30, antialias=1)


def test_refusals():
    for attrs, message in [
        ({"filter": 3}, "attribute filter is 3, expected 0 to 2"),
        ({"coordinate_mode": 6}, "coordinate_mode is 6, expected 0 to 5"),
        ({"cubic_a": float("nan")}, "cubic_a is nan, expected a finite number"),
        ({"roi_end_w": float("inf")}, "roi_end_w is inf, expected a finite number"),
        ({"antialias": 2}, "antialias is 2, expected 0 to 1"),
    ]:
        with pytest.raises(KernelError, match=message):
            Operator("resize_filter", [planar()], [planar()], {"out_h": 4, "out_w": 4, **attrs})
    with pytest.raises(KernelError, match="input 0 is u8, expected f32"):
        Operator("resize_filter", [planar("u8")], [planar("u8")], {"out_h": 4, "out_w": 4})
