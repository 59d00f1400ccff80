"""Items of the same bytes that wait for a decision elsewhere: what is decided of one is decided of them too."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from seawall.database.tables import CaseItem, Decision
from seawall.records import ItemState, Outcome

OUTCOME_OF = {ItemState.CONFIRMED.value: Outcome.CONFIRM, ItemState.NOT_A_MATCH.value: Outcome.NOT_A_MATCH}

MOST = 50
# A digest of which nobody has the bytes is its sender's word: a decision on hashes alone goes to hashes alone. What
# somebody has escalated waits for another's eyes, and a decision on test data decides nothing real. What a list knows
# of the copy alone was not before the reviewer, so that "not a match" does not speak of it.
_WAITING = text("""
SELECT own.id AS of_item, other.id AS item_id, other.case_id,
       other_met.marks <@ own_met.marks AS nothing_new
FROM case_items AS own
JOIN content AS bytes ON bytes.id = own.content_row
JOIN cases AS own_case ON own_case.id = own.case_id
CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(coalesce(finding ->> 'entry_id', finding ->> 'code')), '{}') AS marks
    FROM jsonb_array_elements(own.findings) AS finding
) AS own_met
CROSS JOIN LATERAL (
    SELECT i.id, i.case_id, i.findings FROM (
        SELECT id, size FROM content WHERE content.sha256 = bytes.sha256 AND state IN ('held', 'blocked', 'removed')
    ) AS same
    JOIN case_items AS i ON i.content_row = same.id
    JOIN cases AS c ON c.id = i.case_id
    WHERE i.state = 'pending' AND i.id <> own.id AND i.id > :after AND c.state = 'open'
      AND (bytes.size IS NOT NULL OR same.size IS NULL) AND (c.is_test OR NOT own_case.is_test)
    ORDER BY i.id LIMIT :most
) AS other
CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(coalesce(finding ->> 'entry_id', finding ->> 'code')), '{}') AS marks
    FROM jsonb_array_elements(other.findings) AS finding
) AS other_met
WHERE own.id = ANY(:items)
ORDER BY own.id, other.id
""")


@dataclass(frozen=True, slots=True)
class Waiting:
    """An item of the same bytes. `released_too` is whether "not a match" speaks of it too: not where it has met
    something that the other has not."""

    item_id: int
    case_id: int
    released_too: bool


def waiting(session: Session, items: Sequence[int], *, after: int = 0, most: int = MOST) -> dict[int, list[Waiting]]:
    """By item: the items of the same bytes that wait elsewhere, numbered above `after`, `most` of each."""
    found: dict[int, list[Waiting]] = defaultdict(list)
    for row in session.execute(_WAITING, {"items": list(items), "after": after, "most": most}):
        found[row.of_item].append(Waiting(row.item_id, row.case_id, row.nothing_new))
    return found


def due(session: Session, most: int) -> list[int]:
    """Items whose decision has not gone to their copies yet, the oldest first."""
    return list(session.scalars(select(CaseItem.id).where(CaseItem.spread_due).order_by(CaseItem.id).limit(most)))


def decision_on(session: Session, item_id: int) -> Decision | None:
    """The decision by which an item is what it is; None where it is not decided (any more)."""
    item = session.get_one(CaseItem, item_id, populate_existing=True)
    outcome = OUTCOME_OF.get(item.state)
    if outcome is None:
        return None
    of_item = select(Decision).where(Decision.item_id == item_id, Decision.outcome == outcome.value)
    return session.scalars(of_item.order_by(Decision.id.desc()).limit(1)).one_or_none()
