"""honed bench"""

import pytest

from .conftest import assert_fails, run, run_json


def test_every_engine_times_every_model_it_reads(network):
    report = run_json("bench", network, network, "--engines", "onnxruntime", "--rounds", 2, "--seconds", 0, "--dims", "x=2x3x16x16")
    assert [row["engine"] for row in report["timings"]] == ["onnxruntime"] * 2
    for row in report["timings"]:
        assert row["precision"] == "fp32"
        assert 0 < row["min_ms"] <= row["median_ms"] <= row["p90_ms"]
        assert row["difference"] == 0 and row["agrees"] is True
    assert report["timings"][0]["ratio"] == 1
    assert report["environment"]["versions"]["onnxruntime"]


def test_text_names_engine_precision_and_ratio(network):
    result = run("bench", network, "--engines", "onnxruntime", "--rounds", 1, "--seconds", 0)
    assert result.exit_code == 0
    for text in ("onnxruntime", "fp32", "1.00×", "median ms", "p90 ms", "min ms"):
        assert text in result.stdout
    assert result.stderr == ""


def test_missing_file_is_an_error(tmp_path):
    assert_fails(run("bench", tmp_path / "none.onnx"), "none.onnx", "no such file")


def test_file_that_no_engine_reads_is_an_error(tmp_path):
    path = tmp_path / "model.honed"
    path.write_bytes(b"")
    assert_fails(run("bench", path, "--engines", "onnxruntime"), "model.honed", "onnxruntime")


def test_an_engine_that_refuses_is_an_error_with_its_reason(tmp_path):
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"not a model")
    assert_fails(run("bench", path, "--engines", "onnxruntime"), "onnxruntime", "broken.onnx")


@pytest.mark.parametrize("options", [["--engines", "tensorflow"], ["--dims", "x"], ["--dims", "x=0x3"], ["--rounds", "0"]])
def test_usage_errors(network, options):
    assert run("bench", network, *options).exit_code == 2
