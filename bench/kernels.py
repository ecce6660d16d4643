"""Every kernel that can run a convolution, timed on the shapes of real layers, with the one that lowering selects marked <--.

python -m honed.bench kernels resnet50 --precision int8 --sparsity 0.9 --pattern 4x1 [--isa avx2] [--assert 5] [--json]

Each result is compared with an exact one before it is timed.
"""

import argparse
import json
import statistics
import sys
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from rich.table import Table

from ..cli.console import Step, err, error_line, out, progress
from ..graph.errors import Error
from ..kernels._native import Operator, TensorSpec
from ..kernels.packing import from_bf16, to_bf16
from ..passes.lower.costs import current_costs
from ..passes.lower.families import Precision
from ..passes.lower.select import Candidate, select_conv
from .cases import PATTERNS, ZERO_POINT, Sample, attributes, draw_weights
from .environment import describe_environment
from .shapes import Layer, network_names, read_layers


@dataclass(frozen=True)
class Measurement:
    """One kernel on one layer. effective_gmacs: as if every weight counted."""

    layer: Layer
    kernel: str
    selected: bool
    median_ms: float
    estimated_us: float | None
    effective_gmacs: float


def phases_of(layer: Layer, x: np.ndarray, fill: int) -> np.ndarray:
    """What a strided convolution reads: a plane per channel, row phase and column phase. With stride 1, x itself."""
    if layer.stride == 1:
        return x
    phases = min(layer.stride, layer.kernel)
    size = layer.out_size + (layer.kernel - 1) // layer.stride
    padded = np.full((layer.in_channels, size * layer.stride, size * layer.stride), fill, x.dtype)
    inner = min(layer.size, size * layer.stride - layer.pad)
    padded[:, layer.pad : layer.pad + inner, layer.pad : layer.pad + inner] = x[0, :, :inner, :inner]
    planes = [padded[:, a :: layer.stride, b :: layer.stride] for a in range(phases) for b in range(phases)]
    return np.stack(planes, axis=1).reshape(1, -1, size, size)


def exact_convolution(layer: Layer, x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """f64, so that sums of int8 products are exact: [1, out_channels, H, W]."""
    padded = np.pad(x.astype(np.float64), ((0, 0), (0, 0), (layer.pad,) * 2, (layer.pad,) * 2))[0]
    size, step = layer.out_size, layer.stride
    y = np.zeros((layer.group, layer.out_channels // layer.group, size * size))
    grouped = weights.astype(np.float64).reshape(layer.group, -1, *layer.weight_shape[1:])
    for ky in range(layer.kernel):
        for kx in range(layer.kernel):
            tap = padded[:, ky : ky + (size - 1) * step + 1 : step, kx : kx + (size - 1) * step + 1 : step]
            y += grouped[..., ky, kx] @ tap.reshape(layer.group, -1, size * size)
    return y.reshape(1, layer.out_channels, size, size)


class Case:
    """A layer with weights and an input, and the exact result. precision: bf16 rounds weights and input to what it multiplies."""

    def __init__(self, layer: Layer, sparsity: float, pattern: str, int8: bool, seed: int = 0, precision: Precision = "f32") -> None:
        rng = np.random.default_rng(seed)
        self.layer, self.int8, self.precision = layer, int8, precision
        weights = draw_weights(layer.weight_shape, sparsity, pattern, int8, rng)
        scale = 1.0
        shape = (1, layer.in_channels, layer.size, layer.size)
        self.x = rng.integers(0, 256, shape, np.uint8) if int8 else rng.standard_normal(shape).astype(np.float32)
        if precision == "bf16":
            weights, self.x = (from_bf16(to_bf16(values)) for values in (weights, self.x))
        centred = self.x.astype(np.int64) - ZERO_POINT if int8 else self.x
        self.exact = exact_convolution(layer, centred, weights)
        self.bound = 0.0
        if not int8:
            terms = layer.in_channels // layer.group * layer.kernel**2
            self.bound = terms * float(np.finfo(np.float32).eps) * float(exact_convolution(layer, abs(self.x), abs(weights)).max())
        else:
            # A power of two that spreads the sums over u8: with it, float64 holds what the kernels' fused multiply-add rounds once.
            scale = float(2.0 ** np.floor(np.log2(64 / max(float(self.exact.std()), 1.0))))
            real = (self.exact.astype(np.float32).astype(np.float64) * scale + ZERO_POINT).astype(np.float32)
            self.exact = np.clip(np.rint(real), 0, 255).astype(np.uint8)
        self.sample = Sample(layer, weights, scale)

    def candidates(self) -> list[tuple[Candidate, bool]]:
        """The kernels that can run it, and whether it is the one that lowering selects."""
        size, gap = (self.layer.out_size, self.layer.out_size), self.sample.gap_cols[1]
        choice = select_conv(self.sample.weights, attributes(self.layer), size, current_costs(), gap=gap, precision=self.precision)
        return [(choice.chosen, True)] + [(other, False) for other in choice.others if other.packed is not None]

    def operator(self, candidate: Candidate, isa: str | None) -> Operator:
        sample = self.sample
        dtype, zero = ("u8", ZERO_POINT) if self.int8 else ("f32", 0)
        in_cols, out_cols = sample.gap_cols
        source = TensorSpec(dtype, True, sample.gap_rows, in_cols, zero)
        output = TensorSpec(dtype, True, 0, out_cols, zero)
        assert candidate.packed is not None
        consts = [*candidate.packed.consts, *sample.constants()]
        return Operator(candidate.kernel, [source], [output], attributes(self.layer) | dict(candidate.attrs), consts, isa)

    def measure(self, isa: str | None, seconds: float) -> list[Measurement]:
        """Every candidate once, checked. Raises Error for a result that is not exact (fp32: to the rounding of its sums)."""
        planes = phases_of(self.layer, self.x, ZERO_POINT if self.int8 else 0)
        found = []
        for candidate, selected in self.candidates():
            operator = self.operator(candidate, isa)
            worst = float(np.abs(operator.run([planes])[0].astype(np.float64) - self.exact.astype(np.float64)).max())
            if worst > self.bound:
                raise Error(f"{self.layer}: {operator.kernel_name} is off by {worst}, expected at most {self.bound}")
            median = statistics.median(operator.time([planes], seconds))
            gmacs = self.layer.macs / median / 1e9
            found.append(Measurement(self.layer, operator.kernel_name, selected, median * 1e3, candidate.us, gmacs))
        return found


def measure_network(options: argparse.Namespace, step: Step) -> list[Measurement]:
    """All layers of a network."""
    layers = read_layers(options.network)
    found = []
    for i, layer in enumerate(layers):
        case = Case(layer, options.sparsity, options.pattern, options.precision == "int8")
        found += case.measure(options.isa, options.seconds)
        step(options.network, i + 1, len(layers))
    return found


def misselected(measurements: list[Measurement], percent: float) -> list[str]:
    """The layers for which another kernel is more than so many percent faster than the selected one."""
    lines = []
    for chosen in (m for m in measurements if m.selected):
        best = min((m for m in measurements if m.layer == chosen.layer), key=lambda m: m.median_ms)
        slower = (chosen.median_ms / best.median_ms - 1) * 100
        if slower > percent:
            lines.append(f"{chosen.layer}: {chosen.kernel} takes {slower:.0f} % longer than {best.kernel}")
    return lines


def table_of(measurements: list[Measurement]) -> Table:
    table = Table()
    for name in ("layer", "kernel"):
        table.add_column(name)
    for name in ("ms", "GMAC/s", "estimated"):
        table.add_column(name, justify="right")
    table.add_column("")
    for i, m in enumerate(measurements):
        name = "" if i and measurements[i - 1].layer == m.layer else f"{m.layer} ({m.layer.count}×)"
        numbers = (f"{m.median_ms:.3f}", f"{m.effective_gmacs:.1f}", "" if m.estimated_us is None else f"{m.estimated_us / 1e3:.3f}")
        table.add_row(name, m.kernel, *numbers, "<--" if m.selected else "")
    return table


def parser() -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(prog="python -m honed.bench kernels", description="Time the kernels on the layers of a network.")
    result.add_argument("network", choices=network_names())
    result.add_argument("--precision", choices=("int8", "fp32"), default="int8")
    result.add_argument("--sparsity", type=float, default=0.0, help="share of zero weights")
    result.add_argument("--pattern", choices=tuple(PATTERNS), default="1x1", help="blocks of output channels that are zero together")
    result.add_argument("--isa", help="scalar, avx2, avx512 or avx512vnni; default: all that the CPU has")
    result.add_argument("--seconds", type=float, default=0.1, help="per kernel and layer")
    result.add_argument("--assert", dest="percent", type=float, help="fail where the best kernel is so many percent faster")
    result.add_argument("--json", action="store_true")
    return result


def main(arguments: list[str] | None = None) -> None:
    """Prints a table or JSON. Exit code 1 for an error and where --assert fails."""
    options = parser().parse_args(arguments)
    try:
        with progress() as step:
            measurements = measure_network(options, step)
    except Error as error:
        err().print(error_line(error), markup=False)
        sys.exit(1)
    if options.json:
        rows: list[dict[str, Any]] = [asdict(m) for m in measurements]
        print(json.dumps({"environment": describe_environment(), "measurements": rows}, indent=2))
    else:
        out().print(table_of(measurements))
        total = sum(m.median_ms * m.layer.count for m in measurements if m.selected)
        out().print(f"all convolutions, as selected: {total:.2f} ms")
    lines = [] if options.percent is None else misselected(measurements, options.percent)
    for line in lines:
        err().print(line, markup=False)
    sys.exit(1 if lines else 0)


if __name__ == "__main__":
    main()
