"""Measures what every family of kernels costs on this machine, over the layers of real networks, sparsities and patterns.

`honed tune` runs it and leaves the table in the user's cache; compiling then chooses by it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib.metadata import version

import numpy as np

from .._runtime import Engine
from ..cli.console import Step
from ..passes.lower.costs import ANY, Costs, FamilyCosts, fit
from ..passes.lower.costs.files import cpu_name, writes_code
from ..passes.lower.families import CONVOLUTIONS, PRODUCTS, UNWRITTEN, GemmLayer
from .cases import Sample, draw_weights
from .elementwise_probes import elementwise_probes
from .probes import FAMILIES, Probe, Timed, has_forms
from .shapes import Layer, network_names, read_layers
from .spreads import Split, programs, spreads_of, time_split

SPARSE = {"1x1": (0.5, 0.8, 0.9, 0.95), "2x1": (0.8, 0.9), "4x1": (0.5, 0.8, 0.9, 0.95)}
"""By pattern: the shares of zeros that are measured."""
PRODUCT_SHAPES = (
    *((1, 1000, 2048), (1, 1000, 1280), (1, 10, 512), (1, 10, 240), (1, 240, 10), (1, 20, 480), (1, 480, 20), (1, 48, 1152), (1, 1152, 48)),
    *((64, 432, 144), (256, 288, 144), (196, 480, 240), (49, 960, 320)),
)
"""Rows of x, N and K: classifiers, squeeze-and-excite, and products of transformers."""
PRODUCT_ZEROS = (0.0, 0.8, 0.95)
MOST_FAMILIES = max(len(families) for families in CONVOLUTIONS.values())
GATES, GATED_EVERY = (1, 2), 2
"""Kinds of activations with a gate, and how many layers there are to one that is measured with them, since outputs say what they take;
of depthwise layers, whose outputs take the most part of the time, every one is."""
LEAST_WEIGHTS = 1024
"""Layers with fewer are not measured with zeros."""


@dataclass(frozen=True)
class Variant:
    """How the weights of a network's layers are drawn, and which families are measured: the sparse ones or all."""

    int8: bool
    pattern: str = "1x1"
    sparsity: float = 0.0


VARIANTS = tuple(
    Variant(int8, pattern, zeros)
    for int8 in (True, False)
    for pattern, zeros in (("1x1", 0.0), *((pattern, zeros) for pattern, shares in SPARSE.items() for zeros in shares))
)


def tune(step: Step, networks: list[str] | None = None, keep_from: float = 0.0) -> Costs:
    """The costs of this machine with the instruction sets that HONED_ISA allows, on one thread, and what more threads make of them.

    networks: whose layers are measured, by default all of which the shapes are known. keep_from: as `fit` has it. step: told of every part.
    """
    engine, plain, every = Engine(1), engine_without_code(), Engine()
    networks = networks or network_names()
    probes = [*conv_probes(networks), *product_probes(), *elementwise_probes()]
    splits = list(programs()) if every.threads > 1 else []
    timed: list[Timed] = []
    for i, make in enumerate(probes):
        step("measuring", i, len(probes) + len(splits))
        timed += time_probe(make(), engine, plain)
    measured: list[Split] = []
    for i, split in enumerate(splits, len(probes)):
        step("measuring", i, len(probes) + len(splits))
        measured += time_split(split(), every)
    step("measuring", len(probes) + len(splits), len(probes) + len(splits))
    return Costs(cpu_name(), engine.isa, version("honed"), families_of(timed, keep_from), spreads_of(measured))


def engine_without_code() -> Engine:
    """Of one thread, that writes no kernels at run time."""
    before = os.environ.get("HONED_CODE")
    os.environ["HONED_CODE"] = "0"
    try:
        return Engine(1)
    finally:
        os.environ.pop("HONED_CODE")
        if before is not None:
            os.environ["HONED_CODE"] = before


def time_probe(probe: Probe, engine: Engine, plain: Engine) -> list[Timed]:
    """By an engine, and in their other form by one that writes nothing at run time as well."""
    timed = probe.time(engine)
    if not probe.has_forms():
        return timed
    if not writes_code(engine.isa):
        return [replace(one, family=_common(one)) for one in timed]
    return timed + [replace(one, family=f"{_common(one)} {UNWRITTEN}") for one in probe.time(plain) if has_forms(one.family)]


def _common(one: Timed) -> str:
    return FAMILIES[one.family].key if one.family in FAMILIES else one.family


def conv_probes(networks: list[str]) -> Iterator[Callable[[], Probe]]:
    """One for each network, variant and family that runs some of its layers."""
    for network in networks:
        layers = read_layers(network)
        for variant in VARIANTS:
            for index in range(MOST_FAMILIES if variant.sparsity == 0.0 else 1):
                yield lambda layers=layers, variant=variant, index=index: conv_probe(layers, variant, index)  # type: ignore[misc]


def conv_probe(layers: list[Layer], variant: Variant, index: int) -> Probe:
    """Every layer by the family `index` of those that can run it (with zeros, by the sparse one), and with a residual where
    networks may have one: behind the last convolution of a block. Some layers also have each kind of gate."""
    probe, rng = Probe(), np.random.default_rng(index)
    for place, layer in enumerate(layers):
        if variant.sparsity > 0.0 and int(np.prod(layer.weight_shape)) < LEAST_WEIGHTS:
            continue
        sample = Sample(layer, draw_weights(layer.weight_shape, variant.sparsity, variant.pattern, variant.int8, rng), 1e-3)
        families = sample.families if variant.sparsity == 0.0 else [f for f in sample.families if f.name.startswith("sparse")]
        if index < len(families):
            probe.convolution(sample, families[index])
            if layer.stride == 1 and layer.group == 1:
                probe.convolution(sample, families[index], residual=True)
            for gate in GATES if place % GATED_EVERY == 0 or families[index].name.startswith("depthwise") else ():
                probe.convolution(sample, families[index], gate=gate)
    return probe


def product_probes() -> Iterator[Callable[[], Probe]]:
    """Matrix products with weights, dense and sparse."""
    for int8 in (True, False):
        yield lambda int8=int8: product_probe(int8)  # type: ignore[misc]


def product_probe(int8: bool) -> Probe:
    """Float weights come from memory, as in networks, of which few have less than caches hold."""
    probe, rng = Probe(), np.random.default_rng(0)
    if not int8:
        probe.forget()
    for rows, n, k in PRODUCT_SHAPES:
        for zeros in PRODUCT_ZEROS:
            weights = draw_weights((n, k), zeros, "1x1", int8, rng)
            for family in PRODUCTS["u8s8" if int8 else "bf16"]:
                sparse = family.name.startswith("sparse")
                if sparse == (zeros > 0.0) and family.refuse(GemmLayer(weights, rows)) is None:
                    probe.product(weights, rows, family)
    return probe


def families_of(timed: list[Timed], keep_from: float) -> dict[str, FamilyCosts]:
    """The costs of each family, and of operators that are none of them: those of ANY are their fit alone."""
    found = {}
    groups: dict[str, list[Timed]] = {}
    for one in timed:
        groups.setdefault(one.family, []).append(one)
        if one.family not in FAMILIES:
            groups.setdefault(ANY, []).append(one)
    for name, members in sorted(groups.items()):
        work = tuple(members[0].work)
        amounts = np.array([list(member.work.values()) for member in members], np.float64)
        keep = keep_from if name != ANY else np.inf
        found[name] = fit(work, amounts, np.array([max(member.ns, 1.0) for member in members]), keep)
    return found
