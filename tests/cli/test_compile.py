"""honed compile"""

import onnx
from honed.passes.lower.costs import write_costs
from honed.passes.lower.costs.files import default_costs
from onnx import helper

from .conftest import assert_fails, run, run_json


def test_writes_a_file_that_is_loaded_again(network, tmp_path):
    output = tmp_path / "network.honed"
    report = run_json("compile", network, "-o", output)
    assert report["totals"]["file_bytes"] == output.stat().st_size
    assert report["totals"]["precision"] == "fp32"


def test_text_names_the_file(network, tmp_path):
    result = run("compile", network, "-o", tmp_path / "network.honed")
    assert result.exit_code == 0
    assert f"wrote {tmp_path / 'network.honed'}" in result.stdout


def test_a_failure_leaves_what_was_there(tmp_path):
    node = helper.make_node("Det", ["x"], ["y"], name="det")
    x = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [2, 3, 3])
    y = helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [2])
    model = helper.make_model(helper.make_graph([node], "g", [x], [y]), opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, tmp_path / "model.onnx")
    output = tmp_path / "model.honed"
    output.write_bytes(b"old")
    assert_fails(run("compile", tmp_path / "model.onnx", "-o", output), "det (Det)")
    assert output.read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.honed", "model.onnx"]


def test_a_compiled_model_is_no_input(network, tmp_path):
    output = tmp_path / "network.honed"
    assert run("compile", network, "-o", output).exit_code == 0
    assert_fails(run("compile", output, "-o", tmp_path / "again.honed"), "not an ONNX model")


def test_output_folder_that_is_missing_is_an_error(network, tmp_path):
    assert_fails(run("compile", network, "-o", tmp_path / "none" / "network.honed"), "No such file")


def test_precision_is_an_option(network, tmp_path):
    table, output = tmp_path / "table.json", tmp_path / "network.honed"
    write_costs(default_costs("avx512vnni"), table)
    arguments = ("compile", network, "-o", output, "--tune-table", table)
    assert run_json(*arguments, "--precision", "bf16")["totals"]["precision"].startswith("bf16")
    assert run_json(*arguments)["totals"]["precision"] == "fp32"
    assert run("compile", network, "-o", output, "--precision", "f16").exit_code == 2
    assert_fails(run("inspect", output, "--precision", "bf16"), "precision 'bf16' of a compiled model")


def test_output_is_required(network):
    assert run("compile", network).exit_code == 2
