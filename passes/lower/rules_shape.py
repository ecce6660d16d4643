"""Rules that recognise what a chain of reshapes and transposes amounts to."""

from __future__ import annotations

from .draft import Draft, DraftOp
from .rules_float import note_origin


def recognise_shuffle(draft: Draft, op: DraftOp) -> bool:
    """[N, C, H, W] → reshape [N, g, C/g, H, W] → transpose of the middle two → reshape [N, C, H, W]: channel_shuffle in g groups."""
    turn = draft.producer(op.inputs[0]) if op.type == "reshape" else None
    split = draft.producer(turn.inputs[0]) if turn is not None and turn.type == "transpose" else None
    if turn is None or split is None or split.type != "reshape" or turn.consts[0].tolist() != [0, 2, 1, 3, 4]:
        return False
    x, parts, y = split.inputs[0], split.outputs[0].shape, op.outputs[0].shape
    if x is None or x.shape is None or parts is None or y is None or len(x.shape) != 4 or len(parts) != 5:
        return False
    groups, per_group, channels = parts[1], parts[2], x.shape[1]
    if not (isinstance(groups, int) and isinstance(per_group, int) and groups * per_group == channels):
        return False
    if parts[3:] != x.shape[2:] or y != x.shape or None in y[2:]:
        return False
    new = DraftOp("channel_shuffle", op.name, [x], op.outputs, {"groups": groups}, info=op.info)
    note_origin(new, split, turn)
    draft.replace(op, new)
    return True
