"""Faults that the double shows on request: lost requests, lost answers, errors, delays, wrong digests."""

from __future__ import annotations

import enum
import threading
from collections import deque
from dataclasses import dataclass

CALLS = ("status", "submit", "upload", "fileinfo", "finish", "retract")
LONGEST_DELAY_S = 3600.0


class FaultKind(enum.StrEnum):
    """What may go wrong with one call."""

    DROP_BEFORE = "drop-before"  # the connection breaks, and nothing was done
    DROP_AFTER = "drop-after"  # it was done, and the answer is lost
    FAULT_1000 = "fault-1000"  # HTTP 200 with response code 1000; nothing was done
    HTTP_500 = "http-500"  # without a body; nothing was done
    HTTP_500_AFTER = "http-500-after"  # without a body, and it was done
    UNAUTHORISED = "unauthorised"  # HTTP 401 without a body
    REFUSED = "refused"  # response code 4100
    WRONG_MD5 = "wrong-md5"  # of /upload
    DELAY = "delay"  # the answer comes late
    HOLD_BEFORE = "hold-before"  # waits, until released, before anything is done
    HOLD_AFTER = "hold-after"  # waits, until released, before the answer


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault, for the next call of that name. `seconds` is for a delay."""

    call: str
    kind: FaultKind
    seconds: float = 0.0


class Faults:
    """Faults that wait for their call, in order. Safe to use from many threads."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: dict[str, deque[Fault]] = {call: deque() for call in CALLS}
        self._released = threading.Event()
        self.held = threading.Semaphore(0)

    def add(self, fault: Fault) -> None:
        """Lets it happen at the next such call that no earlier fault is waiting for."""
        with self._guard:
            self._waiting[fault.call].append(fault)

    def next(self, call: str) -> Fault | None:
        """The fault of this call, used up."""
        with self._guard:
            waiting = self._waiting[call]
            return waiting.popleft() if waiting else None

    def clear(self) -> None:
        """Forgets all that wait."""
        with self._guard:
            for waiting in self._waiting.values():
                waiting.clear()

    def hold(self) -> None:
        """Waits until released; who waits for that is told by `held`."""
        self.held.release()
        self._released.wait(LONGEST_DELAY_S)

    def release(self) -> None:
        """Lets all go on that are held, and holds again from now on."""
        self._released.set()
        self._released = threading.Event()
