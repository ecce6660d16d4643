import numpy as np
import pytest
from honed.graph import Error, to_model
from honed.passes.compress.calibration import open_calibration
from honed.passes.compress.histogram import Histogram
from honed.passes.compress.inputs import input_specs
from honed.passes.compress.observe import activations, expose, observe

from tests.passes.compress.small_models import Builder, cleaned, residual_net, run_ort, samples


def test_exposes_inner_tensors_and_drops_what_they_do_not_need():
    model = to_model(cleaned(residual_net()))
    part = expose(model, ["relu1_out", "x"])
    assert [node.op_type for node in part.graph.node] == ["Conv", "Relu", "Conv", "Relu"]
    assert {t.name for t in part.graph.initializer} == {"stem_w", "stem_b", "dw_w", "dw_b"}
    x = samples(2)
    hidden, given = run_ort(part).run(None, {"x": x})
    assert np.array_equal(given, x) and hidden.shape == (2, 8, 10, 10)
    assert [output.name for output in model.graph.output] == ["fc_out"]


def test_batches_and_progress():
    model = to_model(cleaned(residual_net()))
    data = open_calibration(samples(10), input_specs(model), batch=4)
    ticks = []
    seen = [v["relu0_out"].shape[0] for v in activations(model, ["relu0_out"], data, run_ort, tick=lambda *t: ticks.append(t))]
    assert seen == [4, 4, 2] and ticks == [(4, 10), (8, 10), (10, 10)]
    histogram = Histogram()
    observe(model, {"relu0_out": [histogram]}, data, run_ort, limit=4)
    assert histogram.total == 4 * 8 * 100


def test_an_activation_that_is_not_finite_is_named():
    b = Builder()
    y = b.node("Exp", ["x"], "exp")
    model = b.model(["n", 3], y)
    data = open_calibration(np.full((1, 3), 1e4, np.float32), input_specs(model))
    with pytest.raises(Error, match="tensor 'exp_out' holds NaN or infinity"):
        observe(model, {"exp_out": [Histogram()]}, data, run_ort)
