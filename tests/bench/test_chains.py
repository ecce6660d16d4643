"""Networks of given layers."""

import numpy as np
import onnx
import onnxruntime
from honed.bench.chains import chain_model
from honed.bench.shapes import Layer, read_layers

LAYERS = [Layer(3, 8, 1, 3, 2, 1, 16), Layer(8, 16, 1, 1, 1, 0, 8), Layer(16, 16, 16, 3, 1, 1, 8)]
LAYERS += [Layer(8, 4, 1, 1, 1, 0, 8), Layer(6, 4, 1, 1, 1, 0, 5)]


def test_layers_read_the_latest_output_of_their_shape():
    model = chain_model(LAYERS)
    sources = [node.input[0] for node in model.graph.node if node.op_type == "Conv"]
    assert sources == ["input0", "layer0", "layer1", "layer0", "input4"]
    assert [value.name for value in model.graph.input] == ["input0", "input4"]
    assert [value.name for value in model.graph.output] == ["layer2 mean", "layer3 mean", "layer4 mean"]


def test_the_model_is_valid_and_runs():
    model = chain_model(LAYERS)
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    feed = {x.name: np.ones(x.shape, np.float32) for x in session.get_inputs()}
    assert [y.shape for y in session.run(None, feed)] == [(1, 16, 1, 1), (1, 4, 1, 1), (1, 4, 1, 1)]


def test_a_real_network_hangs_together():
    model = chain_model(read_layers("mobilenet_v2"))
    assert len(model.graph.input) == 1
