"""One layer compressed by one technique, as a change that can be taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import onnx_graphsurgeon as gs

from .histogram import percentile_range
from .layer_data import LayerData
from .layers import Layer, per_output_row
from .patterns import Blocks, Pattern
from .quantize_math import QuantParams, activation_params, quantize_weight, weight_scales
from .reconstruct.support import compare_supports

PERCENTILE = 99.99
"""Of the range of activations, on each side."""


@dataclass(frozen=True)
class Change:
    """What a technique makes of a layer: new weights, as Layer.weight has them, a new bias [out], None: the old one, and parameters by
    which its input is quantised."""

    weight: np.ndarray
    input_params: QuantParams | None = None
    bias: np.ndarray | None = None


Technique = Callable[[Layer, LayerData], Change | None]
"""Of a layer and what is known of it; None where it does not apply."""


def integers(bits: int) -> Technique:
    """Input u8 per tensor, weights of so many bits per output channel."""
    limit = (1 << bits - 1) - 1

    def technique(layer: Layer, data: LayerData) -> Change:
        params = activation_params(*percentile_range(data.values, PERCENTILE))
        scale = weight_scales(layer.weight, layer.bias, params.scale, limit)
        rounded = quantize_weight(layer.weight, scale, limit)
        return Change(rounded * per_output_row(scale, rounded), params)

    return technique


int8 = integers(8)


def magnitude(sparsity: float, pattern: Pattern) -> Technique:
    """The least weights set to zero, in a pattern."""

    def technique(layer: Layer, data: LayerData) -> Change | None:
        if pattern.misfit(layer) is not None:
            return None
        return Change(np.where(pattern.mask(layer.weight, sparsity), layer.weight, np.float32(0)))

    return technique


class Reconstructed:
    """Zeros and weights that solve for the layer's output, as pruning with reconstruction has them before their last refit; all sparsities
    and patterns of a layer are solved side by side when the first one is asked for.

    wanted: of a layer's name, the pairs of a sparsity and blocks that will be asked for.
    """

    def __init__(self, wanted: Callable[[str], Sequence[tuple[float, Blocks]]], damping: float) -> None:
        self._wanted, self._damping = wanted, damping
        self._data: LayerData | None = None
        self._found: dict[tuple[float, Blocks], Change] = {}

    def technique(self, sparsity: float, block: Blocks) -> Technique:
        """One of them; for layers that do not want it, or that the blocks do not fit, it does not apply."""

        def change(layer: Layer, data: LayerData) -> Change | None:
            if self._data is not data:
                self._data, self._found = data, self._solve(layer, data)
            return self._found.get((sparsity, block))

        return change

    def _solve(self, layer: Layer, data: LayerData) -> dict[tuple[float, Blocks], Change]:
        wanted = [(sparsity, block) for sparsity, block in self._wanted(layer.name) if block.misfit(layer) is None]
        if not wanted:
            return {}
        problem = data.problem(self._damping)
        choices = [block.choice(layer, block.mask(layer.weight, sparsity)) for sparsity, block in wanted]
        changes = []
        for _, weight in compare_supports(problem, choices):
            bias = problem.bias(weight).astype(np.float32).reshape(-1) if data.fits_bias else None
            changes.append(Change(weight.reshape(layer.weight.shape), bias=bias))
        return dict(zip(wanted, changes, strict=True))


@contextmanager
def applied(change: Change | None, layer: Layer) -> Iterator[list[gs.Node]]:
    """The layer's node has the changed weights, and its input goes through QuantizeLinear and DequantizeLinear, which are what is given."""
    node = layer.node
    if change is None:
        yield []
        return
    before, attributes = list(node.inputs), dict(node.attrs)
    new = []
    if change.input_params is not None:
        new = _quantised(before[0], change.input_params)
        node.inputs[0] = new[1].outputs[0]
    node.inputs[1] = gs.Constant(f"{before[1].name}_changed", layer.stored(change.weight).astype(np.float32))
    if change.bias is not None:
        node.inputs = [*node.inputs[:2], gs.Constant(f"{node.name}_changed_bias", change.bias)]
        node.attrs.pop("beta", None)
    try:
        yield new
    finally:
        node.inputs = before
        node.attrs.clear()
        node.attrs.update(attributes)
        for extra in new:
            extra.inputs.clear()


def _quantised(tensor: gs.Tensor, params: QuantParams) -> list[gs.Node]:
    stem = f"{tensor.name}_trial"
    scale = gs.Constant(f"{stem}_scale", np.asarray(params.scale, np.float32))
    zero_point = gs.Constant(f"{stem}_zero_point", np.asarray(params.zero_point, np.uint8))
    integers = gs.Variable(f"{stem}_quantized", np.uint8, tensor.shape)
    result = gs.Variable(f"{stem}_value", np.float32, tensor.shape)
    return [
        gs.Node("QuantizeLinear", f"{stem}_quantize", {}, [tensor, scale, zero_point], [integers]),
        gs.Node("DequantizeLinear", f"{stem}_dequantize", {}, [integers, scale, zero_point], [result]),
    ]
