import numpy as np
import onnx_graphsurgeon as gs
import pytest
from honed.passes.compress.reconstruct.active import CLIPPED, EDGE, Columns, linear_part, round_active


def clipped_net(*bounds):
    """Conv, then Clip with `bounds`, None for one that is left out."""
    x = gs.Variable("x", np.float32, (1, 2, 3, 3))
    y, z = gs.Variable("y", np.float32), gs.Variable("z", np.float32)
    conv = gs.Node("Conv", "conv", inputs=[x, gs.Constant("w", np.ones((2, 2, 1, 1), np.float32))], outputs=[y])
    given = [gs.Variable.empty() if b is None else gs.Constant(f"b{i}", np.array(b, np.float32)) for i, b in enumerate(bounds)]
    return conv, gs.Node("Clip", "clip", inputs=[y, *given], outputs=[z])


@pytest.mark.parametrize(
    ("bounds", "part"),
    [((0, 6), (0.0, 6.0)), ((None, 6), (-np.inf, 6.0)), ((-1,), (-1.0, np.inf)), ((), None), ((3, 2), None)],
)
def test_a_clip_passes_on_what_is_between_its_bounds(bounds, part):
    conv, _ = clipped_net(*bounds)
    assert linear_part(conv) == part


def test_a_relu_passes_on_what_is_above_0():
    conv, clip = clipped_net()
    clip.op = "Relu"
    assert linear_part(conv) == (0.0, np.inf)


def test_bounds_that_are_computed_and_second_readers_count_for_nothing():
    conv, clip = clipped_net(0, 6)
    clip.inputs[2] = gs.Variable("computed", np.float32)
    assert linear_part(conv) is None
    conv, _ = clipped_net(0, 6)
    gs.Node("Relu", "second", inputs=[conv.outputs[0]], outputs=[gs.Variable("r")])
    assert linear_part(conv) is None


def some_columns(n=400, k=6, out=5):
    rng = np.random.default_rng(1)
    mix = rng.standard_normal((k, k))
    x = (rng.standard_normal((n, k)) @ mix + 1).astype(np.float32)
    weight = rng.standard_normal((out, k)).astype(np.float32)
    return x, weight, (x @ weight.T - 0.5).astype(np.float32)


def test_each_channel_is_a_weighted_least_squares_problem():
    x, _, y = some_columns()
    gain = np.linspace(0.5, 2, 5)
    columns = Columns.of(x[None], y, (0.0, 3.0), gain)
    problem = columns.problem(slice(1, 4))
    rng = np.random.default_rng(2)
    tried = rng.standard_normal((3, 1, 6))
    found, bias = problem.errors(tried), problem.bias(tried)
    for i, channel in enumerate(range(1, 4)):
        edge = EDGE * y[:, channel].std()
        m = np.where((y[:, channel] > -edge) & (y[:, channel] < 3 + edge), 1.0, float(CLIPPED))
        off = x.astype(np.float64) @ tried[i, 0] - y[:, channel] * gain[channel]
        best = -(m * off).sum() / m.sum()
        assert bias[i, 0] == pytest.approx(best, rel=1e-4)
        assert found[i, 0] == pytest.approx((m * np.square(off + best)).sum() / m.sum(), rel=1e-4)


def test_what_is_passed_on_loses_less_than_with_one_hessian_for_all():
    rng = np.random.default_rng(3)
    halves = [rng.standard_normal((600, 4)) @ rng.standard_normal((4, 12)) + 0.1 * rng.standard_normal((600, 12)) for _ in range(2)]
    x = np.concatenate(halves).astype(np.float32)
    x[:600, 0] += 8
    x[600:, 0] -= 8
    weight = rng.standard_normal((8, 12)).astype(np.float32)
    weight[:, 0] = np.where(np.arange(8) % 2, 2, -2)
    y = x @ weight.T
    lost = []
    for linear in ((0.0, np.inf), (-np.inf, np.inf)):
        found = round_active(Columns.of(x[None], y, linear, None), weight, 1e-3, 3, None)
        assert np.abs(found.integers).max() <= 3
        assert found.unrounded < 1e-5 < found.error
        rounded = x @ (found.integers * found.scale[:, None]).T + found.bias
        lost.append(np.square(np.maximum(rounded, 0) - np.maximum(y, 0)).mean())
    assert lost[0] < 0.8 * lost[1]


def test_channels_in_pieces_give_the_same(monkeypatch):
    x, weight, y = some_columns()
    weight[1:, ::2] = 0
    columns = Columns.of(x[None], y, (0.0, 6.0), None)
    whole = round_active(columns, weight, 0.03, 7, 3)
    monkeypatch.setattr("honed.passes.compress.reconstruct.active.ELEMENTS", 36 * 2)
    pieces = round_active(columns, weight, 0.03, 7, 3)
    assert not whole.integers[1:, ::2].any()
    for name in ("scale", "bias", "integers"):
        np.testing.assert_allclose(getattr(pieces, name), getattr(whole, name), rtol=0.02, atol=0.02)


def test_channels_of_groups_and_halves_of_the_data_are_theirs():
    rng = np.random.default_rng(4)
    x, y = rng.standard_normal((2, 100, 3)).astype(np.float32), rng.standard_normal((100, 4)).astype(np.float32)
    columns = Columns.of(x, y, (0.0, np.inf), None)
    second = columns.half(True)
    for part, rows in ((columns, slice(None)), (second, slice(50, None))):
        for o in range(4):
            alone = Columns(x[o // 2][None, rows], y[rows, o : o + 1], columns.active[rows, o : o + 1])
            own, of_all = alone.problem(slice(None)), part.problem(slice(o, o + 1))
            for name in ("hessian", "cross", "power", "mean_x", "mean_y"):
                np.testing.assert_allclose(getattr(of_all, name), getattr(own, name), rtol=1e-5, atol=1e-6)
            share = np.where(columns.active[rows, o], 1, CLIPPED).mean()
            assert part.share(slice(o, o + 1)) == pytest.approx(share)
            w = rng.standard_normal((1, 1, 3))
            np.testing.assert_allclose(own.times(np.array([share])).errors(w), share * own.errors(w))
