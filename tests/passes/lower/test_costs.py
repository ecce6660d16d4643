"""Costs of operators: the model, its fit, its files."""

import dataclasses
import json

import numpy as np
import pytest
import scipy.optimize
from honed import Error
from honed.passes.lower import lower
from honed.passes.lower.costs import ANY, Costs, FamilyCosts, Spread, cache_path, current_costs, fit, read_costs, share, write_costs
from honed.passes.lower.costs.files import default_costs
from honed.passes.lower.costs.fit import fit_spread, non_negative_least_squares
from honed.passes.lower.families import CONVOLUTIONS, PRODUCTS, ConvLayer, Packed

from tests.passes.lower.networks import Net, normal


@pytest.mark.parametrize("seed", range(5))
def test_least_squares_are_those_of_scipy(seed):
    rng = np.random.default_rng(seed)
    a, b = rng.random((30, 5)), rng.standard_normal(30) + 1
    expected, _ = scipy.optimize.nnls(a, b)
    np.testing.assert_allclose(non_negative_least_squares(a, b), expected, atol=1e-6)


def measurements(seed=0):
    """Amounts, and times that are linear in them but for a tenth."""
    rng = np.random.default_rng(seed)
    amounts = np.exp(rng.uniform(7, 12, (60, 2)))
    return amounts, (amounts @ [2.0, 0.5]) * rng.uniform(0.9, 1.1, 60)


def test_a_kept_measurement_is_estimated_as_it_was_measured():
    amounts, ns = measurements()
    costs = fit(("a", "b"), amounts, ns)
    np.testing.assert_allclose([costs.estimate(row) for row in amounts], ns, rtol=1e-3)


def test_far_from_all_measurements_the_estimate_is_the_fit():
    costs = FamilyCosts(("a",), (3.0,), np.array([[100.0, 600.0]]))
    assert costs.estimate([100.0]) == pytest.approx(600.0)
    assert costs.estimate([1e9]) == pytest.approx(3e9, rel=1e-3)
    assert 300.0 < costs.estimate([110.0]) / 1.1 < 600.0


def test_only_as_much_is_kept_as_estimates_need():
    amounts, ns = measurements()
    costs = fit(("a", "b"), amounts, ns, 0.04)
    assert 0 < len(costs.seen) < len(ns)
    assert max(abs(costs.estimate(row) / t - 1) for row, t in zip(amounts, ns, strict=True)) <= 0.041


def some_costs():
    return Costs("a CPU", "avx2", "1", {"conv_f32": FamilyCosts(("a", "b"), (1.5, 0.0), np.array([[1.0, 2.0, 3.25]]))})


def test_what_is_added_to_measurements_has_its_own_cost():
    """Products that cost more where they are measured with it would hide it."""
    rng = np.random.default_rng(0)
    products, outputs = rng.uniform(1e5, 1e6, 40), rng.uniform(1e4, 2e4, 40)
    plain = products * np.where(np.arange(40) < 6, 0.3, 0.2)
    amounts = np.concatenate([np.stack([products, 0 * outputs], 1), np.stack([products, outputs], 1)[:6]])
    ns = np.concatenate([plain, (plain + 3 * outputs)[:6]])
    assert fit(("products", "gates"), amounts, ns).ns[1] == pytest.approx(3.0, rel=0.05)
    unlike = amounts + np.arange(len(amounts))[:, None] * [1.0, 0.0]
    assert fit(("products", "gates"), unlike, ns).ns[1] > 4.0


def test_what_is_hardly_longer_says_nothing_of_what_is_added():
    amounts, ns = np.array([[100.0, 0.0], [100.0, 10.0], [200.0, 0.0]]), np.array([100.0, 101.0, 200.0])
    assert fit(("products", "gates"), amounts, ns).ns == pytest.approx((1.0, 0.1), rel=0.01)
    ns[1] = 150.0
    assert fit(("products", "gates"), amounts, ns).ns == pytest.approx((1.0, 5.0), rel=0.01)


def test_float_outputs_that_fill_up_a_block_have_no_gate():
    """Groups of one channel are computed eight rows at a time."""
    conv = {"in_channels": 8, "out_channels": 8, "group": 8, "kernel_h": 3, "kernel_w": 3}
    layer = ConvLayer(np.ones((8, 1, 3, 3), np.float32), conv, 64, (8, 8), gate=2)
    dense = CONVOLUTIONS["f32"][0]
    work = dense.work(layer, Packed(dense, layer))
    assert (work["outputs"], work["sigmoid gates"]) == (4 * 64, 4 * 8)


def test_unknown_families_and_works_have_no_estimate():
    costs = some_costs()
    assert costs.estimate_us("conv_f32", {"a": 1.0, "b": 2.0}) == pytest.approx(3.25e-3)
    assert costs.estimate_us("conv_f32", {"b": 2.0, "a": 1.0}) is None
    assert costs.estimate_us("other", {"a": 1.0}) is None


def test_files_round_trip(tmp_path):
    write_costs(some_costs(), tmp_path / "deep" / "costs.json")
    found = read_costs(tmp_path / "deep" / "costs.json")
    assert (found.cpu, found.isa, found.version) == ("a CPU", "avx2", "1")
    family, expected = found.families["conv_f32"], some_costs().families["conv_f32"]
    assert (family.work, family.ns, family.seen.tolist()) == (expected.work, expected.ns, expected.seen.tolist())


SPREADS = {2: {ANY: Spread(1.5, 400.0), "conv_f32": Spread(1.25, 1000.0)}, 8: {ANY: Spread(2.0, 3000.0)}}


def test_what_threads_make_of_a_time():
    costs = dataclasses.replace(some_costs(), spreads=SPREADS)
    assert costs.spread_us("conv_f32", 80.0, 16, 1) == 80.0
    assert costs.spread_us("conv_f32", 80.0, 1, 2) == costs.spread_us("conv_f32", 80.0, 0, 2) == 80.0
    assert costs.spread_us("conv_f32", 80.0, 16, 2) == pytest.approx(1.25 * 40 + 1)
    assert costs.spread_us("conv_f32", 80.0, 3, 2) == pytest.approx(1.25 * 80 * 2 / 3 + 1)
    assert costs.spread_us("pool", 80.0, 16, 2) == pytest.approx(1.5 * 40 + 0.4)


@pytest.mark.parametrize(("threads", "measured"), [(2, 2), (3, 2), (5, 8), (64, 8)])
def test_the_nearest_number_of_threads_stands_for_others(threads, measured):
    costs = dataclasses.replace(some_costs(), spreads=SPREADS)
    expected = SPREADS[measured][ANY].us(1000.0, 640, threads)
    assert costs.spread_us("pool", 1000.0, 640, threads) == expected


def test_without_measurements_threads_pay_by_less_than_their_number():
    one, two, four = (some_costs().spread_us("conv_f32", 1000.0, 64, threads) for threads in (1, 2, 4))
    assert one > two > one / 2 and two > four > one / 4


def test_the_busiest_thread_has_its_share_of_the_tasks():
    for tasks in range(1, 40):
        for threads in range(1, 9):
            assert share(tasks, threads) * tasks == pytest.approx(max(len(range(i, tasks, threads)) for i in range(threads)))


def test_spreads_are_found_from_measurements():
    rng = np.random.default_rng(0)
    shared = np.exp(rng.uniform(7, 12, 50))
    exact = fit_spread(shared, 1.1 * shared + 900)
    assert (exact.slowdown, exact.handover_ns) == pytest.approx((1.1, 900), rel=1e-3)
    measured = (1.1 * shared + 900) * rng.uniform(0.9, 1.1, 50)
    expected, _ = scipy.optimize.nnls(np.column_stack([shared, np.ones(50)]) / measured[:, None], np.ones(50))
    noisy = fit_spread(shared, measured)
    assert (noisy.slowdown, noisy.handover_ns) == pytest.approx(tuple(expected), rel=1e-3)


def test_spreads_round_trip(tmp_path):
    write_costs(dataclasses.replace(some_costs(), spreads=SPREADS), tmp_path / "costs.json")
    assert read_costs(tmp_path / "costs.json").spreads == SPREADS


def damaged(change):
    facts = {"format": 1, "cpu": "c", "isa": "avx2", "version": "1", "families": {"f": {"work": ["a"], "ns": [1], "seen": [[1, 2]]}}}
    change(facts, facts["families"]["f"])
    return json.dumps(facts)


DAMAGES = {
    "format": lambda all, f: all.update(format=2),
    "no cpu": lambda all, f: all.pop("cpu"),
    "cpu is a number": lambda all, f: all.update(cpu=3),
    "no families": lambda all, f: all.update(families={}),
    "families are a list": lambda all, f: all.update(families=[1]),
    "too few coefficients": lambda all, f: f.update(ns=[]),
    "negative": lambda all, f: f.update(ns=[-1]),
    "not finite": lambda all, f: f.update(ns=[float("nan")]),
    "text": lambda all, f: f.update(ns=["x"]),
    "ragged": lambda all, f: f.update(seen=[[1, 2], [1]]),
    "too long": lambda all, f: f.update(seen=[[1, 2, 3, 4]]),
    "no time": lambda all, f: f.update(seen=[[1, 0]]),
    "threads are a list": lambda all, f: all.update(threads=[1]),
    "one thread": lambda all, f: all.update(threads={"1": {"any": [1, 2]}}),
    "no number of threads": lambda all, f: all.update(threads={"two": {"any": [1, 2]}}),
    "too many numbers of threads": lambda all, f: all.update(threads={str(n): {"any": [1, 2]} for n in range(2, 99)}),
    "nothing for any type": lambda all, f: all.update(threads={"2": {"pool": [1, 2]}}),
    "no handover": lambda all, f: all.update(threads={"2": {"any": [1]}}),
    "a negative slowdown": lambda all, f: all.update(threads={"2": {"any": [-1, 2]}}),
}


@pytest.mark.parametrize("change", DAMAGES.values(), ids=DAMAGES)
def test_damaged_tables_are_errors(tmp_path, change):
    (tmp_path / "t.json").write_text(damaged(change))
    with pytest.raises(Error, match=r"t\.json: not a table of costs"):
        read_costs(tmp_path / "t.json")


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff\xfe", b"[" * 100000, b"null"])
def test_what_is_no_table_is_an_error(tmp_path, content):
    (tmp_path / "t.json").write_bytes(content)
    with pytest.raises(Error, match=r"t\.json: not a table of costs"):
        read_costs(tmp_path / "t.json")


def test_an_undamaged_table_is_read(tmp_path):
    (tmp_path / "t.json").write_text(damaged(lambda all, f: None))
    assert read_costs(tmp_path / "t.json").families["f"].estimate([1.0]) == pytest.approx(2.0)


def test_the_cached_table_of_this_cpu_is_used_and_a_damaged_one_is_not(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("HONED_ISA", "avx2")
    assert current_costs() is default_costs("avx2")
    path = cache_path("avx2")
    assert path.is_relative_to(tmp_path)
    write_costs(some_costs(), path)
    assert current_costs().cpu == "a CPU"
    path.write_text("{}")
    assert current_costs() is default_costs("avx2")


def test_products_in_bf16_are_not_estimated_without_their_instructions(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for isa, there, known in (("avx512vnni", True, True), ("avx512vnni", False, False), ("avx2", False, True)):
        monkeypatch.setenv("HONED_ISA", isa)
        monkeypatch.setattr("honed.passes.lower.costs.files.has_bf16", lambda there=there: there)
        assert {"conv_bf16", "gemm_bf16"} <= set(current_costs().families) if known else "conv_bf16" not in current_costs().families
        assert "conv_f32" in current_costs().families


def test_sparse_gemms_without_table_look_ups_are_those_of_avx2(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("HONED_ISA", "avx512vnni")
    for there in (True, False):
        monkeypatch.setattr("honed.passes.lower.costs.files.has_vbmi", lambda there=there: there)
        costs = current_costs().families
        assert costs["sparse_gemm_u8s8"] is default_costs("avx512vnni" if there else "avx2").families["sparse_gemm_u8s8"]
        assert costs["conv_u8s8"] is default_costs("avx512vnni").families["conv_u8s8"]


def test_sparse_float_convolutions_that_are_not_written_at_run_time_cost_more(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("HONED_ISA", "avx512vnni")
    table = default_costs("avx512vnni").families
    for there, knob, known in ((True, "", ""), (True, "0", " unwritten"), (False, "", " unwritten")):
        monkeypatch.setenv("HONED_CODE", knob)
        monkeypatch.setattr("honed.passes.lower.costs.files.has_code", lambda there=there: there)
        assert current_costs().families["sparse_conv_f32"] is table[f"sparse_conv_f32{known}"]
        assert current_costs().families["conv_f32"] is table["conv_f32"]


@pytest.mark.parametrize("isa", ["scalar", "avx2", "avx512", "avx512vnni"])
def test_the_package_knows_every_family(isa):
    known = default_costs(isa).families
    for family in (f for group in (*CONVOLUTIONS.values(), *PRODUCTS.values()) for f in group):
        assert family.key in known
    assert "any" in known


def test_kernels_are_chosen_by_the_costs_that_are_given():
    net = Net()
    model = net.model(net.node("Conv", net.input("x", (1, 16, 28, 28)), net.const(normal((32, 16, 3, 3))), pads=[1, 1, 1, 1]))
    default = default_costs("avx512vnni")
    dear = {name: FamilyCosts(f.work, tuple(1e9 for _ in f.ns)) if "winograd" in name else f for name, f in default.families.items()}
    kernels = [
        {op.type for op in lower(model, costs=costs).ops} & {"conv_f32", "conv_winograd_f32"}
        for costs in (Costs("", "", "", dear), default)
    ]
    assert kernels == [{"conv_f32"}, {"conv_winograd_f32"}]


def test_every_operator_has_an_estimate():
    net = Net()
    program = lower(net.model(net.node("Relu", net.node("Conv", net.input("x", ("n", 3, 9, 9)), net.const(normal((4, 3, 3, 3)))))))
    assert all(op.info["us"] is not None and op.info["us"] >= 0 for op in program.ops)
