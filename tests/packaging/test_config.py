"""python -m honed.config, as it is installed here."""

from importlib.metadata import version

import pytest
from honed import config


def test_every_folder_exists():
    for folder in (config.LIBDIR, config.INCLUDEDIR, config.PKGCONFIGDIR, config.CMAKEDIR):
        assert folder.is_dir()


def test_flags_come_on_one_line(capsys: pytest.CaptureFixture[str]):
    config.main(["--cflags", "--libs"])
    assert capsys.readouterr().out == f"{config.cflags()} {config.libs()}\n"


def test_folders_and_version_come_on_lines_of_their_own(capsys: pytest.CaptureFixture[str]):
    config.main(["--libdir", "--includedir", "--version"])
    assert set(capsys.readouterr().out.splitlines()) == {str(config.LIBDIR), str(config.INCLUDEDIR), version("honed")}


def test_asking_for_nothing_is_a_usage_error():
    with pytest.raises(SystemExit) as stopped:
        config.main([])
    assert stopped.value.code == 2
