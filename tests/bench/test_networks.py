"""The networks of the demo and their data."""

import hashlib

import numpy as np
import onnxruntime
import pytest
from honed.bench.fashion import fashion_mnist
from honed.bench.networks import NETWORKS, top1
from honed.passes.compress.recipe import load_recipe


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.name)
def test_model_and_recipe_exist(network):
    assert network.model.is_file()
    assert load_recipe(network.recipe).quantize is not None


def test_fashion_mnist_is_normalised_and_disjoint():
    images, labels = fashion_mnist("calibration")
    assert images.shape == (2048, 1, 28, 28) and images.dtype == np.float32
    assert images.min() == pytest.approx((0 - 0.2860) / 0.3530) and images.max() == pytest.approx((1 - 0.2860) / 0.3530)
    assert set(labels) == set(range(10))
    validation, _ = fashion_mnist("validation")
    digests = [{hashlib.sha256(image.tobytes()).digest() for image in part} for part in (images, validation)]
    assert not digests[0] & digests[1]


def test_top1_counts_every_sample_in_order():
    network = next(n for n in NETWORKS if n.name == "fmnist_resnet18")
    session = onnxruntime.InferenceSession(network.model)
    batches = [batch for _, batch in zip(range(3), network.inputs("validation"), strict=False)]
    seen = []
    found = top1(session, iter(batches), lambda: seen.append(1))
    expected = session.run(None, {"input": np.concatenate(batches)})[0].argmax(axis=1)
    np.testing.assert_array_equal(found, expected)
    assert len(seen) == 3
    # the network was trained for 93.8 % on the whole of the test set
    assert (found == network.labels()[: len(found)]).mean() > 0.9
