"""Layers of a model: work, bound, time."""

import json

import numpy as np
import onnx
import pytest
from honed import Error
from honed.bench import layers
from honed.bench.peak import Level, Peaks
from onnx import TensorProto, helper, numpy_helper

PEAKS = Peaks("avx2", 50e9, 200e9, (Level("L1", 32_000, 200e9), Level("DRAM", None, 10e9)))


@pytest.fixture
def network(tmp_path, monkeypatch):
    """A dense convolution, and one of which three quarters are zero."""
    monkeypatch.setattr(layers, "measure_peaks", lambda isa: PEAKS)
    rng = np.random.default_rng(0)
    weights = [rng.standard_normal((16, 8, 3, 3)).astype(np.float32), rng.standard_normal((64, 16, 1, 1)).astype(np.float32)]
    weights[1][16:] = 0
    nodes = [
        helper.make_node("Conv", ["x", "w0"], ["c"], name="dense", pads=[1] * 4),
        helper.make_node("Conv", ["c", "w1"], ["y"], name="sparse"),
    ]
    values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in (("x", ["N", 8, 12, 12]), ("y", ["N", 64, 12, 12]))]
    graph = helper.make_graph(nodes, "g", values[:1], values[1:], [numpy_helper.from_array(w, f"w{i}") for i, w in enumerate(weights)])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), tmp_path / "network.onnx")
    return tmp_path / "network.onnx"


def by_name(found):
    return {(layer.name, layer.operator): layer for layer in found}


def test_work_is_what_the_kernel_does(network):
    found = by_name(layers.measure_layers(network, PEAKS, runs=1))
    dense, sparse = found["dense", "conv_f32"], found["sparse", "sparse_conv_f32"]
    assert dense.macs == dense.macs_done == 16 * 8 * 9 * 144
    assert sparse.macs == 64 * 16 * 144 and sparse.macs_done == sparse.macs // 4
    assert dense.bytes == 4 * (8 * 144 + 16 * 144 + 16 * 8 * 9 + 16)
    assert dense.bound_us == pytest.approx(16 * 8 * 9 * 144 / 50e9 * 1e6)
    assert dense.us > 0 and dense.share_of_bound == pytest.approx(dense.bound_us / dense.us)


def test_a_compiled_model_gives_the_same_layers(network, tmp_path):
    import honed

    honed.compile(network, tmp_path / "network.honed")
    found = [layers.measure_layers(path, PEAKS, runs=1) for path in (network, tmp_path / "network.honed")]
    assert [(x.name, x.macs_done, x.bytes) for x in found[0]] == [(x.name, x.macs_done, x.bytes) for x in found[1]]


def test_totals_are_sums(network):
    found = layers.measure_layers(network, PEAKS, runs=1)
    *groups, everything = layers.totals_of(found)
    assert everything.macs == sum(x.macs or 0 for x in found)
    assert everything.us == pytest.approx(sum(x.us for x in found)) == pytest.approx(sum(x.us for x in groups))
    assert [x.us for x in groups] == sorted((x.us for x in groups), reverse=True)


def test_a_saved_run_is_compared(network, tmp_path, capsys):
    saved, plot = tmp_path / "run.json", tmp_path / "run.svg"
    layers.main([str(network), "--runs", "1", "--json", str(saved), "--svg", str(plot)])
    assert "<svg" in plot.read_text() and "% of bound" in capsys.readouterr().out
    report = json.loads(saved.read_text())
    assert report["model"] == "network.onnx" and report["peaks"]["isa"] == "avx2"
    for row in (*report["layers"], *report["totals"]):
        row["us"] = 1e6
    saved.write_text(json.dumps(report))
    layers.main([str(network), "--runs", "1", "--compare", str(saved)])
    assert "1000000.0" in capsys.readouterr().out


@pytest.mark.parametrize("content", ["", "[]", '{"layers": [{"name": "a"}], "totals": []}'])
def test_what_is_no_saved_run_is_an_error(network, tmp_path, content, capsys):
    (tmp_path / "run.json").write_text(content)
    with pytest.raises(Error, match="not a saved run"):
        layers.read_saved(tmp_path / "run.json")
    with pytest.raises(SystemExit):
        layers.main([str(network), "--compare", str(tmp_path / "run.json")])
    assert capsys.readouterr().err.startswith("error: ")
