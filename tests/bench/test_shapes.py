"""Shapes of real layers."""

import onnx
import pytest
from honed import Error
from honed.bench.networks import NETWORKS
from honed.bench.shapes import Layer, network_names, read_layers


@pytest.mark.parametrize("network", network_names())
def test_every_line_is_a_convolution(network):
    for layer in read_layers(network):
        assert layer.in_channels % layer.group == layer.out_channels % layer.group == 0
        assert layer.out_size >= 1 and layer.count >= 1 and layer.macs > 0


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.name)
def test_shapes_are_those_of_the_bundled_network(network):
    model = onnx.load(network.model)
    sizes = {tensor.name: tuple(tensor.dims) for tensor in model.graph.initializer}
    convolutions = [sizes[node.input[1]] for node in model.graph.node if node.op_type == "Conv"]
    listed = [layer.weight_shape for layer in read_layers(network.name) for _ in range(layer.count)]
    assert sorted(listed) == sorted(convolutions)


def test_macs_of_resnet50():
    assert sum(layer.macs * layer.count for layer in read_layers("resnet50")) == 4087136256


def test_output_size_with_stride_and_padding():
    assert Layer(3, 64, 1, 7, 2, 3, 224).out_size == 112
    assert Layer(1, 1, 1, 3, 1, 0, 5).out_size == 3


def test_an_unknown_network_is_an_error():
    with pytest.raises(Error, match="resnet50"):
        read_layers("lenet")
