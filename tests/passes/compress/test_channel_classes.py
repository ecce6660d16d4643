import numpy as np
import pytest
from honed.graph import View
from honed.passes.compress.channel_classes import channel_classes

from tests.passes.compress.small_models import Builder, cleaned, residual_net


def classes_of(model, skipped=()):
    found = channel_classes(View(cleaned(model)), skipped)
    return {tuple(layer.name for layer in each.producers): each for each in found}


def usable(model, skipped=()):
    return {key: [layer.name for layer, _ in each.consumers] for key, each in classes_of(model, skipped).items() if each.refusal is None}


def test_sums_activations_and_pooling_join_channels():
    assert usable(residual_net()) == {
        ("stem",): ["dw", "shortcut"], ("dw",): ["conv1"], ("conv1",): ["conv2"], ("conv2", "shortcut"): ["fc"],
    }  # fmt: skip


def test_a_skipped_layer_keeps_its_channels():
    assert usable(residual_net(), ["shortcut"]) == {("dw",): ["conv1"], ("conv1",): ["conv2"]}


def between(make, **kwargs):
    """Two layers with `make(builder, tensor)` in between."""
    b = Builder()
    return b.model(["n", 3, 10, 10], b.conv(make(b, b.conv("x", "first", 4, 3)), "second", 5, 4), **kwargs)


def clip(*bounds):
    return lambda b, t: b.node("Clip", [t, *(b.const(f"bound{i}", np.float32(v)) for i, v in enumerate(bounds))], "clip")


@pytest.mark.parametrize(("bounds", "ceiling"), [((0, 6), 6.0), ((0,), np.inf), ((0, 2.5), 2.5)])
def test_the_bound_of_a_clip_is_kept(bounds, ceiling):
    assert classes_of(between(clip(*bounds)))["first",].ceiling == ceiling


@pytest.mark.parametrize("op", ["Sigmoid", "HardSwish", "Elu"])
def test_functions_that_do_not_scale_keep_channels(op):
    each = classes_of(between(lambda b, t: b.node(op, [t], "f")))
    assert all(found.refusal is not None for found in each.values())


@pytest.mark.parametrize("bounds", [(-1, 1), (0.5, 6), (-2, 0)])
def test_a_clip_with_another_lower_bound_is_refused(bounds):
    assert usable(between(clip(*bounds))) == {}


def test_inputs_and_outputs_of_the_model_keep_their_channels():
    b = Builder()
    first = b.conv("x", "first", 4, 3)
    model = b.model(["n", 3, 10, 10], b.conv(first, "second", 5, 4), more_outputs=[first])
    assert usable(model) == {}


def test_a_sum_with_broadcasting_or_a_constant_is_refused():
    assert usable(between(lambda b, t: b.node("Add", [t, b.node("GlobalAveragePool", [t], "g")], "sum"))) == {}
    assert usable(between(lambda b, t: b.node("Add", [t, b.weight("plane", (8, 8))], "sum"))) == {}


def test_products_count_channels_only_in_the_second_of_two_dimensions():
    def model(shape):
        b = Builder()
        h = b.node("Relu", [b.node("MatMul", ["x", b.weight("a_w", (8, 6))], "a")], "r")
        return b.model(shape, b.node("MatMul", [h, b.weight("b_w", (6, 4))], "b"))

    assert usable(model(["n", 8])) == {("a",): ["b"]}
    assert usable(model(["n", 5, 8])) == {}
    assert "second dimension" in classes_of(model(["n", 5, 8]))["a",].refusal
