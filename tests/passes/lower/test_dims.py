"""Expressions of sizes: equal texts are equal numbers."""

import pytest
from honed.passes.lower.dims import broadcast, divided, plus, refine, times, windowed
from hypothesis import given, settings
from hypothesis import strategies as st


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    size=st.integers(20, 90),
    steps=st.lists(st.tuples(st.integers(1, 5), st.integers(1, 3), st.integers(1, 2), st.integers(0, 4), st.booleans()), max_size=4),
)
def test_expressions_compute_what_numbers_do(size, steps):
    symbol, number = "size", size
    for kernel, stride, dilation, pads, ceil in steps:
        if number + pads <= (kernel - 1) * dilation:
            return
        symbol = windowed(symbol, kernel, stride, dilation, pads, ceil)
        number = windowed(number, kernel, stride, dilation, pads, ceil)
    assert eval(symbol, {"size": size}) == number


def test_padding_that_keeps_the_size_keeps_the_name():
    assert windowed("h", 3, 1, 1, 2) == "h"
    assert windowed(windowed("h", 3, 1, 1, 0), 3, 1, 1, 4) == "h"
    assert windowed("h", 3, 2, 1, 2) == windowed("h", 1, 2, 1, 0) == "(h-1)//2+1"


@pytest.mark.parametrize(
    ("dim", "amount", "expected"),
    [("h", 2, "h+2"), ("h+2", -2, "h"), ("h-3", 1, "h-2"), ("(h+1)//2", 3, "(h+1)//2+3"), (None, 1, None), (4, -1, 3)],
)
def test_plus(dim, amount, expected):
    assert plus(dim, amount) == expected


def test_division_and_multiplication():
    assert divided("h", 1) == times("h", 1) == "h"
    assert (divided(7, 2), divided(7, 2, ceil=True), times(7, 2)) == (3, 4, 14)
    assert (divided("h", 2, ceil=True), times("h+1", 2)) == ("(h+1)//2", "(h+1)*2")
    assert divided(None, 2) is times(None, 2) is None


def test_numbers_win_over_expressions_and_those_over_nothing():
    assert refine((1, "a", None, 4, 5), ("n", "b", "c", None, 6)) == (1, "b", "c", 4, 6)
    assert refine(None, (1, 2)) == (1, 2)
    assert refine((1, 2), None) == (1, 2)
    assert refine((1, 2), (1, 2, 3)) == (1, 2)


def test_broadcasting():
    assert broadcast(("n", 4, 1, "w"), (4, "h", 1)) == ("n", 4, "h", "w")
    assert broadcast(("n",), (4,)) == (4,)
    assert broadcast(("n",), ("m",)) == (None,)
    assert broadcast(None, (1,)) is None
