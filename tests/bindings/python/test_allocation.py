"""Sparsities by layer under a budget of predicted time, judged on unseen samples."""

from pathlib import Path

import honed
import numpy as np
import pytest
from honed.allocation import allocate
from honed.passes.compress.recipe import load_recipe
from honed.passes.sensitivity import _Search
from onnx import numpy_helper

from tests.passes.compress.small_models import Builder, run_ort, samples

PRUNE = {"method": "reconstruct", "damping": 0.01}


def wide_net(redundant=("conv2",)):
    """Three convolutions of like time between others; those of `redundant` have a sixteenth of their input channels in use, and lose
    nothing with the others."""
    b = Builder()
    x = b.node("Relu", [b.conv("x", "stem", 32, 3, pads=[1] * 4)], "relu0")
    for i in (1, 2, 3):
        x = b.node("Relu", [b.conv(x, f"conv{i}", 32, 32, pads=[1] * 4)], f"relu{i}")
    x = b.node("Flatten", [b.node("GlobalAveragePool", [x], "gap")], "flat")
    model = b.model(["n", 3, 16, 16], b.gemm(x, "fc", 10, 32))
    for tensor in model.graph.initializer:
        if tensor.name in [f"{name}_w" for name in redundant]:
            values = numpy_helper.to_array(tensor).copy()
            values[:, 2:] *= 0.03
            tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    return model


def images(count=96, seed=1):
    return samples(count, (3, 16, 16), seed)


@pytest.fixture(autouse=True, scope="module")
def equally_fast():
    """Decisions by losses alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("honed.rivals.times_us", lambda models, feed: [100.0] * len(models))
        yield


@pytest.fixture(autouse=True)
def few_levels(monkeypatch):
    """In tests that allocate themselves."""
    monkeypatch.setattr("honed.shares.LEVELS", (0.5, 0.75, 0.9))


@pytest.fixture(scope="module")
def allocated(equally_fast):
    recipe = {"prune": PRUNE | {"sparsity": 0.7, "pattern": "4x1", "allocate": {}}, "quantize": {}}
    return allocate(wide_net(), recipe, images(240), batch=8)


def test_the_layer_that_can_do_without_gets_the_zeros(allocated):
    shares = allocated.layers
    assert set(shares) == {"conv1", "conv2", "conv3"}
    assert shares["conv2"].sparsity >= 0.9 > max(shares["conv1"].sparsity, shares["conv3"].sparsity)
    assert allocated.better and allocated.allocated.error < 0.8 * allocated.uniform.error
    assert allocated.allocated.divergence < 0.9 * allocated.uniform.divergence and "clearly nearer" in allocated.reason


def test_as_fast_as_the_uniform_allocation_by_the_same_costs_as_predict(allocated):
    uniform = {"prune": PRUNE | {"sparsity": 0.7, "pattern": "4x1"}, "quantize": {}}
    forecast = honed.predict(wide_net(), uniform)
    assert allocated.budget_us == allocated.uniform.us == pytest.approx(forecast.compressed.us)
    assert allocated.original_us == pytest.approx(forecast.original.us)
    assert allocated.allocated.us <= allocated.budget_us * 1.02
    assert allocated.allocated.us == pytest.approx(honed.predict(wide_net(), allocated.recipe).compressed.us)


def test_better_in_onnx_runtime_on_inputs_that_nobody_saw(allocated):
    uniform = {"prune": PRUNE | {"sparsity": 0.7, "pattern": "4x1"}, "quantize": {}}
    x = images(64, seed=9)
    exact = run_ort(wide_net()).run(None, {"x": x})[0]
    errors = [np.square(run_ort(honed.optimize(wide_net(), r, images()).model).run(None, {"x": x})[0] - exact).mean()
              for r in (allocated.recipe, uniform)]  # fmt: skip
    assert errors[0] < errors[1]


def test_the_uniform_allocation_stays_where_another_is_not_better(monkeypatch):
    monkeypatch.setattr("honed.allocation.Shares.within", lambda self, us: {n: options[0] for n, options in self._options.items()})
    recipe = {"prune": PRUNE | {"sparsity": 0.5, "pattern": "1x1", "allocate": {"samples": 16, "patterns": ["1x1"]}}}
    found = allocate(wide_net(()), recipe, images(32))
    assert not found.better and found.allocated.error > found.uniform.error and found.reason.startswith("further from the model")
    assert found.recipe.prune.sparsity == 0.5 and found.recipe.prune.layers == {} and found.recipe.prune.allocate is None


def test_optimize_settles_it_and_the_report_says_how():
    recipe = {"prune": PRUNE | {"pattern": "4x1", "allocate": {"speedup": 1.3, "patterns": ["4x1"], "samples": 16}}}
    recipe["prune"]["layers"] = {"conv1": {"sparsity": 0.25, "pattern": "2x1"}}
    stages = []
    done = honed.optimize(wide_net(), recipe, images(48), batch=4, progress=lambda stage, *_: stages.append(stage))
    facts = done.report.allocation
    assert facts["budget_us"] == pytest.approx(facts["original_us"] / 1.3) and set(facts["layers"]) == {"conv2", "conv3"}
    assert facts["uniform"]["us"] <= facts["budget_us"] and "allocate" in stages
    assert done.report.layer("conv1").techniques["prune"]["pattern"] == "2x1"
    for name, share in facts["layers"].items():
        if facts["better"] and share["pattern"]:
            assert done.report.layer(name).techniques["prune"]["sparsity"] == pytest.approx(share["sparsity"], abs=0.01)
    assert honed.optimize(wide_net(), {"prune": {"sparsity": 0.5}}).report.allocation is None


SMALL = {"prune": PRUNE | {"sparsity": 0.7, "pattern": "4x1", "allocate": {"patterns": ["4x1"], "samples": 16}}}


def test_the_uniform_allocation_stays_where_another_runs_slower(monkeypatch):
    times = iter([[100.0, 100.0], [103.0, 100.0]])  # as assumed; compressed
    monkeypatch.setattr("honed.rivals.times_us", lambda models, feed: next(times))
    found = allocate(wide_net(), SMALL, images(48), batch=4)
    assert not found.better and found.allocated.error < found.uniform.error
    assert found.reason.startswith("slower: 103 us against 100 us (+3.0%)") and found.recipe.prune.sparsity == 0.7
    assert (found.allocated.measured_us, found.uniform.measured_us) == (103.0, 100.0)


def test_what_runs_slower_than_predicted_gets_less_time(monkeypatch):
    calls = []

    def slower_at_first(models, feed):
        calls.append(len(models))
        return [110.0 if len(calls) == 1 else 100.0, 100.0]

    plain = allocate(wide_net(), SMALL, images(48), batch=4)
    monkeypatch.setattr("honed.rivals.times_us", slower_at_first)
    found = allocate(wide_net(), SMALL, images(48), batch=4)
    assert len(calls) == 3 and found.allocated.us <= found.budget_us / 1.1 < plain.allocated.us <= found.budget_us


def test_of_another_machine_only_predictions_are_known(monkeypatch):
    monkeypatch.setattr("honed.rivals.times_us", None)
    table = Path(honed.__file__).parents[2] / "passes/lower/costs/tables/avx2.json"
    found = allocate(wide_net(), SMALL, images(48), batch=4, tune_table=table)
    assert found.allocated.measured_us == found.allocated.us and found.uniform.measured_us == found.uniform.us


def test_an_interrupted_allocation_goes_on_where_it_stopped(tmp_path, monkeypatch):
    tried, timed = [], []

    def trying(search, layer, *rest):
        tried.append(layer.name)
        return try_layer(search, layer, *rest)

    def timing(models, feed):
        timed.append(len(models))
        return [100.0 - len(timed), 100.0]

    def stop_at(wanted):
        def step(*told):
            if told[:2] == wanted:
                raise KeyboardInterrupt

        return step

    def run(progress=None):
        return honed.optimize(wide_net(), SMALL, images(48), batch=4, state=tmp_path, progress=progress).model.SerializeToString()

    try_layer = _Search._try_layer
    monkeypatch.setattr(_Search, "_try_layer", trying)
    monkeypatch.setattr("honed.rivals.times_us", timing)
    for wanted in (("allocate", 2), ("prune", 1), ("measure", 12)):
        with pytest.raises(KeyboardInterrupt):
            run(stop_at(wanted))
    assert tried == ["conv1", "conv2", "conv3"] and len(timed) == 1
    assert not list(tmp_path.rglob("activations"))
    whole = run()
    assert tried == ["conv1", "conv2", "conv3"] and len(timed) == 2 and run() == whole and len(timed) == 2
    assert (tmp_path / "allocation" / "allocated" / "layers").is_dir()
    (tmp_path / "allocation" / "trials" / "1.json").write_bytes(b'[{"name"')
    assert run() == whole and tried == ["conv1", "conv2", "conv3", "conv2"]


@pytest.mark.parametrize(
    ("recipe", "count", "reason"),
    [
        ({"prune": {"sparsity": 0.5}}, 32, "no prune.allocate"),
        ({"prune": PRUNE | {"sparsity": 0.5, "allocate": {}}}, 8, "8 calibration samples, expected at least 16"),
        ({"prune": PRUNE | {"allocate": {"speedup": 500.0}}}, 32, "out of reach"),
        ({"prune": PRUNE | {"sparsity": 0.5, "allocate": {}, "skip": ["conv9"]}}, 32, "conv9"),
    ],
)
def test_what_cannot_be_is_refused(recipe, count, reason):
    with pytest.raises(honed.Error, match=reason):
        allocate(wide_net(), recipe, images(count))


def test_only_allocate_and_optimize_settle_it():
    recipe = load_recipe({"prune": PRUNE | {"sparsity": 0.5, "allocate": {}}})
    with pytest.raises(honed.RecipeError, match=r"which honed\.allocate settles"):
        honed.predict(wide_net(), recipe)
    with pytest.raises(honed.Error, match="needs calibration data"):
        honed.optimize(wide_net(), recipe)
