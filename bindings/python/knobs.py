"""Environment variables that change what honed does."""

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Knob:
    """An environment variable, what it does, and its present value (None: not set)."""

    name: str
    doc: str
    value: str | None


_DOCS = {
    "HONED_ISA": "Highest instruction set that kernels may use: scalar, avx2, avx512 or avx512vnni. Default: all that the CPU has.",
    "HONED_CODE": "0: no kernels that are written at run time. Default: where the system grants memory that can be made executable.",
    "HONED_C_BUILD": "Build time: the folder in which the C library is built. Default: build/c.",
}


def knobs() -> list[Knob]:
    """Every environment variable that honed reads."""
    return [Knob(name, doc, os.environ.get(name)) for name, doc in _DOCS.items()]
