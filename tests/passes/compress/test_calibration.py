import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from honed.graph import Error, ShapeError
from honed.passes.compress.calibration import open_calibration, spread
from honed.passes.compress.images import ImageOptions, image_tensor, load_image
from honed.passes.compress.inputs import InputSpec, input_specs, join_feeds
from honed.passes.compress.npz import NpyArray, NpzArray
from PIL import Image

from tests.passes.compress.small_models import residual_net, samples

ROOT = Path(__file__).resolve().parents[3]
F32 = np.dtype(np.float32)
FREE = [InputSpec("x", F32, ("n", 3, 4, 5))]
FIXED = [InputSpec("x", F32, (2, 3, 4, 5))]
DATA = np.random.default_rng(0).standard_normal((11, 3, 4, 5)).astype(np.float32)


def gather(calibration, limit=None):
    return np.concatenate([feed["x"] for feed in calibration.batches(limit)])


class Reader:
    def __init__(self, feeds):
        self.feeds, self.i = feeds, 0

    def get_next(self):
        self.i += 1
        return {"x": self.feeds[self.i - 1]} if self.i <= len(self.feeds) else None


class Rewinding(Reader):
    def rewind(self):
        self.i = 0


def test_specs_of_a_model():
    assert input_specs(residual_net()) == [InputSpec("x", F32, ("n", 3, 10, 10))]


@pytest.mark.parametrize("kind", ["array", "dict", "npy", "npz", "compressed", "other name", "list", "function", "rewinding"])
def test_every_source_gives_the_same_samples_twice(tmp_path, kind):
    np.save(tmp_path / "a.npy", DATA)
    np.savez(tmp_path / "a.npz", x=DATA)
    np.savez_compressed(tmp_path / "c.npz", x=DATA)
    np.savez(tmp_path / "o.npz", images=DATA)
    source = {
        "array": DATA, "dict": {"x": DATA}, "npy": tmp_path / "a.npy", "npz": str(tmp_path / "a.npz"), "compressed": tmp_path / "c.npz",
        "other name": tmp_path / "o.npz", "list": [{"x": DATA[:6]}, DATA[6:]], "function": lambda: iter([DATA]),
        "rewinding": Rewinding([DATA[:1], DATA[1:]]),
    }[kind]  # fmt: skip
    calibration = open_calibration(source, FREE, batch=4)
    assert calibration.repeatable
    for _ in range(2):
        assert np.array_equal(gather(calibration), DATA)
    assert max(len(feed["x"]) for feed in calibration.batches()) == 4
    some = gather(calibration, limit=4)
    assert 4 <= len(some) < 8 and np.array_equal(some, DATA[: len(some)])


@pytest.mark.parametrize("source", [iter([DATA]), Reader([DATA])])
def test_what_can_be_read_once_says_so(source):
    calibration = open_calibration(source, FREE)
    assert not calibration.repeatable
    assert np.array_equal(gather(calibration), DATA)
    with pytest.raises(Error, match="only once"):
        calibration.batches()


def test_a_fixed_batch_cuts_arrays_and_leaves_the_rest_out():
    calibration = open_calibration(DATA, FIXED)
    assert calibration.samples == 10
    assert np.array_equal(gather(calibration), DATA[:10])
    assert all(feed["x"].shape[0] == 2 for feed in calibration.batches())


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        (DATA[:, :2], ShapeError, r"input 'x' has shape \[8, 2, 4, 5\], expected \[n, 3, 4, 5\]"),
        (DATA[0], ShapeError, "expected"),
        (DATA.astype(np.float64), Error, "'x' has dtype float64, expected float32"),
        (np.where(DATA > 2, np.nan, DATA), Error, "NaN"),
        ({"z": DATA}, Error, r"feeds \['z'\], expected \['x'\]"),
        ({"x": DATA, "z": DATA[:3]}, Error, "expected the same number"),
        (DATA[:0], Error, "no samples"),
        ([], Error, "no samples"),
        ([{"x": [1.0]}], Error, "is a list, expected an array"),
        (np.zeros((), np.float32), Error, "not an array with a first dimension"),
    ],
)
def test_data_that_do_not_fit(source, error, message):
    with pytest.raises(error, match=message):
        list(open_calibration(source, FREE).batches())


def test_sources_that_are_none():
    with pytest.raises(Error, match="expected a path, an array"):
        open_calibration(3, FREE)
    with pytest.raises(Error, match="without a name"):
        open_calibration(DATA, [*FREE, InputSpec("z", F32, (1,))])


def test_files_that_are_none(tmp_path):
    (tmp_path / "a.npy").write_bytes(pickle.dumps([1]))
    np.save(tmp_path / "o.npy", np.array([{}], object), allow_pickle=True)
    np.savez(tmp_path / "o.npz", x=np.array([{}], object))
    for name in ("a.npy", "o.npy", "o.npz", "none.npy"):
        with pytest.raises(Error, match=name):
            open_calibration(tmp_path / name, FREE)


def test_a_npz_whose_header_promises_more_than_there_is(tmp_path):
    np.savez(tmp_path / "a.npz", x=DATA)
    with zipfile.ZipFile(tmp_path / "a.npz") as archive:
        raw = archive.read("x.npy")
    with zipfile.ZipFile(tmp_path / "b.npz", "w") as archive:
        archive.writestr("x.npy", raw[:-60])
    with pytest.raises(Error, match=r"b.npz.*holds \d+ bytes of data, expected 2640"):
        open_calibration(tmp_path / "b.npz", FREE)


def test_npz_slices_in_any_order(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", x=DATA)
    array = NpzArray(tmp_path / "a.npz", "x.npy")
    for rows in (slice(3, 5), slice(5, 9), slice(0, 2), slice(8, 99), slice(4, 4)):
        assert np.array_equal(array[rows], DATA[rows])


IMAGES = ImageOptions((4, 6), (0.5, 0.4, 0.3), (0.2, 0.3, 0.4), resize=8)


def save_images(folder):
    pixels = np.random.default_rng(1).integers(0, 256, (3, 8, 12, 3), np.uint8)
    for i, image in enumerate(pixels):
        Image.fromarray(image).save(folder / f"{i}.png")
    return pixels


def test_images_are_cropped_at_the_centre_and_normalised(tmp_path):
    pixels = save_images(tmp_path)
    expected = (pixels[:, 2:6, 3:9].astype(np.float64) / 255 - [0.5, 0.4, 0.3]) / [0.2, 0.3, 0.4]
    calibration = open_calibration(tmp_path, [InputSpec("x", F32, ("n", 3, 4, 6))], batch=2, images=IMAGES)
    np.testing.assert_allclose(gather(calibration), expected.transpose(0, 3, 1, 2), rtol=1e-5, atol=1e-6)
    assert calibration.samples == 3
    fixed = open_calibration(tmp_path, [InputSpec("x", F32, (2, 3, 4, 6))], images=IMAGES)
    assert [feed["x"].shape[0] for feed in fixed.batches()] == [2]


def test_the_shorter_side_is_resized():
    image = Image.fromarray(np.full((40, 20), 51, np.uint8))
    options = ImageOptions((10, 10), (0.2,), (0.1,))
    tensor = image_tensor(image, options)
    assert tensor.shape == (1, 10, 10) and tensor.dtype == np.float32
    np.testing.assert_allclose(tensor, 0, atol=1e-6)


def test_bad_images_and_options(tmp_path):
    with pytest.raises(Error, match="no images"):
        open_calibration(tmp_path, FREE, images=IMAGES)
    with pytest.raises(Error, match="needs a size"):
        open_calibration(tmp_path, FREE)
    (tmp_path / "x.png").write_bytes(b"no image")
    with pytest.raises(Error, match=r"x.png: cannot be read"):
        load_image(tmp_path / "x.png", IMAGES)


BAD_OPTIONS = [((4, 4), (0.5, 0.5), (1, 1)), ((0, 4), (0.5,), (1.0,)), ((4, 4), (0.5,), (0.0,)), ((4, 8), (0.0,), (1.0,), 4)]


@pytest.mark.parametrize("bad", BAD_OPTIONS)
def test_image_options_that_are_none(bad):
    with pytest.raises(Error, match="images"):
        ImageOptions(*bad)


@pytest.mark.parametrize(("count", "wanted"), [(5, 8), (16, 8), (17, 8), (1000, 8), (3, 1)])
def test_spread_takes_samples_in_equal_steps_from_all_over(count, wanted):
    data = open_calibration(np.arange(count, dtype=np.float32).reshape(count, 1), [InputSpec("x", F32, ("n", 1))], batch=4)
    kept = [float(feed["x"][0, 0]) for feed in spread(data, wanted)]
    steps = set(np.diff(kept))
    assert len(steps) <= 1 and kept[0] == 0 and kept[-1] + max(steps, default=1) >= count
    assert min(wanted, count) <= len(kept) <= 2 * wanted


def test_slices_of_a_file_are_its_rows(tmp_path):
    np.save(tmp_path / "a.npy", DATA)
    array = NpyArray(tmp_path / "a.npy")
    for rows in (slice(0, 3), slice(4, 20), slice(6, 2), slice(None)):
        assert np.array_equal(array[rows], DATA[rows])
    np.save(tmp_path / "number.npy", np.float32(3.5))
    assert NpyArray(tmp_path / "number.npy").read() == np.float32(3.5)
    (tmp_path / "short.npy").write_bytes((tmp_path / "a.npy").read_bytes()[:-8])
    np.save(tmp_path / "columns.npy", np.asfortranarray(DATA))
    for name, expected in (("short", "bytes of data, expected"), ("columns", "Fortran order")):
        with pytest.raises(Error, match=expected):
            open_calibration(tmp_path / f"{name}.npy", FREE)


MEMORY = """
import re, sys
from pathlib import Path
from tests.passes.compress.small_models import residual_net
from honed import optimize
optimize(residual_net(size=16), {"quantize": {}}, sys.argv[1], batch=8)
print(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1])
"""


def test_memory_does_not_grow_with_the_samples(tmp_path):
    """8,000 samples are 25 MB: more than what may be added."""
    peaks = []
    for count in (80, 8000):
        np.save(tmp_path / f"{count}.npy", samples(count, (3, 16, 16)))
        command = [sys.executable, "-c", MEMORY, str(tmp_path / f"{count}.npy")]
        peaks.append(int(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout))
    assert peaks[1] < 1.1 * peaks[0]


def test_feeds_of_one_sample_are_put_together():
    specs = [InputSpec("x", np.dtype(np.float32), ("n", 2)), InputSpec("z", np.dtype(np.float32), (None, 1))]
    feeds = [{"x": np.full((1, 2), i, np.float32), "z": np.full((1, 1), -i, np.float32)} for i in range(5)]
    joined = join_feeds(feeds, specs, 2)
    assert [feed["x"][:, 0].tolist() for feed in joined] == [[0, 1], [2, 3], [4]]
    assert [feed["z"][:, 0].tolist() for feed in joined] == [[0, -1], [-2, -3], [-4]]
    assert join_feeds(feeds, [specs[0], InputSpec("z", np.dtype(np.float32), (1, 1))], 2) == feeds
