"""The ONNX project's own tests of single operators, through its own interface."""

import warnings
from functools import cache

import numpy as np
import onnx
import pytest
from honed import ModelError
from honed.backend import HonedBackend, freeze, supports_device
from honed.passes.lower.claims import unclaimed
from onnx import TensorProto, helper
from onnx.backend.test.case.test_case import TestCase as Case

WRONG_TESTS = {
    # Divide by the length before it is rounded down; ONNX and ONNX Runtime take the length of the output, as we do.
    "test_resize_downsample_scales_linear_align_corners", "test_resize_downsample_scales_cubic_align_corners",
    # Feed text where the model asks for numbers.
    "test_cast_FLOAT_to_DOUBLE", "test_cast_DOUBLE_to_FLOAT", "test_castlike_FLOAT_to_DOUBLE", "test_castlike_DOUBLE_to_FLOAT",
}  # fmt: skip


@cache
def node_cases() -> list[Case]:
    """Functions written out as graphs are left out."""
    from onnx.backend.test.loader import load_model_tests

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the generators of the test data divide by zero on purpose
        cases = load_model_tests(kind="node")
    return [case for case in cases if "_expanded" not in case.name and case.name not in WRONG_TESTS]


def run(case: Case) -> None:
    rep = HonedBackend.prepare(case.model, threads=1)
    for inputs, expected in case.data_sets:
        for found, wanted in zip(rep.run(list(inputs)), expected, strict=True):
            assert found.dtype == wanted.dtype and found.shape == wanted.shape
            np.testing.assert_allclose(found, wanted, rtol=case.rtol, atol=case.atol)


def test_every_case_that_is_claimed_passes():
    claimed, failed = [case for case in node_cases() if HonedBackend.is_compatible(case.model)], {}
    for case in claimed:
        try:
            run(case)
        except Exception as error:
            failed[case.name] = repr(error)
    assert failed == {}
    assert len(claimed) >= 594


def test_training_is_all_that_is_not_claimed_of_an_operator():
    def within(reason: str) -> bool:
        return not reason.startswith(("no operator runs", "elements of"))

    reasons = {case.name: unclaimed(case.model) for case in node_cases()}
    found = {name for name, problems in reasons.items() if problems and all(map(within, problems))}
    assert found == {
        "test_batchnorm_example_training_mode", "test_batchnorm_epsilon_training_mode",
        "test_training_dropout", "test_training_dropout_default", "test_training_dropout_zero_ratio",
        "test_training_dropout_mask", "test_training_dropout_default_mask", "test_training_dropout_zero_ratio_mask",
    }  # fmt: skip


def test_nothing_is_claimed_on_other_devices_or_of_other_operators():
    assert HonedBackend.is_compatible(sum_model("a", "b")) and not HonedBackend.is_compatible(sum_model("a"), "CUDA")
    model = sum_model("a")
    model.graph.node[0].op_type = "Det"
    assert unclaimed(model) == ["no operator runs Det"]
    model = sum_model("a")
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.FLOAT16
    assert unclaimed(model) == ["elements of a are of a type that honed lacks"]


@pytest.mark.parametrize("training", [False, True])
def test_dropout_is_claimed_where_a_constant_says_that_it_does_not_train(training):
    model = sum_model("a")
    model.graph.node[0].op_type = "Dropout"
    model.graph.node[0].input.extend(["", "training"])
    model.graph.initializer.append(helper.make_tensor("training", TensorProto.BOOL, [], [training]))
    assert HonedBackend.is_compatible(model) != training


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
