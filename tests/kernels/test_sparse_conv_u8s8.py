import numpy as np
import pytest

from tests.kernels.conv_cases import CASES, Conv, exact, fma, requantized
from honed.kernels._native import KernelError, isa_levels
from honed.kernels.packing import pack_sparse_conv_u8s8, unpack_lists

SPARSITIES = [0.0, 0.5, 0.9, 1.0]


def make(conv: Conv, sparsity: float, block: int = 1):
    rng = np.random.default_rng(7)
    w = rng.integers(-128, 128, conv.weight_shape)
    blocks = -(-conv.out_channels // block)
    keep = np.repeat(rng.random((blocks, *conv.weight_shape[1:])) >= sparsity, block, 0)[: conv.out_channels]
    x = rng.integers(0, 256, (conv.batch, conv.in_channels, conv.height, conv.width)).astype(np.uint8)
    sums = max(1.0, np.sqrt(np.prod(conv.weight_shape[1:]))) * 128 * 128
    scale = (rng.uniform(0.5, 2, conv.out_channels) * 128 / sums).astype(np.float32)
    offset = rng.uniform(90, 160, conv.out_channels).astype(np.float32)
    init = rng.integers(-1000, 1000, conv.out_channels).astype(np.int32)
    return x, w * keep, init, scale, offset


def run(conv, w, x, init, scale, offset, isa, splits=1, zero_point=0, residual=None, **kwargs):
    folded = init - zero_point * w.sum((1, 2, 3)).astype(np.int32)
    consts = [*pack_sparse_conv_u8s8(w, group=conv.group), folded.astype(np.int32), scale, offset]
    op = conv.operator("sparse_conv_u8s8", consts, isa, dtype="u8", zero_point=zero_point, out_zero_point=113, **kwargs)
    return op.run([conv.operator_input(x, zero_point)] + ([] if residual is None else [residual]), splits)[0]


@pytest.mark.parametrize("isa", isa_levels())
@pytest.mark.parametrize("conv", CASES, ids=str)
def test_bits_are_those_of_exact_integers(conv, isa):
    for i, sparsity in enumerate(SPARSITIES):
        x, w, init, scale, offset = make(conv, sparsity, block=[1, 2, 4, 1][i])
        expected = requantized(exact(conv, x, w, 77) + init.reshape(1, -1, 1, 1), scale, offset)
        for splits in (1, 3):
            np.testing.assert_array_equal(run(conv, w, x, init, scale, offset, isa, splits, zero_point=77), expected)


@pytest.mark.parametrize("isa", isa_levels())
def test_residual_has_the_bits_of_add_after_convolution(isa):
    conv = Conv(in_channels=9, out_channels=6, height=15, width=14, batch=2)
    x, w, init, scale, offset = make(conv, 0.5)
    residual = np.random.default_rng(3).integers(0, 256, conv.output_shape).astype(np.uint8)
    numbers = {"sum_scale": 0.71, "residual_scale": 0.413, "sum_offset": -11.25, "sum_lo": 3.0, "sum_hi": 250.0}
    q = requantized(exact(conv, x, w) + init.reshape(1, -1, 1, 1), scale, offset, 10, 240).astype(np.float32)
    f = {k: np.float32(v) for k, v in numbers.items()}
    inner = fma(residual.astype(np.float32), f["residual_scale"], f["sum_offset"])
    expected = np.rint(np.clip(fma(q, f["sum_scale"], inner), 3, 250)).astype(np.uint8)
    actual = run(conv, w, x, init, scale, offset, isa, residual=residual, residual_zero_point=5, clamp_lo=10.0, clamp_hi=240.0, **numbers)
    np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize("isa", isa_levels())
def test_float_output(isa):
    conv = Conv(in_channels=9, out_channels=6, height=15, width=14)
    x, w, init, scale, offset = make(conv, 0.5)
    acc = (exact(conv, x, w) + init.reshape(1, -1, 1, 1)).astype(np.int32).astype(np.float32)
    expected = np.maximum(fma(acc, scale.reshape(1, -1, 1, 1), offset.reshape(1, -1, 1, 1)), np.float32(100))
    actual = run(conv, w, x, init, scale, offset, isa, out_dtype="f32", clamp_lo=100.0)
    np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize("isa", isa_levels())
def test_weights_beyond_s8_and_ids_beyond_16_bits(isa):
    conv = Conv(in_channels=70000, out_channels=2, kernel_h=1, kernel_w=1, pad_top=0, pad_left=0, pad_bottom=0, pad_right=0, height=2, width=3)
    x, w, init, scale, offset = make(conv, 0.99)
    w = w * 3 % 511
    expected = requantized(exact(conv, x, w) + init.reshape(1, -1, 1, 1), scale, offset)
    np.testing.assert_array_equal(run(conv, w, x, init, scale, offset, isa), expected)


@pytest.mark.parametrize("sparsity", SPARSITIES)
def test_lists_lose_nothing(sparsity):
    conv = Conv(in_channels=12, out_channels=14, group=2)
    w = make(conv, sparsity)[1] * 2
    np.testing.assert_array_equal(unpack_lists(pack_sparse_conv_u8s8(w, group=2), conv.weight_shape, 2), w)


def test_blocks_are_found():
    conv = Conv(in_channels=64, out_channels=16)
    sizes = {block: set(pack_sparse_conv_u8s8(make(conv, 0.8, block)[1])[0][:, 4].tolist()) for block in (1, 2, 4)}
    assert sizes == {1: {1}, 2: {2}, 4: {4}}


@pytest.mark.parametrize(
    ("index", "change", "message"),
    [
        (0, lambda t: t.__setitem__((0, 0), 99), "names the output channel 99"),
        (0, lambda t: t.__setitem__((0, 6), 10**6), "leaves its constants"),
        (0, lambda t: t.__setitem__((0, 5), -1), "leaves its constants"),
        (0, lambda t: t.__setitem__((0, 4), 3), "leaves its constants"),
        (1, lambda t: t.__setitem__(0, 60000), "names the tap 60000"),
    ],
)
def test_hostile_lists_are_refused(index, change, message):
    conv = Conv()
    x, w, init, scale, offset = make(conv, 0.5)
    consts = pack_sparse_conv_u8s8(w)
    change(consts[index])
    with pytest.raises(KernelError, match=message):
        conv.operator("sparse_conv_u8s8", [*consts, init, scale, offset], None, dtype="u8")
