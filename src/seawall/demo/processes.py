"""Child processes: start, wait until they answer, end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

import httpx
import psutil

from seawall.demo.home import note_running, noted_running
from seawall.errors import Unavailable

POLL_S = 0.05
PATIENCE_S = 90.0
# Seawall lets requests that have begun finish for 20 s.
ENDING_S = 25.0
LOG_TAIL = 2000


class Child:
    """One server in a process of its own. It gets a session of its own too, so that Ctrl-C reaches the demo alone and
    the demo ends its children in order."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.name = name
        self._log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(  # noqa: S603 - our own interpreter, arguments made here
                command,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_until_it_answers(self, url: str) -> None:
        """Returns when a GET of the address succeeds.

        Raises:
            Unavailable: the process ended, or did not answer in time.
        """
        end = time.monotonic() + PATIENCE_S
        with httpx.Client(timeout=2.0, trust_env=False) as http:
            while time.monotonic() < end:
                self.refuse_ended()
                try:
                    if http.get(url).is_success:
                        return
                except httpx.HTTPError:
                    pass  # not listening yet
                time.sleep(POLL_S)
        raise Unavailable(f"The {self.name} does not answer at {url}.", hint=self._hint())

    def refuse_ended(self) -> None:
        """Raises Unavailable when the process has ended."""
        if self.process.poll() is not None:
            raise Unavailable(f"The {self.name} ended with status {self.process.returncode}.", hint=self._hint())

    def ask_to_end(self) -> None:
        """Tells the process to finish."""
        if self.process.poll() is None:
            self.process.terminate()

    def end(self) -> None:
        """Waits until it has ended, and forces it when it does not."""
        try:
            self.process.wait(ENDING_S)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def _hint(self) -> str:
        tail = self._log.read_text(errors="replace")[-LOG_TAIL:].strip()
        return f"Its log, {self._log}, ends with:\n{tail}" if tail else f"Its log, {self._log}, is empty."


class Children:
    """All children of one demo; leaving the block ends them, whatever happened in it.

    Args:
        running_file: where their numbers are kept, for the case that this process is killed.
    """

    def __init__(self, running_file: Path) -> None:
        self._running_file = running_file
        self._children: list[Child] = []

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str], log: Path) -> Child:
        """Starts one more."""
        child = Child(name, command, environment, log)
        self._children.append(child)
        note_running(self._running_file, {each.process.pid: _created(each.process.pid) for each in self._children})
        return child

    def wait(self) -> None:
        """Returns never; raises Unavailable when one of them ends by itself."""
        while True:
            for child in self._children:
                child.refuse_ended()
            time.sleep(0.3)

    def __enter__(self) -> Children:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for child in reversed(self._children):
            child.ask_to_end()
        for child in reversed(self._children):
            child.end()
        self._running_file.unlink(missing_ok=True)


def end_left_over(running_file: Path) -> None:
    """Ends what a killed demo has left running: only processes that are still the very ones it had started."""
    found = [pid for pid, created in noted_running(running_file).items() if _created(pid) == created]
    for pid in found:
        psutil.Process(pid).terminate()
    _gone, alive = psutil.wait_procs([psutil.Process(pid) for pid in found if psutil.pid_exists(pid)], ENDING_S)
    for process in alive:
        process.kill()
    running_file.unlink(missing_ok=True)


def choose_port(wanted: int) -> int:
    """The wanted port, or a free one when it is 0 or taken."""
    for port in (wanted, 0):
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(listener.getsockname()[1])
    raise Unavailable("There is no free port on 127.0.0.1.")


def _created(pid: int) -> float:
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.Error:
        return 0.0
