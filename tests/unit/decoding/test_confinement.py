"""A child that was taken over tries to get out, run by root as by anybody else."""

from __future__ import annotations

import errno
import json
import platform
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from seawall.decoding import landlock
from seawall.decoding.pool import DecoderPool
from tests.unit.decoding.escape import CALLS, DEADLY, FILES, NEEDED

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in {"x86_64", "aarch64"}, reason="the walls are those of Linux"
)


def attempt(wall: str, trial: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "tests.unit.decoding.escape", wall, trial]
    return subprocess.run(command, cwd=ROOT, capture_output=True, check=False, timeout=120)


def found(wall: str, trial: str) -> dict[str, int]:
    process = attempt(wall, trial)
    assert process.returncode == 0, process.stderr
    said = json.loads(process.stdout)
    if not said["up"]:
        pytest.skip(f"this kernel has no {wall}")
    outcomes: dict[str, int] = said["found"]
    return outcomes


@pytest.mark.parametrize("wall", ["seccomp", "all"])
def test_the_filter_refuses_every_call_that_decoding_does_not_need(wall: str) -> None:
    assert found(wall, "files") == dict.fromkeys(FILES, errno.EPERM)
    assert found(wall, "calls") == dict.fromkeys(CALLS, errno.EPERM)
    assert found(wall, "needed") == dict.fromkeys(NEEDED, 0)


@pytest.mark.parametrize("wall", ["seccomp", "all"])
@pytest.mark.parametrize("trial", DEADLY)
def test_what_no_decoder_ever_does_ends_it(wall: str, trial: str) -> None:
    assert attempt(wall, trial).returncode == -signal.SIGSYS


def test_landlock_alone_denies_every_file() -> None:
    outcomes = found("landlock", "files")
    for name in ("read a file", "create a file", "list a folder", "make a folder", "link"):
        assert outcomes[name] == errno.EACCES, name


def test_nothing_was_left_behind_by_those_who_tried() -> None:
    assert not list(Path("/tmp").glob("seawall-escaped*"))


def test_landlock_asks_for_no_more_than_each_version_knows() -> None:
    assert [len(landlock._ruleset(version)) for version in (1, 3, 4, 5, 6, 7)] == [8, 8, 16, 16, 24, 24]
    assert landlock._ruleset(1)[:8] == (0x1FFF).to_bytes(8, sys.byteorder)


def test_children_say_what_they_gave_up(pool: DecoderPool) -> None:
    status = dict(
        line.split(":\t", 1)
        for line in Path(f"/proc/{pool.pids[0]}/status").read_text().splitlines()
        if ":\t" in line
    )
    assert ("seccomp" in pool.confinement) == (status["Seccomp"].strip() == "2")
    assert "no-new-privileges" in pool.confinement
