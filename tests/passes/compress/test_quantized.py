import numpy as np
from honed.graph import View, to_model
from honed.passes import Driver
from honed.passes.base import GraphPass
from honed.passes.compress.formats import Format
from honed.passes.compress.quantize_math import activation_params
from honed.passes.compress.quantize_plan import plan_quantization
from honed.passes.compress.quantized import layer_inputs, nearest_layers, quantize_as_planned

from tests.passes.compress.small_models import cleaned, residual_net, run_ort, samples


class AsPlanned(GraphPass):
    name = "as-planned"
    lossy = True

    def __init__(self, form):
        self.form = form

    def patches(self, view):
        plan = plan_quantization(view, {})
        params = dict.fromkeys(plan.source, activation_params(-6, 6))
        formats = dict.fromkeys(plan.layers, self.form)
        yield from quantize_as_planned(view, plan, params, formats, nearest_layers(plan, formats, layer_inputs(plan, params), {}))


def test_inputs_of_layers_by_name():
    plan = plan_quantization(View(cleaned(residual_net())), {})
    params = {name: activation_params(0, i + 1) for i, name in enumerate(plan.source)}
    assert layer_inputs(plan, params)["conv2"] == params["relu2_out"]
    assert layer_inputs(plan, {})["conv2"] is None


def test_the_form_runs_and_fewer_bits_are_counted():
    errors, x = [], samples(8)
    exact = run_ort(residual_net()).run(None, {"x": x})[0]
    for limit in (7, 127):
        graph = cleaned(residual_net())
        report = Driver(graph, check_patches=True).run([AsPlanned(Format(limit))])
        errors.append(np.square(run_ort(to_model(graph)).run(None, {"x": x})[0] - exact).mean())
        facts = next(change.facts for change in report.changes if change.node == "conv1")
        assert facts["bits"] == Format(limit).bits
    assert errors[1] < 0.1 * errors[0]
