"""The engines that can be compared."""

import honed
import numpy as np
import pytest
from honed.bench.engines import ENGINES, open_session, random_feed


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_runs_the_same_model(engine, doubler):
    session = open_session(engine, doubler, 1)
    feed = random_feed(session)
    np.testing.assert_array_equal(session.run(None, feed)[0], 2 * feed["x"])


def test_feeds_depend_on_name_and_shape_only(doubler, tmp_path):
    honed.compile(doubler, tmp_path / "doubler.honed")
    feeds = [random_feed(open_session("honed", path, 1)) for path in (doubler, tmp_path / "doubler.honed")]
    feeds.append(random_feed(open_session("onnxruntime", doubler, 1)))
    for feed in feeds:
        assert feed["x"].shape == (1, 4) and feed["x"].dtype == np.float32
        np.testing.assert_array_equal(feed["x"], feeds[0]["x"])


def test_dimensions_can_be_given(doubler):
    assert random_feed(open_session("honed", doubler, 1), {"x": (5, 4)})["x"].shape == (5, 4)
