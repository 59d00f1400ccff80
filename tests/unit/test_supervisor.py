"""The supervisor and real processes: small programs that do nothing, or die."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from seawall.errors import ExitStatus
from seawall.supervisor import Part, Supervisor
from tests.processes import gone

LIMIT_S = 240
# A part writes its process id, says that it is ready, and then does what it is for.
PART = """
import os, signal, sys, time
from pathlib import Path
from seawall.supervisor import Lifeline
folder, name, does, lifeline = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[5])
def stop(number, frame):
    (folder / (name + ".stopped")).write_text("in order")
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
held = Lifeline(lifeline)
held.hold()
with open(folder / name, "a") as file:
    file.write(f"{os.getpid()}\\n")
exec(does)
"""
SERVE = "held.say_ready()\nwhile True: time.sleep(0.05)"


def part(folder: Path, name: str, does: str = SERVE, *, serves: bool = True) -> Part:
    return Part(name, (sys.executable, "-c", PART, str(folder), name, does), dict(os.environ), serves)


class Running:
    """A supervisor in a thread of this process would need the main thread for signals; so it is told directly."""

    def __init__(self, *parts: Part) -> None:
        self.ready = threading.Event()
        self.deaths: list[str] = []
        self.ended = threading.Event()
        self.status: int | None = None
        self.supervisor = Supervisor(
            parts, on_ready=self.ready.set, on_death=self.deaths.append, on_end=self.ended.set
        )

    def until(self, condition: Callable[[], object]) -> None:
        """Runs in the main thread until another one finds that the condition holds, then stops as by SIGTERM."""

        def watch() -> None:
            limit = time.monotonic() + LIMIT_S
            try:
                while not condition() and time.monotonic() < limit and not self.ended.is_set():
                    time.sleep(0.02)
            finally:
                os.kill(os.getpid(), signal.SIGTERM)

        watcher = threading.Thread(target=watch)
        before = signal.signal(signal.SIGTERM, signal.SIG_IGN)  # should it end by itself first
        try:
            watcher.start()
            self.status = self.supervisor.run()
            watcher.join()
        finally:
            signal.signal(signal.SIGTERM, before)


def pids(folder: Path, name: str) -> list[int]:
    file = folder / name
    return [int(line) for line in file.read_text().splitlines()] if file.exists() else []


def kill_first(folder: Path, name: str) -> None:
    """kill -9 of the first process of that name, once."""
    if not (folder / f"{name}.killed").exists():
        (folder / f"{name}.killed").touch()
        os.kill(pids(folder, name)[0], signal.SIGKILL)


@pytest.fixture
def orphans() -> Iterator[list[int]]:
    """Process ids that are ended after the test, whatever came of it."""
    found: list[int] = []
    yield found
    for pid in found:
        if not gone(pid):
            os.kill(pid, signal.SIGKILL)


def test_all_parts_run_and_end_in_order(tmp_path: Path) -> None:
    running = Running(part(tmp_path, "one"), part(tmp_path, "two"))
    running.until(running.ready.is_set)
    assert running.status == ExitStatus.DONE
    assert running.ready.is_set()
    assert running.deaths == []
    for name in ("one", "two"):
        assert (tmp_path / f"{name}.stopped").read_text() == "in order"
        assert all(map(gone, pids(tmp_path, name)))


def test_ready_is_said_once_and_only_when_all_are(tmp_path: Path) -> None:
    waits = f"while not (folder / 'go').exists(): time.sleep(0.02)\n{SERVE}"
    running = Running(part(tmp_path, "quick"), part(tmp_path, "slow", waits))
    said: list[bool] = []
    running.supervisor._on_ready = lambda: said.append((tmp_path / "go").exists())

    def drive() -> bool:
        if pids(tmp_path, "quick") and pids(tmp_path, "slow") and not (tmp_path / "go").exists():
            time.sleep(0.3)  # it might be said too early here
            (tmp_path / "go").touch()
        if said:
            kill_first(tmp_path, "quick")
        return len(pids(tmp_path, "quick")) == 2 and all(kept.ready for kept in running.supervisor._kept)

    running.until(drive)
    assert said == [True]


def test_one_that_was_killed_is_replaced_and_the_others_stay(tmp_path: Path) -> None:
    running = Running(part(tmp_path, "one"), part(tmp_path, "two"))

    def drive() -> bool:
        if running.ready.is_set():
            kill_first(tmp_path, "one")
        return len(pids(tmp_path, "one")) == 2

    running.until(drive)
    assert running.deaths == ["one"]
    assert len(pids(tmp_path, "two")) == 1
    assert running.status == ExitStatus.DONE


def test_a_configuration_that_is_wrong_ends_the_start_at_once(tmp_path: Path) -> None:
    running = Running(part(tmp_path, "good"), part(tmp_path, "bad", "sys.exit(4)"))
    running.until(lambda: False)
    assert running.status == ExitStatus.CONFIGURATION
    assert len(pids(tmp_path, "bad")) == 1
    assert not running.ready.is_set()
    assert all(map(gone, pids(tmp_path, "good")))


def test_what_can_never_start_is_given_up_after_some_tries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seawall.supervisor.FIRST_PAUSE_S", 0.01)
    running = Running(part(tmp_path, "good"), part(tmp_path, "bad", "os.kill(os.getpid(), signal.SIGKILL)"))
    running.until(lambda: False)
    assert running.status == ExitStatus.UNAVAILABLE
    assert len(pids(tmp_path, "bad")) == 5
    assert all(map(gone, pids(tmp_path, "good")))


def test_once_it_served_one_that_cannot_start_again_is_tried_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seawall.supervisor.FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr("seawall.supervisor.LONGEST_PAUSE_S", 0.02)
    once = f"if (folder / 'bad.was').exists(): sys.exit(4)\n(folder / 'bad.was').touch()\n{SERVE}"
    running = Running(part(tmp_path, "good"), part(tmp_path, "bad", once))

    def drive() -> bool:
        if running.ready.is_set():
            kill_first(tmp_path, "bad")
        return len(pids(tmp_path, "bad")) > 7

    running.until(drive)
    assert running.status == ExitStatus.DONE
    assert len(pids(tmp_path, "good")) == 1


def test_when_nothing_serves_any_more_it_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seawall.supervisor.FIRST_PAUSE_S", 0.01)
    once = f"if (folder / (name + '.was')).exists(): sys.exit(5)\n(folder / (name + '.was')).touch()\n{SERVE}"
    running = Running(part(tmp_path, "only", once), part(tmp_path, "jobs", serves=False))

    def drive() -> bool:
        if running.ready.is_set():
            kill_first(tmp_path, "only")
        return False

    running.until(drive)
    assert running.status == ExitStatus.UNAVAILABLE
    assert all(map(gone, pids(tmp_path, "jobs")))


def test_pauses_grow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seawall.supervisor.FIRST_PAUSE_S", 0.2)
    noted = "(folder / f'{name}.{time.monotonic()}').touch()\nsys.exit(5)"
    running = Running(part(tmp_path, "bad", noted))
    running.until(lambda: False)
    at = sorted(float(file.name.removeprefix("bad.")) for file in tmp_path.glob("bad.*"))
    waits = [later - earlier for earlier, later in itertools.pairwise(at)]
    assert len(waits) == 4
    assert all(wait >= 0.2 * 2**number for number, wait in enumerate(waits))


def test_one_that_hangs_is_killed_in_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seawall.supervisor.PATIENCE_S", 0.5)
    deaf = f"signal.signal(signal.SIGTERM, signal.SIG_IGN)\n{SERVE}"
    running = Running(part(tmp_path, "deaf", deaf))
    running.until(running.ready.is_set)
    assert running.status == ExitStatus.DONE
    assert all(map(gone, pids(tmp_path, "deaf")))


ALONE = """
import os, sys
from pathlib import Path
from seawall.supervisor import Supervisor
from tests.unit.test_supervisor import part
folder = Path(sys.argv[1])
parts = [part(folder, "one"), part(folder, "two")]
Supervisor(
    parts, on_ready=(folder / "ready").touch, on_death=lambda name: None, on_end=lambda: None
).run()
"""


def test_parts_whose_supervisor_was_killed_end_in_order(tmp_path: Path, orphans: list[int]) -> None:
    root = Path(__file__).resolve().parents[2]
    alone = subprocess.Popen([sys.executable, "-c", ALONE, str(tmp_path)], cwd=root)
    orphans.append(alone.pid)
    wait_for((tmp_path / "ready").exists)
    parts = [*pids(tmp_path, "one"), *pids(tmp_path, "two")]
    orphans.extend(parts)
    assert len(parts) == 2
    alone.kill()
    alone.wait()
    wait_for(lambda: all(map(gone, parts)))
    assert (tmp_path / "one.stopped").exists()
    assert (tmp_path / "two.stopped").exists()


def wait_for(condition: Callable[[], bool]) -> None:
    limit = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.02)
