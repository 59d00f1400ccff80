"""The tables that can be taken along as CSV: who may, what their columns are, and the text, streamed.

The text is CSV as RFC 4180 has it, in UTF-8. A cell that a spreadsheet would run as a formula begins with an
apostrophe, since names and reasons are what strangers wrote.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from seawall.access.permissions import Act
from seawall.actions import messages
from seawall.cases import agreement, exports, numbers
from seawall.database.sessions import Database
from seawall.database.tables import now
from seawall.evidence import audit
from seawall.hashlists import store

Rows = Sequence[Sequence[object]]
Place = int | uuid.UUID | None
# What a spreadsheet takes for the beginning of a formula (OWASP, "CSV Injection").
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Table:
    """One table. `rows` gives the next rows behind a place, which is the first cell of the last row before, or None
    for the beginning; none at the end. A table that is `small` comes at once."""

    name: str
    title: str
    act: Act
    columns: tuple[str, ...]
    rows: Callable[[Session, Place], Rows]
    small: bool = False


def text_of(database: Database, table: Table) -> Iterator[str]:
    """The whole table, in pieces. Each piece is a transaction of its own, so that a slow reader holds none; what
    comes while it is read may be missing."""
    yield _lines([table.columns])
    after: Place = None
    while True:
        with database.transaction() as session:
            rows = table.rows(session, after)
        if not rows:
            return
        yield _lines(rows)
        last = rows[-1][0]
        if table.small or not isinstance(last, int | uuid.UUID):
            return
        after = last


def _lines(rows: Iterable[Sequence[object]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue()


def _cell(value: object) -> str:
    """One value as text: times in ISO 8601, yes and no in small letters, nothing where nothing is known."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, int | float):
        return f"{value:g}" if isinstance(value, float) else str(value)
    said = str(value)
    return f"'{said}" if said.startswith(_FORMULA) else said


def _days(session: Session, _after: Place) -> Rows:
    first = numbers.first_day(session)
    if first is None:
        return []
    return [
        (day.day, day.opened, day.closed, day.items, day.median_s, day.most_s, day.looks)
        for day in numbers.days(session, first, now().date())
    ]


def _reviewed(session: Session, _after: Place) -> Rows:
    return [
        (each.list, each.confirmed, each.refused, each.appealed, each.overturned)
        for each in numbers.reviewed(session)
    ]


def _agreement(session: Session, _after: Place) -> Rows:
    found = agreement.by_policy(session)
    return [(each.policy, each.harm_class, each.reviews, each.agreed, each.kappa) for each in found]


def _lists(session: Session, _after: Place) -> Rows:
    return [
        (
            one.info.name,
            one.info.source,
            one.info.trust.value,
            one.info.harm_class.value,
            one.info.max_distance,
            one.info.enabled,
            one.info.is_test,
            one.entries,
            one.disputed,
            one.created_at,
            one.updated_at,
        )
        for one in store.summaries(session)
    ]


def _audit(session: Session, after: Place) -> Rows:
    links = audit.links(session, after=after if isinstance(after, int) else 0)
    return [
        (link.number, link.at, link.actor, link.act, link.subject, json.dumps(link.details, sort_keys=True))
        for link in itertools.islice(links, audit.BATCH)
    ]


TABLES = {
    table.name: table
    for table in (
        Table(
            "days",
            "Cases and looks by day",
            Act.SEE_NUMBERS,
            ("day", "cases_opened", "cases_closed", "items_decided", "median_seconds", "p90_seconds", "looks"),
            _days,
            small=True,
        ),
        Table(
            "reviewed",
            "Lists after review",
            Act.SEE_NUMBERS,
            ("list", "confirmed", "not_a_match", "appeals_decided", "overturned"),
            _reviewed,
            small=True,
        ),
        Table(
            "agreement",
            "Agreement in blind reviews",
            Act.SEE_NUMBERS,
            ("policy", "harm_class", "reviews", "agreed", "kappa"),
            _agreement,
            small=True,
        ),
        Table("cases", "Cases", Act.SEE_CASES, exports.CASE_COLUMNS, exports.cases),
        Table("decisions", "Decisions", Act.READ_AUDIT, exports.DECISION_COLUMNS, exports.decisions),
        Table(
            "lists",
            "Hash lists",
            Act.SEE_LISTS,
            (
                *("list", "source", "trust", "harm_class", "max_distance", "enabled", "test", "entries", "disputed"),
                *("created_at", "updated_at"),
            ),
            _lists,
            small=True,
        ),
        Table("webhooks", "Webhook messages", Act.SEE_WEBHOOKS, messages.COLUMNS, messages.after),
        Table("audit", "Audit chain", Act.READ_AUDIT, ("number", "at", "actor", "act", "subject", "details"), _audit),
    )
}
