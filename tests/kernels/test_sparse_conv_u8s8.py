import numpy as np
import pytest
from honed.kernels._native import KernelError, isa_levels
from honed.kernels.packing import GroupingCost, pack_sparse_conv_u8s8, unpack_lists

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


def test_blocks_are_found():
    """With costs at which random zeros of several channels are not worth a common list."""
    conv, cost = Conv(in_channels=64, out_channels=16), GroupingCost((8.0, 11.0, 17.0))
    weights = {block: check.int8_operands(conv, 0.8, block)[1] for block in (1, 2, 4)}
    tables = {block: pack_sparse_conv_u8s8(w, cost=cost)[0] for block, w in weights.items()}
    found = {block: {(size, streams) for size, streams in table[:, 4:6].tolist()} for block, table in tables.items()}
    assert found == {1: {(2, 2)}, 2: {(2, 1)}, 4: {(4, 1)}}


@pytest.mark.parametrize("isa", isa_levels())
@pytest.mark.parametrize("streams", [1, 2, 4])
def test_channels_run_side_by_side(streams, isa):
    """Lengths differ, one channel is empty, and 11 channels leave some over."""
    conv, cost = Conv(in_channels=24, out_channels=11, height=14, width=13), GroupingCost((1.0, 9.0, 30.0))
    x, w, *rest = check.int8_operands(conv, 0.7)
    w[3], w[5, 2:] = 0, 0
    operands = (x, w, *rest)

    def pack(weights, **attrs):
        return pack_sparse_conv_u8s8(weights, cost=cost, streams=streams, **attrs)

    table = pack(w)[0]
    assert table[:, 5].tolist() == [streams] * (11 // streams) + [1] * (11 % streams)
    np.testing.assert_array_equal(unpack_lists(pack(w), conv.weight_shape), w)
    expected = requantized(check.sums(conv, operands), *rest[1:])
    np.testing.assert_array_equal(check.run_int8("sparse_conv_u8s8", pack, conv, operands, isa, splits=3), expected)


@pytest.mark.parametrize("isa", isa_levels())
@pytest.mark.parametrize("pixels", [1, 32, 33, 64, 65, 96, 97, 160, 161, 224, 225, 290])
def test_planes_that_end_anywhere_in_a_vector(pixels, isa):
    """Lists of one channel alone, of two and four with their entries in common, and of two and four apart."""
    conv = Conv(in_channels=24, out_channels=7, height=1, width=pixels, **POINTWISE)
    for block, streams in [(1, 1), (1, 2), (1, 4), (2, 1), (4, 1)]:
        x, w, *rest = check.int8_operands(conv, 0.7, block)
        operands = (x, w, *rest)

        def pack(weights, streams=streams, **attrs):
            return pack_sparse_conv_u8s8(weights, cost=GroupingCost((8.0, 11.0, 17.0)), streams=streams, **attrs)

        expected = requantized(check.sums(conv, operands), *rest[1:])
        np.testing.assert_array_equal(check.run_int8("sparse_conv_u8s8", pack, conv, operands, isa), expected)


@pytest.mark.parametrize(
    ("index", "place", "value", "message"),
    [
        (0, (0, 0), 99, "names the output channel 99"),
        (0, (0, 4), 3, "leaves its constants"),
        (0, (0, 5), 3, "leaves its constants"),
        (0, (0, 6), -1, "leaves its constants"),
        (0, (0, 7), 10**6, "leaves its constants"),
        (0, (0, 8), 10**6, "leaves its constants"),
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
