"""A real `seawall serve` in a process of its own, and the commands beside it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType

import httpx

READY = re.compile(r"API docs\s+(http://[\d.:]+)/docs")
START_LIMIT_S = 180


def environment(home: Path, **more: str) -> dict[str, str]:
    """The environment of a Seawall process with a private home and none of the shell's settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SEAWALL_")}
    return {**kept, "SEAWALL_HOME": str(home), "PYTHONUNBUFFERED": "1", **more}


def seawall(home: Path, *arguments: str, check: bool = True, **more: str) -> subprocess.CompletedProcess[str]:
    """Runs one command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "seawall.cli.main", *arguments],
        env=environment(home, **more),
        capture_output=True,
        text=True,
        check=check,
        timeout=180,
        stdin=subprocess.DEVNULL,
    )


def make_key(home: Path, name: str = "test-platform", *scopes: str) -> str:
    """Makes an API key by the command, and returns it."""
    options = [part for scope in scopes or ("judge",) for part in ("--scope", scope)]
    made = seawall(home, "keys", "create", name, *options)
    found = re.search(r"swk_\S+", made.stdout)
    assert found, made.stdout + made.stderr
    return found.group(0)


class ServerProcess:
    """`seawall serve` on a free port. `script` runs another program in its place (one that misbehaves on purpose)."""

    def __init__(self, home: Path, *arguments: str, script: Path | None = None, **more: str) -> None:
        program = [str(script)] if script is not None else ["-m", "seawall.cli.main"]
        self.home = home
        self._asks = script is None  # a program that is to die at the first step may not be asked whether it is ready
        self.process = subprocess.Popen(
            [sys.executable, *program, "serve", "--port", "0", *arguments],
            env=environment(home, **more),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
        )
        self.lines: list[str] = []
        self._ready = threading.Event()
        self.url = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            found = READY.search(line)
            if found:
                self.url = found.group(1)
                self._ready.set()

    def wait_ready(self) -> ServerProcess:
        """Waits until it answers; fails with its output if it ends before."""
        limit = time.monotonic() + START_LIMIT_S
        while not self._ready.wait(0.05):
            assert self.process.poll() is None, "the server ended:\n" + "".join(self.lines)
            assert time.monotonic() < limit, "the server did not start:\n" + "".join(self.lines)
        # One client, which trusts no certificate: reading all that there are for each question keeps a core busy.
        with httpx.Client(verify=False, timeout=5) as client:
            while self._asks:
                try:
                    if client.get(f"{self.url}/readyz").status_code == 200:
                        return self
                except httpx.TransportError:
                    pass
                assert self.process.poll() is None, "the server ended:\n" + "".join(self.lines)
                assert time.monotonic() < limit, "the server is not ready:\n" + "".join(self.lines)
                time.sleep(0.1)
        return self

    @property
    def output(self) -> str:
        """All that it printed and logged so far."""
        return "".join(self.lines)

    def kill(self) -> None:
        """kill -9: it gets no chance to tidy up."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(240)

    def stop(self) -> int:
        """Asks it to end, and returns its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(240)
        finally:
            if self.process.poll() is None:
                self.kill()

    def __enter__(self) -> ServerProcess:
        return self.wait_ready()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
