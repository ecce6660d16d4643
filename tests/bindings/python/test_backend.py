"""The ONNX project's own tests of single operators, through its own interface."""

import re
import warnings
from collections.abc import Iterator

import numpy as np
import onnx
import pytest
from honed import ModelError
from honed.backend import HonedBackend, freeze, supports_device
from honed.passes.lower.supported import supported_operators
from onnx import TensorProto, helper
from onnx.backend.test.case.test_case import TestCase as Case

TYPES = {TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.UINT8, TensorProto.INT8, TensorProto.INT32, TensorProto.INT64, TensorProto.BOOL}

LIMITS = (
    r"rank 5, expected 3 or 4",  # 3-D pooling
    r"\((AveragePool|MaxPool|ConvTranspose)\).*[13]-D",
    r"ConvTranspose\): (attribute output_shape|strides \[3, 2\]|auto_pad SAME_UPPER with stride 2 over a size that is not known)",
    r"training mode",
    r"the outputs? of (a mask|indices|mean and deviation)",
    r"Resize\): (mode cubic|antialias|keep_aspect_ratio_policy|coordinate_transformation_mode tf_crop_and_resize)",
    r"mode CRD",  # of SpaceToDepth
    r"ConstantOfShape\): the shape is computed at run time",
    r"blocked quantisation|an activation with 3 scales, expected one",
    r"Pow\): operands are \w+ and \w+, expected the same type",
    r"MatMul\): input is f64",
    r"reduction \d+ of (bool|f64)",
    r"output y(_scale|_zero_point)?: input .* is written by no node",  # DynamicQuantizeLinear runs only in front of an integer product
    r"graph output 'values' is not produced by any node",  # a graph that is one Constant
)
"""What a refusal may say: the limits of the operators. Anything else is a failure."""

WRONG_TESTS = {
    # Divides by the length before it is rounded down; ONNX Runtime takes the length of the output, as we do.
    "test_resize_downsample_scales_linear_align_corners",
    # Feed text where the model asks for numbers.
    "test_cast_FLOAT_to_DOUBLE", "test_cast_DOUBLE_to_FLOAT", "test_castlike_FLOAT_to_DOUBLE", "test_castlike_DOUBLE_to_FLOAT",
}  # fmt: skip


def claimed_cases() -> Iterator[Case]:
    """The tests of operators that honed claims, over element types that it has. Functions written out as graphs are left out."""
    from onnx.backend.test.loader import load_model_tests

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the generators of the test data divide by zero on purpose
        cases = load_model_tests(kind="node")
    claimed = {name for names in supported_operators().values() for name in names}
    for case in cases:
        graph = case.model.graph
        operators = {node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}:{node.op_type}" for node in graph.node}
        typed = all(value.type.tensor_type.elem_type in TYPES for value in [*graph.input, *graph.output])
        if operators <= claimed and typed and "_expanded" not in case.name and case.name not in WRONG_TESTS:
            yield case


def run(case: Case) -> None:
    rep = HonedBackend.prepare(case.model, threads=1)
    for inputs, expected in case.data_sets:
        for found, wanted in zip(rep.run(list(inputs)), expected, strict=True):
            assert found.dtype == wanted.dtype and found.shape == wanted.shape
            np.testing.assert_allclose(found, wanted, rtol=case.rtol, atol=case.atol)


def test_every_claimed_operator_passes_the_tests_of_onnx():
    passed, refused, failed = [], [], {}
    for case in claimed_cases():
        try:
            run(case)
            passed.append(case.name)
        except ModelError as error:
            (refused.append(case.name) if re.search("|".join(LIMITS), str(error)) else failed.update({case.name: str(error)}))
        except Exception as error:
            failed[case.name] = repr(error)
    assert failed == {}
    assert len(passed) > 5 * len(refused)
    for operator in ("Conv", "MaxPool", "Gemm", "MatMul", "Softmax", "QLinearConv", "Resize", "Reshape"):
        name = {"MaxPool": "maxpool", "Conv": "basic_conv", "QLinearConv": "qlinearconv"}.get(operator, operator.lower())
        assert any(name in case for case in passed), f"no test of {operator} ran"


def sum_model(*names: str) -> onnx.ModelProto:
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2]) for name in names]
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [2])
    graph = helper.make_graph([helper.make_node("Sum", list(names), ["y"], name="sum")], "g", values, [y])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def test_inputs_come_in_order_or_by_name():
    rep = HonedBackend.prepare(sum_model("a", "b"))
    a, b = np.float32([1, 2]), np.float32([10, 20])
    for inputs in ([a, b], {"b": b, "a": a}):
        np.testing.assert_array_equal(rep.run(inputs)[0], [11, 22])


def test_frozen_inputs_become_initializers():
    model = freeze(sum_model("a", "b"), {"b": np.float32([10, 20])})
    assert [value.name for value in model.graph.input] == ["a"]
    np.testing.assert_array_equal(HonedBackend.run_model(model, [np.float32([1, 2])])[0], [11, 22])


def test_only_the_cpu_is_supported():
    assert supports_device("CPU") and not supports_device("CUDA")


def test_a_model_that_nothing_can_run_is_refused_when_prepared():
    node = helper.make_node("Det", ["x"], ["y"], name="det")
    x, y = helper.make_tensor_value_info("x", TensorProto.FLOAT, [2, 2]), helper.make_tensor_value_info("y", TensorProto.FLOAT, [])
    model = helper.make_model(helper.make_graph([node], "g", [x], [y]), opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    with pytest.raises(ModelError, match=r"det \(Det\)"):
        HonedBackend.prepare(model)
