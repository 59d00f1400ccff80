"""The trail of lookups: how many judgements each key asked for in an hour, and how many of them matched.

Someone who asks again and again with slightly changed pictures can learn what a list holds. The trail is how that
shows: many lookups, or an odd share of matches, by one key in one hour.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType

import structlog
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from seawall.database.sessions import Database
from seawall.database.tables import ApiKey, LookupCount, now
from seawall.errors import DatabaseUnavailable

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class HourOfLookups:
    """What one key asked in the hour that began at `hour`."""

    key: str
    hour: datetime
    lookups: int
    matches: int


class LookupTrail:
    """Counts in memory and writes the sums every few seconds, so that a lookup costs no write.

    What was counted since the last write is lost when the process is killed; the trail is for noticing patterns over
    hours, and the verdicts themselves stand in the content ledger.

    Args:
        every_s: seconds between writes.
        clock: the present time, with its zone.
    """

    def __init__(self, database: Database, *, every_s: float = 5.0, clock: Callable[[], datetime] = now) -> None:
        self._database = database
        self._every_s = every_s
        self._clock = clock
        self._guard = threading.Lock()
        self._counts: dict[tuple[int, datetime], list[int]] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._keep_writing, name="lookup-trail", daemon=True)

    def start(self) -> None:
        """Starts the thread that writes."""
        self._thread.start()

    def close(self) -> None:
        """Stops the thread and writes what is left."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self._try_to_flush()

    def __enter__(self) -> LookupTrail:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def record(self, key_id: int, *, lookups: int = 1, matches: int = 0) -> None:
        """Counts lookups of one key and how many of them matched. Costs no more than a dictionary entry."""
        hour = self._clock().replace(minute=0, second=0, microsecond=0)
        with self._guard:
            count = self._counts.setdefault((key_id, hour), [0, 0])
            count[0] += lookups
            count[1] += matches

    def flush(self) -> None:
        """Writes what was counted. What cannot be written is kept for the next time.

        Raises:
            DatabaseUnavailable: PostgreSQL cannot be reached.
        """
        with self._guard:
            counts, self._counts = self._counts, {}
        if not counts:
            return
        try:
            with self._database.transaction() as session:
                _add(session, counts)
        except DatabaseUnavailable:
            self._put_back(counts)
            raise

    def _put_back(self, counts: dict[tuple[int, datetime], list[int]]) -> None:
        with self._guard:
            for key, (lookups, matches) in counts.items():
                count = self._counts.setdefault(key, [0, 0])
                count[0] += lookups
                count[1] += matches

    def _keep_writing(self) -> None:
        while not self._stop.wait(self._every_s):
            self._try_to_flush()

    def _try_to_flush(self) -> None:
        try:
            self.flush()
        except DatabaseUnavailable as error:
            log.warning("trail.not_written", error=error.message)


def recent(session: Session, hours: int = 24) -> list[HourOfLookups]:
    """What each key asked in the last hours, newest hour first."""
    rows = session.execute(
        select(ApiKey.name, LookupCount.hour, LookupCount.lookups, LookupCount.matches)
        .join(ApiKey, ApiKey.id == LookupCount.key_id)
        .where(LookupCount.hour > now() - timedelta(hours=hours))
        .order_by(LookupCount.hour.desc(), ApiKey.name)
    ).all()
    return [HourOfLookups(*row) for row in rows]


def _add(session: Session, counts: dict[tuple[int, datetime], list[int]]) -> None:
    # In one order in every process, so that two of them never wait for each other's rows in a ring.
    rows = [
        {"key_id": key_id, "hour": hour, "lookups": lookups, "matches": matches}
        for (key_id, hour), (lookups, matches) in sorted(counts.items())
    ]
    statement = insert(LookupCount).values(rows)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[LookupCount.key_id, LookupCount.hour],
            set_={
                "lookups": LookupCount.lookups + statement.excluded.lookups,
                "matches": LookupCount.matches + statement.excluded.matches,
            },
        )
    )
