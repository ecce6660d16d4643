import numpy as np
import pytest
from honed.kernels._native import KernelError, isa_levels
from honed.kernels.packing import pack_sparse_conv_u8s8, unpack_lists

from tests.kernels import conv_checks as check
from tests.kernels.conv_cases import CASES, POINTWISE, WITH_RESIDUAL, Conv, requantized

KIND = ("sparse_conv_u8s8", pack_sparse_conv_u8s8)
SPARSITIES = [(0.0, 1), (0.5, 2), (0.9, 4), (1.0, 1), (0.8, 1)]


@pytest.mark.parametrize("isa", isa_levels())
@pytest.mark.parametrize("conv", CASES, ids=str)
def test_bits_are_those_of_exact_integers(conv, isa):
    for sparsity, block in SPARSITIES:
        check.check_bits(*KIND, conv, isa, sparsity, block)


@pytest.mark.parametrize("isa", isa_levels())
def test_residual_has_the_bits_of_add_after_convolution(isa):
    check.check_residual(*KIND, WITH_RESIDUAL, isa)


@pytest.mark.parametrize("isa", isa_levels())
def test_float_output(isa):
    check.check_float_output(*KIND, WITH_RESIDUAL, isa)


@pytest.mark.parametrize("isa", isa_levels())
def test_gates(isa):
    check.check_gates(*KIND, WITH_RESIDUAL, isa)


@pytest.mark.parametrize("isa", isa_levels())
def test_weights_beyond_s8_and_ids_beyond_16_bits(isa):
    conv = Conv(in_channels=70000, out_channels=2, height=2, width=3, **POINTWISE)
    x, w, *rest = check.int8_operands(conv, 0.99)
    operands = (x, w * 3 % 511, *rest)
    expected = requantized(check.sums(conv, operands), *rest[1:])
    np.testing.assert_array_equal(check.run_int8(*KIND, conv, operands, isa), expected)


@pytest.mark.parametrize(("sparsity", "block"), SPARSITIES)
def test_lists_lose_nothing(sparsity, block):
    conv = Conv(in_channels=12, out_channels=14, group=2)
    w = check.int8_operands(conv, sparsity, block)[1] * 2
    np.testing.assert_array_equal(unpack_lists(pack_sparse_conv_u8s8(w, group=2), conv.weight_shape, 2), w)


def of_kinds(channels, kinds, each=8):
    """A mask of entries: `each` of every kind, which says as bits which channels have them."""
    mask = np.zeros((channels, each * len(kinds), 1, 1), bool)
    for i, kind in enumerate(kinds):
        mask[[c for c in range(channels) if kind >> c % 4 & 1], i * each : (i + 1) * each] = True
    return mask


@pytest.mark.parametrize(
    ("channels", "kinds", "sections"),
    [
        (4, [0b1111], {0}),
        (2, [0b11], {0}),
        (1, [0b1], {0}),
        (4, [0b0011, 0b1100], {1}),
        (4, [0b0011, 0b1100, 0b0101, 0b1010, 0b1001, 0b0110], {1, 2, 3}),
        (4, [0b0001, 0b0010, 0b0100, 0b1000], {4}),
        (2, [0b01, 0b10], {4}),
        (3, [0b001, 0b010, 0b100], {0, 4}),
        (4, [0b1111, 0b0011, 0b1100, 0b0101, 0b1010, 0b1001, 0b0110, 0b0001, 0b0010, 0b0100, 0b1000], {0, 1, 2, 3, 4}),
    ],
)
@pytest.mark.parametrize("isa", isa_levels())
def test_sections(channels, kinds, sections, isa):
    """What lists are made of, and what kernels make of them: over planes of several words, and of less than half of one."""
    mask = of_kinds(channels, kinds)
    rng = np.random.default_rng(0)
    for height, width in [(14, 13), (3, 5)]:
        conv = Conv(in_channels=mask.shape[1], out_channels=channels, height=height, width=width, **POINTWISE)
        x, w, *rest = check.int8_operands(conv, 0)
        w = (rng.integers(1, 128, w.shape) * mask).astype(w.dtype)
        assert set(np.flatnonzero(pack_sparse_conv_u8s8(w)[0][:, 7:].any(0)).tolist()) == sections
        np.testing.assert_array_equal(unpack_lists(pack_sparse_conv_u8s8(w), conv.weight_shape), w)
        operands = (x, w, *rest)
        expected = requantized(check.sums(conv, operands), *rest[1:])
        np.testing.assert_array_equal(check.run_int8(*KIND, conv, operands, isa, splits=3), expected)


@pytest.mark.parametrize("isa", isa_levels())
@pytest.mark.parametrize(("group", "channels"), [(21, 21), (7, 7), (3, 9), (5, 15), (2, 14)])
def test_channels_that_groups_leave_over_run_side_by_side(group, channels, isa):
    conv = Conv(in_channels=2 * group, out_channels=channels, group=group, height=9, width=8)
    x, w, *rest = check.int8_operands(conv, 0.5)
    table = pack_sparse_conv_u8s8(w, group=group)[0]
    assert (table[:, 4] == 1).sum() == channels % 2
    np.testing.assert_array_equal(unpack_lists(pack_sparse_conv_u8s8(w, group=group), conv.weight_shape, group), w)
    expected = requantized(check.sums(conv, (x, w, *rest)), *rest[1:])
    np.testing.assert_array_equal(check.run_int8(*KIND, conv, (x, w, *rest), isa), expected)


@pytest.mark.parametrize("isa", isa_levels())
@pytest.mark.parametrize("pixels", [1, 32, 33, 64, 65, 96, 97, 160, 161, 224, 225, 290])
def test_planes_that_end_anywhere_in_a_vector(pixels, isa):
    """Lists of one, two and four channels, with their entries in common and apart."""
    for channels, block in [(1, 1), (2, 1), (2, 2), (7, 1), (7, 2), (4, 4)]:
        conv = Conv(in_channels=24, out_channels=channels, height=1, width=pixels, **POINTWISE)
        x, w, *rest = check.int8_operands(conv, 0.7, block)
        operands = (x, w, *rest)
        expected = requantized(check.sums(conv, operands), *rest[1:])
        np.testing.assert_array_equal(check.run_int8(*KIND, conv, operands, isa), expected)


@pytest.mark.parametrize(
    ("index", "place", "value", "message"),
    [
        (0, (0, 0), 99, "names the output channel 99"),
        (0, (0, 4), 3, "leaves its constants"),
        (0, (0, 4), 1, "leaves its constants"),
        (0, (0, 5), -1, "leaves its constants"),
        (0, (0, 5), 10**6, "leaves its constants"),
        (0, (0, 6), -1, "leaves its constants"),
        (0, (0, 6), 10**6, "leaves its constants"),
        *[(0, (0, 7 + section), value, "leaves its constants") for section in range(5) for value in (-1, 10**6, 2**31 - 1)],
        (1, 0, 60000, "names the tap 60000"),
    ],
)
def test_hostile_lists_are_refused(index, place, value, message):
    conv = Conv()
    _, w, init, scale, offset = check.int8_operands(conv, 0.5)
    consts = pack_sparse_conv_u8s8(w)
    consts[index][place] = value
    with pytest.raises(KernelError, match=message):
        conv.operator("sparse_conv_u8s8", [*consts, init, scale, offset], None, dtype="u8")


@pytest.mark.parametrize(("operand", "value"), [(3, np.nan), (3, np.inf), (4, -np.inf)])
def test_results_before_a_residual_must_be_numbers(operand, value):
    operands = check.int8_operands(WITH_RESIDUAL, 0.5)
    operands[operand][5] = value
    residual = np.zeros(WITH_RESIDUAL.output_shape, np.uint8)
    with pytest.raises(KernelError, match="channel 5 has the scale"):
        check.run_int8(*KIND, WITH_RESIDUAL, operands, None, residual=residual, residual_zero_point=0)
