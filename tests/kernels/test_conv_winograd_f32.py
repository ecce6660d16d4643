import numpy as np
import pytest
from honed.kernels._native import KernelError, Operator, TensorSpec, isa_levels
from honed.kernels.packing import pack_conv_winograd_f32, winograd_filters, winograd_matrices
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernels import conv_checks as check
from tests.kernels.conv_cases import WITH_RESIDUAL, Conv, exact

NO_PADS = dict.fromkeys(("pad_top", "pad_left", "pad_bottom", "pad_right"), 0)
CASES = [
    Conv(),
    Conv(in_channels=5, out_channels=7, height=13, width=31, batch=2, extra_rows=1, extra_cols=2),
    Conv(height=3, width=3, **NO_PADS),
    Conv(in_channels=3, out_channels=17, height=1, width=1),
    Conv(pad_top=0, pad_left=2, pad_bottom=1, pad_right=0, height=9, width=5),
    Conv(pad_top=2, pad_left=0, pad_bottom=3, pad_right=2, height=4, width=11),
    Conv(height=9, width=70, **NO_PADS),
    Conv(in_channels=4, out_channels=3, height=2, width=200),
    Conv(group=2, in_channels=6, out_channels=10),
    Conv(group=8),
    Conv(in_channels=30, out_channels=40, height=28, width=28),
    Conv(in_channels=90, out_channels=20, height=24, width=33, batch=2),
    Conv(in_channels=257, out_channels=33, height=7, width=7),
]
TILES = (2, 4)


def strided(kernel: int, pad: int, **kwargs: int) -> Conv:
    pads = dict.fromkeys(("pad_top", "pad_left", "pad_bottom", "pad_right"), pad)
    return Conv(**{"kernel_h": kernel, "kernel_w": kernel, "stride_h": 2, "stride_w": 2} | pads | kwargs)


STRIDED = [
    strided(7, 3, in_channels=3, out_channels=17, height=29, width=31),
    strided(7, 3, in_channels=3, out_channels=64, height=56, width=90, batch=2),
    strided(7, 0, height=7, width=40, extra_rows=1, extra_cols=2),
    strided(7, 3, height=1, width=2),
    strided(7, 2, pad_right=6, pad_bottom=5, height=20, width=15),
    strided(7, 3, group=2, in_channels=6, out_channels=10, height=18, width=18),
    strided(8, 3, in_channels=5, out_channels=9, height=34, width=21),
    strided(5, 2, in_channels=20, out_channels=9, height=23, width=24),
    strided(6, 2, in_channels=3, out_channels=7, height=16, width=50),
]
RUNS = [(conv, tile) for conv in CASES for tile in TILES] + [(conv, 4) for conv in STRIDED]


def packer(tile):
    return lambda w, **kwargs: pack_conv_winograd_f32(w, tile=tile, **kwargs)


def run(conv, operands, isa, tile, splits=1, residual=None, **attrs):
    return check.run_float("conv_winograd_f32", packer(tile), conv, operands, isa, splits, residual, tile=tile, **attrs)


def bound(conv: Conv, operands, tile: int, y: np.ndarray) -> np.ndarray:
    """(channels + 16 m) eps |A'| (sum of (|G||w||G'|) . (|B'||x||B|)) |A| + 2 eps |y|, tile by tile."""
    w = np.abs(winograd_filters(operands[1], conv.stride_h).astype(np.float64))
    x = np.abs(conv.operator_input(operands[0]).astype(np.float64))
    top, left = (0, 0) if conv.strided else (conv.pad_top, conv.pad_left)
    a, g, b = (np.abs(m) for m in winograd_matrices(tile, w.shape[-1]))
    n, _, h, width = conv.output_shape
    size, rows, cols = len(g), -(-h // tile), -(-width // tile)
    reach = size - tile
    padded = np.pad(x, ((0, 0), (0, 0), (top, size), (left, size)))[:, :, : rows * tile + reach, : cols * tile + reach]
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size), axis=(2, 3))[:, :, ::tile, ::tile]
    v = (b @ windows @ b.T).reshape(n, conv.group, -1, rows, cols, size, size)
    u = (g @ w @ g.T).reshape(conv.group, -1, w.shape[1], size, size)
    sums = a @ np.einsum("ngcrskl,gockl->ngorskl", v, u, optimize=True) @ a.T
    magnitude = sums.transpose(0, 1, 2, 3, 5, 4, 6).reshape(n, conv.out_channels, rows * tile, cols * tile)[:, :, :h, :width]
    eps = float(np.finfo(np.float32).eps)
    return (w.shape[1] + 16 * tile) * eps * magnitude + 2 * eps * np.abs(y)


@pytest.mark.parametrize("tile", TILES)
@pytest.mark.parametrize("isa", isa_levels())
def test_gates(isa, tile):
    check.check_float_gates("conv_winograd_f32", packer(tile), WITH_RESIDUAL, isa, tile=tile)


@pytest.mark.parametrize("isa", isa_levels())
@pytest.mark.parametrize(("conv", "tile"), RUNS, ids=str)
def test_sums_are_within_their_bound(conv, isa, tile):
    operands = check.float_operands(conv)
    expected = exact(conv, *operands[:2]) + operands[2].reshape(1, -1, 1, 1)
    limit = bound(conv, operands, tile, expected)
    for splits in (1, 3):
        assert (np.abs(run(conv, operands, isa, tile, splits) - expected) <= limit).all()


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    kernel=st.integers(5, 8),
    size=st.tuples(st.integers(1, 40), st.integers(1, 80)),
    pads=st.tuples(*[st.integers(0, 4)] * 4),
    channels=st.tuples(st.integers(1, 4), st.integers(1, 20)),
)
def test_any_strided_geometry(kernel, size, pads, channels):
    names = ("pad_top", "pad_left", "pad_bottom", "pad_right")
    conv = strided(kernel, 0, **dict(zip(names, pads, strict=True)), height=size[0], width=size[1], in_channels=channels[0],
                   out_channels=channels[1])  # fmt: skip
    if min(conv.output_shape) < 1:
        return
    operands = check.float_operands(conv)
    expected = exact(conv, *operands[:2]) + operands[2].reshape(1, -1, 1, 1)
    first, *others = [run(conv, operands, isa, 4, splits=2) for isa in isa_levels()]
    assert (np.abs(first - expected) <= bound(conv, operands, 4, expected)).all()
    for other in others:
        np.testing.assert_array_equal(other, first)


@pytest.mark.parametrize(("conv", "tile"), RUNS, ids=str)
def test_variants_agree_to_the_bit(conv, tile):
    operands = check.float_operands(conv)
    first, *others = [run(conv, operands, isa, tile) for isa in isa_levels()]
    for other in others:
        np.testing.assert_array_equal(other, first)


@pytest.mark.parametrize(("conv", "tile"), [(WITH_RESIDUAL, 2), (WITH_RESIDUAL, 4), (STRIDED[0], 4), (STRIDED[-1], 4)], ids=str)
@pytest.mark.parametrize("isa", isa_levels())
def test_residual_and_clamp(isa, conv, tile):
    operands = check.float_operands(conv)
    residual = np.random.default_rng(3).standard_normal(conv.output_shape).astype(np.float32)
    expected = np.clip(run(conv, operands, isa, tile) + residual, np.float32(-0.25), np.float32(1.5))
    actual = run(conv, operands, isa, tile, residual=residual, clamp_lo=-0.25, clamp_hi=1.5)
    np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize("tile", TILES)
@pytest.mark.parametrize("isa", isa_levels())
def test_a_tile_reads_no_pixel_but_its_own(isa, tile):
    conv = Conv(height=9, width=10, batch=2)
    operands = x, *_ = check.float_operands(conv)
    clean = run(conv, operands, isa, tile)
    x[0, :, 8, 9] = np.nan
    x[1, :, 0, 0] = np.inf
    spoilt = run(conv, operands, isa, tile)
    np.testing.assert_array_equal(spoilt[0, :, :4, :4], clean[0, :, :4, :4])
    np.testing.assert_array_equal(spoilt[1, :, 4:, 4:], clean[1, :, 4:, 4:])
    assert not np.isfinite(spoilt[0, :, 8, 9]).any()


@pytest.mark.parametrize("kernel", [5, 7, 8])
@pytest.mark.parametrize("isa", isa_levels())
def test_a_strided_tile_reads_no_pixel_but_its_own(isa, kernel):
    conv = strided(kernel, 0, in_channels=2, height=8 + kernel, width=8 + kernel)
    operands = x, *_ = check.float_operands(conv)
    clean = run(conv, operands, isa, 4)
    outside = 6 + kernel  # the first pixel beyond four outputs
    x[0, 0, outside, :] = x[0, 1, :, outside] = np.nan
    spoilt = run(conv, operands, isa, 4)
    np.testing.assert_array_equal(spoilt[0, :, :4, :4], clean[0, :, :4, :4])
    assert not np.isfinite(spoilt[0, :, 4:]).any()
    assert not np.isfinite(spoilt[0, :, :, 4:]).any()


@pytest.mark.parametrize("tile", TILES)
@pytest.mark.parametrize("isa", isa_levels())
def test_any_gaps_and_row_strides(isa, tile):
    conv = Conv(pad_left=2, pad_right=1, height=9, width=10)
    operands = x, w, bias = check.float_operands(conv)
    source, out = TensorSpec("f32", True, 0, 0, 0), TensorSpec("f32", True, 2, 5, 0)
    weights = pack_conv_winograd_f32(w, tile=tile)
    op = Operator("conv_winograd_f32", [source], [out], conv.attrs | {"tile": tile}, [*weights, bias], isa)
    np.testing.assert_array_equal(op.run([x])[0], run(conv, operands, isa, tile))


@pytest.mark.parametrize(("tile", "taps"), [(2, 3), (4, 3), (4, 4)])
def test_matrices_compute_the_convolution(tile, taps):
    a, g, b = winograd_matrices(tile, taps)
    rng = np.random.default_rng(1)
    x, w = rng.standard_normal((tile + taps - 1, tile + taps - 1)), rng.standard_normal((taps, taps))
    expected = sum(w[k, m] * x[k : k + tile, m : m + tile] for k in range(taps) for m in range(taps))
    np.testing.assert_allclose(a @ ((g @ w @ g.T) * (b @ x @ b.T)) @ a.T, expected, rtol=0, atol=1e-12)


BY_TWO = {"stride_h": 2, "stride_w": 2}
REFUSED = [
    *({"stride_h": 2}, {"dilation_w": 2}, {"kernel_h": 1}, {"tile": 3}),
    *(BY_TWO, BY_TWO | {"kernel_h": 9, "kernel_w": 9}, BY_TWO | {"kernel_h": 7, "kernel_w": 5}),
    BY_TWO | {"kernel_h": 7, "kernel_w": 7, "tile": 2},
]


@pytest.mark.parametrize("changed", REFUSED, ids=str)
def test_what_it_cannot_run_is_refused(changed):
    conv = Conv(**NO_PADS)
    _, w, bias = check.float_operands(conv)
    expected = r"expected a 3x3 kernel of stride 1 or one of 5x5 to 8x8 of stride 2|tile is \d, expected 4, or 2 with stride 1"
    with pytest.raises(KernelError, match=expected):
        conv.operator("conv_winograd_f32", [*pack_conv_winograd_f32(w), bias], None, dtype="f32", **{"tile": 4} | changed)


@pytest.mark.parametrize(("kernel", "stride"), [((5, 3), 1), ((5, 5), 1), ((3, 3), 2), ((7, 5), 2), ((9, 9), 2), ((7, 7), 3)])
def test_what_it_cannot_run_is_not_packed(kernel, stride):
    with pytest.raises(ValueError, match=f"kernel of {kernel[0]}x{kernel[1]} with stride {stride}"):
        pack_conv_winograd_f32(np.zeros((2, 2, *kernel), np.float32), stride_h=stride)
