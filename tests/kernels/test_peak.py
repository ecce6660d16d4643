"""Loops that measure the limits of a core. Their speed cannot be asserted; that more vector lanes do more, it can."""

import pytest
from honed.kernels._native import isa_levels
from honed.kernels._peak import load_bytes_per_second, products_per_second

LEVELS = isa_levels()[1:]


@pytest.mark.parametrize("kind", ["f32", "u8s8"])
@pytest.mark.parametrize("isa", LEVELS)
def test_a_core_does_between_one_and_a_thousand_multiply_adds_a_nanosecond(isa, kind):
    assert 1e9 < products_per_second(isa, kind, 0.02) < 1e12


@pytest.mark.parametrize("isa", LEVELS)
def test_a_core_loads_at_most_a_few_vectors_a_cycle(isa):
    assert 1e9 < load_bytes_per_second(isa, 16 << 10, 0.02) < 2e12


def test_dot_products_of_bytes_are_several_times_fp32():
    if "avx512vnni" not in LEVELS:
        pytest.skip("needs avx512vnni")
    assert products_per_second("avx512vnni", "u8s8", 0.05) > 2 * products_per_second("avx512vnni", "f32", 0.05)


def test_there_are_no_limits_without_vectors():
    with pytest.raises(ValueError, match="no measured limits for scalar"):
        products_per_second("scalar", "f32", 0.01)
    with pytest.raises(ValueError, match="sse9"):
        load_bytes_per_second("sse9", 1024, 0.01)
