"""Float convolutions whose kernels do not need the row strides and gaps that a convolution over flat pixels needs.

Their kernels are decided before gaps are: whatever lies between them can do without gaps, and then has fewer pixels.
"""

from __future__ import annotations

import numpy as np

from .costs import Costs
from .draft import DraftOp
from .families import SPARSE_FROM
from .select import plane_size, select_conv


def decide_kernel(op: DraftOp, costs: Costs) -> str | None:
    """The kernel of a convolution, where it is one of these; else None.

    conv_winograd_f32  any strides, any gaps
    depthwise_f32      one row stride, gap rows
    conv_f32           of one tap and no padding: the row stride of x is free
    """
    x, weights = op.inputs[0], op.weights
    if x is None or x.dtype != "f32" or weights is None:
        return None
    values = weights.real()
    if np.count_nonzero(values) <= (1.0 - SPARSE_FROM) * values.size:
        return None
    residual = len(op.inputs) > 1
    kernel = select_conv(values, op.attrs, plane_size(op.outputs[0]), costs, gap=0, residual=residual).kernel
    return None if kernel == "conv_f32" and not is_pointwise(op) else kernel


def is_pointwise(op: DraftOp) -> bool:
    """One tap and no padding. Strides do not matter: the input is what they leave."""
    pads = any(op.attrs.get(f"pad_{side}", 0) for side in ("top", "left", "bottom", "right"))
    return op.attrs["kernel_h"] == op.attrs["kernel_w"] == 1 and not pads
