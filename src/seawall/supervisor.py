"""Keeps the processes of one service running: starts them, replaces what dies, ends all of them in order.

What a process does is none of its business. Each is a program of its own, started anew and not forked, and holds one
end of a pair of sockets, its lifeline: through it the process says that it is ready, and by its end it notices that
the supervisor is gone, however that died, and ends too.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType

import structlog

from seawall.errors import ExitStatus

log = structlog.get_logger(__name__)

READY = b"r"
TICK_S = 0.1
# What lived for so long was no failed start, and is replaced at once.
STEADY_S = 30.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
# Starts that fail one after the other before the whole service is given up.
TRIES = 5
# Processes let what has begun finish for 20 s. One that is there after this hangs.
PATIENCE_S = 60.0


@dataclass(frozen=True)
class Part:
    """One process to keep running.

    Args:
        name: for logs, and unique.
        command: the program and its arguments; `--lifeline` and the number of a descriptor are added.
        environment: all that it gets.
        serves: whether the service is there while this one is.
        passes: descriptors that it inherits.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)
    serves: bool
    passes: tuple[int, ...] = ()


class Supervisor:
    """Runs parts until it is told to stop.

    Args:
        on_ready: called once, when every part has said that it is ready for the first time.
        on_death: called with the name of each part that died, before another is started in its place.
        on_end: called before all parts are told to end.
    """

    def __init__(
        self,
        parts: Sequence[Part],
        *,
        on_ready: Callable[[], None],
        on_death: Callable[[str], None],
        on_end: Callable[[], None],
    ) -> None:
        self._kept = [_Kept(part) for part in parts]
        self._on_ready = on_ready
        self._on_death = on_death
        self._on_end = on_end
        self._announced = False
        self._told_to_stop = False

    def run(self) -> ExitStatus | int:
        """Returns after SIGINT or SIGTERM, when all parts have ended; or when the service cannot be kept running.

        Returns:
            What to exit with: 0, or what the part that cannot be started exited with.
        """
        with self._signals():
            try:
                return self._keep()
            finally:
                self._end_all()

    def _keep(self) -> ExitStatus | int:
        while not self._told_to_stop:
            for kept in self._kept:
                kept.start_if_due()
            self._hear()
            if not self._announced and all(kept.ready for kept in self._kept):
                self._announced = True
                self._on_ready()
            for kept in self._kept:
                status = kept.reap()
                if status is None:
                    continue
                self._on_death(kept.part.name)
                if self._hopeless(kept, status):
                    log.error("service.given_up", process=kept.part.name, status=status)
                    return status if status > 0 else ExitStatus.UNAVAILABLE
        return ExitStatus.DONE

    def _hear(self) -> None:
        """Waits a moment for a part to say that it is ready, or to end."""
        with selectors.DefaultSelector() as selector:
            for kept in self._kept:
                if kept.lifeline is not None:
                    selector.register(kept.lifeline, selectors.EVENT_READ, kept)
            if not selector.get_map():
                time.sleep(TICK_S)
                return
            for key, _ in selector.select(TICK_S):
                key.data.hear()

    def _hopeless(self, kept: _Kept, status: int) -> bool:
        """Whether trying on makes no sense: at the start, or when nothing is left that serves. What once came up is
        otherwise tried for ever, since what is in its way may go."""
        if not self._announced:
            return kept.failed_starts >= TRIES or (kept.failed_starts > 0 and status == ExitStatus.CONFIGURATION)
        serving = any(other.ready for other in self._kept if other.part.serves)
        return kept.part.serves and not serving and kept.failed_starts >= TRIES

    def _end_all(self) -> None:
        """Asks all to finish, and waits until they have."""
        self._on_end()
        for kept in self._kept:
            kept.ask_to_end()
        deadline = time.monotonic() + PATIENCE_S
        for kept in self._kept:
            kept.wait_for_end(deadline)

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        def stop(_number: int, _frame: FrameType | None) -> None:
            self._told_to_stop = True

        before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class _Kept:
    """One part and the process that is it at present."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self.ready = False
        self.failed_starts = 0
        self.lifeline: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._early_deaths = 0
        self._started_at = self._due_at = 0.0

    def start_if_due(self) -> None:
        """Starts the process unless it runs, or died too often to be started again at once."""
        if self._process is not None or time.monotonic() < self._due_at:
            return
        self._started_at = time.monotonic()
        ours, its = socket.socketpair()
        with its:
            try:
                self._process = subprocess.Popen(  # noqa: S603 - our own program, arguments made here
                    [*self.part.command, "--lifeline", str(its.fileno())],
                    env=dict(self.part.environment),
                    pass_fds=(*self.part.passes, its.fileno()),
                    stdin=subprocess.DEVNULL,
                    # Ctrl-C in a terminal goes to the supervisor alone, which ends the others in order.
                    start_new_session=True,
                )
            except OSError as error:
                ours.close()
                log.error("process.not_started", process=self.part.name, error=error.strerror)
                self._note_death()
                return
        ours.setblocking(False)
        self.lifeline = ours

    def hear(self) -> None:
        """Takes what came through the lifeline."""
        assert self.lifeline is not None
        try:
            said = self.lifeline.recv(16)
        except OSError:
            said = b""
        if READY in said:
            self.ready = True
            self.failed_starts = 0
        elif not said:
            self._cut_lifeline()

    def reap(self) -> int | None:
        """The status of the process if it has ended since the last look (negative: the signal), and when to start
        another; None while it runs or was reaped before."""
        if self._process is None or (status := self._process.poll()) is None:
            return None
        log.warning("process.died", process=self.part.name, pid=self._process.pid, status=status)
        self._process = None
        self._cut_lifeline()
        self._note_death()
        return status

    def ask_to_end(self) -> None:
        """SIGTERM."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)

    def wait_for_end(self, deadline: float) -> None:
        """Waits; what hangs beyond the deadline is killed. Nothing that was acknowledged is lost by that."""
        if self._process is None:
            return
        try:
            self._process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            log.error("process.hangs", process=self.part.name, pid=self._process.pid)
            self._process.kill()
            self._process.wait()
        self._cut_lifeline()

    def _note_death(self) -> None:
        lived_s = time.monotonic() - self._started_at
        if not self.ready:
            self.failed_starts += 1
        steady = self.ready and lived_s >= STEADY_S
        self._early_deaths = 0 if steady else self._early_deaths + 1
        pause_s = 0.0 if steady else min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** (self._early_deaths - 1))
        self.ready = False
        self._due_at = time.monotonic() + pause_s

    def _cut_lifeline(self) -> None:
        if self.lifeline is not None:
            self.lifeline.close()
            self.lifeline = None


class Lifeline:
    """The end that the supervised process holds.

    Args:
        descriptor: as the supervisor named it.
    """

    def __init__(self, descriptor: int) -> None:
        self._socket = socket.socket(fileno=descriptor)
        os.set_inheritable(descriptor, False)

    def hold(self) -> None:
        """Ends this process, as SIGTERM does, once the supervisor is gone. Call it first of all."""
        threading.Thread(target=self._wait_for_the_end, name="lifeline", daemon=True).start()

    def say_ready(self) -> None:
        """Tells the supervisor that this process does its work now."""
        with contextlib.suppress(OSError):  # it is gone; `hold` sees to the rest
            self._socket.sendall(READY)

    def _wait_for_the_end(self) -> None:
        with contextlib.suppress(OSError):
            while self._socket.recv(16):
                pass
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(PATIENCE_S)
        # It hangs, and there is nobody left who would notice.
        os._exit(ExitStatus.UNAVAILABLE)
