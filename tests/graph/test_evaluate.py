"""Single nodes by the reference implementation."""

import numpy as np
import pytest
from honed import graph as hg
from honed.graph.evaluate import EvaluationError, evaluate

from tests.onnx_text import f32, model, run


@pytest.mark.parametrize(
    ("node", "constants"),
    [
        ("y = Clip(a, , high)", {"a": f32(3, 4), "high": np.float32(0.5)}),
        ("y, z = Split<axis=1>(a, sizes)", {"a": f32(3, 4), "sizes": np.array([1, 3])}),
        ("y = QuantizeLinear<axis=0>(a, s, b)", {"a": f32(3, 4), "s": np.array([0.1, 0.01, 1], np.float32), "b": np.zeros(3, np.int8)}),
        ("y = DequantizeLinear<axis=0>(a, s)", {"a": np.arange(6, dtype=np.int8).reshape(3, 2), "s": np.array([0.1, 1, 2], np.float32)}),
        ("y = Transpose<perm=[1,0]>(a)", {"a": f32(3, 4)}),
    ],
)
def test_as_onnx_runtime(node, constants):
    kind = "int8" if "= QuantizeLinear" in node else "float"
    source = model(f"g () => ({kind}[p,q] y) {{ {node} }}", **constants)
    (loaded,) = hg.load(source).nodes
    results = evaluate(loaded, 17, [None if t.is_empty() else t.values for t in loaded.inputs])
    np.testing.assert_array_equal(results[0], run(source, {})[0])
    assert len(results) == len(loaded.outputs)


def test_what_it_cannot_run_is_an_error():
    (node,) = hg.load(model("g () => (float[p,q] y) { y = Concat<axis=0>(a, b) }", a=f32(1, 2), b=f32(1, 2))).nodes
    with pytest.raises(EvaluationError, match="ValueError"):
        evaluate(node, 17, [f32(1, 2), f32(3)])
