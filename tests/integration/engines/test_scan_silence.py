"""Daft tells its makers that it is used, unless told not to before it is imported: in every process of a scan."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from seawall.engines.scanning.on_daft import USUAL_REGION, connection
from seawall.engines.silence import SILENT, silence_daft

# Python imports this by itself in every process that has it on its path. It notes whom the process wants to reach,
# and lets it reach nobody but this machine.
GUARD = """
import os, sys

def watch(event, arguments):
    if event == "socket.getaddrinfo":
        host = arguments[0]
    elif event == "socket.connect" and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    else:
        return
    if host not in ("127.0.0.1", "::1", "localhost"):
        with open(os.environ["TEST_NOTES"], "a") as notes:
            notes.write(f"{host}\\n")
        raise OSError("Nothing leaves a test.")

sys.addaudithook(watch)
with open(os.environ["TEST_NOTES"], "a") as notes:
    notes.write("a process was watched\\n")
"""
# A query with a process of its own, as the engine runs one; then time for threads that tell somebody.
QUERY = """
@daft.cls(use_process=True, max_concurrency=2)
class Work:
    @daft.method.batch(return_dtype=daft.DataType.string(), batch_size=1)
    def do(self, values):
        return values.to_pylist()

import threading
if __name__ == "__main__":
    frame = daft.from_pydict({"a": ["x", "y"]})
    print(sorted(row["b"] for row in frame.select(Work().do(frame["a"]).alias("b")).iter_rows()))
    for thread in threading.enumerate():
        # Daft's own loop never ends; nobody is told from there, and the guard would have seen it.
        if thread is not threading.main_thread() and "EventLoop" not in thread.name:
            thread.join(10)
"""
QUIET = "from seawall.engines.scanning.on_daft import quiet_daft\ndaft = quiet_daft()\n"
LOUD = "import daft\n"


def reached(folder: Path, script: str, **environment: str) -> list[str]:
    """Whom the processes of a script wanted to reach; the guard's own notes are left out."""
    (folder / "sitecustomize.py").write_text(GUARD)
    (folder / "script.py").write_text(script + QUERY)
    notes = folder / "notes"
    plain = {name: value for name, value in os.environ.items() if name not in SILENT}
    done = subprocess.run(
        [sys.executable, str(folder / "script.py")],
        env={**plain, "PYTHONPATH": str(folder), "TEST_NOTES": str(notes), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "['x', 'y']" in done.stdout, done.stderr
    lines = notes.read_text().splitlines()
    assert lines.count("a process was watched") >= 2, "the script, and a process of the query"
    return [line for line in lines if line != "a process was watched"]


def test_the_guard_sees_what_daft_does_by_itself(tmp_path: Path) -> None:
    assert reached(tmp_path, LOUD), "without our switches somebody would be told"


def test_nobody_is_told(tmp_path: Path) -> None:
    assert reached(tmp_path, QUIET) == []


def test_what_the_environment_asks_for_is_not_done_either(tmp_path: Path) -> None:
    loud = {"DAFT_ANALYTICS_ENABLED": "1", "DO_NOT_TRACK": "0", "DAFT_DASHBOARD_URL": "http://192.0.2.1:3238"}
    assert reached(tmp_path, QUIET, **loud) == []


def test_traces_go_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "DAFT_DEV_OTEL_EXPORTER_OTLP_ENDPOINT", "DAFT_DASHBOARD_URL"):
        monkeypatch.setenv(name, "http://192.0.2.1")
    for name in SILENT:
        monkeypatch.setenv(name, "1")
    silence_daft()
    assert not [name for name in os.environ if name.startswith(("OTEL_", "DAFT_DEV_OTEL", "DAFT_DASHBOARD"))]
    assert {name: os.environ[name] for name in SILENT} == dict(SILENT)
    from daft.scarf_telemetry import opted_out

    assert opted_out()


def test_no_region_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where none is said, Amazon's client would ask a service of the machine that it supposes around it."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    assert connection().s3.region_name == USUAL_REGION
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert connection().s3.region_name == "eu-west-1"
