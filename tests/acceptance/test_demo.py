"""The demo as a person starts it: real processes, from nothing, twice, and killed."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from seawall.demo.reviewer import Reviewer
from tests.acceptance.conftest import stop_postgres

DEMO = (sys.executable, "-m", "seawall.cli.main", "demo")
READY = re.compile(r"Ctrl-C ends the demo")
START_LIMIT_S = 120
LEAVE_S = 240
GONE_S = 120


@pytest.fixture
def place(compiled_cache: Path) -> Iterator[Path]:
    """A folder for homes and temporary files. Its path is short, since a Unix socket's may not be long."""
    folder = Path(tempfile.mkdtemp(prefix="sw-demo-"))
    folder.chmod(0o755)
    yield folder
    for process in working_in(folder):
        if process.name() != "postgres":
            process.kill()
    for home in (*folder.glob("*/seawall"), *folder.glob("*/d/seawall")):
        stop_postgres(home)
    shutil.rmtree(folder, ignore_errors=True)


def environment(place: Path) -> dict[str, str]:
    """With settings of a real Seawall in it, which the demo must not follow."""
    return os.environ | {
        "TMPDIR": str(place),
        "SEAWALL_DATABASE_URL": "postgresql://nobody@127.0.0.1:9/real",
        "SEAWALL_HOME": str(place / "real"),
    }


def check(place: Path, *arguments: str) -> tuple[int, list[dict[str, object]], str]:
    """Runs the check to its end: status, rows, and what it said."""
    done = subprocess.run(
        [*DEMO, "--check", "--json", *arguments],
        env=environment(place),
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def test_the_check_passes_and_leaves_nothing_behind(place: Path) -> None:
    status, rows, said = check(place)
    assert [row for row in rows if not row["ok"]] == [], said
    assert status == 0, said
    counts = {expected: sum(row["expected"] == expected for row in rows) for expected in ("allow", "hold", "block")}
    assert counts["allow"] >= 10
    assert counts["hold"] >= 20
    assert counts["block"] >= 30
    assert {"refused", "released", "removed", "restricted"} <= {row["expected"] for row in rows}
    assert list(place.iterdir()) == []
    assert processes_of(place) == []


def test_the_check_fails_when_the_lists_are_missing(place: Path) -> None:
    status, rows, said = check(place, "--without-lists")
    assert status == 1, said
    stopped = [row for row in rows if row["expected"] == "block"]
    assert stopped
    assert not any(row["ok"] for row in stopped)
    assert all(row["ok"] for row in rows if row["expected"] == "allow")
    assert processes_of(place) == []


class RunningDemo:
    """`seawall demo` as a person starts it."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.process = subprocess.Popen(
            [*DEMO, "--home", str(place / "h"), "--port", "0", "--board-port", "0"],
            env=environment(place),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
        )
        self.said = ""
        self._ready = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()
        end = time.monotonic() + START_LIMIT_S
        while not self._ready.wait(0.1):
            assert self.process.poll() is None, self.said
            assert time.monotonic() < end, self.said
        self.board, self.seawall = self._found(r"Sample platform\s+(\S+)/"), self._found(r"Console\s+(\S+)/console")
        self.password = self._found(r"password (\S+)")

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said += line
            if READY.search(line):
                self._ready.set()

    def _found(self, pattern: str) -> str:
        found = re.search(pattern, self.said)
        assert found, self.said
        return found.group(1)

    def upload(self, path: str) -> dict[str, object]:
        """Uploads one of the samples as a program does."""
        answer = httpx.post(f"{self.board}/samples/{path}", headers={"accept": "application/json"}, timeout=240)
        told: dict[str, object] = answer.json()
        return told

    def feed(self) -> list[str]:
        """What everybody sees."""
        posts = httpx.get(self.board, headers={"accept": "application/json"}, timeout=240).json()["posts"]
        return [post["content_id"] for post in posts]

    def end(self, number: signal.Signals) -> int:
        """Sends a signal and waits."""
        self.process.send_signal(number)
        return self.process.wait(LEAVE_S)


def test_a_person_starts_it_twice_and_finds_everything_again(place: Path) -> None:
    first = RunningDemo(place)
    shown = first.upload("unrelated/mosaic.jpg")
    listed = first.upload("listed/mosaic.jpg")
    assert (shown["state"], listed["state"]) == ("published", "blocked")
    assert shown["content_id"] in first.feed()
    with Reviewer(first.seawall, "demo", first.password) as reviewer:
        assert reviewer.case_with(str(listed["account"]), str(listed["content_id"])) is not None
    assert httpx.get(f"{first.seawall}/docs").status_code == 200
    feed = first.feed()
    assert first.end(signal.SIGINT) == 0
    assert processes_of(place) == []

    second = RunningDemo(place)
    assert second.password == first.password
    assert second.feed() == feed
    assert second.upload("altered/hills-recompressed.jpg")["state"] == "blocked"
    with Reviewer(second.seawall, "demo", second.password) as reviewer:
        assert reviewer.case_with(str(listed["account"]), str(listed["content_id"])) is not None
    assert second.end(signal.SIGTERM) == 0
    assert processes_of(place) == []


def test_it_starts_again_after_it_was_killed(place: Path) -> None:
    killed = RunningDemo(place)
    killed.end(signal.SIGKILL)
    assert working_in(place) != []
    again = RunningDemo(place)
    assert again.upload("listed/waves.jpg")["state"] == "blocked"
    assert again.end(signal.SIGINT) == 0
    assert processes_of(place) == []


def processes_of(place: Path) -> list[str]:
    """Processes that work in the folder, a moment after they were to end."""
    end = time.monotonic() + GONE_S
    while True:
        found = [" ".join(process.info["cmdline"] or ()) for process in working_in(place)]
        if not found or time.monotonic() > end:
            return found
        time.sleep(0.2)


def working_in(place: Path) -> list[psutil.Process]:
    """Processes that were started with a temporary folder, a working folder or an argument below it."""
    return [process for process in psutil.process_iter(["cmdline"]) if _works_in(process, place)]


def _works_in(process: psutil.Process, place: Path) -> bool:
    try:
        folders = (process.environ().get("TMPDIR"), process.cwd(), *process.cmdline())
    except psutil.Error:
        return False
    return process.pid != os.getpid() and any(folder and str(place) in folder for folder in folders)
