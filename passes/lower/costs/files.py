"""Tables of costs as files: those that come with the package, one per level of instruction sets, and one per CPU in the user's cache.

A table is JSON: {"format": 1, "cpu", "isa", "version", "families": {family: {"work": [names], "ns": [numbers], "seen": [[numbers], ...]}}},
and, where more than one thread was measured, "threads": {count: {type of operator: [slowdown, handover in ns]}}.
"""

from __future__ import annotations

import json
import os
import platform
import re
from dataclasses import replace
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from ....graph import write_atomically
from ....graph.errors import Error
from ....kernels._native import has_bf16, has_code, has_vbmi, isa_levels
from ..families import UNWRITTEN
from .model import Costs, FamilyCosts
from .spread import ANY, Spread, Spreads

FORMAT = 1
_TABLES = Path(__file__).parent / "tables"
_FALLBACK = {"avx512": "avx2", "scalar": "avx2"}
"""Levels without a table of their own: relative costs are alike."""
_MOST_BYTES, _MOST_FAMILIES, _MOST_AMOUNTS, _MOST_SEEN, _MOST_COUNTS = 16 << 20, 1000, 32, 20000, 64


def cpu_name() -> str:
    """The CPU's name as the system gives it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()


def present_isa() -> str:
    """The highest level that kernels may use: HONED_ISA, or all that the CPU has."""
    return os.environ.get("HONED_ISA") or isa_levels()[-1]


def writes_code(isa: str) -> bool:
    """Whether kernels are written at run time: the level has some, and the system and HONED_CODE allow it."""
    return isa.startswith("avx512") and has_code() and os.environ.get("HONED_CODE") != "0"


def cache_path(isa: str) -> Path:
    """Where `honed tune` leaves the table of this CPU, level and version: below XDG_CACHE_HOME, by default ~/.cache."""
    base = os.environ.get("XDG_CACHE_HOME")
    folder = Path(base) if base and os.path.isabs(base) else Path.home() / ".cache"
    name = re.sub(r"[^A-Za-z0-9.]+", "-", f"{cpu_name()}-{isa}-{version('honed')}").strip("-").lower()
    return folder / "honed" / f"costs-{name}.json"


def current_costs() -> Costs:
    """Of this CPU, as `honed tune` measured them; where it did not, those that come with the package."""
    isa = present_isa()
    path = cache_path(isa)
    try:
        stamp = path.stat().st_mtime_ns
    except OSError:
        return _as_written(_package_costs(isa))
    return _as_written(_read_cached(path, stamp) or _package_costs(isa))


def _as_written(costs: Costs) -> Costs:
    """Where no kernels are written at run time, they cost what their other form does."""
    forms = [name for name in costs.families if name.endswith(f" {UNWRITTEN}")]
    if not forms or writes_code(costs.isa):
        return costs
    return replace(costs, families={**costs.families, **{name.removesuffix(f" {UNWRITTEN}"): costs.families[name] for name in forms}})


def _package_costs(isa: str) -> Costs:
    """The highest level's were measured on a CPU with bf16 and VBMI: of others without bf16 it is not known what its products take, and
    sparse int8 Gemms without VBMI are those of AVX2."""
    costs = default_costs(isa)
    if isa != "avx512vnni" or (has_bf16() and has_vbmi()):
        return costs
    families = dict(costs.families)
    if not has_bf16():
        families = {name: family for name, family in families.items() if not name.endswith("_bf16")}
    if not has_vbmi():
        families["sparse_gemm_u8s8"] = default_costs("avx2").families["sparse_gemm_u8s8"]
    return replace(costs, families=families)


@lru_cache(maxsize=4)
def _read_cached(path: Path, stamp: int) -> Costs | None:
    """None for a file that is damaged: a cache is never a reason to fail."""
    try:
        return read_costs(path)
    except (Error, OSError):
        return None


@lru_cache(maxsize=4)
def default_costs(isa: str) -> Costs:
    """The package's own for a level of instruction sets."""
    path = _TABLES / f"{isa}.json"
    return read_costs(path if path.is_file() else _TABLES / f"{_FALLBACK.get(isa, 'avx2')}.json")


def write_costs(costs: Costs, path: str | os.PathLike[str]) -> None:
    """The whole file or nothing; makes its folder."""
    families = {
        name: {"work": family.work, "ns": family.ns, "seen": [[float(f"{x:.6g}") for x in row] for row in family.seen.tolist()]}
        for name, family in costs.families.items()
    }
    head = {"format": FORMAT, "cpu": costs.cpu, "isa": costs.isa, "version": costs.version}
    lines = [f"{json.dumps(name)}: {json.dumps(facts, separators=(',', ':'))}" for name, facts in families.items()]
    text = json.dumps(head)[:-1] + ', "families": {\n' + ",\n".join(lines) + "\n}" + _spreads_text(costs.spreads) + "}\n"
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, text.replace(".0,", ",").replace(".0]", "]").encode())


def _spreads_text(spreads: Spreads) -> str:
    if not spreads:
        return ""
    lines = [
        f'"{count}": ' + json.dumps({kind: [spread.slowdown, spread.handover_ns] for kind, spread in sorted(kinds.items())})
        for count, kinds in sorted(spreads.items())
    ]
    return ', "threads": {\n' + ",\n".join(lines) + "\n}"


def read_costs(path: str | os.PathLike[str]) -> Costs:
    """Raises Error, which names the file, for anything but a table; OSError where it cannot be read."""
    path = Path(path)
    if path.stat().st_size > _MOST_BYTES:
        raise Error(f"{path}: {path.stat().st_size} bytes, expected a table of costs of at most {_MOST_BYTES}")
    try:
        return _costs(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as problem:
        raise Error(f"{path}: not a table of costs: {problem}") from None


def _costs(facts: dict[str, Any]) -> Costs:
    _require(facts["format"] == FORMAT, f"format {facts['format']!r}, expected {FORMAT}")
    texts = [facts[name] for name in ("cpu", "isa", "version")]
    _require(all(isinstance(text, str) for text in texts), "cpu, isa and version are texts")
    _require(0 < len(facts["families"]) <= _MOST_FAMILIES, f"{len(facts['families'])} families, expected 1 to {_MOST_FAMILIES}")
    families = {str(name): _family(str(name), family) for name, family in facts["families"].items()}
    cpu, isa, tuned_version = texts
    return Costs(cpu, isa, tuned_version, families, _spreads(facts.get("threads", {})))


def _spreads(facts: dict[str, Any]) -> Spreads:
    _require(len(facts) <= _MOST_COUNTS, f"{len(facts)} numbers of threads, expected at most {_MOST_COUNTS}")
    found = {int(count): {str(kind): _spread(kind, numbers) for kind, numbers in kinds.items()} for count, kinds in facts.items()}
    for count, kinds in found.items():
        complete = count > 1 and ANY in kinds and len(kinds) <= _MOST_FAMILIES
        _require(complete, f"{count} threads: expected at least 2, and {ANY!r} among types")
    return found


def _spread(kind: str, numbers: Any) -> Spread:
    pair = _numbers(numbers, kind)
    _require(pair.shape == (2,), f"{kind}: {pair.size} numbers, expected a slowdown and a handover")
    return Spread(*pair.tolist())


def _family(name: str, facts: dict[str, Any]) -> FamilyCosts:
    work = tuple(str(amount) for amount in facts["work"])
    _require(0 < len(work) <= _MOST_AMOUNTS, f"{name}: {len(work)} amounts, expected 1 to {_MOST_AMOUNTS}")
    ns = _numbers(facts["ns"], name)
    _require(ns.shape == (len(work),), f"{name}: {ns.size} coefficients for {len(work)} amounts")
    _require(len(facts["seen"]) <= _MOST_SEEN, f"{name}: {len(facts['seen'])} measurements, expected at most {_MOST_SEEN}")
    seen = _numbers(facts["seen"], name).reshape(-1, len(work) + 1)
    _require(
        len(seen) == len(facts["seen"]) and bool((seen[:, -1] > 0).all()), f"{name}: measurements of another length, or without a time"
    )
    return FamilyCosts(work, tuple(ns.tolist()), seen)


def _numbers(values: Any, name: str) -> np.ndarray:
    array = np.array(values, np.float64)
    _require(bool(np.isfinite(array).all() and (array >= 0).all()), f"{name}: a number is negative or not finite")
    return array


def _require(condition: bool, problem: str) -> None:
    if not condition:
        raise ValueError(problem)
