"""The order in which the rules of the draft are applied."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .draft import Draft, DraftOp
from .rules_float import fuse_clamp, fuse_gate, fuse_product_bias, fuse_residual
from .rules_int8 import (
    cancel_round_trip,
    compose_tables,
    fuse_clamp_table,
    quantize_add,
    quantize_before_concat,
    quantize_pool,
    quantize_product,
    quantize_scaled,
    sink_dequantize,
    sink_dequantize_below_clamp,
    tabulate,
)
from .rules_shape import recognise_shuffle
from .slow import note_slow

Rule = Callable[[Draft, DraftOp], bool]

FLOAT: tuple[Rule, ...] = (recognise_shuffle, fuse_product_bias, fuse_clamp)
INT8: tuple[Rule, ...] = (
    cancel_round_trip, sink_dequantize, quantize_product, quantize_add, quantize_scaled, quantize_pool, tabulate, quantize_before_concat,
    sink_dequantize_below_clamp, compose_tables, fuse_clamp_table, recognise_shuffle,
)  # fmt: skip
RESIDUAL: tuple[Rule, ...] = (fuse_residual,)
GATES: tuple[Rule, ...] = (fuse_gate,)
SPARE_ROUNDS = 16


def rewrite(draft: Draft) -> None:
    """Float fusions first, so that clamps sit in the operators that become u8; residuals when it is known what is u8, and activations of
    what is left in floats behind them."""
    draft.remove_dead()
    for rules in (FLOAT, INT8, RESIDUAL, GATES):
        run(draft, rules)
    note_slow(draft)


def run(draft: Draft, rules: Sequence[Rule]) -> None:
    """Sweeps over the operators until no rule changes anything."""
    for _ in range(len(draft.ops) + SPARE_ROUNDS):
        changed = False
        for op in draft.walk():
            changed |= any(rule(draft, op) for rule in rules)
        draft.remove_dead()
        if not changed:
            return
    raise RuntimeError(f"rules {', '.join(rule.__name__ for rule in rules)} do not come to rest")
