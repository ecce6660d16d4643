import json

import onnx
import pytest
from honed.bench import predict
from honed.bench.predict import Comparison

from tests.passes.compress.small_models import residual_net


@pytest.fixture
def model(tmp_path, monkeypatch):
    onnx.save(residual_net(), tmp_path / "net.onnx")
    monkeypatch.setattr(predict, "SECONDS", 0.01)
    return tmp_path / "net.onnx"


def test_every_way_to_compress_is_predicted_and_measured(model, capsys):
    predict.main([str(model), "--pattern", "4x1", "--sparsity", "0.5", "0.75", "--json"])
    rows = json.loads(capsys.readouterr().out)["comparisons"]
    assert [(row["precision"], row["sparsity"]) for row in rows] == [("f32", 0.5), ("f32", 0.75), ("int8", 0.5), ("int8", 0.75)]
    for row in rows:
        assert row["predicted_ms"] > 0 and row["ratio"] == row["predicted_ms"] / row["measured_ms"]


def test_of_no_sparsity_there_is_one_form_per_precision(model, capsys):
    predict.main([str(model), "--sparsity", "0", "0.5", "--threads", "2", "--json"])
    report = json.loads(capsys.readouterr().out)
    assert report["threads"] == 2
    assert [(row["precision"], row["sparsity"]) for row in report["comparisons"]] == [
        (precision, sparsity) for precision in ("f32", "int8") for sparsity in (0, 0.5, 0.5)
    ]
    assert all(row["predicted_ms"] > 0 for row in report["comparisons"])


@pytest.mark.parametrize("measured, code", [(1.0, 0), (1.2, 1), (0.8, 1)])
def test_assert_bounds_the_error_on_both_sides(monkeypatch, measured, code):
    monkeypatch.setattr(predict, "compare_all", lambda *_: [Comparison("m", "f32", "1x1", 0.9, 1.0, measured)])
    if code == 0:
        predict.main(["m.onnx", "--assert", "0.1"])
    else:
        with pytest.raises(SystemExit, match="1"):
            predict.main(["m.onnx", "--assert", "0.1"])


def test_a_missing_file_is_one_line(tmp_path, capsys):
    with pytest.raises(SystemExit, match="1"):
        predict.main([str(tmp_path / "none.onnx")])
    assert capsys.readouterr().err.startswith("error: ")
