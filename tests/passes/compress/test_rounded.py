"""Rounded layers that are kept: runs that were interrupted, or killed, go on, and give what uninterrupted ones give."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from honed.graph import to_model
from honed.passes.compress import rounding
from honed.passes.compress.rounded import RoundedLayer, RoundedLayers
from honed.passes.optimize import optimize

from tests.passes.compress.small_models import residual_net, run_ort, samples

ROOT = Path(__file__).parents[3]
RECIPE = {
    "prune": {"method": "reconstruct", "sparsity": 0.5, "samples": 64},
    "quantize": {"rounding": "outputs", "refit": True, "bits": 4},
}


def compressed(state=None, data=None, **settings):
    recipe = {**RECIPE, "quantize": {**RECIPE["quantize"], **settings}}
    graph, report = optimize(residual_net(), recipe, samples(64) if data is None else data, run_ort, state=state)
    return to_model(graph).SerializeToString(deterministic=True), [layer.techniques for layer in report.layers]


def counted(monkeypatch, stop=None):
    """Names of the layers that are rounded from here on; a keyboard interrupt before number `stop`."""
    names, real = [], rounding._round

    def rounds(layer, *args):
        if len(names) == stop:
            raise KeyboardInterrupt
        names.append(layer.name)
        return real(layer, *args)

    monkeypatch.setattr(rounding, "_round", rounds)
    return names


@pytest.mark.parametrize("bias", [None, np.array([0.5, -1], np.float32)])
def test_layers_come_back_as_they_were(tmp_path, bias):
    layer = RoundedLayer(np.arange(-3, 3, dtype=np.int8).reshape(2, 3), np.array([0.1, 0.2], np.float32), bias, {"damping": 0.1})
    RoundedLayers(tmp_path, "a").put(3, layer)
    found = RoundedLayers(tmp_path, "a").get(3)
    assert np.array_equal(found.integers, layer.integers) and found.integers.dtype == np.int8 and found.facts == layer.facts
    assert np.array_equal(found.scale, layer.scale) and found.scale.dtype == np.float32
    assert (bias is None and found.bias is None) or np.array_equal(found.bias, bias)
    assert RoundedLayers(tmp_path, "a").get(2) is None
    (tmp_path / "rounded" / "3.npz").write_bytes(b"half")
    assert RoundedLayers(tmp_path, "a").get(3) is None
    RoundedLayers(tmp_path, "a").put(3, layer)
    assert RoundedLayers(tmp_path, "b").get(3) is None, "of another key"


def test_an_interrupted_run_rounds_only_what_is_missing(tmp_path, monkeypatch):
    whole = compressed()
    with monkeypatch.context() as patch:
        done = counted(patch, stop=3)
        with pytest.raises(KeyboardInterrupt):
            compressed(tmp_path)
    left = counted(monkeypatch)
    assert compressed(tmp_path) == whole
    assert len(done) == 3 and len(left) == 3 and not set(done) & set(left)
    assert not (tmp_path / "activations").exists()


@pytest.mark.parametrize("change", [{"refit": False}, {"bits": 5}, {"data": samples(64, seed=3)}])
def test_another_recipe_or_other_data_start_anew(tmp_path, monkeypatch, change):
    compressed(tmp_path)
    names = counted(monkeypatch)
    compressed(tmp_path, **change)
    assert len(names) == 6


KILLED = """
import os, signal, sys
from honed.passes.optimize import optimize
from tests.passes.compress.small_models import residual_net, run_ort, samples
from tests.passes.compress.test_rounded import RECIPE

def told(*step):
    if step == (sys.argv[2], int(sys.argv[3]), int(sys.argv[4])):
        os.kill(os.getpid(), signal.SIGKILL)

optimize(residual_net(), RECIPE, samples(64), run_ort, state=sys.argv[1], progress=told)
"""


def test_runs_that_were_killed_while_pruning_and_while_rounding_go_on(tmp_path, monkeypatch):
    for step in (("prune", "2", "3"), ("quantize", "3", "6")):
        killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), *step], cwd=ROOT, check=False, env=dict(os.environ))
        assert killed.returncode == -signal.SIGKILL
    names = counted(monkeypatch)
    again = compressed(tmp_path)
    assert len(names) == 3
    assert again == compressed()


def test_the_same_bytes_with_equalised_channels(tmp_path, monkeypatch):
    """What rounding compares with depends on the gains of equalisation."""
    recipe = {"equalise": True, "quantize": {"rounding": "outputs"}}

    def run(state=None):
        return to_model(optimize(residual_net(), recipe, samples(32), run_ort, state=state)[0]).SerializeToString(deterministic=True)

    whole, names = run(), counted(monkeypatch)
    assert run(tmp_path) == whole and run(tmp_path) == whole
    assert len(names) == 6
