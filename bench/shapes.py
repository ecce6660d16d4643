"""Shapes of the convolutions of real networks: shapes/*.txt."""

from dataclasses import dataclass
from pathlib import Path

from ..graph.errors import Error

FOLDER = Path(__file__).parent / "shapes"
COLUMNS = ("in_channels", "out_channels", "group", "kernel", "stride", "pad", "size", "count")


@dataclass(frozen=True)
class Layer:
    """A convolution with a square kernel over a square image: size is that of the input, count how often the network has it."""

    in_channels: int
    out_channels: int
    group: int
    kernel: int
    stride: int
    pad: int
    size: int
    count: int = 1

    @property
    def out_size(self) -> int:
        return (self.size + 2 * self.pad - self.kernel) // self.stride + 1

    @property
    def weight_shape(self) -> tuple[int, int, int, int]:
        return (self.out_channels, self.in_channels // self.group, self.kernel, self.kernel)

    @property
    def macs(self) -> int:
        """Multiply-adds of one image if every weight counts."""
        return self.out_size**2 * self.out_channels * self.in_channels // self.group * self.kernel**2

    def __str__(self) -> str:
        group = f" group {self.group}" if self.group > 1 else ""
        return f"{self.in_channels}→{self.out_channels}{group} {self.kernel}×{self.kernel}/{self.stride} at {self.size}"


def network_names() -> list[str]:
    """The networks whose shapes are known."""
    return sorted(path.stem for path in FOLDER.glob("*.txt"))


def read_layers(network: str) -> list[Layer]:
    """The different convolutions of a network. Raises Error for a network that is not among network_names()."""
    if network not in network_names():
        raise Error(f"no shapes of {network!r}, expected one of {', '.join(network_names())}")
    lines = (FOLDER / f"{network}.txt").read_text(encoding="utf-8").splitlines()
    return [Layer(*map(int, line.split())) for line in lines if line and not line.startswith("#")]
