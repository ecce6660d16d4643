"""Which cases there are, and which are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from honed.bench import checked
from honed.bench.operations import Operation, read_operations
from honed.bench.shapes import Layer, read_layers
from honed.bench.suites import FAMILIES, MODELS

SPARSITY = 0.9
PATTERNS = ("1x1", "2x1", "4x1")


@dataclass(frozen=True)
class Spec:
    """A kernel family on a shape of a network. how: a pattern of zeros or a dtype."""

    family: str
    model: str
    shape: Layer | Operation
    how: str = ""

    def __str__(self) -> str:
        text = " ".join(filter(None, (self.model, self.family, self.how, str(self.shape))))
        return text.replace("→", ">").replace("×", "x")

    def make(self) -> Iterator[checked.Checked]:
        """Every form of the kernel that can run it."""
        if isinstance(self.shape, Operation):
            if self.shape.kind == "gemm":
                yield checked.product(self.shape, self.family, SPARSITY if self.family.startswith("sparse") else 0.0)
            else:
                yield getattr(checked, self.family)(self.shape, self.how)
        elif self.family in ("to_planar", "to_dense"):
            yield getattr(checked, self.family)(self.shape, self.how)
        else:
            yield from checked.convolution(self.shape, self.family, self.how or "1x1", SPARSITY if self.how else 0.0)


def specs(families: tuple[str, ...], models: tuple[str, ...]) -> list[Spec]:
    """The cases of some families and networks."""
    found = [spec for model in models for spec in (*_convolutions(model), *_operations(model))]
    return [spec for spec in found if spec.family in families]


def _convolutions(model: str) -> Iterator[Spec]:
    for layer in (replace(layer, count=1) for layer in read_layers(model)):
        for dtype, suffix in (("u8", "u8s8"), ("f32", "f32")):
            if layer.group > 1:
                yield Spec(f"depthwise_{suffix}", model, layer)
            else:
                yield Spec(f"conv_{suffix}", model, layer)
                yield from (Spec(f"sparse_conv_{suffix}", model, layer, pattern) for pattern in PATTERNS if layer.in_channels > 3)
                if suffix == "f32":
                    yield Spec("conv_bf16", model, layer)
                if suffix == "f32" and (layer.kernel, layer.stride) in ((3, 1), (7, 2)):
                    yield Spec("conv_winograd_f32", model, layer)
            if layer.stride > 1:
                yield Spec("to_planar", model, layer, dtype)
        if layer.in_channels == 3:
            yield from (Spec("to_dense", model, layer, dtype) for dtype in ("u8", "f32"))


def _operations(model: str) -> Iterator[Spec]:
    for operation in (replace(operation, count=1) for operation in read_operations(model)):
        if operation.kind == "gemm":
            yield from (Spec(family, model, operation) for family in FAMILIES if "gemm" in family)
        else:
            yield from (Spec(operation.kind, model, operation, dtype) for dtype in ("u8", "f32"))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Which cases are run."""
    parser.addoption("--family", action="append", choices=FAMILIES, help="of kernels")
    parser.addoption("--model", action="append", choices=MODELS, help="whose shapes")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test per case."""
    if "spec" in metafunc.fixturenames:
        chosen = specs(tuple(metafunc.config.getoption("family") or FAMILIES), tuple(metafunc.config.getoption("model") or MODELS))
        metafunc.parametrize("spec", chosen, ids=str)
