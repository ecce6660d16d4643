"""The order of the clean-up passes."""

import onnx_graphsurgeon as gs

from ..graph import infer_shapes, verify
from .base import Pass
from .clean.remove_identity import RemoveIdentity
from .driver import Driver
from .report import Report

CLEAN: list[Pass] = [
    RemoveIdentity(),
]


def clean(graph: gs.Graph, **options) -> Report:
    """Runs the exact clean-up passes on `graph`, in place, until nothing changes. Options are those of Driver.

    Outputs stay the same up to rounding; names, order and types of graph inputs and outputs stay as they are.
    """
    infer_shapes(graph)
    driver = Driver(graph, **options)
    report = driver.run(CLEAN, to_fixpoint=True)
    infer_shapes(graph)
    verify(graph, "imported" if report.stopped else "optimised")
    return report
