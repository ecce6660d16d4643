"""What calibration data show of one layer, each view made when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property

import numpy as np

from .histogram import Histogram
from .layers import Layer
from .reconstruct.moments import LayerMoments, Problem


class LayerData:
    """batches: gives the layer's input and output, batch by batch, each time that it is called."""

    def __init__(self, layer: Layer, batches: Callable[[], Iterable[tuple[np.ndarray, np.ndarray]]]) -> None:
        self._layer, self._batches = layer, batches
        self._problems: dict[float, Problem] = {}

    @property
    def fits_bias(self) -> bool:
        """Whether the layer can have a bias."""
        return self._layer.node.op != "MatMul"

    @cached_property
    def values(self) -> Histogram:
        """Of the input."""
        histogram = Histogram()
        for x, _ in self._batches():
            histogram.add(x)
        return histogram

    def problem(self, damping: float) -> Problem:
        """The damped least-squares problem of giving the output again."""
        if damping not in self._problems:
            prior = self._layer.weight.reshape(self._layer.group, -1, self._layer.weight[0].size)
            self._problems[damping] = self._moments.problem(self.fits_bias).damped(damping, prior)
        return self._problems[damping]

    @cached_property
    def _moments(self) -> LayerMoments:
        moments = LayerMoments.of(self._layer)
        for x, y in self._batches():
            moments.add(self._layer, x, y)
        return moments
