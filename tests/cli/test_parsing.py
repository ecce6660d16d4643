"""Values of options."""

import pytest
import typer
from honed.cli import parsing


def test_pairs_split_at_the_last_equals_sign():
    assert parsing.pairs(["a=b.npy", "x=y=c.npy"], "--input") == {"a": "b.npy", "x=y": "c.npy"}


def test_dimensions_take_x_and_commas():
    assert parsing.dimensions(["a=1x3x224x224", "b=2,5"]) == {"a": (1, 3, 224, 224), "b": (2, 5)}


def test_floats():
    assert parsing.floats(".485,.456", "--mean") == (0.485, 0.456)


@pytest.mark.parametrize("text", ["", "a", "=", "a=", "=b"])
def test_what_is_no_pair_is_refused(text):
    with pytest.raises(typer.BadParameter, match="NAME=VALUE"):
        parsing.pairs([text], "--input")


def test_a_name_given_twice_is_refused():
    with pytest.raises(typer.BadParameter, match="twice"):
        parsing.pairs(["a=1", "a=2"], "--input")


@pytest.mark.parametrize("text", ["", "1x", "0", "-1", "1.5"])
def test_what_is_no_shape_is_refused(text):
    with pytest.raises(typer.BadParameter, match="positive integers"):
        parsing.integers(text, "--dims")


def test_what_is_no_number_is_refused():
    with pytest.raises(typer.BadParameter, match="numbers"):
        parsing.floats("a,b", "--mean")
