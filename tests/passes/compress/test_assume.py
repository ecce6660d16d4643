import numpy as np
from honed.graph import copy, load
from honed.passes.compress.assume import AssumeInt8, AssumeWeights
from honed.passes.compress.calibration import open_calibration
from honed.passes.compress.inputs import input_specs
from honed.passes.compress.layers import weight_layers
from honed.passes.compress.quantize import QuantizeInt8
from honed.passes.compress.recipe import Quantize
from honed.passes.compress.select import Selection
from honed.passes.driver import Driver

from .small_models import residual_net, run_ort, samples


def operators(graph):
    return [(node.name, node.op) for node in graph.nodes]


def test_int8_has_the_form_that_calibration_would_give():
    assumed, measured = load(residual_net()), load(residual_net())
    Driver(assumed).run([AssumeInt8(Quantize(), Selection())])
    data = open_calibration(samples(4), input_specs(residual_net()))
    Driver(measured).run([QuantizeInt8(Quantize(), Selection(), data, run_ort, copy(measured))])
    assert operators(assumed) == operators(measured) and any(op == "QuantizeLinear" for _, op in operators(assumed))


def test_skipped_layers_stay_f32():
    graph = load(residual_net())
    Driver(graph).run([AssumeInt8(Quantize(), Selection(skipped={"conv1": "conv1"}))])
    assert [layer.name for layer in weight_layers(graph)] == ["conv1"]


def test_only_weights_that_are_all_alike_are_replaced():
    graph = load(residual_net())
    layers = weight_layers(graph)
    kept = {layer.name: layer.weight.copy() for layer in layers}
    layers[1].node.inputs[1].values = np.full_like(layers[1].node.inputs[1].values, 0.5)
    Driver(graph).run([AssumeWeights()])
    for layer in weight_layers(graph):
        if layer.name == layers[1].name:
            assert layer.weight.shape == kept[layer.name].shape and np.unique(layer.weight).size == layer.weight.size
        else:
            np.testing.assert_array_equal(layer.weight, kept[layer.name])
