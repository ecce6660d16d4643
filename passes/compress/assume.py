"""Stand-ins for what data and training would decide: they give a model the form, and so the speed, that compressing it would give."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from ...graph import View
from ..base import GraphPass, Reject
from ..patch import Patch
from .layers import weight_layers
from .parameters import set_parameters
from .quantize import plan_selected, planned_formats
from .quantize_math import activation_params
from .quantized import layer_inputs, nearest_layers, quantize_as_planned
from .recipe import Quantize, QuantizeLayer
from .select import Selection

RANGE = (-4.0, 4.0)
"""Of every activation."""


@dataclass
class AssumeInt8(GraphPass):
    """What QuantizeInt8 does, without calibration: every activation is taken to lie in RANGE. `origins`: as there."""

    section: Quantize
    selection: Selection[QuantizeLayer]
    origins: Mapping[str, str] = field(default_factory=dict)

    name = "assume-int8"
    lossy = True

    def patches(self, view: View) -> Iterator[Patch | Reject]:
        plan = plan_selected(view, self.selection, self.origins)
        params = dict.fromkeys(plan.source, activation_params(*RANGE))
        formats = planned_formats(plan, self.section, self.selection, self.origins)
        rounded = nearest_layers(plan, formats, layer_inputs(plan, params), {})
        yield from quantize_as_planned(view, plan, params, formats, rounded)


@dataclass
class AssumeWeights(GraphPass):
    """Random weights in place of weights that are all alike, as in models that were exported without any: among equals, pruning by
    magnitude would take whole channels."""

    name = "assume-weights"
    lossy = True

    def patches(self, view: View) -> Iterator[Patch | Reject]:
        rng = np.random.default_rng(0)
        for layer in weight_layers(view.graph):
            if layer.weight.size > 1 and np.ptp(layer.weight) == 0:
                yield set_parameters(layer, rng.standard_normal(layer.weight.shape).astype(np.float32))
