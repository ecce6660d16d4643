"""Calibration data: a stream of feeds, whatever it comes from, in memory that does not grow with the number of samples."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from ...graph.errors import Error
from .coverage import Coverage
from .images import ImageFolder, ImageOptions
from .inputs import Feed, InputSpec, check_feed, split_feed
from .npz import open_arrays

DEFAULT_BATCH = 8


@runtime_checkable
class DataReader(Protocol):
    """ONNX Runtime's CalibrationDataReader: get_next() gives a feed, or None at the end. rewind() is optional."""

    def get_next(self) -> Mapping[str, np.ndarray] | None: ...


Source = (
    str
    | Path
    | np.ndarray
    | Mapping[str, np.ndarray]
    | DataReader
    | Callable[[], Iterable[Mapping[str, np.ndarray] | np.ndarray]]
    | Iterable[Mapping[str, np.ndarray] | np.ndarray]
)


class Calibration:
    """A stream of feeds that fit a model. Every call of `batches` starts from the beginning.

    `samples` is the number of samples, or None where only reading to the end can tell; `specs` are the inputs. `coverage`: of the reading
    that saw most.
    """

    def __init__(self, feeds: Callable[[], Iterator[Feed]], specs: list[InputSpec], *, batch: int, samples: int | None, repeatable: bool):
        self._feeds = feeds
        self.specs = specs
        self._batch = batch
        self._repeatable = repeatable
        self._started = False
        self.samples = samples
        self.coverage = Coverage()

    @property
    def repeatable(self) -> bool:
        """Whether `batches` can be called more than once."""
        return self._repeatable

    def batches(self, limit: int | None = None) -> Iterator[Feed]:
        """Checked feeds of at most the batch size, until `limit` samples (the last feed may exceed it) or the end.

        Raises Error for data that can be read only once and were read before, for data without samples, and for feeds that do not fit.
        """
        if self._started and not self._repeatable:
            raise Error("calibration data: an iterator can be read only once, and this recipe reads it again; pass a list or a function")
        self._started = True
        return self._checked(limit)

    def _checked(self, limit: int | None) -> Iterator[Feed]:
        coverage = Coverage()
        for index, feed in enumerate(self._feeds()):
            check_feed(feed, self.specs, f"calibration data, feed {index}")
            for piece in split_feed(feed, self.specs, self._batch):
                coverage.add(piece, feed_samples(piece))
                if coverage.samples > self.coverage.samples:
                    self.coverage = coverage
                yield piece
                if limit is not None and coverage.samples >= limit:
                    return
        if coverage.samples == 0:
            raise Error("calibration data: no samples")


def feed_samples(feed: Feed) -> int:
    """The number of samples in a feed: the first dimension of its first input."""
    first = next(iter(feed.values()))
    return first.shape[0] if first.ndim else 1


def spread(data: Calibration, samples: int) -> list[Feed]:
    """`samples` to 2 · `samples` samples, as far as there are so many, in steps of equal length all over the data: every 2ⁿ-th sample."""
    kept: list[Feed] = []
    step, index = 1, 0
    for batch in data.batches():
        for feed in split_feed(batch, data.specs, 1):
            if index % step == 0:
                kept.append(feed)
            index += 1
            if len(kept) * feed_samples(feed) > 2 * samples:
                kept, step = kept[::2], 2 * step
    return kept


def open_calibration(
    source: Source | Calibration, specs: list[InputSpec], *, batch: int = DEFAULT_BATCH, images: ImageOptions | None = None
) -> Calibration:
    """Calibration data for a model with inputs `specs`.

    source: a folder of images (needs `images`), a .npy or .npz file, an array [samples, ...] for the only input, a mapping input ->
    array, a data reader, a function that returns an iterable of feeds, or an iterable of feeds. A feed is a mapping input -> array
    with the batch dimension, or an array for the only input. Where the model fixes the batch, arrays are cut to it and a remainder
    is left out.
    """
    if isinstance(source, Calibration):
        return source
    if not specs:
        raise Error("calibration data: the model has no inputs")
    if isinstance(source, (str, Path)):
        return _open_path(Path(source), specs, batch, images)
    if isinstance(source, np.ndarray):
        return _from_arrays({_only(specs): source}, specs, batch)
    if isinstance(source, Mapping):
        return _from_arrays(dict(source), specs, batch)
    return _from_feeds(source, specs, batch)


def _only(specs: list[InputSpec]) -> str:
    if len(specs) != 1:
        raise Error(f"calibration data: an array without a name, expected one for each of {[spec.name for spec in specs]}")
    return specs[0].name


def _open_path(path: Path, specs: list[InputSpec], batch: int, images: ImageOptions | None) -> Calibration:
    if path.is_dir():
        if images is None:
            raise Error(f"{path}: a folder of images needs a size, a mean and a std")
        name = _only(specs)
        folder = ImageFolder(path, images)
        size = specs[0].batch or batch
        return Calibration(
            lambda: ({name: b} for b in folder.batches(size, drop_last=specs[0].batch is not None)),
            specs, batch=batch, samples=len(folder), repeatable=True,
        )  # fmt: skip
    arrays = open_arrays(path)
    if not isinstance(arrays, dict) or (set(arrays) != {spec.name for spec in specs} and len(arrays) == len(specs) == 1):
        only = next(iter(arrays.values())) if isinstance(arrays, dict) else arrays
        return _from_arrays({_only(specs): only}, specs, batch)
    return _from_arrays(arrays, specs, batch)


def _from_arrays(arrays: dict[str, Any], specs: list[InputSpec], batch: int) -> Calibration:
    """Arrays may be anything with `shape` and slices along the first dimension."""
    wrong = [name for name, array in arrays.items() if len(getattr(array, "shape", ())) == 0]
    if wrong:
        raise Error(f"calibration data: '{wrong[0]}' is not an array with a first dimension of samples")
    sizes = {name: array.shape[0] for name, array in arrays.items()}
    if len(set(sizes.values())) != 1:
        raise Error(f"calibration data: arrays of {sizes} samples, expected the same number")
    fixed = next((spec.batch for spec in specs if spec.batch is not None), None)
    size = fixed or batch
    total = next(iter(sizes.values()))
    stop = total - total % fixed if fixed else total

    def feeds() -> Iterator[Feed]:
        for start in range(0, stop, size):
            yield {name: np.asarray(array[start : start + size]) for name, array in arrays.items()}

    return Calibration(feeds, specs, batch=batch, samples=stop, repeatable=True)


def _from_feeds(source: Any, specs: list[InputSpec], batch: int) -> Calibration:
    if isinstance(source, DataReader):
        rewind = getattr(source, "rewind", None)
        return Calibration(lambda: _read(source, rewind), specs, batch=batch, samples=None, repeatable=rewind is not None)
    if callable(source):
        return Calibration(lambda: _named(source(), specs), specs, batch=batch, samples=None, repeatable=True)
    if not isinstance(source, Iterable):
        raise Error(f"calibration data: a {type(source).__name__}, expected a path, an array, a data reader or an iterable of feeds")
    repeatable = iter(source) is not source
    return Calibration(lambda: _named(source, specs), specs, batch=batch, samples=None, repeatable=repeatable)


def _read(reader: DataReader, rewind: Callable[[], object] | None) -> Iterator[Feed]:
    if rewind is not None:
        rewind()
    while (feed := reader.get_next()) is not None:
        yield dict(feed)


def _named(feeds: Iterable[Any], specs: list[InputSpec]) -> Iterator[Feed]:
    for feed in feeds:
        yield dict(feed) if isinstance(feed, Mapping) else {_only(specs): feed}
