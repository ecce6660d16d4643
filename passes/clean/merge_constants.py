"""Equal constants."""

import hashlib
from collections.abc import Hashable, Iterator

import numpy as np
import onnx_graphsurgeon as gs

from ...graph import View
from ...graph.printer import sample
from ..base import GraphPass, Reject
from ..patch import Patch


class MergeConstants(GraphPass):
    """Constants of equal type, shape and contents become one. Exact."""

    name = "merge-constants"

    def patches(self, view: View) -> Iterator[Patch | Reject]:
        kept = _first_of_its_kind(view.graph)
        for node in list(view.graph.nodes):
            patch = Patch(node)
            for index, tensor in enumerate(node.inputs):
                if kept.get(id(tensor), tensor) is not tensor:
                    patch.set_input(node, index, kept[id(tensor)])
            if patch.inputs:
                yield patch


def _first_of_its_kind(graph: gs.Graph) -> dict[int, gs.Constant]:
    """id(constant) -> the first constant of the same contents. Contents are read whole only where type, shape and a sample agree."""
    kinds: dict[Hashable, dict[int, gs.Constant]] = {}
    for node in graph.nodes:
        for tensor in node.inputs:
            if isinstance(tensor, gs.Constant):
                kinds.setdefault((str(tensor.dtype), tensor.values.shape, sample(tensor.values)), {})[id(tensor)] = tensor
    kept: dict[int, gs.Constant] = {}
    for same in kinds.values():
        first: dict[bytes, gs.Constant] = {}
        for tensor in same.values() if len(same) > 1 else ():
            kept[id(tensor)] = first.setdefault(_digest(tensor.values), tensor)
    return kept


def _digest(values: np.ndarray) -> bytes:
    if values.dtype == object:
        return repr(values.tolist()).encode()
    return hashlib.sha256(np.ascontiguousarray(values).reshape(-1).view(np.uint8).data).digest()
