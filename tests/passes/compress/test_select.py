import pytest
from honed.graph import RecipeError
from honed.passes.compress.select import Target, resolve

NODES = [Target("/layer1/conv1", "Conv"), Target("/layer1/conv2", "Conv"), Target("/fc", "Gemm")]


def test_names_globs_and_types_select():
    selection = resolve("prune", NODES, skip=["/layer1/*2", "Gemm"])
    assert selection.skipped == {"/layer1/conv2": "/layer1/*2", "/fc": "Gemm"}


def test_the_most_specific_override_comes_last():
    layers = {"/layer1/conv1": "name", "Conv": "type", "/layer1/*": "glob"}
    selection = resolve("prune", NODES, layers=layers)
    assert selection.overrides == {"/layer1/conv1": ["type", "glob", "name"], "/layer1/conv2": ["type", "glob"]}
    assert selection.exact == {"/layer1/conv1": "name"}


def test_all_unknown_selectors_are_named_with_near_matches():
    with pytest.raises(RecipeError, match=r"prune: no node of the model matches '/layer1/conv3' \(near: /layer1/conv[12].*'zzz'"):
        resolve("prune", NODES, skip=["/layer1/conv3", "zzz"])
    with pytest.raises(RecipeError, match="/layer9"):
        resolve("prune", NODES, layers={"/layer9/*": 1})


def test_operator_types_need_no_match():
    assert resolve("quantize", NODES, skip=["MatMul"]).skipped == {}


def test_brackets_in_a_name_are_not_a_pattern():
    assert resolve("s", [Target("a[0]", "Conv")], skip=["a[0]"]).skipped == {"a[0]": "a[0]"}
