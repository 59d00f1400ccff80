"""How large lists are and how they grew, counted where entries change, so that nobody has to count millions to know.

Whoever writes entries holds the lock of all list changes and adds in the same transaction what its own changes come
to. A removed entry counts for nothing; a day's number is that of the list at the day's end (UTC).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields
from datetime import date

from sqlalchemy import Row, select, text
from sqlalchemy.orm import Session

from seawall.database.tables import Entry, ListCount
from seawall.records import HashKind

HASHES = ("md5", "sha1", "sha256", "pdq")


@dataclass(frozen=True, slots=True)
class Counts:
    """Entries of a list, those of them that are disputed, and how many have a hash of each kind; or by how much these
    numbers change."""

    entries: int = 0
    disputed: int = 0
    md5: int = 0
    sha1: int = 0
    sha256: int = 0
    pdq: int = 0

    @property
    def hashes(self) -> Mapping[HashKind, int]:
        """Entries that have a hash of each kind."""
        return {kind: getattr(self, kind.value) for kind in HashKind}


@dataclass(frozen=True, slots=True)
class Day:
    """A list on one day. `entries` is None on days on which it did not change."""

    day: date
    entries: int | None
    matches: int
    late_matches: int


NAMES = tuple(field.name for field in fields(Counts))
ADD = text(f"""
    INSERT INTO list_counts AS c (list_id, {", ".join(NAMES)})
    VALUES (:list_id, {", ".join(f":{name}" for name in NAMES)})
    ON CONFLICT (list_id) DO UPDATE SET {", ".join(f"{name} = c.{name} + excluded.{name}" for name in NAMES)}
    RETURNING entries
""")  # noqa: S608 - made of constants
NOTE_DAY = text("""
    INSERT INTO list_days (list_id, day, entries) VALUES (:list_id, (now() AT TIME ZONE 'UTC')::date, :entries)
    ON CONFLICT (list_id, day) DO UPDATE SET entries = excluded.entries
""")


def add(session: Session, list_id: int, change: Counts) -> None:
    """Adds what the caller's own writes in this transaction come to. The caller holds the lock of list changes."""
    values = {name: getattr(change, name) for name in NAMES}
    entries = session.execute(ADD, {"list_id": list_id, **values}).scalar_one()
    session.execute(NOTE_DAY, {"list_id": list_id, "entries": entries})


def of_entry(entry: Entry) -> Counts:
    """What one entry counts for."""
    return Counts(1, int(entry.disputed), *(int(getattr(entry, name) is not None) for name in HASHES))


def minus(counts: Counts) -> Counts:
    """The change that takes these away."""
    return Counts(*(-number for number in astuple(counts)))


def of_list(session: Session, list_id: int) -> Counts:
    """The numbers of one list."""
    return _counts(session.get(ListCount, list_id, populate_existing=True))


def of_all(session: Session) -> dict[int, Counts]:
    """The numbers of all lists, by the list's id. A list that never had an entry may be missing."""
    rows = session.scalars(select(ListCount).execution_options(populate_existing=True))
    return {row.list_id: _counts(row) for row in rows}


def recount(session: Session, list_id: int) -> Counts:
    """Counts anew, entry by entry: for whoever filled the list in another way. It takes long where there is much; the
    caller
    holds the lock of list changes."""
    hashes = ", ".join(f"count({name})" for name in HASHES)
    statement = text(f"""
        SELECT count(*), count(*) FILTER (WHERE disputed), {hashes}
        FROM entries WHERE list_id = :list_id AND removed_at IS NULL
    """)  # noqa: S608 - made of constants
    found = Counts(*session.execute(statement, {"list_id": list_id}).one())
    known = of_list(session, list_id)
    add(session, list_id, Counts(*(new - old for new, old in zip(astuple(found), astuple(known), strict=True))))
    return found


def days(session: Session, since: date) -> dict[int, tuple[Day, ...]]:
    """What each list did day by day, by the list's id: the days from `since` on which it changed or was met, and, so
    that its size is known from the start, the last change before."""
    statement = text("""
        SELECT list_id, day, entries, matches, late_matches FROM list_days WHERE day >= :since
        UNION ALL
        SELECT * FROM (
            SELECT DISTINCT ON (list_id) list_id, day, entries, 0, 0 FROM list_days
            WHERE day < :since AND entries IS NOT NULL ORDER BY list_id, day DESC
        ) AS before
        ORDER BY list_id, day
    """)
    found: dict[int, list[Day]] = defaultdict(list)
    for row in session.execute(statement, {"since": since}):
        found[row.list_id].append(_day(row))
    return {list_id: tuple(rows) for list_id, rows in found.items()}


def _day(row: Row[tuple[object, ...]]) -> Day:
    return Day(row.day, row.entries, row.matches, row.late_matches)


def _counts(row: ListCount | None) -> Counts:
    return Counts() if row is None else Counts(*(getattr(row, name) for name in NAMES))
