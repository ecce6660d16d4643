"""Accuracy and speed of compressed networks."""

import json

import numpy as np
import pytest
from honed.bench import accuracy
from honed.bench.accuracy import Benchmark, main
from honed.bench.accuracy_rows import Row, Score
from honed.bench.accuracy_variants import Variant, case_study, limits_study, speed_study


@pytest.fixture
def short(monkeypatch):
    """A few images; turns that take no time."""
    monkeypatch.setattr(accuracy, "QUICK_SAMPLES", 16)
    monkeypatch.setattr(accuracy, "QUICK_IMAGES", 100)


def test_prints_what_was_measured_and_keeps_it(short, tmp_path, capsys, monkeypatch):
    files = ["--output", str(tmp_path), "--json", str(tmp_path / "rows.json")]
    arguments = ["--quick", "--only", "int8", "--rounds", "1", "--seeds", "3", *files]
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    report = json.loads((tmp_path / "rows.json").read_text())
    (row,) = report["rows"]
    assert row["name"] == "int8" and row["images"] == 100 and row["ms"] > 0 and row["speed"] == 1
    assert abs(row["scores"][0]["honed"] - report["original"]) <= 3
    assert row["scores"][0]["differ"] == 0 and row["scores"][0]["onnxruntime"] == row["scores"][0]["honed"]
    holds = report["original"] - row["scores"][0]["honed"] <= 0.15
    assert stopped.value.code == (0 if holds else 1)
    assert "0 of 100" in capsys.readouterr().out and (tmp_path / "int8.3.onnx").is_file()

    def never(*args, **kwargs):
        raise AssertionError("compressed again")

    monkeypatch.setattr(accuracy, "optimize", never)
    with pytest.raises(SystemExit):
        main([*arguments, "--markdown"])
    assert "| int8 |" in capsys.readouterr().out
    with pytest.raises(AssertionError, match="compressed again"):
        main([*arguments, "--seeds", "4"])


def test_the_fp32_file_has_the_top1_of_the_original(short, tmp_path):
    bench = Benchmark(tmp_path, 16, 100)
    score = bench.score(Variant("fp32", "fp32", {}), 0)
    assert score.honed == score.onnxruntime == bench.top1(bench.outputs("onnxruntime", accuracy.NETWORK.model)) > 85


def test_seeds_draw_other_images(tmp_path):
    bench = Benchmark(tmp_path, 16, 100)
    assert bench.drawn(0).shape == (16, 1, 28, 28)
    np.testing.assert_array_equal(bench.drawn(0), bench.drawn(0))
    assert not np.array_equal(bench.drawn(0), bench.drawn(1))


def test_what_a_variant_may_cost():
    def row(honed, gap=0.0, allowed=0.5):
        return Row("a", allowed, 1000, [Score(i, h, h, 1, gap, 1.0) for i, h in enumerate(honed)])

    assert row([93.0, 93.2]).drop(93.5) == pytest.approx(0.4)
    assert row([93.0, 93.2]).holds(93.5) and not row([92.8, 93.0]).holds(93.5)
    assert row([10.0], allowed=None).holds(93.5)
    assert not row([93.5], gap=0.1).holds(93.5)


def test_studies():
    names = [v.name for v in limits_study(8).variants]
    assert len(names) == 13 and names[0] == "int8" and "2x1 65 % + int8" in names
    assert [v.name for v in case_study(8).variants] == ["fp32", "4x1 50 %", "4x1 80 %", "int8", "4x1 50 % + int8", "4x1 80 % + int8"]
    assert [v.allowed for v in speed_study(8).variants] == [0.15, 0.3, 1.0]
    assert len({v.file_stem for v in (*limits_study(8).variants, *case_study(8).variants, *speed_study(8).variants)}) == 18


def test_nothing_left_is_an_error_on_one_line(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--only", "1x1", "--percent", "33"])
    assert stopped.value.code == 1 and capsys.readouterr().err.startswith("error: no variant is left")
