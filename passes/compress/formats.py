"""How many bits the weights of a layer get."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .layers import Layer
from .quantize_math import WEIGHT_MAX
from .recipe import Quantize, QuantizeLayer
from .select import Selection


@dataclass(frozen=True)
class Format:
    """Of a layer's weights: integers in ±limit, one scale per output channel or one for all; with `group_size`, a step for every so many
    weights of an output channel, a whole multiple of its scale. active_only: rounded to those outputs that the activation behind the layer
    passes on."""

    limit: int = 127
    per_channel: bool = True
    group_size: int | None = None
    active_only: bool = False

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
    limit = (1 << bits - 1) - 1
    few = 2 * limit <= WEIGHT_MAX
    return Format(limit, section.per_channel, section.group_size if few else None, section.active_only and few)
