"""The sensitivity of layers as an SVG bar chart, logarithmic: a group for each layer, the most harmful first, a bar for each technique."""

from __future__ import annotations

from html import escape
from math import ceil, floor, log10

from .passes.sensitivity import Sensitivity

LEFT, RIGHT, TOP, BOTTOM, BAR, GAP, ACROSS = 360, 120, 70, 50, 9, 8, 420
COLORS = ("#3465a4", "#cc6611", "#4e9a06", "#75507b", "#c4a000", "#555753")
LEAST = 1e-9


def draw(report: Sensitivity, title: str) -> str:
    """An SVG document: the error of the model's output, over its variance."""
    layers = list(dict.fromkeys(trial.name for trial in report.trials))
    techniques = sorted({trial.technique for trial in report.trials})
    color = {technique: COLORS[i % len(COLORS)] for i, technique in enumerate(techniques)}
    errors = [max(trial.result_error, LEAST) for trial in report.trials] or [1.0]
    low, high = floor(log10(min(errors))), max(ceil(log10(max(errors))), floor(log10(min(errors))) + 1)
    group = len(techniques) * BAR + GAP
    width, height = LEFT + ACROSS + RIGHT, TOP + group * len(layers) + BOTTOM

    def at(error: float) -> float:
        return ACROSS * min(max((log10(max(error, LEAST)) - low) / (high - low), 0.0), 1.0)

    body = [_text(width / 2, 24, title, 16, "middle"), _text(width / 2, 44, "error of the model's output over its variance", 12, "middle")]
    for decade in range(low, high + 1):
        x = LEFT + at(10.0**decade)
        body.append(f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{height - BOTTOM}" stroke="#dddddd"/>')
        body.append(_text(x, height - BOTTOM + 18, f"1e{decade}", anchor="middle"))
    for trial in report.trials:
        y = TOP + group * layers.index(trial.name) + BAR * techniques.index(trial.technique)
        hint = escape(f"{trial.name}, {trial.technique}: error {trial.result_error:.2e}, agreement {trial.agreement:.1%}")
        shape = f'x="{LEFT}" y="{y}" width="{max(at(trial.result_error), 1):.1f}" height="{BAR - 1}" fill="{color[trial.technique]}"'
        body.append(f"<rect {shape}><title>{hint}</title></rect>")
    body += [_text(LEFT - 6, TOP + group * i + group / 2, name[-56:], anchor="end") for i, name in enumerate(layers)]
    for i, technique in enumerate(techniques):
        y = TOP + 18 * i + 10
        body.append(f'<rect x="{width - RIGHT + 14}" y="{y - 8}" width="10" height="10" fill="{color[technique]}"/>')
        body.append(_text(width - RIGHT + 30, y, technique))
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif">'
    return "\n".join([head, '<rect width="100%" height="100%" fill="white"/>', *body, "</svg>", ""])


def _text(x: float, y: float, text: str, size: int = 11, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}">{escape(text)}</text>'
