"""Patterns other than blocks: which weights stay, by magnitude and by reconstruction, against trying everything."""

from itertools import combinations, product

import honed
import numpy as np
import pytest
from honed.graph import Error, RecipeError, to_model
from honed.passes.compress.layers import weight_layers
from honed.passes.compress.patterns import Filters, Fraction, pattern_of
from honed.passes.compress.reconstruct.support import choose_support, keep_strongest
from honed.passes.optimize import optimize

from tests.passes.compress.reconstruct.problems import correlated
from tests.passes.compress.small_models import Builder, cleaned, residual_net, run_ort, samples

SOLVED = {"method": "reconstruct", "samples": 64}


def weights(graph):
    return {layer.name: layer.weight for layer in weight_layers(graph)}


def best_error(problem, keep, out):
    """Of an output channel's weights on a support, by NumPy."""
    hessian, cross, support = problem.hessian[0], problem.cross[0, out], np.flatnonzero(keep)
    weight = np.zeros(len(keep))
    weight[support] = np.linalg.lstsq(hessian[np.ix_(support, support)], cross[support], rcond=None)[0]
    return weight @ hessian @ weight - 2 * weight @ cross + problem.power[0, out]


def every_fraction(k, n, m):
    for choice in product(combinations(range(m), n), repeat=k // m):
        keep = np.zeros((k // m, m), bool)
        for row, chosen in zip(keep, choice, strict=True):
            row[list(chosen)] = True
        yield keep.reshape(-1)


def brain_surgeon(problem, out, n, m):
    """The mask that is left when the weight that costs least goes from the groups with more than n, all others solved again each time
    (Hassibi and Stork, 1993; within groups as in Frantar and Alistarh, arXiv 2208.11580)."""
    keep = np.ones(problem.cross.shape[2], bool)
    while (full := np.repeat(keep.reshape(-1, m).sum(axis=1) > n, m) & keep).any():
        support = np.flatnonzero(keep)
        inverse = np.linalg.inv(problem.hessian[0][np.ix_(support, support)])
        cost = np.square(inverse @ problem.cross[0, out, support]) / np.diag(inverse)
        keep[support[np.where(full[support], cost, np.inf).argmin()]] = False
    return keep


@pytest.mark.parametrize(("n", "m", "k"), [(2, 4, 12), (1, 4, 16), (1, 2, 12), (3, 4, 12), (2, 8, 16)])
def test_n_of_m_is_near_the_best_of_all_masks(n, m, k):
    """Relative to the least error of all masks: within a quarter in the mean, like the path of Optimal Brain Surgeon, and far from what
    magnitude leaves."""
    ratios = []
    for seed in range(6):
        problem, _, _ = correlated(out=3, k=k, seed=seed)
        dense = np.linalg.solve(problem.hessian[0], problem.cross[0].T).T[None]
        problem = problem.damped(0.03, dense)
        found, _ = choose_support(problem, lambda s: Fraction(n, m)._keep(s, np.zeros((3, k))))
        assert (found.reshape(1, 3, -1, m).sum(axis=3) == n).all()
        least = Fraction(n, m)._keep(np.square(dense), np.zeros((3, k)))
        for out in range(3):
            best = min(best_error(problem, keep, out) for keep in every_fraction(k, n, m))
            masks = (found[0, out], brain_surgeon(problem, out, n, m), least[0, out])
            ratios.append([best_error(problem, keep, out) / best for keep in masks])
    ours, surgeon, magnitude = np.mean(ratios, axis=0)
    assert ours < 1.25 and ours < 1.15 * surgeon and ours < 0.9 * magnitude


@pytest.mark.parametrize("count", [1, 2, 4])
def test_filters_are_the_best_of_all_choices(count):
    problem, _, _ = correlated(out=5, k=10, seed=4)
    every = [sum(best_error(problem, np.full(10, o in chosen), o) for o in range(5)) for chosen in combinations(range(5), count)]
    keep, _ = keep_strongest(problem, count)
    assert (keep.all(axis=2) | ~keep.any(axis=2)).all() and keep[0, :, 0].sum() == count
    assert sum(best_error(problem, keep[0, o], o) for o in range(5)) == pytest.approx(min(every), rel=1e-6)


def convolutions():
    """Two ungrouped convolutions and one of groups, of 8 input channels to a group; then Gemm."""
    b = Builder()
    x = b.node("Relu", [b.conv("x", "first", 8, 8, pads=[1] * 4)], "relu1")
    x = b.node("Relu", [b.conv(x, "second", 16, 8, pads=[1] * 4)], "relu2")
    x = b.node("Relu", [b.conv(x, "grouped", 12, 16, group=2)], "relu3")
    x = b.node("Flatten", [b.node("GlobalAveragePool", [x], "pool")], "flat")
    return b.model(["n", 8, 7, 7], b.gemm(x, "fc", 10, 12))


IMAGES = samples(48, (8, 7, 7))


@pytest.mark.parametrize("section", [{}, SOLVED])
@pytest.mark.parametrize(("n", "m"), [(2, 4), (1, 4), (3, 8)])
def test_n_of_every_m_input_channels_stay(section, n, m):
    recipe = {"prune": {"pattern": f"{n}:{m}", "keep": ["last"], **section}}
    graph, report = optimize(convolutions(), recipe, IMAGES, run_ort)
    for name in ("first", "second", "grouped"):
        weight = weights(graph)[name]
        kept = (weight != 0).reshape(len(weight), -1, m, *weight.shape[2:]).sum(axis=2)
        assert (kept == n).all()
        facts = report.layer(name).techniques["prune"]
        assert facts["pattern"] == f"{n}:{m}" and facts["sparsity"] == pytest.approx(1 - n / m)
    if not section:
        before, after = weights(cleaned(convolutions()))["second"], weights(graph)["second"]
        groups = np.abs(np.moveaxis(before.reshape(16, -1, m, 3, 3), 2, -1))
        largest = np.sort(groups, axis=-1)[..., m - n :].sum()
        assert np.abs(after).sum() == pytest.approx(largest, rel=1e-6)


def test_reconstruction_is_nearer_than_magnitude():
    unseen = samples(64, (8, 7, 7), seed=5)
    exact = run_ort(convolutions()).run(None, {"x": unseen})[0]
    for pattern in ({"pattern": "2:4"}, {"pattern": "filters", "sparsity": 0.25}):
        models = [optimize(convolutions(), {"prune": pattern | more}, IMAGES, run_ort)[0] for more in ({}, SOLVED)]
        errors = [np.square(run_ort(to_model(m)).run(None, {"x": unseen})[0] - exact).mean() for m in models]
        assert errors[1] < 0.6 * errors[0]


@pytest.mark.parametrize("section", [{}, SOLVED])
def test_whole_filters_go_and_are_counted(section):
    recipe = {"prune": {"pattern": "filters", "sparsity": 0.4, **section}}
    graph, report = optimize(convolutions(), recipe, IMAGES, run_ort)
    for name, removed in (("second", 6), ("grouped", 4)):
        rows = weights(graph)[name].reshape(len(weights(graph)[name]), -1) != 0
        assert rows.all(axis=1).sum() == len(rows) - removed == rows.any(axis=1).sum()
        assert report.layer(name).techniques["prune"]["filters_removed"] == removed
    if not section:
        norms = np.square(weights(cleaned(convolutions()))["second"]).sum(axis=(1, 2, 3))
        assert set(np.argsort(norms)[:6]) == set(np.flatnonzero(~weights(graph)["second"].any(axis=(1, 2, 3))))


def test_a_filter_that_went_leaves_the_mean_of_its_output():
    graph, _ = optimize(convolutions(), {"prune": {"pattern": "filters", "sparsity": 0.5, **SOLVED}}, IMAGES, run_ort)
    layer = next(layer for layer in weight_layers(graph) if layer.name == "second")
    model = convolutions()
    model.graph.output.append(honed.graph.onnx_io.onnx.helper.make_tensor_value_info("second_out", 1, None))
    means = run_ort(model).run(["second_out"], {"x": IMAGES})[0].mean(axis=(0, 2, 3))
    gone = ~layer.weight.any(axis=(1, 2, 3))
    np.testing.assert_allclose(layer.bias[gone], means[gone], rtol=1e-4, atol=1e-5)


def test_at_least_one_filter_stays_and_a_pool_compares_layers():
    graph, _ = optimize(convolutions(), {"prune": {"pattern": "filters", "sparsity": 0.9999}})
    assert weights(graph)["second"].any(axis=(1, 2, 3)).sum() == 1
    graph, _ = optimize(convolutions(), {"prune": {"pattern": "filters", "sparsity": 0.5, "scope": "global", "keep": []}})
    found = {name: weights(graph)[name] for name in ("first", "second", "grouped")}
    assert all((w.reshape(len(w), -1).any(axis=1) == w.reshape(len(w), -1).all(axis=1)).all() for w in found.values())
    total = sum(w.size for w in found.values())
    assert sum(np.count_nonzero(w == 0) for w in found.values()) == pytest.approx(total / 2, abs=16 * 9 + 120)


def test_compressed_files_run_alike_in_onnx_runtime_and_here():
    x = samples(16, (8, 7, 7), seed=8)
    for pattern in ({"pattern": "2:4"}, {"pattern": "filters", "sparsity": 0.5}):
        model = honed.optimize(convolutions(), {"prune": pattern | SOLVED, "quantize": {}}, IMAGES).model
        session = honed.InferenceSession(model.SerializeToString())
        ours, theirs = session.run(None, {"x": x})[0], run_ort(model).run(None, {"x": x})[0]
        np.testing.assert_allclose(ours, theirs, atol=2e-2 * np.abs(theirs).max())


def test_layers_have_patterns_of_their_own():
    layers = {"second": {"pattern": "2:4"}, "grouped": {"pattern": "filters", "sparsity": 0.25}}
    graph, report = optimize(convolutions(), {"prune": {"sparsity": 0.8, "keep": [], "layers": layers}})
    facts = {layer.name: layer.techniques["prune"] for layer in report.layers}
    assert [facts[n]["pattern"] for n in ("first", "second", "grouped", "fc")] == ["1x1", "2:4", "filters", "1x1"]
    assert facts["second"]["sparsity"] == 0.5 and facts["grouped"]["filters_removed"] == 3 and facts["fc"]["sparsity"] == 0.8
    graph, _ = optimize(convolutions(), {"prune": {"pattern": "2:4", "layers": {"grouped": {"pattern": "1x1", "sparsity": 0.75}}}})
    assert (weights(graph)["grouped"] == 0).mean() == 0.75


def never(model):
    raise AssertionError("ran")


@pytest.mark.parametrize(
    ("section", "reason"),
    [
        ({"pattern": "4:4"}, "leaves 4 of 4 weights"),
        ({"pattern": "5:4"}, "leaves 5 of 4 weights"),
        ({"pattern": "0:4"}, "leaves 0 of 4 weights"),
        ({"pattern": "2:"}, "N:M as in '2:4', found '2:'"),
        ({"pattern": 124}, "expected text, found 124: what YAML reads as a number has to be quoted"),
        ({"pattern": "2:4", "sparsity": 0.8}, "2:4 is a sparsity of 0.5, found 0.8"),
        ({"pattern": "2:4", "scope": "global"}, "the same share in all layers: leave out scope"),
        ({"sparsity": 0.8, "layers": {"second": {"pattern": "2:4", "sparsity": 0.8}}}, "2:4 is a sparsity of 0.5"),
        ({"pattern": "2:4", "layers": {"second": {"sparsity": 0.8}}}, "second: the pattern 2:4 is a sparsity of 0.5, found 0.8"),
        ({"sparsity": 0.8, "layers": {"second": {"pattern": "1:3"}}}, "second: groups of 3 do not divide 8 input channels"),
        ({"sparsity": 0.8, "layers": {"grouped": {"pattern": "1:16"}}}, "grouped: groups of 16 do not divide 8 input channels of a group"),
        ({"sparsity": 0.8, "layers": {"fc": {"pattern": "filters"}}}, "fc: its output channels are an output of the model"),
        ({"pattern": "filters"}, "names nothing to prune"),
        ({"pattern": "2:4", "method": "reconstruct", "allocate": {"speedup": 2.0}}, "compares with one of them in all layers, not 2:4"),
    ],
)
def test_what_cannot_be_is_refused_before_any_work(section, reason):
    with pytest.raises(RecipeError, match=reason):
        optimize(convolutions(), {"prune": section}, IMAGES, never)


def test_what_a_layer_does_not_allow_is_told():
    _, report = optimize(residual_net(), {"prune": {"pattern": "1:16", "keep": []}})
    assert report.layer("conv1").techniques["prune"] == {"refused": "groups of 16 do not divide 8 input channels"}
    assert report.layer("conv2").techniques["prune"]["pattern"] == "1:16"


def test_a_quoted_pattern_in_a_file_and_in_predictions(tmp_path):
    path = tmp_path / "recipe.yaml"
    path.write_text('prune: {pattern: "2:4"}\n')
    assert honed.predict(convolutions(), path).compressed.us > 0
    path.write_text("prune: {pattern: 2:4}\n")
    with pytest.raises(RecipeError, match="quoted, as '2:4'"):
        honed.predict(convolutions(), path)


def test_zeros_that_are_there_stay():
    source = convolutions()
    mask = np.random.default_rng(0).random((16, 8, 3, 3)) < 0.7
    first, _ = optimize(source, {"prune": {"masks": {"second": mask}}})
    for pattern in ({"pattern": "2:4"}, {"pattern": "filters", "sparsity": 0.25}):
        again, _ = optimize(first, {"prune": pattern | SOLVED}, IMAGES, run_ort)
        assert not weights(again)["second"][~mask].any()


def test_names():
    assert [pattern_of(name).name for name in ("1x1", "4x1", "2:4", "filters")] == ["1x1", "4x1", "2:4", "filters"]
    assert pattern_of("filters") == Filters() and honed.sensitivity(convolutions(), IMAGES[:16], pattern="2:4").trials
    with pytest.raises(Error, match="found '4x4'"):
        honed.sensitivity(convolutions(), IMAGES[:16], pattern="4x4")
