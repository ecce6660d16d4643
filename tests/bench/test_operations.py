"""Shapes of real operators, and how they are found."""

import pytest
from honed import Error
from honed.bench import operations
from honed.bench.networks import NETWORKS
from honed.bench.operations import NUMBERS, layers_of, operations_of, read_operations
from honed.bench.shapes import read_layers
from honed.bench.suites import MODELS
from honed.graph import load
from honed.passes.assume import prepare

from tests.passes.lower.networks import Net, normal


def test_the_tables_are_what_is_found_in_the_bundled_network():
    graph = prepare(load(NETWORKS[0].model), {})
    assert layers_of(graph) == read_layers("mobilenet_v2")
    assert operations_of(graph) == read_operations("mobilenet_v2")


@pytest.mark.parametrize("model", MODELS)
def test_every_line_has_the_numbers_of_its_kind(model):
    for operation in read_operations(model):
        assert len(operation.numbers) == len(NUMBERS[operation.kind]) and operation.count >= 1


def test_products_pools_and_sums_are_found():
    net = Net()
    x = net.input("x", (1, 8, 12, 12))
    pooled = net.node("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    total = net.node("Add", pooled, net.node("Relu", pooled))
    rows = net.node("Reshape", total, net.const([6, 48]))
    y = net.node("Gemm", net.node("MatMul", rows, net.const(normal((48, 20)))), net.const(normal((5, 20))), transB=1)
    graph = prepare(load(net.model(y)), {})
    found = [(o.kind, o.numbers) for o in operations_of(graph)]
    assert found == [("max_pool", (8, 12, 3, 2, 1)), ("add", (8, 6)), ("gemm", (6, 20, 48)), ("gemm", (6, 5, 20))]


def test_the_command_prints_both_tables(capsys):
    operations.main([str(NETWORKS[0].model)])
    lines = capsys.readouterr().out.splitlines()
    assert "3 32 1 3 2 1 224 1" in lines and "gemm 1 1000 1280 1" in lines


def test_errors_are_one_line(tmp_path, capsys):
    with pytest.raises(Error, match="mobilenet_v2"):
        read_operations("lenet")
    with pytest.raises(SystemExit, match="1"):
        operations.main([str(tmp_path / "none.onnx")])
    assert capsys.readouterr().err.startswith("error: ")
