"""The limits of one core, measured: multiply-adds per second and load bandwidth from each level of memory.

python -m honed.bench peak [--isa avx2] [--json]
"""

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.table import Table

from ..cli.console import out
from ..kernels._native import isa_levels
from ..kernels._peak import load_bytes_per_second, products_per_second
from .environment import describe_environment

CACHES = Path("/sys/devices/system/cpu/cpu0/cache")
TYPICAL_CACHES = {"L1": 32 << 10, "L2": 1 << 20, "L3": 32 << 20}
"""Where the system does not say."""
LEAST_LEVEL = "avx2"


@dataclass(frozen=True)
class Level:
    """A level of memory. bytes: its size, None for DRAM."""

    name: str
    bytes: int | None
    load_bytes_per_s: float


@dataclass(frozen=True)
class Peaks:
    """Of one core with the instruction sets up to `isa`: scalar multiply-adds per second, and the levels of memory, nearest first."""

    isa: str
    f32_macs_per_s: float
    u8s8_macs_per_s: float
    levels: tuple[Level, ...]

    def macs_per_s(self, int8: bool) -> float:
        return self.u8s8_macs_per_s if int8 else self.f32_macs_per_s

    def level_of(self, working_set: int) -> Level:
        """The nearest level that holds so many bytes."""
        return next((level for level in self.levels if level.bytes is None or working_set <= level.bytes), self.levels[-1])

    def bound_s(self, macs: float, int8: bool, moved_bytes: int, threads: int = 1) -> float:
        """The least seconds that so many multiply-adds and bytes take on `threads` such cores."""
        moving = moved_bytes / self.level_of(moved_bytes // threads).load_bytes_per_s
        return max(macs / self.macs_per_s(int8), moving) / threads


def cache_sizes(folder: Path = CACHES) -> dict[str, int]:
    """Bytes of the data caches of one core, by level, as the system tells them."""
    found = dict(TYPICAL_CACHES)
    for index in sorted(folder.glob("index*")):
        try:
            level, kind, size = ((index / name).read_text().strip() for name in ("level", "type", "size"))
        except OSError:
            continue
        if kind != "Instruction" and f"L{level}" in found and size.endswith("K") and size[:-1].isdigit():
            found[f"L{level}"] = int(size[:-1]) << 10
    return found


def measure_peaks(isa: str | None = None, seconds: float = 0.15) -> Peaks:
    """isa: the highest level that may be used, at least avx2; default: all that the CPU has. seconds: per number.

    Half of each cache is read again and again; of memory, four times the largest cache, up to 512 MB.
    """
    isa = isa or isa_levels()[-1]
    sizes = cache_sizes()
    buffers = {name: size // 2 for name, size in sizes.items()} | {"DRAM": min(4 * sizes["L3"], 512 << 20)}
    levels = tuple(Level(name, sizes.get(name), load_bytes_per_second(isa, size, seconds)) for name, size in buffers.items())
    return Peaks(isa, products_per_second(isa, "f32", seconds), products_per_second(isa, "u8s8", seconds), levels)


def table_of(measured: list[Peaks]) -> Table:
    """One line per level of instruction sets."""
    table = Table(title="One core: G multiply-adds/s (two operations each), and GB/s loaded", title_justify="left")
    for name in ("isa", "fp32 GMAC/s", "int8 GMAC/s", *(level.name for level in measured[0].levels)):
        table.add_column(name, justify="left" if name == "isa" else "right")
    for peaks in measured:
        numbers = [peaks.f32_macs_per_s, peaks.u8s8_macs_per_s, *(level.load_bytes_per_s for level in peaks.levels)]
        table.add_row(peaks.isa, *(f"{number / 1e9:.1f}" for number in numbers))
    return table


def main(arguments: list[str] | None = None) -> None:
    """Prints a table or JSON."""
    known = isa_levels()[isa_levels().index(LEAST_LEVEL) :] if LEAST_LEVEL in isa_levels() else []
    parser = argparse.ArgumentParser(prog="python -m honed.bench peak", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--isa", choices=known, help="default: all that the CPU has, from avx2 on")
    parser.add_argument("--seconds", type=float, default=0.15, help="per number")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    measured = [measure_peaks(isa, options.seconds) for isa in ([options.isa] if options.isa else known)]
    if options.json:
        print(json.dumps({"environment": describe_environment(), "peaks": [asdict(peaks) for peaks in measured]}, indent=2))
    elif measured:
        out().print(table_of(measured))
    else:
        out().print("this CPU has no AVX2, and only its loops are measured")


if __name__ == "__main__":
    main()
