"""Where contents stand: from memory where that can be relied on, else from the ledger; and the thread that hears."""

from __future__ import annotations

import math
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable

import structlog

from seawall.database.sessions import Database
from seawall.database.tables import STANDINGS_CHANNEL
from seawall.matching import ledger
from seawall.matching.ears import FIRST_RETRY_S, LONGEST_WAIT_S, Ears
from seawall.matching.standings import Standings
from seawall.records import Standing

# Four in the time for which something is used without one; a pulse that is late once changes nothing.
PULSE_S = 0.5
# One that comes back after so many others confirms nothing any more.
PULSES_KEPT = 8

log = structlog.get_logger(__name__)


class StandingsKeeper:
    """One process's memory of standings. Start and close it, or use it with `with`; without being started it works,
    and remembers for `TTL_S` only.

    Args:
        standings: the memory.
    """

    def __init__(self, database: Database, standings: Standings | None = None) -> None:
        self._database = database
        self._standings = Standings() if standings is None else standings
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        # Nobody else listens to it, so that pulses of many processes do not wake each other.
        self._pulses = f"seawall_pulse_{secrets.token_hex(8)}"

    def start(self) -> None:
        """Listens in a thread of its own."""
        self._thread = threading.Thread(target=self._listen, name="seawall-standings", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stops listening."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def __enter__(self) -> StandingsKeeper:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def remembered(self, content_id: str) -> Standing | None:
        """Where it stands, if that is remembered. Never waits."""
        return self._standings.remembered(content_id)

    def of(self, content_id: str) -> Standing | None:
        """Where it stands; None when the ledger does not know it.

        Raises:
            DatabaseUnavailable: it is not remembered, and cannot be read.
        """
        return self.of_many([content_id]).get(content_id)

    def of_many(self, content_ids: Iterable[str]) -> dict[str, Standing]:
        """Where each stands that the ledger knows.

        Raises:
            DatabaseUnavailable: some are not remembered, and cannot be read.
        """
        wanted = set(content_ids)
        found = {each: standing for each in wanted if (standing := self._standings.remembered(each)) is not None}
        missing = wanted - found.keys()
        if missing:
            reading = self._standings.begin()
            with self._database.transaction() as session:
                read = ledger.standings(session, missing)
            for standing in read.values():
                self._standings.keep(reading, standing)
            found |= read
        return found

    def _listen(self) -> None:
        ears = Ears(self._database.url, "seawall-standings", STANDINGS_CHANNEL, self._pulses)
        pulse = Pulse()
        while not self._stop.is_set():
            if ears.open():
                self._standings.forget_all()
                pulse = Pulse()
                log.debug("standings.listening")
            if not ears.listening:
                self._stop.wait(FIRST_RETRY_S)
                continue
            if (beat := pulse.next(time.monotonic())) is not None:
                ears.tell(self._pulses, beat)
            for channel, payload in ears.hear(LONGEST_WAIT_S) or ():
                if channel == self._pulses:
                    self._standings.confirm(pulse.sent_at(payload))
                elif payload:
                    self._standings.forget(payload)
                else:
                    self._standings.forget_all()
        ears.close()


class Pulse:
    """What is announced to oneself, each time under a number of its own, and when that was."""

    def __init__(self) -> None:
        self._sent: OrderedDict[str, float] = OrderedDict()
        self._number = 0
        self._last = -math.inf

    def next(self, now: float) -> str | None:
        """What to announce, when it is time to."""
        if now < self._last + PULSE_S:
            return None
        self._last = now
        self._number += 1
        self._sent[str(self._number)] = now
        while len(self._sent) > PULSES_KEPT:
            self._sent.popitem(last=False)
        return str(self._number)

    def sent_at(self, beat: str) -> float:
        """When that was announced; for ever ago where that is not known any more."""
        return self._sent.get(beat, -math.inf)
