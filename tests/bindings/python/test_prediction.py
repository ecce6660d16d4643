"""What compressing would give, told without compressing: against what it gives."""

import honed
import numpy as np
import onnx
import pytest
from honed.passes.lower import compile_model, describe, lower
from honed.passes.lower.costs import current_costs
from honed.prediction import recipe_of
from onnx import helper, numpy_helper

from tests.passes.compress.small_models import residual_net, samples

RECIPES = [recipe_of(0.75, "4x1", False), recipe_of(0.8, "1x1", True), {"factorise": {"layers": {"conv1": {"rank": 2}}}, "quantize": {}}]


def forms(layers):
    return [(layer.name, layer.kernel, layer.macs_done, layer.sparsity, layer.us) for layer in layers]


@pytest.mark.parametrize("recipe", RECIPES, ids=["f32", "int8", "factorised"])
def test_the_layers_are_those_of_the_compressed_model(recipe):
    predicted = honed.predict(residual_net(), recipe).compressed
    real = describe(lower(honed.optimize(residual_net(), recipe, samples(8)).model))
    assert forms(predicted.layers) == forms(real)
    assert predicted.us == pytest.approx(sum(layer.us for layer in real))


def test_the_model_as_it_is_and_its_int8_alone_are_told_beside():
    prediction = honed.predict(residual_net(), recipe_of(0.8, "1x1", True))
    assert forms(prediction.original.layers) == forms(describe(lower(residual_net())))
    assert prediction.speedup == prediction.original.us / prediction.compressed.us
    alone = honed.predict(residual_net(), recipe_of(None, "1x1", True))
    assert alone.quantized is None and prediction.quantized == alone.compressed


def test_weights_that_are_all_alike_are_pruned_as_if_they_were_not():
    model = residual_net()
    for tensor in model.graph.initializer:
        if len(tensor.dims) > 1:
            tensor.CopyFrom(numpy_helper.from_array(np.zeros(tuple(tensor.dims), np.float32), tensor.name))
    real, zeros = (honed.predict(m, recipe_of(0.8, "1x1", False)).compressed for m in (residual_net(), model))
    assert [layer.sparsity for layer in zeros.layers] == [layer.sparsity for layer in real.layers]
    assert zeros.us == pytest.approx(real.us, rel=0.1)


def test_sizes_that_are_open_must_be_given():
    weight = numpy_helper.from_array(np.random.default_rng(0).standard_normal((8, 4, 3, 3)).astype(np.float32), "w")
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], name="first"),
        helper.make_node("Conv", ["c", "v"], ["y"], name="second"),
    ]
    other = numpy_helper.from_array(np.random.default_rng(1).standard_normal((64, 8, 3, 3)).astype(np.float32), "v")
    values = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["N", c, "H", None]) for name, c in (("x", 4), ("y", 64))]
    model = helper.make_model(helper.make_graph(nodes, "g", values[:1], values[1:], [weight, other]), ir_version=8)
    with pytest.raises(honed.ShapeError, match="known at run time only"):
        honed.predict(model, recipe_of(0.9, "1x1", False))
    with pytest.raises(honed.ShapeError, match="'z'"):
        honed.predict(model, recipe_of(0.9, "1x1", False), dims={"z": (1, 4, 8, 8)})
    small, large = (honed.predict(model, recipe_of(0.9, "1x1", False), dims={"x": (1, 4, n, n)}) for n in (12, 48))
    assert small.compressed.layers[-1].shape[2:] == [8, 8] and large.compressed.layers[-1].shape[2:] == [44, 44]
    assert small.compressed.us < large.compressed.us


def test_threads_share_the_tasks_of_every_operator():
    recipe = recipe_of(0.8, "1x1", True)
    one, two = (honed.predict(residual_net(), recipe, threads=threads) for threads in (1, 2))
    assert (one.threads, two.threads) == (1, 2)
    session = honed.InferenceSession(compile_model(honed.optimize(residual_net(), recipe, samples(8)).model))
    session.run(None, {"x": np.zeros((1, 3, 10, 10), np.float32)})
    costs = current_costs()
    for alone, shared, op in zip(one.compressed.layers, two.compressed.layers, session.plan(), strict=True):
        assert shared.us == costs.spread_us(op.type, alone.us, op.tasks, 2)
    assert two.compressed.us == sum(layer.us for layer in two.compressed.layers)
    with pytest.raises(honed.Error, match="threads is 0"):
        honed.predict(residual_net(), recipe, threads=0)


def test_asking_for_nothing_is_refused():
    with pytest.raises(honed.RecipeError, match="nothing to predict"):
        recipe_of(None, "1x1", False)
