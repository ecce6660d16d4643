import numpy as np
import onnx
import pytest
from honed.graph import RecipeError, to_model
from honed.passes import Driver
from honed.passes.compress.layers import weight_layers
from honed.passes.compress.prune import PruneMagnitude, PrunePlan, plan_pruning, prune_masks
from honed.passes.compress.prune import Target as PruneTarget
from honed.passes.compress.prune_math import block_scores, expand_blocks, lowest_scores, normalised, sparsity_of
from honed.passes.compress.recipe_prune import Prune
from honed.passes.compress.select import Target, resolve
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.passes.compress.small_models import Builder, cleaned, residual_net, run_ort, samples


def pruned(model, skip=(), layers=None, **section):
    graph = cleaned(model)
    recipe = Prune(skip=list(skip), layers=layers or {}, **section)
    selection = resolve("prune", [Target(n.name, n.op) for n in graph.nodes], recipe.skip, recipe.layers)
    plan = plan_pruning(weight_layers(graph), recipe, selection)
    report = Driver(graph, check_patches=True).run([PruneMagnitude(plan)])
    return graph, report


def weights(graph):
    return {layer.name: layer.weight for layer in weight_layers(graph)}


@settings(derandomize=True, max_examples=40, deadline=None)
@given(st.integers(0, 99), st.sampled_from([1, 2, 4]), st.integers(0, 3))
def test_the_lowest_scores_go_and_no_other(percent, block, seed):
    rng = np.random.default_rng(seed)
    weight = rng.standard_normal((8, 3, 3, 3)).astype(np.float32)
    scores = block_scores(weight, block)
    keep = lowest_scores([scores], [block], percent / 100)[0]
    assert np.count_nonzero(~keep) == int(percent / 100 * weight.size + 0.5) // block
    if not keep.all():
        assert scores[~keep].max() <= scores[keep].min()
    mask = expand_blocks(keep, block)
    assert mask.shape == weight.shape
    assert all(np.array_equal(mask[o], mask[o - o % block]) for o in range(8))


def test_a_block_scores_its_root_mean_square():
    weight = np.arange(16, dtype=np.float32).reshape(4, 2, 2)
    np.testing.assert_allclose(block_scores(weight, 2)[1, 1, 0], np.sqrt((10**2 + 14**2) / 2), rtol=1e-6)


def test_a_pool_counts_weights_not_blocks():
    scores = [np.arange(10, dtype=np.float32), np.arange(10, dtype=np.float32) + 0.5]
    keep = lowest_scores(scores, [1, 4], 0.5)
    assert sum(np.count_nonzero(~k) * size for k, size in zip(keep, [1, 4], strict=True)) == 25


def test_equal_scores_go_in_order():
    assert lowest_scores([np.ones(4, np.float32)], [1], 0.5)[0].tolist() == [False, False, True, True]


def test_scores_of_a_pool_do_not_depend_on_the_scale_of_a_layer():
    weight = np.random.default_rng(0).standard_normal((4, 4)).astype(np.float32)
    large, small = (normalised(block_scores(w, 2), w) for w in (weight * 1000, weight))
    np.testing.assert_allclose(large, small, rtol=1e-5)
    zeros = np.zeros((2, 2), np.float32)
    assert (normalised(zeros, zeros) == 0).all()


def test_uniform_sparsity_with_the_default_exceptions():
    graph, report = pruned(residual_net(), sparsity=0.75)
    sparsity = {name: sparsity_of(w) for name, w in weights(graph).items()}
    assert sparsity == {"stem": 0, "dw": 0, "conv1": 0.75, "conv2": 0.75, "shortcut": 0.75, "fc": 0}
    assert report.refusals_of("stem")["prune-magnitude"] == "the first convolution stays dense"
    assert report.refusals_of("dw")["prune-magnitude"] == "a depthwise convolution stays dense"
    assert report.refusals_of("fc")["prune-magnitude"] == "the last layer stays dense"
    assert [change.facts["sparsity"] for change in report.changes] == [0.75] * 3


def test_what_is_kept_is_unchanged_and_onnx_runtime_agrees_with_zeroed_weights():
    source = residual_net()
    graph, _ = pruned(source, sparsity=0.6, pattern="4x1", keep=[])
    before, after = weights(cleaned(source)), weights(graph)
    for name, weight in after.items():
        assert np.array_equal(weight[weight != 0], before[name][weight != 0])
    oracle = onnx.ModelProto()
    oracle.CopyFrom(source)
    for tensor in oracle.graph.initializer:
        if tensor.name.endswith("_w"):
            tensor.CopyFrom(onnx.numpy_helper.from_array(after[tensor.name[:-2]], tensor.name))
    x = samples(3)
    assert np.array_equal(run_ort(to_model(graph)).run(None, {"x": x})[0], run_ort(oracle).run(None, {"x": x})[0])


def test_a_global_threshold_spreads_over_layers():
    graph, _ = pruned(residual_net(), sparsity=0.5, scope="global")
    pool = [weights(graph)[name] for name in ("conv1", "conv2", "shortcut")]
    total = sum(w.size for w in pool)
    assert sum(np.count_nonzero(w == 0) for w in pool) == int(0.5 * total + 0.5)
    assert len({sparsity_of(w) for w in pool}) == 3


def test_a_global_threshold_does_not_empty_layers_of_small_weights():
    rng = np.random.default_rng(0)
    weights = {name: (scale * rng.standard_normal((8, 8))).astype(np.float32) for name, scale in (("small", 0.01), ("large", 1.0))}
    plan = PrunePlan({name: PruneTarget(sparsity=0.5, pooled=True) for name in weights})
    masks = prune_masks(weights, plan)
    assert all(0.3 < mask.mean() < 0.7 for mask in masks.values())


def test_layers_with_a_sparsity_of_their_own_leave_the_pool():
    graph, _ = pruned(residual_net(), sparsity=0.5, scope="global", layers={"conv1": {"sparsity": 0.25}, "conv2": {"pattern": "2x1"}})
    w = weights(graph)
    assert sparsity_of(w["conv1"]) == 0.25
    pairs = w["conv2"].reshape(4, 2, -1) != 0
    assert np.array_equal(pairs[:, 0], pairs[:, 1])


def test_naming_a_layer_overrules_the_exceptions():
    graph, _ = pruned(residual_net(), sparsity=0.5, layers={"fc": {"sparsity": 0.9}, "dw": {}}, skip=["conv1"])
    assert sparsity_of(weights(graph)["fc"]) == 0.9 and sparsity_of(weights(graph)["dw"]) == 0.5
    assert sparsity_of(weights(graph)["conv1"]) == 0


def test_zeros_that_are_there_count():
    b = Builder()
    b.conv("x", "a", 8, 3)
    sparse = np.array(onnx.numpy_helper.to_array(b.weights[0]))
    sparse[np.abs(sparse) < np.quantile(np.abs(sparse), 0.7)] = 0
    b.weights[0] = onnx.numpy_helper.from_array(sparse, "a_w")
    model = b.model(["n", 3, 10, 10], "a_out")
    for target in (0.5, 0.9):
        graph, _ = pruned(model, sparsity=target, keep=[])
        weight = weights(graph)["a"]
        assert (weight[sparse == 0] == 0).all()
        assert abs(sparsity_of(weight) - max(target, sparsity_of(sparse))) < 1 / weight.size


def test_masks_decide_and_come_from_files(tmp_path):
    source = residual_net()
    mask = np.random.default_rng(0).random((16, 8, 3, 3)) < 0.3
    np.savez(tmp_path / "m.npz", **{"conv1": mask})
    for masks in (str(tmp_path / "m.npz"), {"conv1": mask.astype(np.float32)}):
        graph, report = pruned(source, masks=masks)
        assert np.array_equal(weights(graph)["conv1"], np.where(mask, weights(cleaned(source))["conv1"], 0))
        assert report.refusals_of("conv2")["prune-magnitude"] == "no sparsity is given for it"


def test_gemm_masks_have_the_stored_layout():
    b = Builder()
    model = b.model(["n", 6], b.gemm("x", "fc", 4, 6, trans=0))
    mask = np.random.default_rng(0).random((6, 4)) < 0.5
    graph, _ = pruned(model, masks={"fc": mask})
    stored = graph.nodes[0].inputs[1].values
    assert np.array_equal(stored != 0, mask)


def test_masks_that_do_not_fit_are_all_named(tmp_path):
    with pytest.raises(RecipeError, match=r"'conv1' is float64 \[2, 2\], expected numbers of shape \[16, 8, 3, 3\]; 'nope' is no layer"):
        pruned(residual_net(), masks={"conv1": np.ones((2, 2)), "nope": np.ones(1)})
    with pytest.raises(RecipeError, match=r"prune\.masks"):
        pruned(residual_net(), masks=str(tmp_path / "none.npz"))
    np.save(tmp_path / "one.npy", np.ones(3))
    with pytest.raises(RecipeError, match=r"expected a \.npz file"):
        pruned(residual_net(), masks=str(tmp_path / "one.npy"))


def test_blocks_that_do_not_divide():
    b = Builder()
    model = b.model(["n", 3, 10, 10], b.conv(b.conv("x", "a", 6, 3), "b", 8, 6, group=2))
    graph, report = pruned(model, sparsity=0.5, pattern="4x1", keep=[])
    assert report.refusals_of("a")["prune-magnitude"] == "blocks of 4 do not divide 6 output channels"
    assert sparsity_of(weights(graph)["b"]) == 0.5
    with pytest.raises(RecipeError, match=r"prune\.layers: a: blocks of 4 do not divide 6 output channels"):
        pruned(model, sparsity=0.5, layers={"a": {"pattern": "4x1"}})


def test_a_second_run_changes_no_weight():
    graph, _ = pruned(residual_net(), sparsity=0.5)
    before = weights(graph)
    plan = plan_pruning(weight_layers(graph), Prune(sparsity=0.5), resolve("prune", []))
    Driver(graph).run([PruneMagnitude(plan)])
    assert all(np.array_equal(before[name], w) for name, w in weights(graph).items())
