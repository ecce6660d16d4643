import onnxruntime
from honed.graph import load, to_model
from honed.passes.assume import assume, prepare
from honed.passes.compress.recipe import load_recipe

from tests.passes.compress.small_models import residual_net, run_ort, samples


def test_the_compressed_graph_is_a_model_and_the_prepared_one_is_left_as_it_was():
    graph = prepare(load(residual_net()), {})
    before = to_model(graph).SerializeToString()
    quantized = to_model(assume(graph, load_recipe({"prune": {"sparsity": 0.5}, "quantize": {}})))
    assert to_model(graph).SerializeToString() == before
    assert {"QuantizeLinear", "DequantizeLinear"} <= {node.op_type for node in quantized.graph.node}
    assert run_ort(quantized).run(None, {"x": samples(2)})[0].shape == run_ort(residual_net()).run(None, {"x": samples(2)})[0].shape
    assert isinstance(run_ort(quantized), onnxruntime.InferenceSession)


def test_a_recipe_that_reconstructs_is_pruned_by_magnitude():
    graph = prepare(load(residual_net()), {})
    models = [assume(graph, load_recipe({"prune": {"sparsity": 0.5, "method": m}, "correct": {}})) for m in ("magnitude", "reconstruct")]
    assert len({to_model(model).SerializeToString() for model in models}) == 1
