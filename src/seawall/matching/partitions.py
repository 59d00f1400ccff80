"""The months of the ledger: a partition of `content` for each, made ahead of time.

A content's id begins with the day on which its row was made, so that a month is a range of ids. Rows of a month that
has no partition lie in `content_default`: nothing is ever lost for want of one, it is only slower to forget.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

import structlog
from psycopg.errors import CheckViolation
from sqlalchemy import exc, text
from sqlalchemy.orm import Session

from seawall.database.locks import Lock, take
from seawall.database.sessions import Database
from seawall.database.tables.content import DAY_SHIFT
from seawall.errors import DatabaseUnavailable

MONTHS_AHEAD = 3
# Shorter than PostgreSQL's own search for deadlocks (one second): an upload is never the one that has to give way.
LOCK_TIMEOUT = "900ms"
DEFAULT = "content_default"
BEFORE = "content_0000"
EPOCH = date(1970, 1, 1)
MONTHLY = re.compile(r"content_(\d{4})_(\d{2})")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month in UTC; `number` is 1 to 12."""

    year: int
    number: int

    @classmethod
    def of(cls, day: date) -> Month:
        """The month that the day is in."""
        return cls(day.year, day.month)

    def plus(self, months: int) -> Month:
        """The month so many months later."""
        year, number = divmod(self.year * 12 + self.number - 1 + months, 12)
        return Month(year, number + 1)

    @property
    def first(self) -> date:
        """Its first day."""
        return date(self.year, self.number, 1)

    @property
    def ids(self) -> tuple[int, int]:
        """The content ids of the month: from the first up to, and without, the second."""
        return first_id(self.first), first_id(self.plus(1).first)

    @property
    def partition(self) -> str:
        """The name of its table."""
        return f"content_{self.year:04}_{self.number:02}"


@dataclass(frozen=True, slots=True)
class Partition:
    """One part of the ledger. `month` is None for the rows that lie in no month of their own; `rows` is PostgreSQL's
    own estimate (None: it has not looked yet); `size` is bytes with the indexes."""

    name: str
    month: Month | None
    rows: int | None
    size: int


def first_id(day: date) -> int:
    """The smallest content id that the day can give."""
    return (day - EPOCH).days << DAY_SHIFT


def day_of(content_row: int) -> date | None:
    """The day on which a row of the ledger was made; None for those that are older than the partitions."""
    days = content_row >> DAY_SHIFT
    return date.fromordinal(EPOCH.toordinal() + days) if days > 0 else None


def partitions(session: Session) -> tuple[Partition, ...]:
    """All parts of the ledger, by name. Instant: nothing is counted."""
    found = session.execute(
        text("""
            SELECT c.relname, c.reltuples, pg_total_relation_size(c.oid)
            FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
            WHERE i.inhparent = 'content'::regclass AND NOT i.inhdetachpending ORDER BY c.relname
        """)
    )
    return tuple(
        Partition(name, _month_of(name), None if estimate < 0 else round(estimate), size)
        for name, estimate, size in found
    )


def today_of(session: Session) -> date:
    """The present day in UTC by the database's clock, which is the one that gives ids."""
    day: date = session.execute(text("SELECT (clock_timestamp() AT TIME ZONE 'UTC')::date")).scalar_one()
    return day


def make_months(database: Database, *, today: date | None = None, ahead: int = MONTHS_AHEAD) -> tuple[str, ...]:
    """Makes the partitions of this month and of those ahead that are not there yet; returns the names of those made.

    Any number of processes may do it at once. What cannot be made now (a transaction is in the way for long, rows of
    that month lie in `content_default` already) is logged and left: the ledger works without.

    Raises:
        DatabaseUnavailable: PostgreSQL cannot be reached.
    """
    with database.transaction() as session:
        present = {partition.name for partition in partitions(session)}
        this_month = Month.of(today or today_of(session))
    wanted = [this_month.plus(months) for months in range(ahead + 1)]
    return tuple(month.partition for month in wanted if month.partition not in present and _make(database, month))


def _make(database: Database, month: Month) -> bool:
    try:
        with database.transaction() as session:
            session.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
            take(session, Lock.PARTITIONS)
            if month.partition in {partition.name for partition in partitions(session)}:
                return False
            first, beyond = month.ids
            session.execute(text(f"CREATE TABLE {month.partition} (LIKE content INCLUDING DEFAULTS)"))
            session.execute(
                text(
                    f"ALTER TABLE content ATTACH PARTITION {month.partition} FOR VALUES FROM ({first}) TO ({beyond})"
                )
            )
    except exc.IntegrityError as error:
        if not isinstance(error.orig, CheckViolation):
            raise
        why = f"Rows of that month lie in {DEFAULT}; they are found and kept there as well."
        log.warning("ledger.partition_not_made", partition=month.partition, why=why)
        return False
    except DatabaseUnavailable as error:
        if not isinstance(error.__cause__, exc.OperationalError) or error.__cause__.connection_invalidated:
            raise
        why = "Another transaction was in the way; the next attempt is tomorrow, or at the next start."
        log.warning("ledger.partition_not_made", partition=month.partition, why=why)
        return False
    log.info("ledger.partition_made", partition=month.partition)
    return True


def _month_of(name: str) -> Month | None:
    found = MONTHLY.fullmatch(name)
    return Month(int(found[1]), int(found[2])) if found else None
