"""What happened to a case and its items, put together from the tables that know it, the newest first."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

MOST = 200


class Happening(enum.StrEnum):
    """One kind of thing that happens to a case. The value is what the query calls it."""

    OPENED = "opened"
    ARRIVED = "arrived"
    LATE = "late"
    AGAIN = "again"
    REVEALED = "revealed"
    DECIDED = "decided"
    RETRACTED = "retracted"
    TOLD = "told"
    NOTED = "noted"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. `what` says more of it: the verdict that an item came with, the stage of a look, the
    outcome of a decision, or the event of a webhook; `how` the state of its delivery, or ``viewed`` where the person
    who decided had looked, ``copy`` where it followed the decision on the same bytes."""

    at: datetime
    happening: Happening
    item_id: int | None
    user: str | None
    what: str | None
    how: str | None


# Each part reads rows of one case by an index and gives its newest alone, so that a case of ten thousand items costs
# no more than its parts.
_PARTS = (
    "SELECT opened_at AS at, 'opened' AS happening, CAST(NULL AS bigint) AS item_id, CAST(NULL AS text) AS person,"
    " CAST(NULL AS text) AS what, CAST(NULL AS text) AS how, id FROM cases WHERE id = :case_id",
    "SELECT decided_at, 'closed', NULL, NULL, NULL, NULL, id FROM cases WHERE id = :case_id AND state = 'decided'",
    "SELECT added_at, CASE WHEN late THEN 'late' ELSE 'arrived' END, id, NULL, verdict, NULL, id"
    " FROM case_items WHERE case_id = :case_id AND again_of IS NULL",
    # Taken up again here: it arrived with an earlier case, and its row is as old as the wish to look at it again.
    "SELECT cases.opened_at, 'again', case_items.id, NULL, verdict, NULL, case_items.id FROM case_items"
    " JOIN cases ON cases.id = case_id WHERE case_id = :case_id AND again_of IS NOT NULL",
    "SELECT decided_at, 'retracted', id, NULL, NULL, NULL, id"
    " FROM case_items WHERE case_id = :case_id AND state = 'retracted'",
    "SELECT d.decided_at, 'decided', d.item_id, u.name, d.outcome,"
    " CASE WHEN d.viewed THEN 'viewed' WHEN d.copy_of IS NOT NULL THEN 'copy' END, d.id"
    " FROM decisions AS d JOIN users AS u ON u.id = d.user_id WHERE d.case_id = :case_id",
    "SELECT r.shown_at, 'revealed', e.item_id, u.name, r.stage, NULL, r.id FROM evidence AS e"
    " JOIN reveals AS r ON r.evidence_id = e.id JOIN users AS u ON u.id = r.user_id"
    " WHERE e.case_id = :case_id AND r.shown_at IS NOT NULL",
    "SELECT coalesce(delivered_at, created_at), 'told', NULL, NULL, event, state, 0"
    " FROM outbox WHERE case_id = :case_id",
    "SELECT n.written_at, 'noted', NULL, u.name, NULL, NULL, n.id"
    " FROM case_notes AS n JOIN users AS u ON u.id = n.user_id WHERE n.case_id = :case_id",
)
_WHOLE = text(
    " UNION ALL ".join(f"({part} ORDER BY 1 DESC LIMIT :most)" for part in _PARTS)
    + " ORDER BY at DESC, id DESC LIMIT :most"
)


def of_case(session: Session, case_id: int, most: int = MOST) -> tuple[Event, ...]:
    """The newest events of a case, the newest first; `most` at most."""
    rows = session.execute(_WHOLE, {"case_id": case_id, "most": most})
    events = [Event(row.at, Happening(row.happening), row.item_id, row.person, row.what, row.how) for row in rows]
    # What one transaction did has one time; then it is told in the order in which it comes about.
    order = list(Happening)
    return tuple(sorted(events, key=lambda event: (event.at, order.index(event.happening)), reverse=True))
