"""Layers in f32, int8 and fewer bits, by agreement on unseen samples and predicted time."""

import honed
import numpy as np
import pytest
from honed.mixed import fewest, mixed_precision, ranked
from honed.passes.sensitivity import LayerSensitivity, Sensitivity
from onnx import numpy_helper

from tests.passes.compress.small_models import Builder, run_ort, samples


def deciding_net(factor=1.0):
    """Its largest output depends on the sample. With `factor`, a channel is so much stronger than the others, and read so much less: int8
    of the layer that reads it ruins the others."""
    b = Builder()
    x = b.node("Relu", [b.conv("x", "stem", 8, 3, pads=[1] * 4)], "relu0")
    d = b.node("Relu", [b.conv(x, "dw", 8, 8, group=8, pads=[1] * 4)], "relu1")
    c = b.node("Relu", [b.conv(d, "conv1", 16, 8)], "relu2")
    c = b.node("Relu", [b.conv(c, "conv2", 8, 16)], "relu3")
    model = b.model(["n", 3, 8, 8], b.gemm(b.node("Flatten", [c], "flat"), "fc", 10, 128, bias=False))
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor).copy()
        if tensor.name in ("dw_w", "dw_b"):
            values[0] *= factor
        elif tensor.name == "conv1_w":
            values[:, 0] /= factor
        tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    return model


def images(count, seed=1):
    return samples(count, (3, 8, 8), seed)


def test_int8_everywhere_where_that_is_enough():
    found = mixed_precision(deciding_net(), {"quantize": {}}, images(64), 0.5)
    assert found.enough and found.floats == [] and found.small == [] and found.agreement >= 0.5 and found.us > 0
    assert found.recipe == honed.passes.compress.recipe.load_recipe({"quantize": {}}) and len(found.tried) == 1


def test_the_layer_that_int8_ruins_stays_f32():
    source, data = deciding_net(2000.0), images(128)
    plain = mixed_precision(source, {"quantize": {}}, data, 1e-9)
    found = mixed_precision(source, {"quantize": {}}, data, 0.9)
    assert plain.agreement < 0.9 <= found.agreement and "conv1" in found.floats and len(found.floats) < 5
    assert plain.us < found.us
    model = honed.optimize(source, found.recipe, data).model
    unseen = images(200, seed=7)
    exact, result = (run_ort(m).run(None, {"x": unseen})[0].argmax(1) for m in (source, model))
    assert (exact == result).mean() > 0.8
    names = {t.name for t in model.graph.initializer}
    assert "conv1_w" in names and "conv2_w_quantized" in names


def test_as_many_layers_of_few_bits_as_the_budget_allows():
    data = images(128)
    generous = mixed_precision(deciding_net(), {"quantize": {}}, data, 0.01, bits=3)
    assert sorted(generous.small) == ["conv1", "conv2", "dw", "fc", "stem"]
    strict = mixed_precision(deciding_net(), {"quantize": {"layers": {"Conv": {"range": "minmax"}}}}, data, 0.8, bits=3)
    assert strict.agreement >= 0.8 and 0 < len(strict.small) < 5 and not set(strict.small) & set(strict.floats)
    model = honed.optimize(deciding_net(), strict.recipe, data).model
    peaks = {t.name[:-12]: np.abs(numpy_helper.to_array(t)).max() for t in model.graph.initializer if t.name.endswith("_w_quantized")}
    assert {name for name, peak in peaks.items() if peak == 3} == set(strict.small)


@pytest.mark.parametrize("answer", range(9))
def test_fewest_finds_the_border(answer):
    asked = []

    def enough(count):
        asked.append(count)
        return count >= answer

    assert fewest(8, enough) == answer and max(asked) <= 8 and len(asked) == len(set(asked))


def test_fewest_ends_where_nothing_is_enough():
    assert fewest(8, lambda count: False) == 8 and fewest(0, lambda count: False) == 0


def test_rank_is_error_for_each_gain():
    trials = [LayerSensitivity(name, "Conv", "int8", 0.0, error, 1.0) for name, error in (("a", 1.0), ("b", 3.0), ("c", 0.1), ("d", 2.0))]
    assert ranked(Sensitivity(trials), "int8", {"a": 1.0, "b": 10.0, "c": -5.0, "d": 1.0}) == ["c", "d", "a", "b"]


@pytest.mark.parametrize(
    ("recipe", "count", "share", "bits", "reason"),
    [
        ({"prune": {"sparsity": 0.5}}, 8, 0.9, None, "no quantize"),
        ({"quantize": {}}, 2, 0.9, None, "at least 4"),
        ({"quantize": {}}, 8, 1.5, None, "agreement 1.5"),
        ({"quantize": {}}, 8, 0.9, 8, "8 bits"),
    ],
)
def test_what_cannot_be_is_refused(recipe, count, share, bits, reason):
    with pytest.raises(honed.Error, match=reason):
        mixed_precision(deciding_net(), recipe, images(count), share, bits=bits)
