"""The queue: the most pressing cases first, page by page, in one query however many there are."""

from __future__ import annotations

import base64
import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select, text
from sqlalchemy.orm import Session

from seawall.database.documents import reason_from_json
from seawall.database.tables import Case
from seawall.errors import BadInput
from seawall.records import CaseState, Reason

UNDECIDED = (CaseState.OPEN, CaseState.ESCALATED)
LARGEST_PAGE = 500

# What is pressing first: as ix_cases_queue has it.
ORDER = "NOT urgent, -priority, opened_at, id"

# One ordered walk over the index ix_cases_queue for each state, merged: asking for all states at once would sort the
# whole queue. The lateral parts are looked up for the rows of the page alone.
_PAGE = text("""
SELECT page.*, counted.items, counted.pending, found.lists, first.reasons
FROM (
    SELECT walk.* FROM unnest(CAST(:states AS text[])) AS wanted(state)
    CROSS JOIN LATERAL (
        SELECT id, subject, account_id, state, urgent, priority, is_test, opened_at, updated_at FROM cases
        WHERE cases.state = wanted.state
          AND (NOT urgent, -priority, opened_at, id)
              > (CAST(:calm AS boolean), CAST(:falling AS integer), CAST(:opened_at AS timestamptz),
                 CAST(:id AS bigint))
          AND (CAST(:urgent AS boolean) IS NULL OR urgent = :urgent)
          AND (CAST(:is_test AS boolean) IS NULL OR is_test = :is_test)
          AND (CAST(:account_id AS text) IS NULL OR account_id = :account_id)
        ORDER BY NOT urgent, -priority, opened_at, id LIMIT :limit
    ) AS walk
    ORDER BY NOT urgent, -priority, opened_at, id LIMIT :limit
) AS page
CROSS JOIN LATERAL (
    SELECT count(*) AS items, count(*) FILTER (WHERE state = 'pending') AS pending
    FROM case_items WHERE case_id = page.id
) AS counted
CROSS JOIN LATERAL (
    SELECT array_agg(DISTINCT reason ->> 'list') AS lists
    FROM case_items CROSS JOIN jsonb_array_elements(case_items.reasons) AS reason
    WHERE case_id = page.id AND reason ->> 'list' IS NOT NULL
) AS found
LEFT JOIN LATERAL (
    SELECT reasons FROM case_items WHERE case_id = page.id
    ORDER BY state = 'pending' DESC, verdict = 'block' DESC, id LIMIT 1
) AS first ON true
ORDER BY NOT page.urgent, -page.priority, page.opened_at, page.id
""")


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """What to show alone. None means that it does not matter."""

    urgent: bool | None = None
    is_test: bool | None = None
    account_id: str | None = None


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One case in the queue. `reasons` are those of its most severe pending item (of its most severe, when none is
    pending), `lists` the names of all lists that its items matched."""

    case_id: int
    subject: str
    account_id: str | None
    state: CaseState
    urgent: bool
    priority: int
    is_test: bool
    opened_at: datetime
    updated_at: datetime
    items: int
    pending: int
    reasons: tuple[Reason, ...]
    lists: tuple[str, ...]

    @property
    def cursor(self) -> str:
        """What to pass as `after` to go on behind this row."""
        place = [self.urgent, self.priority, self.opened_at.isoformat(), self.case_id]
        return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


EVERYTHING = QueueFilter()
BEFORE_ALL = {"calm": False, "falling": -(2**31), "opened_at": "-infinity", "id": 0}


def queue(
    session: Session,
    states: Collection[CaseState] = UNDECIDED,
    *,
    limit: int = 50,
    after: str | None = None,
    filters: QueueFilter = EVERYTHING,
) -> list[QueueRow]:
    """Cases of these states: urgent ones first, then by priority, then the oldest.

    Args:
        limit: at most this many, 500 at most.
        after: the `cursor` of the last row of the page before.

    Raises:
        BadInput: the cursor is none of ours.
    """
    values: dict[str, object] = {
        "states": [state.value for state in states],
        "limit": max(1, min(limit, LARGEST_PAGE)),
        "urgent": filters.urgent,
        "is_test": filters.is_test,
        "account_id": filters.account_id,
        **(BEFORE_ALL if after is None else _place(after)),
    }
    return [_row(row) for row in session.execute(_PAGE, values)]


def counts(session: Session) -> dict[CaseState, int]:
    """How many cases stand where."""
    rows = session.execute(select(Case.state, func.count()).group_by(Case.state)).all()
    found = {CaseState(state): int(number) for state, number in rows}
    return {state: found.get(state, 0) for state in CaseState}


def _place(cursor: str) -> dict[str, object]:
    try:
        urgent, priority, opened_at, case_id = json.loads(base64.b64decode(cursor, b"-_", validate=True))
        if type(urgent) is not bool or type(priority) is not int or type(case_id) is not int:
            raise ValueError("not the types of a cursor")
        if not (0 <= priority < 2**31 and 0 <= case_id < 2**63):
            raise ValueError("not the size of a cursor")
        at = datetime.fromisoformat(opened_at)
        if at.tzinfo is None:
            raise ValueError("not the time of a cursor")
    except (ValueError, TypeError, RecursionError):
        raise BadInput("That place in the queue does not exist.", hint="Begin at the first page.") from None
    return {"calm": not urgent, "falling": -priority, "opened_at": at, "id": case_id}


def _row(row: Row[Any]) -> QueueRow:
    return QueueRow(
        case_id=row.id,
        subject=row.subject,
        account_id=row.account_id,
        state=CaseState(row.state),
        urgent=row.urgent,
        priority=row.priority,
        is_test=row.is_test,
        opened_at=row.opened_at,
        updated_at=row.updated_at,
        items=row.items,
        pending=row.pending,
        reasons=tuple(reason_from_json(document) for document in row.reasons or ()),
        lists=tuple(sorted(row.lists or ())),
    )
