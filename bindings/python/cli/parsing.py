"""Values of options."""

from collections.abc import Iterable

import typer


def pairs(texts: Iterable[str], option: str) -> dict[str, str]:
    """NAME=VALUE texts as a mapping."""
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.rpartition("=")
        if not (name and equals and value):
            raise typer.BadParameter(f"{text!r} is not NAME=VALUE", param_hint=option)
        if name in found:
            raise typer.BadParameter(f"{name!r} is given twice", param_hint=option)
        found[name] = value
    return found


def dimensions(texts: Iterable[str], option: str = "--dims") -> dict[str, tuple[int, ...]]:
    """NAME=1x3x224x224 texts as shapes by name."""
    return {name: integers(value, option) for name, value in pairs(texts, option).items()}


def integers(text: str, option: str) -> tuple[int, ...]:
    """Positive integers, separated by x or commas."""
    try:
        values = tuple(int(part) for part in text.replace("x", ",").split(","))
    except ValueError:
        values = ()
    if not values or min(values) < 1:
        raise typer.BadParameter(f"{text!r} is not a list of positive integers such as 1x3x224x224", param_hint=option)
    return values


def floats(text: str, option: str) -> tuple[float, ...]:
    """Numbers, separated by commas."""
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a list of numbers such as .485,.456,.406", param_hint=option) from None
