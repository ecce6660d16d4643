"""The roofline plot (Williams, Waterman and Patterson, "Roofline: an insightful visual performance model", 2009) as SVG.

Horizontal: multiply-adds per byte moved; vertical: multiply-adds per second; both logarithmic. Lines are the limits of the machine,
points the layers of a model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import floor, log10
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .layers import LayerTime
    from .peak import Peaks

WIDTH, HEIGHT = 900, 600
LEFT, RIGHT, TOP, BOTTOM = 80, 170, 50, 60
COLORS = ("#3465a4", "#cc6611", "#4e9a06", "#75507b", "#c4a000", "#555753")


@dataclass(frozen=True)
class Axes:
    """Decades shown: intensity (multiply-adds per byte) and speed (G multiply-adds per second)."""

    x: tuple[int, int]
    y: tuple[int, int]

    def at(self, intensity: float, gmacs: float) -> tuple[float, float]:
        """Pixels; outside of the decades, their edge."""
        (x0, x1), (y0, y1) = self.x, self.y
        across = min(max((log10(intensity) - x0) / (x1 - x0), 0.0), 1.0)
        up = min(max((log10(gmacs) - y0) / (y1 - y0), 0.0), 1.0)
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)


def draw(layers: Sequence[LayerTime], peaks: Peaks, title: str, threads: int = 1) -> str:
    """An SVG document with the layers that multiply and whose bytes are known."""
    points = [x for x in layers if x.macs_done and x.bytes and x.us > 0]
    intensities = [(x.macs_done or 0) / (x.bytes or 1) for x in points]
    speeds = [(x.macs_done or 0) / x.us / 1e3 for x in points]
    top = max(peaks.f32_macs_per_s, peaks.u8s8_macs_per_s) * threads / 1e9
    slowest = min(speeds, default=top / 100)
    across = floor(log10(min(intensities, default=1.0))), floor(log10(max(intensities, default=1.0))) + 1
    axes = Axes(across, (floor(log10(slowest)), floor(log10(top)) + 1))
    operators = list(dict.fromkeys(x.operator for x in points))
    color = {operator: COLORS[i % len(COLORS)] for i, operator in enumerate(operators)}
    body = [_text(WIDTH / 2, 28, title, 16, "middle"), *_grid(axes), *_limits(axes, peaks, threads)]
    for layer, intensity, speed in zip(points, intensities, speeds, strict=True):
        x, y = axes.at(intensity, speed)
        share = "" if layer.share_of_bound is None else f", {layer.share_of_bound:.0%} of bound"
        hint = escape(f"{layer.name}: {layer.kernel}, {layer.us:.1f} µs, {speed:.1f} GMAC/s{share}")
        shape = f'cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{color[layer.operator]}" fill-opacity="0.6"'
        body.append(f"<circle {shape}><title>{hint}</title></circle>")
    for i, operator in enumerate(operators):
        y = TOP + 20 * i + 10
        body += [f'<circle cx="{WIDTH - RIGHT + 20}" cy="{y}" r="5" fill="{color[operator]}"/>', _text(WIDTH - RIGHT + 32, y + 4, operator)]
    size = f'width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif">'
    return "\n".join([head, '<rect width="100%" height="100%" fill="white"/>', *body, "</svg>", ""])


def _grid(axes: Axes) -> list[str]:
    (x0, x1), (y0, y1) = axes.x, axes.y
    lines = []
    for decade in range(x0, x1 + 1):
        x, _ = axes.at(10.0**decade, 10.0**y0)
        lines += [_line((x, TOP), (x, HEIGHT - BOTTOM), "#dddddd"), _text(x, HEIGHT - BOTTOM + 18, f"{10.0**decade:g}", anchor="middle")]
    for decade in range(y0, y1 + 1):
        _, y = axes.at(10.0**x0, 10.0**decade)
        lines += [_line((LEFT, y), (WIDTH - RIGHT, y), "#dddddd"), _text(LEFT - 8, y + 4, f"{10.0**decade:g}", anchor="end")]
    lines.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 18, "multiply-adds per byte", 13, "middle"))
    lines.append(f'<g transform="translate(22 {(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)">{_text(0, 0, "GMAC/s", 13, "middle")}</g>')
    return lines


def _limits(axes: Axes, peaks: Peaks, threads: int) -> list[str]:
    """Flat lines for the multiply-adds, slanted ones for the bandwidth of each level up to the highest flat one."""
    lines = []
    flat = {"int8": peaks.u8s8_macs_per_s * threads, "fp32": peaks.f32_macs_per_s * threads}
    for name, limit in flat.items():
        start, end = axes.at(10.0 ** axes.x[0], limit / 1e9), axes.at(10.0 ** axes.x[1], limit / 1e9)
        lines += [_line(start, end, "black"), _text(end[0] + 6, end[1] + 4, f"{name} {limit / 1e9:.0f}")]
    highest = max(flat.values())
    for level in peaks.levels:
        bandwidth = level.load_bytes_per_s * threads
        low = max(10.0 ** axes.x[0], 10.0 ** axes.y[0] * 1e9 / bandwidth)
        high = min(highest / bandwidth, 10.0 ** axes.x[1])
        if low < high:
            start, end = axes.at(low, low * bandwidth / 1e9), axes.at(high, high * bandwidth / 1e9)
            lines += [_line(start, end, "#888888"), _text(start[0] + 4, start[1] - 6, f"{level.name} {bandwidth / 1e9:.0f} GB/s")]
    return lines


def _line(start: tuple[float, float], end: tuple[float, float], color: str) -> str:
    return f'<line x1="{start[0]:.1f}" y1="{start[1]:.1f}" x2="{end[0]:.1f}" y2="{end[1]:.1f}" stroke="{color}"/>'


def _text(x: float, y: float, text: str, size: int = 11, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}">{escape(text)}</text>'
