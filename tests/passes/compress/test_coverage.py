import numpy as np
import pytest
from honed.passes.compress.calibration import open_calibration
from honed.passes.compress.coverage import narrow_warnings
from honed.passes.compress.inputs import input_specs
from honed.passes.optimize import optimize

from tests.passes.compress.small_models import residual_net, run_ort, samples

RECONSTRUCT = {"prune": {"method": "reconstruct", "sparsity": 0.6, "samples": 64}}


def warnings_of(data, batch=8):
    calibration = open_calibration(data, input_specs(residual_net()), batch=batch)
    for _ in calibration.batches():
        pass
    return calibration.coverage.warnings()


def test_data_that_vary_give_no_warning():
    assert warnings_of(samples(32)) == []


def one_channel_constant():
    x = samples(16)
    x[:, 1] = 0.25
    return x


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (np.full((4, 3, 10, 10), 0.5, np.float32), "input 'x' is 0.5 everywhere"),
        (one_channel_constant(), "input 'x' never varies in 1 of 3 channels (1)"),
        (np.rint(np.abs(samples(8)) * 60).clip(0, 255), "whole numbers from 0 to"),
        (np.repeat(samples(4), 4, axis=0), "12 of 16 samples are copies of earlier ones"),
    ],
    ids=["constant", "channel", "pixels", "copies"],
)
def test_what_looks_wrong_is_named(data, expected):
    (line,) = [line for line in warnings_of(data) if expected in line]
    assert line.startswith("calibration: ")


@pytest.mark.parametrize("scale", [1.0, 3.0])
def test_class_labels_and_small_counts_are_no_pixels(scale):
    assert warnings_of(np.rint(scale * np.abs(samples(8))).clip(0, 12)) == []


def test_the_fullest_reading_counts():
    calibration = open_calibration(samples(32), input_specs(residual_net()), batch=4)
    for limit in (None, 8):
        list(calibration.batches(limit))
    assert calibration.coverage.samples == 32


def test_solutions_that_do_worse_on_the_other_half_are_narrow():
    wide, narrow = [0.05, 0.06, 0.0], [0.05, 0.2, 0.0]
    assert narrow_warnings({}, 1) == [] and narrow_warnings({"a": wide}, 128) == []
    (line,) = narrow_warnings({"a": wide, "b": [0.05, 0.15, 0.0], "c": narrow}, 500)
    assert "narrow: solutions of 2 of 3 layers" in line and "the worst, c, by 20.0% of the variance instead of 5.0%" in line
    assert narrow_warnings({"a": [1e-6, 1e-3, 0.0]}, 500) == [], "nothing is lost"
    assert narrow_warnings({"a": [0.5, 0.55, 0.0]}, 500) == [], "bad, but the same on both halves"
    assert narrow_warnings({"a": [0.05, 0.06, 0.5]}, 500) == ["calibration: in 1 of 1 layers, more than 25% of the inputs never vary"]


def test_a_reconstruction_on_few_samples_is_reported_as_narrow():
    few = samples(2)
    _, report = optimize(residual_net(), RECONSTRUCT, few, run_ort, batch=1)
    assert any("calibration is narrow: solutions" in line for line in report.warnings)
    for count, known in ((127, False), (128, True)):
        recipe = {"prune": {**RECONSTRUCT["prune"], "samples": count}}
        _, report = optimize(residual_net(), recipe, samples(count), run_ort)
        assert any(f"weights were solved with {count} samples, fewer than 128" in line for line in report.warnings) is not known
    assert report.warnings == [] and report.to_dict()["warnings"] == []


def test_outputs_that_never_change_are_reported():
    same = np.repeat(samples(1), 8, axis=0)
    _, report = optimize(residual_net(), {"quantize": {}}, same, run_ort)
    assert "calibration: output 'fc_out' of the original model is the same for every sample" in report.warnings
