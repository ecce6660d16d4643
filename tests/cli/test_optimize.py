"""honed optimize"""

import json

import numpy as np
import onnx
import pytest
from honed.cli.optimize import _print
from honed.passes.compress.report import CompressionReport
from onnx import numpy_helper
from PIL import Image

from .conftest import assert_fails, run, run_json

RECIPE = "prune: {sparsity: 0.5, keep: []}\nquantize: {range: minmax}\n"


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "recipe.yaml"
    path.write_text(RECIPE)
    return path


def test_result_is_quantised_pruned_and_loads_in_onnx_runtime(network, recipe, array_file, tmp_path):
    import onnxruntime

    output, report = tmp_path / "small.onnx", tmp_path / "report.json"
    data = array_file("data", 8, 3, 16, 16)
    result = run("optimize", network, "--recipe", recipe, "--calibration", data, "-o", output, "--report", report)
    assert result.exit_code == 0 and result.stderr == ""
    assert "50.0% zeros" in result.stdout and "output y: SQNR" in result.stdout
    session = onnxruntime.InferenceSession(output)
    assert session.run(None, {"x": np.load(data)})[0].shape == (8, 10)
    totals = run_json("inspect", output)["totals"]
    assert totals["precision"] == "int8"
    assert totals["sparsity"] == pytest.approx(0.5, abs=0.02)  # rounding to int8 makes a few more zeros
    assert {layer["name"] for layer in json.loads(report.read_text())["layers"]} == {"stem", "body", "point", "classifier"}


def test_what_calibration_does_not_show_is_a_warning(network, recipe, tmp_path):
    np.save(tmp_path / "grey.npy", np.full((4, 3, 16, 16), 0.5, np.float32))
    result = run("optimize", network, "--recipe", recipe, "--calibration", tmp_path / "grey.npy", "-o", tmp_path / "small.onnx")
    assert result.exit_code == 0
    assert "warning: calibration: input 'x' is 0.5 everywhere" in result.stderr


def test_json_is_the_report(network, recipe, array_file, tmp_path):
    data = array_file("data", 4, 3, 16, 16)
    report = run_json("optimize", network, "--recipe", recipe, "--calibration", data, "-o", tmp_path / "small.onnx")
    assert report["format"] == "honed-report"
    assert report["totals"]["bytes_after"] < report["totals"]["bytes_before"]


def test_a_folder_of_images_is_calibration_data(network, recipe, tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for i in range(3):
        Image.fromarray(rng.integers(0, 256, (20, 24, 3), np.uint8)).save(folder / f"{i}.png")
    options = ["--recipe", recipe, "--calibration", folder, "--size", "16x16", "--mean", ".5,.5,.5", "--std", ".2,.2,.2"]
    report = run_json("optimize", network, *options, "-o", tmp_path / "small.onnx")
    assert report["samples_measured"] == 3


def fails(network, tmp_path, *options):
    """Runs with an output path that must not exist afterwards, nor anything beside it that was not there before."""
    folder = tmp_path / "out"
    folder.mkdir()
    result = run("optimize", network, "-o", folder / "small.onnx", *options)
    assert list(folder.iterdir()) == []
    return result


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("prun: {sparsity: 0.5}", ["prun", "unknown key"]),
        ("prune: {sparsity: 1.5}", ["prune.sparsity", "1.5"]),
        ("prune: {sparsity: 0.5, layers: {bodi: {sparsity: 0.9}}}", ["bodi", "body"]),
        ("prune: [", ["not YAML"]),
        ("!!python/object/apply:os.system ['true']", ["not YAML"]),
    ],
)
def test_bad_recipes_are_errors(network, tmp_path, text, expected):
    (tmp_path / "bad.yaml").write_text(text)
    assert_fails(fails(network, tmp_path, "--recipe", tmp_path / "bad.yaml"), *expected)


def test_missing_recipe_is_an_error(network, tmp_path):
    assert_fails(fails(network, tmp_path, "--recipe", tmp_path / "none.yaml"), "none.yaml", "No such file")


def test_calibration_data_of_the_wrong_shape_is_an_error(network, recipe, array_file, tmp_path):
    result = fails(network, tmp_path, "--recipe", recipe, "--calibration", array_file("data", 4, 3, 15, 16))
    assert_fails(result, "'x'", "[4, 3, 15, 16]", "[N, 3, 16, 16]")


def test_quantising_without_calibration_data_is_an_error(network, recipe, tmp_path):
    assert_fails(fails(network, tmp_path, "--recipe", recipe), "quantize", "calibration")


def test_images_without_a_size_are_an_error(network, recipe, tmp_path):
    (tmp_path / "images").mkdir()
    assert_fails(fails(network, tmp_path, "--recipe", recipe, "--calibration", tmp_path / "images"), "size")


def test_pickled_data_is_refused(network, recipe, tmp_path):
    path = tmp_path / "data.npy"
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    assert_fails(fails(network, tmp_path, "--recipe", recipe, "--calibration", path), "data.npy")


def test_nan_weights_are_an_error_that_names_the_layer(network, recipe, array_file, tmp_path):
    model = onnx.load(network)
    weight = next(tensor for tensor in model.graph.initializer if tensor.name == "w1")
    values = numpy_helper.to_array(weight).copy()
    values[0, 0, 0, 0] = np.nan
    weight.CopyFrom(numpy_helper.from_array(values, "w1"))
    onnx.save(model, tmp_path / "nan.onnx")
    result = fails(tmp_path / "nan.onnx", tmp_path, "--recipe", recipe, "--calibration", array_file("data", 4, 3, 16, 16))
    assert_fails(result, "body", "NaN")


@pytest.mark.parametrize("options", [["--size", "1x2x3"], ["--size", "a"], ["--size", "16", "--mean", "a"]])
def test_usage_errors(network, recipe, tmp_path, options):
    assert fails(network, tmp_path, "--recipe", recipe, *options).exit_code == 2


def test_mixed_precision_says_what_stays_f32(network, recipe, array_file, tmp_path):
    data, output = array_file("data", 16, 3, 16, 16), tmp_path / "small.onnx"
    recipe.write_text("quantize: {range: minmax}\n")
    arguments = ("optimize", network, "--recipe", recipe, "--calibration", data, "-o", output)
    result = run(*arguments, "--agreement", "0.1", "--fewer-bits", "4")
    assert result.exit_code == 0 and "f32: none" in result.stderr and "agreement on unseen samples: 100.0%; predicted" in result.stderr
    weights = [numpy_helper.to_array(t) for t in onnx.load(output).graph.initializer if t.data_type == onnx.TensorProto.INT8 and t.dims[1:]]
    assert weights and max(np.abs(weight).max() for weight in weights) == 7
    result = run(*arguments, "--fewer-bits", "4")
    assert result.exit_code == 2 and "needs --agreement" in result.stderr


@pytest.mark.parametrize(("better", "taken"), [(True, "by layer"), (False, "the same in all layers")])
def test_an_allocation_says_what_was_taken_and_why(better, taken, capsys, tmp_path):
    report = CompressionReport(allocation={"better": better, "reason": "faster: 90 us against 100 us"})
    _print(report, tmp_path / "model.onnx")
    assert f"sparsities: {taken}; faster: 90 us against 100 us" in capsys.readouterr().out
