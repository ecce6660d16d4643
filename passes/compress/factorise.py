"""Low-rank factorisation: one layer becomes two or three cheaper ones."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from math import prod

import numpy as np
import onnx_graphsurgeon as gs

from ...graph import View, unique_name
from ...graph.errors import RecipeError
from ..base import GraphPass, Reject
from ..patch import Patch
from .layers import Layer, weight_layers
from .low_rank import svd_factors, tucker2_factors
from .metrics import sqnr_db
from .recipe import Factorise, FactoriseLayer
from .select import Selection


@dataclass
class FactorisePlan:
    """Layer name -> rank or energy, and layer name -> why it stays whole."""

    targets: dict[str, FactoriseLayer] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)


def plan_factorising(
    layers: list[Layer], section: Factorise, selection: Selection[FactoriseLayer], pruned: Collection[str] = ()
) -> FactorisePlan:
    """Decides for every layer. Raises RecipeError for ranks that a recipe asks of a layer by name and that do not fit it."""
    plan, problems = FactorisePlan(), []
    for layer in layers:
        overrides = selection.overrides.get(layer.name, [])
        settings = overrides[-1] if overrides else FactoriseLayer(energy=section.energy) if section.energy is not None else None
        misfit = _misfit(layer, settings) if settings is not None else None
        if layer.name in selection.skipped:
            plan.refused[layer.name] = f"skipped by the recipe ('{selection.skipped[layer.name]}')"
        elif settings is None:
            plan.refused[layer.name] = "no rank or energy is given for it"
        elif layer.group > 1:
            plan.refused[layer.name] = f"a convolution of {layer.group} groups"
        elif misfit is not None:
            plan.refused[layer.name] = misfit
            problems += [f"{layer.name}: {misfit}"] if layer.name in selection.exact else []
        elif layer.name in pruned:
            plan.refused[layer.name] = "pruned: its zeros would be lost"
        else:
            plan.targets[layer.name] = settings
    if problems:
        raise RecipeError("factorise.layers: " + "; ".join(problems))
    return plan


def _is_pointwise(layer: Layer) -> bool:
    return prod(layer.weight.shape[2:]) == 1


def _misfit(layer: Layer, settings: FactoriseLayer) -> str | None:
    out, channels = layer.weight.shape[:2]
    if _is_pointwise(layer):
        if isinstance(settings.rank, list):
            return f"a pair of ranks {settings.rank} for a layer without a kernel, expected one"
        limit = min(out, channels)
        return f"rank {settings.rank}, expected at most {limit}" if settings.rank is not None and settings.rank > limit else None
    ranks = _ranks(settings)
    if ranks is not None and (ranks[0] > out or ranks[1] > channels):
        return f"ranks {list(ranks)}, expected at most {[out, channels]}"
    return None


def _ranks(settings: FactoriseLayer) -> tuple[int, int] | None:
    if settings.rank is None:
        return None
    return (settings.rank, settings.rank) if isinstance(settings.rank, int) else (settings.rank[0], settings.rank[1])


@dataclass
class FactoriseLowRank(GraphPass):
    """1x1 Conv, Gemm or MatMul: W ≈ A · B, two layers, by SVD. k x k Conv: 1x1 -> k x k -> 1x1, by Tucker-2.

    Stride and padding of a 1x1 convolution go to its first part, stride, padding and dilation of others to the core, the bias to the last
    part: what comes before the core has none, so that padding with zeros commutes with it. Refused where it would not save multiplications.
    `origins` receives the new nodes: node name -> the layer that it was made from. The last part keeps the layer's name.
    """

    plan: FactorisePlan
    origins: dict[str, str] = field(default_factory=dict)

    name = "factorise-low-rank"
    lossy = True

    def patches(self, view: View) -> Iterator[Patch | Reject]:
        for layer in weight_layers(view.graph):
            if layer.name in self.plan.refused:
                yield Reject(self.plan.refused[layer.name], layer.node)
            elif layer.name in self.plan.targets:
                yield self._factorise(layer, self.plan.targets[layer.name], {node.name for node in view.graph.nodes})

    def _factorise(self, layer: Layer, settings: FactoriseLayer, taken: set[str]) -> Patch | Reject:
        factors = _factors(layer, settings)
        before, after = _macs(layer, [layer.weight]), _macs(layer, factors)
        ranks = [factor.shape[0] for factor in factors[:-1]][::-1]
        if after >= before:
            return Reject(f"rank {ranks} would cost {after / before:.2f} times the multiplications", layer.node)
        patch = Patch(layer.node)
        names = [*(unique_name(f"{layer.name}_{part}", taken) for part in ("in", "core")[: len(factors) - 1]), layer.name]
        patch.replace(layer.node.outputs[0], _write(patch, layer, factors, names))
        for node in patch.nodes:
            self.origins[node.name] = layer.name
        size = sum(factor.nbytes for factor in factors)
        error = sqnr_db(layer.weight, _product(factors, layer.weight.shape))
        patch.note(rank=ranks, weight_sqnr_db=error, bytes_before=layer.weight.nbytes, bytes_after=size, macs_ratio=after / before)
        return patch


def _factors(layer: Layer, settings: FactoriseLayer) -> list[np.ndarray]:
    """Weights [out, in, *kernel] of the new layers, first to last."""
    weight = layer.weight
    if not _is_pointwise(layer):
        last, core, first = tucker2_factors(weight, _ranks(settings), settings.energy)
        ones = (1,) * (weight.ndim - 2)
        return [first.reshape(*first.shape, *ones), core, last.reshape(*last.shape, *ones)]
    rank = settings.rank if isinstance(settings.rank, int) else None
    last, first = svd_factors(weight.reshape(weight.shape[:2]), rank, settings.energy)
    return [factor.reshape(*factor.shape, *weight.shape[2:]) for factor in (first, last)]


def _product(factors: list[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    if len(factors) == 2:
        return (factors[1].reshape(shape[0], -1) @ factors[0].reshape(-1, shape[1])).reshape(shape)
    first, core, last = factors[0].reshape(-1, shape[1]), factors[1].reshape(*factors[1].shape[:2], -1), factors[2].reshape(shape[0], -1)
    return np.einsum("oa,abk,bi->oik", last, core, first, optimize=True).reshape(shape)


def _macs(layer: Layer, weights: list[np.ndarray]) -> float:
    """Multiplications per output pixel. Of three layers the first one runs on the pixels of the input."""
    macs = [float(weight.size) for weight in weights]
    if len(weights) == 3:
        before, after = _pixels(layer.node.inputs[0]), _pixels(layer.node.outputs[0])
        macs[0] *= before / after if before and after else prod(layer.node.attrs.get("strides", [1]))
    return sum(macs)


def _pixels(tensor: gs.Tensor) -> int | None:
    """Height times width and so on, where they are known numbers."""
    sizes = list(tensor.shape or [None])[2:]
    return int(prod(sizes)) if sizes and all(isinstance(size, (int, np.integer)) for size in sizes) else None


def _write(patch: Patch, layer: Layer, factors: list[np.ndarray], names: list[str]) -> gs.Variable:
    node, x = layer.node, layer.node.inputs[0]
    placed = 0 if len(factors) == 2 else 1
    for i, (factor, name) in enumerate(zip(factors, names, strict=True)):
        inputs = [x, patch.const(layer.stored(factor), f"{name}_weight")]
        if name == layer.name and layer.bias is not None:
            inputs.append(patch.const(layer.bias, node.inputs[2]))
        x = patch.node(node.op, inputs, _attrs(node, factor, i == placed), name=name)
    return x


def _attrs(node: gs.Node, factor: np.ndarray, takes_geometry: bool) -> dict[str, object]:
    if node.op != "Conv":
        return {key: value for key, value in node.attrs.items() if key == "transB"}
    kept = ("auto_pad", "strides", "pads", "dilations") if takes_geometry else ()
    return {key: node.attrs[key] for key in kept if key in node.attrs} | {"kernel_shape": list(factor.shape[2:])}
