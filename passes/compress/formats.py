"""How many bits the weights of a layer get."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .layers import Layer
from .recipe import Quantize, QuantizeLayer
from .select import Selection


@dataclass(frozen=True)
class Format:
    """Of a layer's weights: integers in ±limit, one scale per output channel or one for all."""

    limit: int = 127
    per_channel: bool = True

    @property
    def bits(self) -> int:
        return self.limit.bit_length() + 1


def weight_format(layer: Layer, section: Quantize, selection: Selection[QuantizeLayer], origins: Mapping[str, str]) -> Format:
    """What the section says of the layer, then its overrides. `origins`: node name -> the name that the recipe knows it by."""
    bits = section.bits
    if layer.is_pointwise and section.pointwise_bits is not None:
        bits = section.pointwise_bits
    for override in selection.overrides.get(origins.get(layer.name, layer.name), []):
        bits = override.bits or bits
    return Format((1 << bits - 1) - 1, section.per_channel)
