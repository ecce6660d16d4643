"""Pruning in one pass with rounding to outputs."""

import numpy as np
import onnx
import pytest
from honed.graph import RecipeError, to_model
from honed.passes.optimize import optimize

from tests.passes.compress.small_models import residual_net, run_ort, samples
from tests.passes.compress.test_equalise import error, mobile_net
from tests.passes.compress.test_rounding import values

PRUNE = {"method": "reconstruct", "sparsity": 0.6}
ROUND = {"rounding": "outputs", "samples": 64, "range": "minmax"}
JOINT = {"prune": {**PRUNE, "joint": True}, "quantize": ROUND}


def compressed(source, recipe, **settings):
    graph, report = optimize(source, recipe, samples(64), run_ort, **settings)
    onnx.checker.check_model(to_model(graph), full_check=True)
    return graph, report


@pytest.mark.parametrize("pattern", ["1x1", "4x1"])
@pytest.mark.parametrize("bits", [4, 8])
def test_zeros_and_integers_of_one_pass_lose_less_than_rounding_to_nearest_behind_pruning(pattern, bits):
    source, unseen = residual_net(), samples(64, seed=9)
    prune, rounding = {**PRUNE, "pattern": pattern}, {**ROUND, "bits": bits}
    apart, _ = compressed(source, {"prune": {**prune, "samples": 64}, "quantize": {"range": "minmax", "bits": bits}})
    joint, report = compressed(source, {"prune": {**prune, "joint": True}, "quantize": rounding})
    assert error(source, joint, unseen) < (0.7 if bits == 4 else 1.1) * error(source, apart, unseen)
    for name in ("conv1", "conv2", "shortcut"):
        integers = values(joint)[f"{name}_w_quantized"].astype(int)
        zero = (integers == 0).reshape(-1, int(pattern[0]), *integers.shape[1:]).all(axis=1)
        assert zero.mean() >= 0.6 - 2 / zero.size
        facts = report.layer(name).techniques
        assert facts["prune"]["pattern"] == pattern and facts["prune"]["sparsity"] == pytest.approx((integers == 0).mean())
        assert 0 < facts["prune"]["output_fitted_error"] < facts["prune"]["output_held_out_error"] < 1
        assert facts["quantize"]["bits"] == bits and 0 < facts["quantize"]["output_error"] < 1
    assert report.layer("dw").techniques["prune"] == {"refused": "a depthwise convolution stays dense"}
    assert (values(joint)["dw_w_quantized"] != 0).mean() > 0.9


@pytest.mark.parametrize("active_only", [False, True])
def test_equalised_channels_come_close_to_the_original(active_only):
    source, unseen = mobile_net(0.0), samples(64, seed=9)
    recipe = {"equalise": {}, "prune": {**PRUNE, "joint": True, "active_only": active_only}, "quantize": ROUND}
    magnitude = {"equalise": {}, "prune": {"sparsity": 0.6}, "quantize": {"range": "minmax"}}
    assert error(source, compressed(source, recipe)[0], unseen) < 0.3 * error(source, compressed(source, magnitude)[0], unseen)


def test_an_interrupted_run_goes_on_where_it_stopped(tmp_path):
    def stop(stage, done, total):
        if stage == "quantize" and (done, total) == (2, 6):
            raise KeyboardInterrupt

    whole = to_model(compressed(residual_net(), JOINT)[0])
    with pytest.raises(KeyboardInterrupt):
        compressed(residual_net(), JOINT, state=tmp_path, progress=stop)
    assert len(list((tmp_path / "rounded").rglob("*.npz"))) == 2
    assert to_model(compressed(residual_net(), JOINT, state=tmp_path)[0]) == whole
    other = {**JOINT, "prune": {**JOINT["prune"], "sparsity": 0.5}}
    again = compressed(residual_net(), other, state=tmp_path)[0]
    assert to_model(again) == to_model(compressed(residual_net(), other)[0]) != whole


def test_layers_that_stay_in_f32_are_refused_before_any_work():
    with pytest.raises(RecipeError, match=r"prune\.joint: quantize skips conv1, which prune does not"):
        optimize(residual_net(), {**JOINT, "quantize": {**ROUND, "skip": ["conv1"]}}, samples(64), None)
    graph, _ = compressed(residual_net(), {**JOINT, "skip": ["conv1"]})
    assert np.array_equal(values(graph)["conv1_w"], values(optimize(residual_net(), {})[0])["conv1_w"])
