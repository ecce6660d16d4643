"""Which ONNX operators can be lowered."""

from __future__ import annotations

from collections import defaultdict

from . import nodes  # noqa: F401  registers the handlers
from .quantized_form import FORMS
from .translate import HANDLERS


def supported_operators() -> dict[str, list[str]]:
    """Group -> operators of the standard domain, or "domain:Name" of another. A group is a module of `nodes/`, or "quantized forms" for
    operators that are rewritten to others first."""
    groups = defaultdict(list)
    for name, handler in HANDLERS.items():
        groups[handler.__module__.rpartition(".")[2].replace("_", " ")].append(name)
    groups["quantized forms"] += FORMS
    return {group: sorted(groups[group]) for group in sorted(groups)}
