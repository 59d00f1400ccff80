"""Cases and decisions as rows of a table, some thousand at a time by their numbers, so that an export of any size
holds neither memory nor a transaction."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.orm import Session

AT_ONCE = 2000

CASE_COLUMNS = (
    "case",
    "subject",
    "state",
    "urgent",
    "priority",
    "test",
    "items",
    "items_to_decide",
    "opened_at",
    "updated_at",
    "decided_at",
)
DECISION_COLUMNS = (
    "decision",
    "case",
    "item",
    "content_id",
    "person",
    "outcome",
    "reason",
    "restrict_account",
    "viewed",
    "added_at",
    "decided_at",
)
_CASES = text("""
    SELECT page.id, subject, state, urgent, priority, is_test, counted.items, counted.pending, opened_at, updated_at,
           decided_at
    FROM (SELECT * FROM cases WHERE id > :after ORDER BY id LIMIT :at_once) AS page
    CROSS JOIN LATERAL (
        SELECT count(*) AS items, count(*) FILTER (WHERE state = 'pending') AS pending
        FROM case_items WHERE case_id = page.id
    ) AS counted
    ORDER BY page.id
""")
_DECISIONS = text("""
    SELECT page.id, page.case_id, item_id, content.content_id, users.name, outcome, reason, restrict_account, viewed,
           case_items.added_at, page.decided_at
    FROM (SELECT * FROM decisions WHERE id > :after ORDER BY id LIMIT :at_once) AS page
    JOIN case_items ON case_items.id = page.item_id
    JOIN content ON content.id = case_items.content_row
    JOIN users ON users.id = page.user_id
    ORDER BY page.id
""")


def cases(session: Session, after: object = None) -> Sequence[Sequence[object]]:
    """The next cases behind this number, as `CASE_COLUMNS` names their columns; none at the end."""
    return session.execute(_CASES, {"after": after or 0, "at_once": AT_ONCE}).all()


def decisions(session: Session, after: object = None) -> Sequence[Sequence[object]]:
    """The next decisions behind this number, as `DECISION_COLUMNS` names their columns; none at the end."""
    return session.execute(_DECISIONS, {"after": after or 0, "at_once": AT_ONCE}).all()
