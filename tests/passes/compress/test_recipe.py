import numpy as np
import pytest
from honed.graph import RecipeError
from honed.passes.compress.recipe import Recipe, load_recipe

RECONSTRUCT = {"method": "reconstruct"}
FULL = """
version: 1
skip: ["/head/*"]
prune: {sparsity: 0.5, scope: global, pattern: 4x1, keep: [first], skip: [Gemm], layers: {conv1: {sparsity: 0.9}}, masks: masks.npz}
correct: {samples: 64}
factorise: {layers: {conv2: {rank: [8, 4]}, "/x/*": {energy: 0.9}}}
quantize: {range: mse, layers: {conv1: {range: minmax}}, skip: [conv9]}
"""


def test_reads_every_key_of_a_file(tmp_path):
    path = tmp_path / "r.yaml"
    path.write_text(FULL)
    recipe = load_recipe(path)
    assert recipe.prune.layers["conv1"].sparsity == 0.9
    assert recipe.prune.pattern == "4x1"
    assert recipe.prune.masks == str(tmp_path / "masks.npz")
    assert recipe.factorise.layers["conv2"].rank == [8, 4]
    assert recipe.quantize.layers["conv1"].range == "minmax"
    assert recipe.correct.samples == 64


def test_techniques_without_settings_take_their_defaults(tmp_path):
    path = tmp_path / "r.yaml"
    path.write_text("quantize:\ncorrect: true\n")
    recipe = load_recipe(path)
    assert recipe.quantize.range == "percentile" and recipe.correct.samples == 256 and recipe.prune is None


def test_a_mapping_and_a_recipe_are_recipes():
    masks = {"conv": np.ones((2, 2))}
    recipe = load_recipe({"prune": {"masks": masks}})
    assert recipe.prune.masks["conv"] is masks["conv"]
    assert load_recipe(recipe) is recipe
    assert load_recipe(Recipe()).quantize is None


JOINT = {"prune": RECONSTRUCT | {"sparsity": 0.5, "joint": True}, "quantize": {"rounding": "outputs"}}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"prune": {"sparsty": 0.5}, "quantise": {}}, "prune.sparsty: unknown key; quantise: unknown key|quantise: unknown key; "),
        ({"prune": {"sparsity": 1.0}}, "prune.sparsity: input should be less than 1, found 1.0"),
        ({"prune": {"sparsity": -0.1}}, "greater than or equal to 0"),
        ({"prune": {"sparsity": float("nan")}}, "prune.sparsity: .*found nan"),
        ({"prune": {"sparsity": "0.5"}}, "valid number"),
        ({"prune": {"sparsity": 0.5, "pattern": "8x1"}}, "prune.pattern: expected .*'4x1', 'filters' or N:M as in '2:4', found '8x1'"),
        ({"prune": {"pattern": "4x1"}}, "prune: names nothing to prune"),
        ({"prune": {"layers": {"a": {"sparsity": 2}}}}, "prune.layers.a.sparsity"),
        ({"prune": {"sparsity": 0.5, "allocate": {}}}, "allocate: only with method: reconstruct"),
        ({"prune": RECONSTRUCT | {"allocate": {}}}, "exactly one of a sparsity, of the uniform allocation, and a speedup"),
        ({"prune": RECONSTRUCT | {"sparsity": 0.5, "allocate": {"speedup": 2.0}}}, "exactly one of a sparsity"),
        ({"prune": RECONSTRUCT | {"allocate": {"speedup": 1.0}}}, "greater than 1"),
        ({"prune": RECONSTRUCT | {"allocate": {"speedup": 2.0, "patterns": []}}}, "at least 1 item"),
        ({"prune": RECONSTRUCT | {"sparsity": 0.5, "scope": "global", "allocate": {}}}, "leave out scope and masks"),
        ({"prune": RECONSTRUCT | {"sparsity": 0.5, "allocate": {}, "layers": {"a": {"pattern": "2x1"}}}}, "give a a sparsity too"),
        ({"prune": {"sparsity": 0.5, "joint": True}}, "joint: only with method: reconstruct"),
        ({"prune": RECONSTRUCT | {"sparsity": 0.5, "joint": True}, "quantize": {}}, "prune.joint needs quantize with rounding: outputs"),
        ({**JOINT, "correct": {}}, "leave out correct and factorise"),
        ({"prune": JOINT["prune"] | {"augment": 1}, "quantize": JOINT["quantize"]}, "takes the samples of quantize: give augment there"),
        ({"factorise": {}}, "names nothing to factorise"),
        ({"factorise": {"layers": {"a": {"rank": 2, "energy": 0.5}}}}, "exactly one of rank and energy"),
        ({"factorise": {"layers": {"a": {"rank": 0}}}}, "greater than or equal to 1"),
        ({"factorise": {"energy": 0.0}}, "greater than 0"),
        ({"quantize": {"percentile": 20}}, "greater than 50"),
        ({"version": 2}, "version"),
        ({"quantize": {"active_only": True}}, "quantize: active_only needs rounding: outputs"),
        ({"quantize": {"active_only": True, "rounding": "outputs", "refit": True}}, "outputs, without refit"),
    ],
)
def test_impossible_values_are_named(document, message):
    with pytest.raises(RecipeError, match=message):
        load_recipe(document)


def test_a_file_that_is_no_recipe(tmp_path):
    path = tmp_path / "r.yaml"
    for text, message in [("[1, 2]", "list, expected a mapping"), ("a: [", "not YAML"), ("!!python/object/apply:os.abort []", "not YAML")]:
        path.write_text(text)
        with pytest.raises(RecipeError, match=message):
            load_recipe(path)
    with pytest.raises(RecipeError, match="cannot be read"):
        load_recipe(tmp_path / "none.yaml")
    path.write_bytes(b" " * (5 << 20))
    with pytest.raises(RecipeError, match="at most"):
        load_recipe(path)
