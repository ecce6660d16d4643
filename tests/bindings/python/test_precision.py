"""precision="bf16": what is compiled, how far results are from those of fp32, and that they are the same on every CPU."""

from pathlib import Path

import honed
import numpy as np
import onnxruntime
import pytest
from honed import Engine, Error, InferenceSession
from honed.bench.fashion import fashion_mnist
from honed.kernels._native import isa_levels
from honed.passes.lower import compile_model, lower
from honed.passes.lower.costs import cache_path, write_costs
from honed.passes.lower.costs.files import default_costs, present_isa

from tests.passes.lower.networks import Net, normal

RESNET = Path(honed.__file__).parents[2] / "bench/models/fmnist_resnet18.onnx"
COSTS = default_costs("avx512vnni")


def small_network():
    """A convolution of 1x1, one of 3x3, a depthwise one, and a Gemm."""
    net = Net()
    x = net.node("Conv", net.input("x", ("n", 24, 56, 56)), net.const(normal((64, 24, 1, 1), 1, 0.2)), name="point")
    x = net.node("Conv", x, net.const(normal((64, 64, 3, 3), 2, 0.05)), pads=[1, 1, 1, 1], name="body")
    x = net.node("Conv", net.node("Relu", x), net.const(normal((64, 1, 3, 3), 3, 0.3)), group=64, name="deep")
    rows = net.node("Flatten", net.node("GlobalAveragePool", x))
    net.node("Gemm", rows, net.const(normal((1000, 64), 4)), net.const(normal([1000], 5)), transB=1, name="logits")
    return net.model("logits")


def kernels(precision: str) -> dict[str, str]:
    return {op.name.split(";")[0]: op.type for op in lower(small_network(), costs=COSTS, precision=precision).ops}


@pytest.fixture
def measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The costs of a CPU with bf16 instructions count as this one's."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    write_costs(COSTS, cache_path(present_isa()))


def test_products_are_bf16_where_that_is_faster_and_asked_for() -> None:
    plain, rounded = kernels("f32"), kernels("bf16")
    assert not any(kernel.endswith("bf16") for kernel in plain.values())
    assert rounded["point"] == "conv_bf16" and rounded["logits"] == "gemm_bf16"
    assert {name: rounded[name] for name in ("body", "deep")} == {name: plain[name] for name in ("body", "deep")}


def test_a_session_compiles_by_its_precision(measured: None) -> None:
    content = small_network().SerializeToString()
    assert "conv_bf16" in [op.type for op in InferenceSession(content, precision="bf16").plan()]
    assert "conv_bf16" not in [op.type for op in InferenceSession(content).plan()]


def test_inspection_counts_layers_by_precision(measured: None) -> None:
    content = small_network().SerializeToString()
    assert honed.inspect(content, precision="bf16").totals.precision == "bf16 2 of 4"
    assert honed.inspect(content).totals.precision == "fp32"


def test_a_compiled_model_has_its_precision_and_others_are_unknown() -> None:
    content = compile_model(small_network())
    with pytest.raises(Error, match="precision 'bf16' of a compiled model"):
        InferenceSession(content, precision="bf16")
    with pytest.raises(Error, match="precision 'f16': expected f32 or bf16"):
        compile_model(small_network(), precision="f16")  # type: ignore[arg-type]


def test_a_file_gives_the_same_bits_on_every_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    content, x = compile_model(small_network(), costs=COSTS, precision="bf16"), {"x": normal((1, 24, 56, 56))}
    reference = None
    for isa in isa_levels():
        monkeypatch.setenv("HONED_ISA", isa)
        found = InferenceSession(content, engine=Engine(2)).run(None, x)[0]
        reference = found if reference is None else reference
        np.testing.assert_array_equal(found, reference)


def test_classes_stay_those_of_fp32_but_in_near_ties() -> None:
    """A trained network of 21 layers, of which most multiply bf16. Relative errors of layers, of up to 2^-7, are independent and average
    out: the outputs' are not larger."""
    images = fashion_mnist("validation")[0][:600]
    peer = onnxruntime.InferenceSession(RESNET, providers=["CPUExecutionProvider"])
    expected = peer.run(None, {peer.get_inputs()[0].name: images})[0]
    content = compile_model(str(RESNET), costs=COSTS, precision="bf16")
    session = InferenceSession(content)
    assert session.plan()[-1].type == "gemm_bf16"
    found = session.run(None, {session.get_inputs()[0].name: images})[0]
    assert np.linalg.norm(found - expected) < 2.0**-7 * np.linalg.norm(expected)
    changed = found.argmax(1) != expected.argmax(1)
    second, first = np.sort(expected, 1)[:, -2:].T
    assert changed.mean() < 0.005 and ((first - second)[changed] < 0.2).all() and np.median(first - second) > 4
