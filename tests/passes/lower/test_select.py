"""Selection: the kernel that is taken, and what is said of the others."""

import numpy as np
import pytest
from honed.passes.lower import lower
from honed.passes.lower.costs import Costs, FamilyCosts
from honed.passes.lower.costs.files import default_costs
from honed.passes.lower.select import select_conv as select_conv_by
from honed.passes.lower.select import select_gemm as select_gemm_by

from tests.passes.lower.networks import RNG, Net, normal

COSTS = default_costs("avx512vnni")
SIZE = (28, 28)


def select_conv(w, attrs, size=SIZE):
    return select_conv_by(w, attrs, size, COSTS)


def select_gemm(w, rows):
    return select_gemm_by(w, rows, COSTS)


def weights(shape, zeros, dtype=np.int64, block=1):
    """Integers or floats of which a share of `zeros`, in blocks of `block` output channels, is zero."""
    rng = RNG(0)
    kept = rng.random((shape[0] // block, *shape[1:])) >= zeros
    values = rng.integers(1, 127, shape) * rng.choice([-1, 1], shape)
    return (values * np.repeat(kept, block, 0)).astype(dtype)


def attrs(w, group=1):
    return {"in_channels": w.shape[1] * group, "out_channels": w.shape[0], "group": group, "kernel_h": w.shape[2], "kernel_w": w.shape[3]}


@pytest.mark.parametrize(("dtype", "suffix"), [(np.int64, "u8s8"), (np.float32, "f32")])
@pytest.mark.parametrize(("zeros", "kernel"), [(0.0, "conv"), (0.1, "conv"), (0.9, "sparse_conv"), (1.0, "sparse_conv")])
def test_sparse_from_some_share_of_zeros(dtype, suffix, zeros, kernel):
    w = weights((64, 64, 1, 1), zeros, dtype)
    assert select_conv(w, attrs(w)).kernel == f"{kernel}_{suffix}"


def test_blocks_make_sparse_kernels_worthwhile_earlier():
    blocks, single = weights((64, 64, 1, 1), 0.6, block=4), weights((64, 64, 1, 1), 0.6)
    us = [next(c.us for c in _all(select_conv(w, attrs(w))) if c.kernel == "sparse_conv_u8s8") for w in (blocks, single)]
    assert us[0] < us[1]


def _all(choice):
    return [choice.chosen, *choice.others]


@pytest.mark.parametrize("zeros", [0.0, 0.3, 0.5, 0.7, 0.9])
def test_never_slower_than_dense_by_the_estimates(zeros):
    w = weights((32, 32, 3, 3), zeros)
    choice = select_conv(w, attrs(w))
    assert all(choice.chosen.us * 0.98 <= c.us for c in choice.others if c.us is not None)


@pytest.mark.parametrize(("share", "kernel"), [(0.9, "sparse_conv_f32"), (0.95, "conv_f32")])
def test_float_lists_must_be_clearly_faster_than_dense(share, kernel):
    w = weights((64, 64, 1, 1), 0.5, np.float32)
    work = {c.kernel: c.work for c in _all(select_conv(w, attrs(w)))}
    units = [(0.0,) * (len(work[name]) - 1) + (ns,) for name, ns in (("conv_f32", 1e6), ("sparse_conv_f32", share * 1e6))]
    families = {name: FamilyCosts(tuple(work[name]), ns) for name, ns in zip(("conv_f32", "sparse_conv_f32"), units, strict=True)}
    assert select_conv_by(w, attrs(w), SIZE, Costs("a CPU", "avx2", "1", families)).kernel == kernel


@pytest.mark.parametrize(
    ("shape", "zeros", "size", "form"),
    [
        ((256, 256, 3, 3), 0.9, (14, 14), ""),
        ((256, 256, 3, 3), 0.5, (14, 14), " unwritten"),  # the code would be larger than the weights
        ((256, 256, 3, 3), 0.9, (7, 7), " unwritten"),  # few pixels
        ((64, 64, 1, 1), 0.5, (56, 56), ""),  # little code
    ],
)
def test_float_lists_cost_what_the_form_does_in_which_they_run(shape, zeros, size, form):
    w = weights(shape, zeros, np.float32)
    (lists,) = (c for c in _all(select_conv(w, attrs(w), size)) if c.kernel == "sparse_conv_f32")
    assert lists.us == COSTS.estimate_us(f"sparse_conv_f32{form}", lists.work)
    assert lists.us != COSTS.estimate_us("sparse_conv_f32" if form else "sparse_conv_f32 unwritten", lists.work)


def test_depthwise():
    w = weights((256, 1, 3, 3), 0.0, np.float32)
    choice = select_conv(w, attrs(w, 256), (56, 56))
    assert choice.kernel == "depthwise_f32"
    assert {c.kernel for c in choice.others} == {"conv_f32", "sparse_conv_f32", "conv_winograd_f32"}


@pytest.mark.parametrize(
    ("shape", "zeros", "size", "kernel", "tile"),
    [
        ((64, 64, 3, 3), 0.0, (56, 56), "conv_winograd_f32", 4),
        ((512, 512, 3, 3), 0.0, (7, 7), "conv_winograd_f32", 2),
        ((64, 64, 3, 3), 0.0, None, "conv_winograd_f32", 4),
        ((64, 3, 3, 3), 0.0, (112, 112), "conv_f32", None),
        ((64, 64, 3, 3), 0.95, (56, 56), "sparse_conv_f32", None),
    ],
)
def test_winograd_where_there_are_channels_enough_to_pay_for_the_transforms(shape, zeros, size, kernel, tile):
    w = weights(shape, zeros, np.float32)
    choice = select_conv(w, attrs(w), size)
    assert (choice.kernel, choice.chosen.attrs.get("tile")) == (kernel, tile)


STRIDED = {"stride_h": 2, "stride_w": 2, "pad_top": 0, "pad_left": 0, "pad_bottom": 0, "pad_right": 0}


@pytest.mark.parametrize(("kernel", "filters"), [(5, 3), (6, 3), (7, 4), (8, 4)])
def test_winograd_of_the_phases_of_a_strided_convolution(kernel, filters):
    w = weights((64, 3, kernel, kernel), 0.0, np.float32)
    chosen = select_conv(w, attrs(w) | STRIDED, (112, 112)).chosen
    assert (chosen.kernel, chosen.attrs, chosen.reason) == ("conv_winograd_f32", {"tile": 4}, f"F(4x4, {filters}x{filters}) of 4 phases")


@pytest.mark.parametrize(("size", "share"), [(28, 36 / 144), (2, 16 / 36)])
def test_transformed_weights_save_multiplications(size, share):
    net = Net()
    model = net.model(net.node("Conv", net.input("x", (1, 64, size, size)), net.const(normal((64, 64, 3, 3))), pads=[1, 1, 1, 1]))
    winograd = Costs("", "", "", {name: family for name, family in COSTS.families.items() if "winograd" in name})
    (info,) = [op.info for op in lower(model, costs=winograd).ops if op.type == "conv_winograd_f32"]
    assert info["macs"] == 64 * 64 * 9 * size * size
    assert info["macs_done"] == pytest.approx(info["macs"] * share)


REFUSED = [{"stride_h": 2}, {"dilation_w": 2}, {"kernel_w": 1}, STRIDED, {"kernel_h": 5, "kernel_w": 5}]


@pytest.mark.parametrize("changed", REFUSED, ids=str)
def test_winograd_needs_a_plain_3x3_kernel_or_a_larger_one_of_stride_2(changed):
    w = weights((8, 8, changed.get("kernel_h", 3), changed.get("kernel_w", 3)), 0.0, np.float32)
    refused = [c for c in _all(select_conv(w, attrs(w) | changed)) if c.kernel == "conv_winograd_f32"]
    assert len(refused) == 2
    assert all(c.reason.startswith("expected a 3x3 kernel of stride 1, or tiles of 4x4 and one of 5x5 to 8x8") for c in refused)
    assert all(c.us is None and c.packed is None for c in refused)


def test_the_tile_of_a_winograd_convolution_is_an_attribute():
    net = Net()
    program = lower(net.model(net.node("Conv", net.input("x", (1, 64, 28, 28)), net.const(normal((64, 64, 3, 3))), pads=[1, 1, 1, 1])))
    assert [op.attrs["tile"] for op in program.ops if op.type == "conv_winograd_f32"] == [4]


def test_reasons_of_those_that_were_not_taken():
    w = weights((16, 16, 3, 3), 0.0)
    others = select_conv(w, attrs(w)).others
    assert {c.kernel: c.reason for c in others if c.kernel != "conv_u8s8"} == {
        "sparse_conv_u8s8": "0% zeros, considered from 20%",
        "depthwise_u8s8": "16 input channels per output channel, expected 1",
    }


def test_slower_candidates_say_by_how_much():
    w = weights((64, 64, 3, 3), 0.9)
    dense = [c.reason for c in select_conv(w, attrs(w)).others if c.kernel == "conv_u8s8"]
    assert [reason.endswith(" times the time") for reason in dense] == [True, True]
    assert dense[0].startswith("estimated ")
    assert dense[1].startswith("blocks of 32 output channels, estimated ")


def test_narrow_planes_have_output_channels_in_the_lanes():
    w = weights((128, 128, 3, 3), 0.0)
    assert {size: dict(select_conv(w, attrs(w), (size, size)).chosen.attrs).get("rows") for size in (7, 14)} == {7: 32, 14: 32}


def test_integers_beyond_s8_leave_the_sparse_kernel_only():
    w = weights((8, 8, 3, 3), 0.0)
    w[0, 0, 0, 0] = 200
    choice = select_conv(w, attrs(w))
    assert choice.kernel == "sparse_conv_u8s8"
    assert "integer weights reach 200, expected -128 to 127" in {c.reason for c in choice.others}


@pytest.mark.parametrize(
    ("rows", "zeros", "kernel"),
    [(1, 0.5, "gemm_f32"), (1, 0.97, "sparse_gemm_f32"), (196, 0.97, "sparse_gemm_f32"), (None, 0.0, "gemm_f32")],
)
def test_products(rows, zeros, kernel):
    w = weights((256, 512, 1, 1), zeros, np.float32)[:, :, 0, 0]
    assert select_gemm(w, rows).kernel == kernel


def test_the_time_of_a_product_grows_with_the_rows():
    w = weights((64, 64, 1, 1), 0.0, np.float32)[:, :, 0, 0]
    assert 1.5 < select_gemm(w, 300).chosen.us / select_gemm(w, 100).chosen.us < 3.1


def test_int8_products():
    for zeros, kernel in ((0.3, "gemm_u8s8"), (0.9, "sparse_gemm_u8s8"), (1.0, "sparse_gemm_u8s8")):
        assert select_gemm(weights((256, 512, 1, 1), zeros)[:, :, 0, 0], 1).kernel == kernel


def test_what_inspect_shows_is_noted():
    net, w = Net(), weights((8, 4, 3, 3), 0.9, np.float32)
    program = lower(net.model(net.node("Conv", net.input("x", ("n", 4, 8, 8)), net.const(w), pads=[1, 1, 1, 1])))
    [info] = [op.info for op in program.ops if "candidates" in op.info]
    assert info["macs"] == 8 * 4 * 9 * 64
    assert info["weights"] == w.size
    assert info["sparsity"] == pytest.approx(1 - np.count_nonzero(w) / w.size, abs=1e-4)
    assert {c["kernel"] for c in info["candidates"]} == {"conv_f32", "depthwise_f32", "conv_winograd_f32"}


def test_sizes_known_at_run_time_have_no_count_of_operations():
    net = Net()
    program = lower(net.model(net.node("Conv", net.input("x", ("n", 4, "h", 8)), net.const(normal((8, 4, 3, 3))))))
    assert [op.info["macs"] for op in program.ops if "candidates" in op.info] == [None]
