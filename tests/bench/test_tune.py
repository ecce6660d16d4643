"""Measuring costs."""

import os

import numpy as np
import pytest
from honed import Engine
from honed.bench import tune
from honed.bench.chains import chain_model
from honed.bench.elementwise_probes import elementwise_probes
from honed.bench.probes import FAMILIES
from honed.bench.shapes import Layer
from honed.passes.lower import lower
from honed.passes.lower.costs import ANY
from honed.passes.lower.costs.files import writes_code
from honed.passes.lower.families import UNWRITTEN

LAYERS = [Layer(32, 32, 1, 3, 1, 1, 6), Layer(16, 64, 1, 1, 2, 0, 7), Layer(64, 64, 64, 3, 2, 1, 8)]


@pytest.mark.parametrize("int8", [True, False], ids=["int8", "fp32"])
def test_every_family_that_can_run_a_layer_is_timed(int8):
    timed = [t for i in range(5) for t in tune.conv_probe(LAYERS, tune.Variant(int8), i).time(Engine(1), rounds=1, runs=1)]
    suffix = "u8s8" if int8 else "f32"
    expected = {f"conv_{suffix}", f"depthwise_{suffix}"} | (set() if int8 else {"conv_winograd_f32 2", "conv_winograd_f32 4"})
    assert expected <= {t.family for t in timed}
    assert all(t.ns >= 0 and min(t.work.values()) >= 0 for t in timed)


def test_with_zeros_only_sparse_families_are_timed():
    timed = tune.conv_probe(LAYERS, tune.Variant(True, "4x1", 0.8), 0).time(Engine(1), rounds=1, runs=1)
    assert {t.family for t in timed if t.family in FAMILIES} == {"sparse_conv_u8s8"}


@pytest.mark.parametrize(("int8", "sparsity"), [(True, 0.0), (False, 0.0), (True, 0.9), (False, 0.9)])
def test_every_family_is_timed_with_what_may_be_behind_it(int8, sparsity):
    """Residuals and gates take their time, in pruned layers a large part of all."""
    layer = Layer(64, 64, 1, 3, 1, 1, 28)
    for index in range(tune.MOST_FAMILIES if sparsity == 0.0 else 1):
        probe = tune.conv_probe([layer], tune.Variant(int8, "1x1", sparsity), index)
        timed = [t for t in probe.time(Engine(1), rounds=1, runs=1) if t.family in FAMILIES]
        behind = [{name.removesuffix(" of words") for name, amount in t.work.items() if amount > 0} for t in timed]
        kinds = ["", "residuals", "hard gates", "sigmoid gates"]
        assert ["".join(kind for kind in kinds if kind in names) for names in behind] == kinds * (len(timed) // 4)
        assert timed or index > 0


@pytest.mark.parametrize(("int8", "gap"), [(True, 2), (False, 0)], ids=["int8", "fp32"])
def test_layers_are_measured_between_the_gaps_that_lowering_gives_them(int8, gap):
    """A depthwise f32 kernel masks the columns of its taps where there are no gaps, and takes longer."""
    layer = Layer(32, 32, 32, 5, 1, 2, 20)
    probes = [tune.conv_probe([layer], tune.Variant(int8), index) for index in range(tune.MOST_FAMILIES)]
    measured = [op for probe in probes for op in probe.program().ops if op.type.startswith("depthwise")]
    assert measured
    for op in measured:
        assert {v.gap_cols for v in (*op.inputs, *op.outputs)} == {gap}
    if not int8:
        (lowered,) = (op for op in lower(chain_model([layer])).ops if op.type == "depthwise_f32")
        assert {v.gap_cols for v in (*lowered.inputs, *lowered.outputs)} == {gap}


def test_measured_values_have_the_shapes_that_they_have_in_networks():
    """Whole, and split into phases."""
    for layer in (*LAYERS, Layer(32, 32, 32, 5, 2, 2, 20), Layer(8, 16, 1, 7, 2, 3, 28)):
        (lowered,) = (op for op in lower(chain_model([layer])).ops if "conv" in op.type or "depthwise" in op.type)
        probes = [tune.conv_probe([layer], tune.Variant(False), index) for index in range(tune.MOST_FAMILIES)]
        measured = [op for probe in probes for op in probe.program().ops if op.type == lowered.type]
        assert measured
        for op in measured:
            assert (op.inputs[0].shape, op.outputs[0].shape) == (lowered.inputs[0].shape, lowered.outputs[0].shape)


def test_depthwise_layers_of_three_taps_are_measured_as_they_are_run():
    for layer in (Layer(32, 32, 32, 3, 1, 1, 20), Layer(32, 32, 32, 3, 2, 1, 20), Layer(32, 32, 32, 3, 1, 1, 7)):
        probe = tune.conv_probe([layer], tune.Variant(False), 1)
        (lowered,) = (op for op in lower(chain_model([layer])).ops if op.type == "depthwise_f32")
        measured = [op for op in probe.program().ops if op.type == "depthwise_f32"]
        assert measured
        for op in measured:
            assert op.attrs.get("whole", 0) == lowered.attrs.get("whole", 0) == (layer.size == 20)
            assert op.outputs[0].shape == (1, 32, layer.out_size, layer.out_size)


@pytest.mark.skipif(not writes_code(Engine(1).isa), reason="no kernels are written at run time here")
def test_kernels_that_are_written_at_run_time_are_timed_in_both_forms(monkeypatch):
    layers = [Layer(64, 64, 1, 1, 1, 0, 28), Layer(64, 64, 1, 1, 1, 0, 7)]
    probe = tune.conv_probe(layers, tune.Variant(False, "1x1", 0.9), 0)
    common, other = "sparse_conv_f32", f"sparse_conv_f32 {UNWRITTEN}"

    def families() -> list[str]:
        return sorted(t.family for t in tune.time_probe(probe, Engine(1), tune.engine_without_code()) if t.family.startswith("sparse"))

    assert families() == [common] * 4 + [other] * 8  # small planes' are not written; each has a residual once, the first has gates
    monkeypatch.setenv("HONED_CODE", "0")
    assert families() == [common] * 6
    assert os.environ["HONED_CODE"] == "0"
    monkeypatch.delenv("HONED_CODE")
    assert "HONED_CODE" not in os.environ and tune.engine_without_code().threads == 1 and "HONED_CODE" not in os.environ


def test_a_whole_table(monkeypatch):
    monkeypatch.setattr(tune, "elementwise_probes", lambda: list(elementwise_probes())[-1:])
    monkeypatch.setattr(tune, "VARIANTS", tune.VARIANTS[:2])
    monkeypatch.setattr(tune, "programs", lambda: [lambda: lower(chain_model(LAYERS))])
    monkeypatch.setattr(tune, "Engine", lambda threads=2: Engine(threads))
    steps = []
    costs = tune.tune(lambda task, done, total: steps.append((done, total)), ["fmnist_resnet18"], keep_from=0.05)
    assert steps[-1][0] == steps[-1][1] > 0
    assert {"conv_u8s8", "gemm_f32", "to_planar u8", ANY} <= set(costs.families)
    assert all(np.isfinite(f.ns).all() for f in costs.families.values())
    assert set(costs.spreads) == {2} and costs.spreads[2][ANY].slowdown >= 0


def test_float_products_read_their_weights_from_memory_and_their_input_from_a_cache():
    for int8 in (True, False):
        ops = tune.product_probe(int8).program().ops
        moved = [i for i, op in enumerate(ops) if op.name == "move"]
        assert all(ops[i + 1].inputs == ops[i].outputs for i in moved if ops[i + 1].type.startswith(("gemm", "sparse")))
        products = [op for op in ops if op.type.startswith(("gemm", "sparse"))]
        assert len(moved) == len(products) + (not int8)
        assert int8 or (moved[0] == 0 and np.prod(ops[0].outputs[0].shape) * 4 >= 32 << 20)


def test_planes_and_numbers_have_costs_of_their_own():
    """Measured in place, as networks run them: each reads planes that nothing else reads."""
    timed = {t.family for make in elementwise_probes() for t in make().time(Engine(1), rounds=1, runs=1)}
    assert {"binary_f32 f32", "binary_f32 of planes and numbers f32", "to_planar f32", "to_planar of planes f32"} <= timed
    for make in elementwise_probes():
        ops = make().program().ops
        for op in ops:
            if op.type == "binary_f32":
                assert sum(op.inputs[0] in other.inputs for other in ops) == 1
