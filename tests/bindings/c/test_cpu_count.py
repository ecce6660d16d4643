"""CPU quotas of control groups, in trees of files like the kernel's."""

from pathlib import Path

import pytest

from .conftest import Build, run

CASES = {
    "version 2": ("0::/a/b\n", {"a/b/cpu.max": "150000 100000\n"}, 2),
    "version 2, outer group is tighter": ("0::/a/b\n", {"a/b/cpu.max": "400000 100000", "a/cpu.max": "100000 100000"}, 1),
    "version 2, no quota": ("0::/a\n", {"a/cpu.max": "max 100000\n"}, 0),
    "version 2, path of the host within a container": ("0::/docker/123\n", {"cpu.max": "300000 100000"}, 3),
    "version 2, root group": ("0::/\n", {"cpu.max": "250000 100000"}, 3),
    "version 1": (
        "5:memory:/m\n4:cpuacct,cpu:/a\n",
        {"cpu/a/cpu.cfs_quota_us": "50000\n", "cpu/a/cpu.cfs_period_us": "100000\n"},
        1,
    ),
    "version 1, no quota": ("4:cpu:/a\n", {"cpu/a/cpu.cfs_quota_us": "-1\n", "cpu/a/cpu.cfs_period_us": "100000\n"}, 0),
    "version 1, another controller": ("4:cpuset:/a\n", {"cpu/a/cpu.cfs_quota_us": "1\n", "cpu/a/cpu.cfs_period_us": "1\n"}, 0),
    "nonsense": ("\n:\n::\nx\n0::/a\n", {"a/cpu.max": "many few"}, 0),
    "no period": ("0::/a\n", {"a/cpu.max": "100 0"}, 0),
}


@pytest.mark.parametrize("name", CASES)
def test_quota(build: Build, tmp_path: Path, name: str) -> None:
    membership, files, expected = CASES[name]
    (tmp_path / "membership").write_text(membership)
    for path, content in files.items():
        (tmp_path / "root" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "root" / path).write_text(content)
    assert run(build("cpu_count", "address"), tmp_path / "membership", tmp_path / "root") == f"{expected}\n"


def test_no_membership_is_no_quota(build: Build, tmp_path: Path) -> None:
    assert run(build("cpu_count", "address"), tmp_path / "none", tmp_path) == "0\n"
