"""Homes for real processes: made for one test, gone after it, with their PostgreSQL stopped."""

from __future__ import annotations

import json
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.acceptance.server import ServerProcess, make_key


@pytest.fixture
def home(compiled_cache: Path) -> Iterator[Path]:
    """A private home; whatever still runs in it afterwards is ended."""
    folder = Path(tempfile.mkdtemp(prefix="seawall-acc-"))
    yield folder
    stop_postgres(folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def server(compiled_cache: Path) -> Iterator[ServerProcess]:
    """One running server for the tests that do not harm it. It has a key of its own in `server_key`."""
    folder = Path(tempfile.mkdtemp(prefix="seawall-acc-"))
    with ServerProcess(folder) as running:
        yield running
    stop_postgres(folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def server_key(server: ServerProcess) -> str:
    """A key for the running server."""
    return make_key(server.home, "acceptance", "judge", "lists")


def stop_postgres(home: Path) -> None:
    """Stops a PostgreSQL that a killed server left running."""
    path = home / "postgresql" / "postmaster.pid"
    try:
        pid = int(path.read_text().splitlines()[0])
        process = psutil.Process(pid)
    except (OSError, ValueError, IndexError, psutil.NoSuchProcess):
        return
    process.send_signal(signal.SIGINT)
    try:
        process.wait(240)
    except psutil.TimeoutExpired:
        process.kill()
        time.sleep(0.2)


def read_lines(text: str) -> list[dict[str, object]]:
    """JSON lines, parsed."""
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]
