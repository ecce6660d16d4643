"""Selectors of a recipe against a model: node names, glob patterns over node names, and operator types."""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from ...graph.errors import RecipeError

T = TypeVar("T")

# Operator types that a selector may name although the model has none, so that one recipe serves several models.
KNOWN_TYPES = frozenset({
    "Add", "AveragePool", "Clip", "Concat", "Conv", "ConvTranspose", "Flatten", "Gemm", "GlobalAveragePool", "HardSigmoid", "HardSwish",
    "LeakyRelu", "MatMul", "MaxPool", "Relu", "Reshape", "Sigmoid", "Slice", "Split", "Squeeze", "Transpose", "Unsqueeze",
})  # fmt: skip


@dataclass(frozen=True)
class Target:
    """A node, as far as selectors know it."""

    name: str
    op: str


@dataclass
class Selection(Generic[T]):
    """What a section of a recipe says of each node, by node name."""

    skipped: dict[str, str] = field(default_factory=dict)  # node name -> the selector that skips it
    overrides: dict[str, list[T]] = field(default_factory=dict)  # node name -> overrides, the most specific one last
    exact: dict[str, T] = field(default_factory=dict)  # node name -> the override that names this very node


def is_match(selector: str, target: Target) -> bool:
    """Whether a selector means a node: its name, its operator type, or a glob over its name (case-sensitive)."""
    return selector in (target.name, target.op) or fnmatch.fnmatchcase(target.name, selector)


def _specificity(selector: str, target: Target) -> int:
    if selector == target.name:
        return 2
    return 0 if selector == target.op else 1


def resolve(
    section: str, targets: Iterable[Target], skip: Iterable[str] = (), layers: Mapping[str, T] | None = None
) -> Selection[T]:
    """Matches the selectors of one section against the nodes of a model.

    Where several overrides match a node, an operator type yields to a glob and a glob to a name; among equals the later one wins.
    Raises RecipeError for all selectors that match nothing, with the nearest names.
    """
    targets, skip, layers = list(targets), list(skip), dict(layers or {})
    _require_matches(section, targets, [*skip, *layers])
    selection: Selection[T] = Selection()
    for target in targets:
        for selector in skip:
            if is_match(selector, target):
                selection.skipped.setdefault(target.name, selector)
        matching = [selector for selector in layers if is_match(selector, target)]
        matching.sort(key=lambda selector: _specificity(selector, target))
        if matching:
            selection.overrides[target.name] = [layers[selector] for selector in matching]
        if target.name in layers:
            selection.exact[target.name] = layers[target.name]
    return selection


def _require_matches(section: str, targets: list[Target], selectors: list[str]) -> None:
    unknown = [s for s in dict.fromkeys(selectors) if s not in KNOWN_TYPES and not any(is_match(s, target) for target in targets)]
    if unknown:
        names = [target.name for target in targets]
        raise RecipeError(f"{section}: no node of the model matches " + ", ".join(_suggest(selector, names) for selector in unknown))


def _suggest(selector: str, names: list[str]) -> str:
    near = difflib.get_close_matches(selector, names, n=3, cutoff=0.5)
    return f"'{selector}'" + (f" (near: {', '.join(near)})" if near else "")
