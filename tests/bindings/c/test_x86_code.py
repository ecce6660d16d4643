"""The writer of machine code against a disassembler."""

import platform
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from .conftest import Build

BASES = ["rax", "rdi", "rsi", "rdx", "rcx", "r8", "r9"]
DISTANCES = [0, 4, -4, 64, 508, -512, 512, 8128, -8192, 8192, 8190, 1 << 30, -(1 << 30)]


def memory(base: str, distance: int) -> str:
    return f"{'-' if distance < 0 else ''}{abs(distance):#x}(%{base})"


def zeroed(k: int) -> str:
    return f"{{%k{k}}}{{z}}" if k else ""


def expected() -> list[str]:
    """What programs/x86_code.c writes."""
    lines = ["endbr64", "mov 0x8(%rsp),%rax"]
    for b, base in enumerate(BASES):
        lines.append(f"add $0x400,%{base}")
        lines += [f"kmovw {memory(base, 2 * k)},%k{k}" for k in range(1, 8)]
        for d, distance in enumerate(DISTANCES):
            m = memory(base, distance)
            lines.append(f"prefetcht1 {m}")
            lines.append(f"vmovups {m},%zmm{4 * b + 3}{zeroed(d % 8)}")
            lines.append(f"vmovups %zmm{31 - b},{m}")
            lines.append(f"vbroadcastss {m},%zmm{2 * b + d}")
            lines.append(f"vfmadd231ps {memory(base, 4 * (20 * d - 128))}{{1to16}},%zmm{4 * b + 5},%zmm{30 - 2 * d}")
            lines.append(f"vaddps {m},%zmm{31 - 2 * d},%zmm{31 - 2 * d}")
    for i in range(32):
        lines.append(f"vmaxps %zmm{31 - i},%zmm{i},%zmm{i}")
        lines.append(f"vminps %zmm{(i + 9) % 32},%zmm{i},%zmm{i}{zeroed(i % 8)}")
    return [*lines, "vzeroupper", "ret"]


@pytest.mark.skipif(platform.machine() != "x86_64" or shutil.which("objdump") is None, reason="needs a disassembler of x86-64")
def test_a_disassembler_reads_what_was_written(build: Build, tmp_path: Path) -> None:
    code = tmp_path / "code"
    with code.open("wb") as file:
        subprocess.run([build("x86_code", "address")], stdout=file, check=True)
    command = ["objdump", "-D", "-b", "binary", "-m", "i386:x86-64", "--no-show-raw-insn", code]
    listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.findall(r"^\s*[0-9a-f]+:\s+(.*)$", listing, re.MULTILINE)
    # A prefix without effect is named by the disassembler.
    assert [re.sub(r"\s+", " ", line).strip().removeprefix("rex ") for line in found] == expected()
