"""What holds for all tests."""

import os

import pytest


@pytest.fixture(autouse=True, scope="session")
def no_measured_costs(tmp_path_factory: pytest.TempPathFactory):
    """Kernels are chosen by the package's costs, whatever `honed tune` has left in the user's cache."""
    before = os.environ.get("XDG_CACHE_HOME")
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))
    yield
    if before is None:
        del os.environ["XDG_CACHE_HOME"]
    else:
        os.environ["XDG_CACHE_HOME"] = before
