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

    def problem(self, fit_bias: bool = True) -> Problem:
        """The layer's least-squares problem. With `fit_bias`, over the bias as well: the best one takes the means away."""
        n = max(self.count, 1)
        x, y = self.inputs / n, self.outputs / n
        signal = np.maximum(self.power / n - y * y, 0)
        if not fit_bias:
            return Problem(self.inner / n, self.cross / n, self.power / n, signal, np.zeros_like(x), np.zeros_like(y))
        hessian = self.inner / n
        hessian -= x[:, :, None] * x[:, None, :]
        return Problem(hessian, self.cross / n - y[:, :, None] * x[:, None, :], signal, signal, x, y)


@dataclass
class Problem:
    """min over W [group, out, k] and b of the mean of |W x + b - y|² over columns, b at its best: per output channel w of a group

        error(w) = w H wᵀ - 2 w cᵀ + p,    b = mean_y - w · mean_x

    hessian H [group, k, k], cross c [group, out, k], power p [group, out], signal: the variance of y [group, out], mean_x [group, k],
    mean_y [group, out]; all f64. out counts the channels of one group.
    """

    hessian: np.ndarray
    cross: np.ndarray
    power: np.ndarray
    signal: np.ndarray
    mean_x: np.ndarray
    mean_y: np.ndarray

    def errors(self, weight: np.ndarray, bias: np.ndarray | None = None) -> np.ndarray:
        """[group, out]: mean squared error of every output channel, for weights [group, out, k] and, where the problem has one,
        a bias [group, out]; by default the best."""
        weight = weight.astype(np.float64)
        least = np.maximum(((weight @ self.hessian - 2 * self.cross) * weight).sum(axis=2) + self.power, 0)
        return least if bias is None else least + np.square(bias - self.bias(weight))

    def bias(self, weight: np.ndarray) -> np.ndarray:
        """The best bias [group, out]."""
        return self.mean_y - (weight @ self.mean_x[:, :, None])[:, :, 0]

    def times(self, share: np.ndarray) -> Problem:
        """The problem with every group's errors times its `share` [group]."""
        each, row = share[:, None, None], share[:, None]
        return Problem(self.hessian * each, self.cross * each, self.power * row, self.signal * row, self.mean_x, self.mean_y)

    def damped(self, damping: float, prior: np.ndarray) -> Problem:
        """The problem with λ |W - prior|² added, λ = `damping` times the mean of H's diagonal (of all groups): directions that the data do
        not show stay as they are in `prior` [group, out, k]."""
        k = self.hessian.shape[-1]
        ridge = damping * float(np.trace(self.hessian, axis1=1, axis2=2).mean()) / k or 1.0
        hessian = self.hessian.copy()
        hessian[:, np.arange(k), np.arange(k)] += ridge
        power = self.power + ridge * np.square(prior, dtype=np.float64).sum(axis=2)
        return Problem(hessian, self.cross + ridge * prior.astype(np.float64), power, self.signal, self.mean_x, self.mean_y)
