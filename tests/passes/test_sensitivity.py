import numpy as np
import onnx
import pytest
from honed.graph import Error
from honed.passes.compress.metrics import agreement, relative_error
from honed.passes.compress.patterns import BLOCKS
from honed.passes.compress.trials import int8, magnitude
from honed.passes.sensitivity import sensitivity, techniques_of
from onnx import numpy_helper

from tests.passes.compress.small_models import residual_net, run_ort, samples


def scaled(model, name, index, factor):
    """The weights of a model with `index` of one of them multiplied."""
    for tensor in model.graph.initializer:
        if tensor.name == name:
            values = np.array(numpy_helper.to_array(tensor))
            values[index] *= factor
            tensor.CopyFrom(numpy_helper.from_array(values, name))
    return model


def broken():
    """The same function as residual_net, but conv1 gets input channels that are 1000 times as large as the others, and has weights for
    them that are as much smaller: one range for all channels destroys it."""
    model = scaled(residual_net(), "dw_w", slice(3), np.float32(1000))
    model = scaled(model, "dw_b", slice(3), np.float32(1000))
    return scaled(model, "conv1_w", (slice(None), slice(3)), np.float32(1e-3))


def measured(model, sparsities=(0.5,), count=32, **options):
    return sensitivity(model, samples(count), run_ort, techniques_of(sparsities, "1x1"), **options)


def test_every_layer_with_every_technique_the_most_harmful_first():
    report = measured(residual_net(), (0.5, 0.9))
    assert len(report.trials) == 6 * 3 and report.samples == 32 and report.left_out == []
    errors = [trial.result_error for trial in report.trials]
    assert errors == sorted(errors, reverse=True) and errors[-1] > 0
    found = {(trial.name, trial.technique): trial for trial in report.trials}
    for name in ("stem", "dw", "conv1", "conv2", "shortcut", "fc"):
        assert found[name, "int8"].output_error < 5e-3 < found[name, "1x1 50%"].output_error < found[name, "1x1 90%"].output_error
    assert found["fc", "int8"].output_error == found["fc", "int8"].result_error
    assert all(0 <= trial.agreement <= 1 for trial in report.trials)


def test_the_layer_that_was_broken_is_named_first():
    worst, sound = ([t for t in measured(model).trials if t.technique == "int8"] for model in (broken(), residual_net()))
    assert worst[0].name == "conv1" and worst[0].output_error > 0.1 and worst[1].output_error < 0.01
    assert next(t for t in sound if t.name == "conv1").output_error < 0.001


def test_errors_are_those_of_the_changed_model_in_onnx_runtime():
    model, x = residual_net(), samples(8)
    weight = next(numpy_helper.to_array(t) for t in model.graph.initializer if t.name == "conv2_w")
    cut = np.where(np.abs(weight) >= np.sort(np.abs(weight), axis=None)[weight.size // 2], weight, 0)
    changed = residual_net()
    next(t for t in changed.graph.initializer if t.name == "conv2_w").CopyFrom(numpy_helper.from_array(cut.astype(np.float32), "conv2_w"))
    for each in (model, changed):
        each.graph.output.append(onnx.helper.make_tensor_value_info("conv2_out", onnx.TensorProto.FLOAT, None))
    exact, other = run_ort(model).run(None, {"x": x}), run_ort(changed).run(None, {"x": x})
    trial = next(t for t in measured(residual_net(), count=8).trials if (t.name, t.technique) == ("conv2", "1x1 50%"))
    others = (0, (0, 2, 3))
    for i, found in ((0, trial.result_error), (1, trial.output_error)):
        assert found == pytest.approx(np.square(exact[i] - other[i]).mean() / exact[i].var(axis=others[i]).mean(), rel=1e-4)
    assert trial.agreement == (exact[0].argmax(axis=1) == other[0].argmax(axis=1)).mean()


def test_batches_do_not_matter_and_samples_are_limited():
    one, other = (measured(residual_net(), count=21, batch=batch) for batch in (21, 8))
    assert [t.name for t in one.trials] == [t.name for t in other.trials]
    np.testing.assert_allclose([t.result_error for t in one.trials], [t.result_error for t in other.trials], rtol=1e-4)
    assert measured(residual_net(), samples=8, batch=4).samples == 8


def test_techniques_see_every_second_batch_and_the_others_judge():
    seen = []

    def technique(layer, data):
        seen.append(data.values.total)
        return int8(layer, data)

    x = samples(16)
    report = sensitivity(residual_net(), x, run_ort, {"t": technique}, batch=4, names=["conv2"], held_out=True)
    assert [trial.name for trial in report.trials] == ["conv2"] and seen == [8 * 16 * 10 * 10]
    other = np.concatenate([x[4:8], x[4:8], x[12:], x[12:]])  # another first and third batch, which nobody judges by
    half = {"t": magnitude(0.5, BLOCKS["1x1"])}
    found = [sensitivity(residual_net(), d, run_ort, half, batch=4, held_out=True) for d in (x, other, x[::-1].copy())]
    assert found[0].trials == found[1].trials != found[2].trials
    with pytest.raises(Error, match="1 batch of 4 samples, expected at least two"):
        sensitivity(residual_net(), x[:4], run_ort, {"t": int8}, batch=4, held_out=True)


def test_what_does_not_apply_is_left_out_and_what_cannot_be_refused():
    report = sensitivity(residual_net(), samples(4), run_ort, techniques_of([0.5], "4x1"))
    assert {entry["name"] for entry in report.left_out} == {"dw", "fc"}
    with pytest.raises(Error, match="sparsity 1, expected numbers between 0 and 1"):
        techniques_of([0.5, 1.0], "1x1")
    with pytest.raises(Error, match=r"pattern: expected .* found '3x1'"):
        techniques_of([0.5], "3x1")


def test_constant_calibration_is_reported():
    report = sensitivity(residual_net(), np.zeros((4, 3, 10, 10), np.float32), run_ort, techniques_of([0.5], "1x1"))
    assert any("is 0 everywhere" in line for line in report.warnings)


def test_measures():
    a = [np.array([[0.0, 2.0], [4.0, 2.0]]), np.array([[2.0, 2.0]])]
    b = [np.array([[1.0, 2.0], [1.0, 2.0]]), np.array([[2.0, 2.0]])]
    assert relative_error(a, b, 1) == pytest.approx(10 / 8) and relative_error(a, a, 1) == 0
    assert agreement(a, b) == pytest.approx(2 / 3)
