"""honed predict"""

import honed
import pytest

from .conftest import assert_fails, run, run_json


def test_times_before_and_after_and_their_ratio(network):
    report = run_json("predict", network, "--sparsity", "0.9", "--pattern", "4x1", "--int8")
    expected = honed.predict(network, {"prune": {"sparsity": 0.9, "pattern": "4x1"}, "quantize": {}})
    for form in ("original", "quantized", "compressed"):
        assert report[form]["us"] == getattr(expected, form).us > 0
    assert report["speedup"] == expected.speedup
    body = next(layer for layer in report["compressed"]["layers"] if layer["name"] == "body")
    assert body["sparsity"] == pytest.approx(0.9, abs=0.01) and body["kernel"].endswith("u8s8")


def test_the_table_has_one_line_per_form_and_layer(network):
    text = run("predict", network, "--sparsity", "0.9", "--layers").stdout
    assert "as it is" in text and "compressed" in text and "int8 alone" not in text
    assert sum("body" in line for line in text.splitlines()) == 1
    assert "body" not in run("predict", network, "--sparsity", "0.9").stdout


def test_a_recipe_takes_the_place_of_the_options(network, tmp_path):
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("prune: {sparsity: 0.9, pattern: 4x1}\n")
    options = run_json("predict", network, "--sparsity", "0.9", "--pattern", "4x1")
    assert run_json("predict", network, "--recipe", recipe) == options
    assert_fails(run("predict", network, "--recipe", recipe, "--int8"), "leave out")


def test_threads_are_named(network):
    expected = honed.predict(network, {"quantize": {}}, threads=2)
    assert run_json("predict", network, "--int8", "--threads", "2")["compressed"]["us"] == expected.compressed.us
    assert "one image, 2 threads" in run("predict", network, "--int8", "--threads", "2").stdout
    assert "one image, one thread" in run("predict", network, "--int8").stdout


def test_errors_are_one_line(network, tmp_path):
    assert_fails(run("predict", network), "nothing to predict")
    assert_fails(run("predict", network, "--sparsity", "1.5"), "sparsity")
    assert_fails(run("predict", tmp_path / "none.onnx", "--int8"), "none.onnx")
