"""A folder of images."""

import numpy as np
import pytest
from honed import Error
from honed.bench.images import images_in
from honed.bench.photographs import normalise
from PIL import Image


def save(folder, name, size=(300, 400), colour=(255, 0, 51)):
    Image.new("RGB", size, colour).save(folder / name)


def test_labels_are_places_of_synsets_whatever_the_order_of_files(tmp_path):
    for name in ("n03_b.png", "n01_a.jpg", "n02_c.JPEG", "n01_z.png", "notes.txt"):
        save(tmp_path, name) if name != "notes.txt" else (tmp_path / name).write_text("n04_d")
    images = images_in(tmp_path, 3)
    assert [path.name for path in images.paths] == ["n01_a.jpg", "n01_z.png", "n02_c.JPEG", "n03_b.png"]
    assert images.labels.tolist() == [0, 0, 1, 2]


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (("n01_a.png",), "1 of 1 images show 1"),
        (("n01_a.png", "n02_b.png", "n03_c.png"), "3 of 3 images show 3"),
        (("n01_a.png", "n02_b.png", "c.png"), "2 of 3 images show 2"),
    ],
)
def test_a_folder_without_every_class_is_refused(tmp_path, names, shown):
    for name in names:
        save(tmp_path, name)
    with pytest.raises(Error, match=f"{shown} classes.*expected 2"):
        images_in(tmp_path, 2)


def test_a_folder_without_images_is_refused(tmp_path):
    (tmp_path / "readme.txt").write_text("none")
    with pytest.raises(Error, match="no image"):
        images_in(tmp_path)


def test_images_of_other_names_have_no_labels_wherever_they_lie(tmp_path):
    (tmp_path / "b").mkdir()
    for name in ("c.png", "b/d.jpg", "night_a.png"):
        save(tmp_path, name)
    images = images_in(tmp_path)
    assert [path.name for path in images.paths] == ["d.jpg", "c.png", "night_a.png"] and images.labels is None


@pytest.mark.parametrize("size", [(512, 256), (256, 512)])
def test_centres_are_cut_out_of_images_scaled_to_256(tmp_path, size):
    image = Image.new("RGB", size)
    centre = ((size[0] - 224) // 2, (size[1] - 224) // 2)
    image.paste((10, 200, 30), (*centre, centre[0] + 224, centre[1] + 224))
    image.save(tmp_path / "n01_a.png")
    (found,) = images_in(tmp_path, 1).centres()
    np.testing.assert_array_equal(found, normalise(Image.new("RGB", (224, 224), (10, 200, 30))))


def test_grey_images_and_palettes_are_read_as_rgb(tmp_path):
    Image.new("L", (300, 300), 77).save(tmp_path / "n01_grey.png")
    Image.new("P", (300, 300), 3).save(tmp_path / "n02_palette.png")
    assert [centre.shape for centre in images_in(tmp_path, 2).centres()] == [(1, 3, 224, 224)] * 2


def test_crops_are_the_same_every_time_and_as_many_as_asked_for(tmp_path):
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (300, 400, 3), np.uint8)).save(tmp_path / "n01_a.png")
    images = images_in(tmp_path, 1)
    first, again = list(images.crops(3)), list(images.crops(3))
    assert len(first) == 3 and not np.array_equal(first[0], first[1])
    np.testing.assert_array_equal(np.stack(first), np.stack(again))
