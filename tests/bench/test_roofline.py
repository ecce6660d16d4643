"""The roofline plot."""

import xml.etree.ElementTree as ElementTree

import pytest
from honed.bench.layers import LayerTime
from honed.bench.peak import Level, Peaks
from honed.bench.roofline import BOTTOM, HEIGHT, LEFT, TOP, Axes, draw

PEAKS = Peaks("avx2", 50e9, 200e9, (Level("L1", 32_000, 200e9), Level("DRAM", None, 10e9)))
SVG = "{http://www.w3.org/2000/svg}"


def test_axes_are_logarithmic():
    axes = Axes((0, 2), (0, 4))
    assert axes.at(1, 1) == (LEFT, HEIGHT - BOTTOM)
    assert axes.at(10, 10000)[1] == TOP
    assert axes.at(10, 1)[0] - LEFT == pytest.approx((axes.at(100, 1)[0] - LEFT) / 2)


def test_every_layer_that_multiplies_is_a_point_and_names_are_escaped():
    layers = [
        LayerTime("a<b>&c", "conv_f32", "k", 10**8, 10**8, 10**8, 2000.0, 4000.0),
        LayerTime("copy", "to_planar", "k", None, None, 10**6, 5.0, 10.0),
    ]
    root = ElementTree.fromstring(draw(layers, PEAKS, "title & more"))
    points = [c for c in root.iter(f"{SVG}circle") if c.find(f"{SVG}title") is not None]
    assert len(points) == 1
    hint = points[0].find(f"{SVG}title").text
    assert hint == "a<b>&c: k, 4000.0 µs, 25.0 GMAC/s, 50% of bound"
    texts = {t.text for t in root.iter(f"{SVG}text")}
    assert {"title & more", "int8 200", "fp32 50", "DRAM 10 GB/s", "conv_f32"} <= texts


def test_nothing_to_draw_is_a_plot_of_the_limits():
    assert "int8 200" in draw([], PEAKS, "none")
