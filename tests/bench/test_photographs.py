"""Crops of scikit-image's photographs."""

import numpy as np
import pytest
from honed import Error
from honed.bench import photographs
from PIL import Image

pytest.importorskip("skimage", reason="scikit-image is not installed")


def test_calibration_and_evaluation_share_no_photograph():
    assert not set(photographs.CALIBRATION) & set(photographs.EVALUATION)
    assert len({"motorcycle_left.png", "motorcycle_right.png"} & set(photographs.CALIBRATION)) in (0, 2)


def test_every_photograph_is_there():
    for name in (*photographs.CALIBRATION, *photographs.EVALUATION):
        assert photographs.load_photograph(name).mode == "RGB"


def test_crops_are_the_same_every_time_and_differ_from_each_other():
    first, again = (list(photographs.crops(("rocket.jpg",), 3)) for _ in range(2))
    for a, b in zip(first, again, strict=True):
        assert a.shape == (1, 3, 224, 224) and a.dtype == np.float32
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(first[0], first[1])


def test_pixels_are_normalised_by_channel():
    pixels = photographs.normalise(Image.new("RGB", (2, 1), (255, 0, 51)))
    expected = [(1 - 0.485) / 0.229, (0 - 0.456) / 0.224, (0.2 - 0.406) / 0.225]
    np.testing.assert_allclose(pixels[0, :, 0, 1], expected, rtol=1e-6)


def test_a_missing_photograph_is_an_error():
    with pytest.raises(Error, match=r"none\.png"):
        photographs.load_photograph("none.png")
