"""How often each list was met, day by day: by what arrived, and by late matches."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date, datetime

import structlog
from sqlalchemy import text

from seawall.database.sessions import Database
from seawall.database.tables import now
from seawall.errors import DatabaseUnavailable

log = structlog.get_logger(__name__)

# Name of the list, day in UTC, whether it was a late match.
Key = tuple[str, date, bool]
WRITE = text("""
    INSERT INTO list_days AS d (list_id, day, matches, late_matches)
    SELECT l.id, told.day, sum(told.matches), sum(told.late)
    FROM (SELECT id, name FROM hash_lists WHERE name = ANY(:names) ORDER BY id FOR KEY SHARE) AS l
    JOIN unnest(CAST(:told AS text[]), CAST(:days AS date[]), CAST(:matches AS bigint[]), CAST(:late AS bigint[]))
        AS told (name, day, matches, late) ON told.name = l.name
    GROUP BY l.id, told.day ORDER BY l.id, told.day
    ON CONFLICT (list_id, day) DO UPDATE
    SET matches = d.matches + excluded.matches, late_matches = d.late_matches + excluded.late_matches
""")


class MatchTally:
    """Counts in memory and writes the sums every few seconds, so that a verdict waits for no row that all write to.

    What was counted since the last write is lost when the process is killed: it is for a person to see how a list
    does; the matches themselves stand in ledger and cases. A list that was removed meanwhile is not counted.

    Args:
        every_s: seconds between writes.
        clock: the present time, with its zone; days are its days.
    """

    def __init__(self, database: Database, *, every_s: float = 5.0, clock: Callable[[], datetime] = now) -> None:
        self._database = database
        self._every_s = every_s
        self._clock = clock
        self._guard = threading.Lock()
        self._counts: Counter[Key] = Counter()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._keep_writing, name="match-tally", daemon=True)

    def start(self) -> None:
        """Starts the thread that writes."""
        self._thread.start()

    def close(self) -> None:
        """Stops the thread and writes what is left."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self._try_to_flush()

    def record(self, lists: Iterable[str | None], *, late: bool = False) -> None:
        """Counts that one content met these lists, each once; None is no list."""
        met = {name for name in lists if name is not None}
        if not met:
            return
        day = self._clock().date()
        with self._guard:
            self._counts.update((name, day, late) for name in met)

    def flush(self) -> None:
        """Writes what was counted. What cannot be written is kept for the next time.

        Raises:
            DatabaseUnavailable: PostgreSQL cannot be reached.
        """
        with self._guard:
            counts, self._counts = self._counts, Counter()
        if not counts:
            return
        keys = sorted(counts)
        values = {
            "names": sorted({name for name, _day, _late in keys}),
            "told": [name for name, _day, _late in keys],
            "days": [day for _name, day, _late in keys],
            "matches": [0 if key[2] else counts[key] for key in keys],
            "late": [counts[key] if key[2] else 0 for key in keys],
        }
        try:
            with self._database.transaction() as session:
                session.execute(WRITE, values)
        except DatabaseUnavailable:
            with self._guard:
                self._counts.update(counts)
            raise

    def _keep_writing(self) -> None:
        while not self._stop.wait(self._every_s):
            self._try_to_flush()

    def _try_to_flush(self) -> None:
        try:
            self.flush()
        except DatabaseUnavailable as error:
            log.warning("tally.not_written", error=error.message)
