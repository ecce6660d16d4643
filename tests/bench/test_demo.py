"""The demo, on parts of its data."""

import dataclasses
import itertools
import json

import numpy as np
import pytest
from honed.bench import demo
from honed.bench.networks import NETWORKS


@pytest.fixture
def short(monkeypatch):
    """Fashion-MNIST's network with a few images, and turns that take no time."""
    network = next(n for n in NETWORKS if n.name == "fmnist_resnet18")
    labels = network.labels()[:100]
    part = dataclasses.replace(network, inputs=lambda kind: itertools.islice(network.inputs(kind), 2), labels=lambda: labels)
    monkeypatch.setattr(demo, "NETWORKS", (part,))
    monkeypatch.setattr(demo, "ROUNDS", 1)
    return part


def test_leaves_models_and_report_and_prints_one_table(short, tmp_path, capsys):
    demo.main(["--output", str(tmp_path)])
    folder = tmp_path / short.name
    assert {path.name for path in folder.iterdir()} == {"model.opt.onnx", "model.honed", "report.json"}
    report = json.loads((folder / "report.json").read_text())
    engines = [(row["engine"], row["model"], row["precision"]) for row in report["results"]]
    assert engines == [
        ("onnxruntime", "fmnist_resnet18.onnx", "fp32"),
        ("honed", "fmnist_resnet18.onnx", "fp32"),
        ("onnxruntime", "model.opt.onnx", "int8"),
        ("honed", "model.honed", "int8"),
    ]
    scores = [row["score"] for row in report["results"]]
    assert scores[0] == scores[1] > 0.9
    assert scores[2] == pytest.approx(scores[3], abs=0.02)  # 2 of 100 images: engines round int8 differently
    assert report["results"][0]["ratio"] == 1
    assert report["original"]["macs"] > 1e8 and report["optimization"]["layers"]
    text = capsys.readouterr().out
    assert text.count("┏") == 1
    for word in ("fmnist_resnet18", "accuracy", "size MB", "latency ms", "ratio", "114.1 M MACs"):
        assert word in text


def test_without_labels_the_original_is_the_reference(short):
    network = dataclasses.replace(short, labels=None)
    scores = demo.measure_top1(network, [("onnxruntime", network.model), ("honed", network.model)], lambda *step: None)
    np.testing.assert_array_equal(scores, [1, 1])


def test_a_missing_model_is_an_error_on_one_line(short, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(demo, "NETWORKS", (dataclasses.replace(short, name="none"),))
    with pytest.raises(SystemExit) as stopped:
        demo.main(["--output", str(tmp_path)])
    assert stopped.value.code == 1
    assert capsys.readouterr().err.startswith("error: ")


def test_an_unknown_network_is_a_usage_error(short):
    with pytest.raises(SystemExit) as stopped:
        demo.main(["vgg"])
    assert stopped.value.code == 2
