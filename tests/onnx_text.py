"""Small ONNX models from text, and what ONNX Runtime computes with them."""

import numpy as np
import onnx
import onnxruntime as ort
from onnx import numpy_helper, parser


def model(body: str, opset: int = 17, ir: int = 8, **weights: np.ndarray) -> onnx.ModelProto:
    """A model from `body`, `g (float[1,3] x) => (float[1,3] y) { ... }` in the text form of the ONNX package, and initialisers by name."""
    header = f'<ir_version: {ir}, opset_import: ["" : {opset}, "com.microsoft" : 1]>'
    made = parser.parse_model(header + body)
    made.graph.initializer.extend(numpy_helper.from_array(np.asarray(values), name) for name, values in weights.items())
    return made


def f32(*shape: int, seed: int = 0) -> np.ndarray:
    """Standard normal float32 values."""
    return np.random.default_rng([seed, *shape]).standard_normal(shape).astype(np.float32)


def feed_of(source: onnx.ModelProto, seed: int = 0, **dims: int) -> dict[str, np.ndarray]:
    """Random values for all inputs; symbolic dimensions from `dims`, or 2."""
    constants = {tensor.name for tensor in source.graph.initializer}
    feed = {}
    for i, value in enumerate(value for value in source.graph.input if value.name not in constants):
        kind = value.type.tensor_type
        shape = [d.dim_value if d.HasField("dim_value") else dims.get(d.dim_param, 2) for d in kind.shape.dim]
        dtype = onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type)
        values = np.random.default_rng([seed, i]).standard_normal(shape) * (1 if dtype.kind == "f" else 40)
        feed[value.name] = np.asarray(values).astype(dtype)
    return feed


def run(source: onnx.ModelProto, feed: dict[str, np.ndarray], optimise: bool = False) -> list[np.ndarray]:
    """All outputs by ONNX Runtime, by default with its own graph rewriting off."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    if not optimise:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(source.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, feed)
