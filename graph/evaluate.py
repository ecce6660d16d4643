"""Running one node on arrays, by the ONNX package's reference implementation."""

from collections.abc import Sequence

import numpy as np
import onnx
import onnx_graphsurgeon as gs
from onnx_graphsurgeon.exporters.onnx_exporter import OnnxExporter


class EvaluationError(Exception):
    """The reference implementation cannot run the node on these inputs."""


# The reference implementation starts at this version of an operator; older ones mean the same for what they allow.
_FIRST_VERSION = {"DequantizeLinear": 19}


def evaluate(node: gs.Node, opset: int, inputs: Sequence[np.ndarray | None]) -> list[np.ndarray]:
    """The outputs of `node`, an operator of ONNX's own domain, for `inputs` (None: left out).

    Raises EvaluationError.
    """
    from onnx.reference import ReferenceEvaluator  # large, and most models have nothing to evaluate

    proto = OnnxExporter.export_node(node)
    names = ["" if array is None else f"i{k}" for k, array in enumerate(inputs)]
    outputs = ["" if tensor.is_empty() else f"o{k}" for k, tensor in enumerate(node.outputs)]
    del proto.input[:], proto.output[:]
    proto.input.extend(names)
    proto.output.extend(outputs)
    present = {name: array for name, array in zip(names, inputs, strict=True) if array is not None}
    value_info = [onnx.helper.make_tensor_value_info(n, onnx.helper.np_dtype_to_tensor_dtype(a.dtype), a.shape) for n, a in present.items()]
    results = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.UNDEFINED, None) for name in outputs if name]
    graph = onnx.helper.make_graph([proto], "node", value_info, results)
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", max(opset, _FIRST_VERSION.get(node.op, 0)))])
    try:
        return [np.asarray(array) for array in ReferenceEvaluator(model).run(None, present)]
    except Exception as error:  # the reference implementation raises whatever NumPy does
        raise EvaluationError(f"{type(error).__name__}: {error}") from error
