"""The networks of the demo, each with its recipe, calibration data and evaluation data."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .engines import Session
from .fashion import fashion_mnist
from .photographs import CALIBRATION, EVALUATION, crops

HERE = Path(__file__).parent
CALIBRATION_CROPS, EVALUATION_CROPS = 32, 50  # of each photograph
BATCH = 50


@dataclass(frozen=True)
class Network:
    """inputs: for each part ("calibration" or "validation"), batches of the only input, f32.

    labels: of the validation part, in order; None where the original model's own top-1 is the reference.
    """

    name: str
    measure: str
    inputs: Callable[[str], Iterator[np.ndarray]]
    labels: Callable[[], np.ndarray] | None = None

    @property
    def model(self) -> Path:
        return HERE / "models" / f"{self.name}.onnx"

    @property
    def recipe(self) -> Path:
        return HERE / "recipes" / f"{self.name}.yaml"


def _crops(part: str) -> Iterator[np.ndarray]:
    if part == "calibration":
        return crops(CALIBRATION, CALIBRATION_CROPS)
    return crops(EVALUATION, EVALUATION_CROPS)


def _fashion(part: str) -> Iterator[np.ndarray]:
    images, _ = fashion_mnist(part)
    return (images[start : start + BATCH] for start in range(0, len(images), BATCH))


NETWORKS = (
    Network("mobilenet_v2", "agreement with fp32", _crops),
    Network("fmnist_resnet18", "accuracy", _fashion, lambda: fashion_mnist("validation")[1]),
)


def top1(session: Session, batches: Iterator[np.ndarray], on_batch: Callable[[], None] = lambda: None) -> np.ndarray:
    """The index of the largest output for every sample, of a model with one input and one output [N, classes]."""
    name = session.get_inputs()[0].name
    found = []
    for batch in batches:
        found.append(session.run(None, {name: batch})[0].argmax(axis=1))
        on_batch()
    return np.concatenate(found)
