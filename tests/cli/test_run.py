"""honed run"""

import numpy as np
import onnxruntime
import pytest

from .conftest import assert_fails, run, run_json


def test_outputs_are_those_of_onnx_runtime(network, array_file, tmp_path):
    data = array_file("x", 3, 3, 16, 16)
    report = run_json("run", network, "--input", f"x={data}", "--output-dir", tmp_path / "out")
    expected = onnxruntime.InferenceSession(network).run(None, {"x": np.load(data)})[0]
    found = np.load(tmp_path / "out" / "y.npy")
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5 * expected.std())
    summary = report["outputs"][0]
    assert summary["name"] == "y" and summary["shape"] == [3, 10] and summary["max"] == found.max()
    assert [row[0]["index"] for row in summary["top"]] == list(expected.argmax(axis=1))
    assert [entry["value"] for entry in summary["top"][0]] == sorted(found[0].tolist(), reverse=True)[:5]


def test_arrays_come_from_npz_by_name(network, tmp_path):
    x = np.zeros((1, 3, 16, 16), np.float32)
    np.savez(tmp_path / "data.npz", x=x, other=np.ones(3))
    assert run("run", network, "-i", f"x={tmp_path / 'data.npz'}").exit_code == 0


def test_text_shows_shape_range_and_top(network, array_file):
    result = run("run", network, "-i", f"x={array_file('x', 2, 3, 16, 16)}", "--top", 3, "--threads", 1)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].startswith("y: float32 2×10, ")
    assert lines[2].startswith("  row 1: ") and lines[2].count("(") == 3


def test_a_shape_that_does_not_fit_is_an_error(network, array_file):
    assert_fails(run("run", network, "-i", f"x={array_file('x', 1, 4, 16, 16)}"), "x", "4", "3")


def test_a_dtype_that_does_not_fit_is_an_error(network, tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((1, 3, 16, 16)))
    assert_fails(run("run", network, "-i", f"x={tmp_path / 'x.npy'}"), "'x'", "float64", "float32")


def test_wrong_and_missing_inputs_are_errors(network, array_file):
    assert_fails(run("run", network, "-i", f"z={array_file('z', 1, 3, 16, 16)}"), "no input 'z'", "'x' is missing")


def test_missing_files_and_arrays_are_errors(network, tmp_path):
    assert_fails(run("run", network, "-i", f"x={tmp_path / 'none.npy'}"), "none.npy")
    np.savez(tmp_path / "data.npz", y=np.zeros(3))
    assert_fails(run("run", network, "-i", f"x={tmp_path / 'data.npz'}"), "data.npz", "no array 'x'", "'y'")


@pytest.mark.parametrize("options", [[], ["-i", "x"], ["-i", "x=a.npy", "-i", "x=b.npy"]])
def test_usage_errors(network, options):
    assert run("run", network, *options).exit_code == 2


def test_profile_times_every_operator(network, array_file):
    data = array_file("x", 1, 3, 16, 16)
    times = run_json("run", network, "-i", f"x={data}", "--profile")["profile"]
    assert {"gemm_f32", "global_average_pool"} <= {t["type"] for t in times}
    assert sum(t["seconds"] for t in times) > 0
    text = run("run", network, "-i", f"x={data}", "--profile").stdout
    assert "classifier" in text and "µs" in text
