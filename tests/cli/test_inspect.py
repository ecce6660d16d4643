"""honed inspect"""

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from .conftest import assert_fails, run, run_json

MACS = 16 * 3 * 9 * 8 * 8 + 16 * 16 * 9 * 8 * 8 + 32 * 16 * 8 * 8 + 32 * 10


def test_totals_count_multiply_adds_and_weights(network):
    totals = run_json("inspect", network)["totals"]
    assert totals["macs"] == totals["macs_nonzero"] == MACS
    assert totals["weights"] == 16 * 27 + 16 * 144 + 32 * 16 + 320
    assert totals["operators"] == {"Relu": 3, "Conv": 3, "Add": 1, "GlobalAveragePool": 1, "Flatten": 1, "Gemm": 1}
    assert totals["precision"] == "fp32" and totals["sparsity"] == 0
    assert totals["file_bytes"] == network.stat().st_size


def test_every_layer_has_a_shape_a_kernel_and_reasons_against_the_others(network):
    report = run_json("inspect", network)
    body = next(layer for layer in report["layers"] if layer["name"] == "body")
    assert body["nodes"] == ["body", "add", "body_relu"]
    assert body["shape"] == ["N", 16, 8, 8]
    assert body["macs"] == 16 * 16 * 9 * 64
    assert body["kernel"].startswith(f"honed_{body['operator']}")
    assert body["candidates"] and all(other["reason"] for other in body["candidates"])
    assert [(tensor["name"], tensor["shape"]) for tensor in report["inputs"]] == [("x", ["N", 3, 16, 16])]


def test_zeros_are_counted(network, tmp_path):
    model = onnx.load(network)
    weight = next(tensor for tensor in model.graph.initializer if tensor.name == "w2")
    values = numpy_helper.to_array(weight).copy()
    values[:, ::2] = 0
    weight.CopyFrom(numpy_helper.from_array(values, "w2"))
    onnx.save(model, tmp_path / "pruned.onnx")
    report = run_json("inspect", tmp_path / "pruned.onnx")
    assert next(layer for layer in report["layers"] if layer["name"] == "point")["sparsity"] == 0.5
    assert report["totals"]["macs"] - report["totals"]["macs_nonzero"] == 32 * 8 * 64


def test_text_shows_layers_shapes_and_totals(network):
    result = run("inspect", network)
    assert result.exit_code == 0
    for text in ("body", "N×16×8×8", "MACs", "not sparse_conv_f32", "Conv 3", "fp32"):
        assert text in result.stdout


def test_a_compiled_model_shows_the_same_layers(network, tmp_path):
    assert run("compile", network, "-o", tmp_path / "network.honed").exit_code == 0
    assert run_json("inspect", tmp_path / "network.honed")["layers"] == run_json("inspect", network)["layers"]


def test_what_is_not_onnx_is_an_error(tmp_path):
    path = tmp_path / "noise.onnx"
    path.write_bytes(np.random.default_rng(0).bytes(1000))
    assert_fails(run("inspect", path), "noise.onnx", "not an ONNX model")


def test_a_missing_file_is_an_error(tmp_path):
    assert_fails(run("inspect", tmp_path / "none.onnx"), "none.onnx", "No such file")


def test_all_unsupported_operators_are_listed_at_once(tmp_path):
    nodes = [
        helper.make_node("Det", ["x"], ["a"], name="first"),
        helper.make_node("Hardmax", ["x"], ["b"], name="second"),
    ]
    x = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [2, 3, 3])
    outputs = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape) for name, shape in (("a", [2]), ("b", [2, 3, 3]))]
    model = helper.make_model(helper.make_graph(nodes, "g", [x], outputs), opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, tmp_path / "model.onnx")
    assert_fails(run("inspect", tmp_path / "model.onnx"), "2 unsupported nodes", "first (Det)", "second (Hardmax)")


def altered(content):
    return content[:5000] + bytes([content[5000] ^ 1]) + content[5001:]


@pytest.mark.parametrize("damage", [lambda b: b[:-1], lambda b: b[:100], lambda b: b"", altered])
def test_damaged_compiled_models_are_errors(network, tmp_path, damage):
    path = tmp_path / "network.honed"
    assert run("compile", network, "-o", path).exit_code == 0
    path.write_bytes(damage(path.read_bytes()))
    assert_fails(run("inspect", path))
