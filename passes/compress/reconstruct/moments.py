"""Second moments of a layer's inputs and wanted outputs, streamed, and the least-squares problem that they state."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..layers import Layer
from .columns import columns


@dataclass
class LayerMoments:
    """Sums over columns: X Xᵀ, Y Xᵀ, X, Y and Y² in f64, of products in f32.

    inner [group, k, k], cross [group, out / group, k], inputs [group, k], outputs and power [group, out / group].
    """

    inner: np.ndarray
    cross: np.ndarray
    inputs: np.ndarray
    outputs: np.ndarray
    power: np.ndarray
    count: int = 0

    @classmethod
    def of(cls, layer: Layer) -> LayerMoments:
        """No columns yet."""
        group, out = layer.group, layer.weight.shape[0] // layer.group
        k = layer.weight[0].size
        each = np.zeros((group, out))
        return cls(np.zeros((group, k, k)), np.zeros((group, out, k)), np.zeros((group, k)), each, each.copy())

    def add(self, layer: Layer, x: np.ndarray, y: np.ndarray) -> None:
        """Counts the layer's input x and the output y that it is to have for it, for some samples."""
        for inputs, outputs in columns(layer, x, y):
            for g in range(layer.group):
                self.inner[g] += inputs[g] @ inputs[g].T
                self.cross[g] += outputs[g] @ inputs[g].T
            self.inputs += inputs.sum(axis=2, dtype=np.float64)
            self.outputs += outputs.sum(axis=2, dtype=np.float64)
            self.power += np.square(outputs).sum(axis=2, dtype=np.float64)
            self.count += inputs.shape[2]

    def __add__(self, other: LayerMoments) -> LayerMoments:
        names = ("inner", "cross", "inputs", "outputs", "power", "count")
        return LayerMoments(*(getattr(self, name) + getattr(other, name) for name in names))

    def problems(self, fit_bias: bool = True) -> list[Problem]:
        """One least-squares problem for each group. With `fit_bias`, over all biases as well: the best one takes the means away."""
        return [self._problem(g, fit_bias) for g in range(len(self.inner))]

    def _problem(self, g: int, fit_bias: bool) -> Problem:
        n = max(self.count, 1)
        x, y = (self.inputs[g] / n, self.outputs[g] / n) if fit_bias else (np.zeros_like(self.inputs[g]), np.zeros_like(self.outputs[g]))
        hessian = self.inner[g] / n
        hessian -= np.outer(x, x)
        signal = np.maximum(self.power[g] / n - np.square(self.outputs[g] / n), 0)
        return Problem(hessian, self.cross[g] / n - np.outer(y, x), np.maximum(self.power[g] / n - y * y, 0), signal, x, y)


@dataclass
class Problem:
    """min over W [out, k] and b of the mean of |W x + b - y|² over columns, b at its best: per output channel w,

        error(w) = w H wᵀ - 2 w cᵀ + p,    b = mean_y - w · mean_x

    hessian H [k, k], cross c [out, k], power p [out], signal: the variance of y [out], mean_x [k], mean_y [out]; all f64.
    """

    hessian: np.ndarray
    cross: np.ndarray
    power: np.ndarray
    signal: np.ndarray
    mean_x: np.ndarray
    mean_y: np.ndarray

    def errors(self, weight: np.ndarray) -> np.ndarray:
        """Mean squared error of every output channel for weights [out, k], with the best bias."""
        weight = weight.astype(np.float64)
        return np.maximum(((weight @ self.hessian - 2 * self.cross) * weight).sum(axis=1) + self.power, 0)

    def bias(self, weight: np.ndarray) -> np.ndarray:
        """The best bias [out]."""
        return self.mean_y - weight @ self.mean_x
