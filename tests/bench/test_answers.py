"""What engines answer."""

import numpy as np
import pytest
from honed.bench.answers import disagreement, outputs
from honed.bench.networks import NETWORKS


def test_images_that_differ_and_the_distance_of_their_two_classes():
    theirs = np.array([[0.0, 1.0, 3.0], [0.0, 1.0, 1.1], [5.0, 0.0, 0.0]])
    ours = np.array([[0.0, 4.0, 3.0], [0.0, 1.1, 1.0], [5.0, 1.0, 2.0]])
    differ, gap = disagreement(ours, theirs)
    assert differ == 2 and gap == pytest.approx(2 / theirs[0].std())
    assert disagreement(theirs, theirs) == (0, 0.0)


def test_outputs_of_all_batches():
    model = next(network.model for network in NETWORKS if network.name == "fmnist_resnet18")
    images = np.random.default_rng(0).standard_normal((5, 1, 28, 28)).astype(np.float32)
    found = {engine: outputs(engine, model, (images[:2], images[2:])) for engine in ("honed", "onnxruntime")}
    assert found["honed"].shape == (5, 10)
    np.testing.assert_allclose(found["honed"], found["onnxruntime"], atol=1e-3)
