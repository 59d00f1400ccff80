"""The next case for a person: the most pressing one that nobody works on, taken in the same breath.

Many people ask at once. Each locks the case that it takes, and passes by what another has locked just now.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from seawall.cases import claims
from seawall.cases.claims import ClaimView
from seawall.cases.queue import EVERYTHING, ORDER, UNDECIDED, QueueFilter
from seawall.database.tables import Case, Claim
from seawall.errors import CaseClaimed
from seawall.records import CaseState

# How often it looks again when others were quicker; each time they have taken a case each.
TRIES = 50
# Somebody who escalated a case is not given it back: it waits for somebody else.
_FREE = """
SELECT id FROM cases
WHERE state = :state
  AND (CAST(:urgent AS boolean) IS NULL OR urgent = :urgent)
  AND (CAST(:is_test AS boolean) IS NULL OR is_test = :is_test)
  AND (CAST(:account_id AS text) IS NULL OR account_id = :account_id)
  AND NOT EXISTS (SELECT FROM claims WHERE claims.case_id = cases.id AND claims.expires_at > clock_timestamp())
  AND NOT EXISTS (
      SELECT FROM decisions WHERE decisions.case_id = cases.id AND decisions.user_id = :user_id
          AND decisions.outcome = 'escalate' AND cases.state = 'escalated'
  )
  AND EXISTS (
      SELECT FROM case_items WHERE case_items.case_id = cases.id AND case_items.state = 'pending' AND NOT EXISTS (
          SELECT FROM requests WHERE requests.subject = 'item:' || case_items.id AND requests.state = 'waiting'
              AND requests.lapses_at > clock_timestamp()
      )
  )
"""
_BY_THE_WAY = text(f"{_FREE} ORDER BY {ORDER} LIMIT 1 FOR UPDATE OF cases SKIP LOCKED")
_PATIENTLY = text(f"{_FREE} ORDER BY {ORDER} LIMIT 1 FOR UPDATE OF cases")


def claim_next(
    session: Session,
    user_id: int,
    lease: timedelta,
    *,
    states: Collection[CaseState] = UNDECIDED,
    filters: QueueFilter = EVERYTHING,
    within: str = "",
    other_than: int | None = None,
) -> ClaimView | None:
    """Claims the next case for this person: first what was assigned to them, then the most pressing free one. None
    when there is none.

    Args:
        states, filters, within: the part of the queue that it is taken from, and how that part's address says it.
        other_than: a case that they come from.
    """
    values: dict[str, object] = {
        "user_id": user_id,
        "urgent": filters.urgent,
        "is_test": filters.is_test,
        "account_id": filters.account_id,
    }
    for _ in range(TRIES):
        case_id = (
            _assigned(session, user_id, other_than)
            or _first(session, states, values, patiently=False)
            or _first(session, states, values, patiently=True)
        )
        if case_id is None:
            return None
        try:
            return claims.claim(session, case_id, user_id, lease, within)
        except CaseClaimed:
            continue  # taken between the look and the lock; the next look sees it
    return None


def _assigned(session: Session, user_id: int, other_than: int | None) -> int | None:
    """Gives way to what somebody holds just now."""
    wanted = (
        select(Case.id)
        .join(Claim, Claim.case_id == Case.id)
        .where(Claim.user_id == user_id, Claim.assigned, Case.state != CaseState.DECIDED.value)
        .where(Case.id != (other_than or 0))
        .order_by(text("NOT cases.urgent, -cases.priority, cases.opened_at, cases.id"))
        .limit(1)
        .with_for_update(of=Case, skip_locked=True)
    )
    return session.scalar(wanted)


def _first(
    session: Session, states: Collection[CaseState], values: dict[str, object], *, patiently: bool
) -> int | None:
    """Of each state the first free case, locked; of these the most pressing one."""
    statement = _PATIENTLY if patiently else _BY_THE_WAY
    found = [
        case_id
        for state in sorted(set(states) & set(UNDECIDED))
        if (case_id := session.scalar(statement, {**values, "state": state.value})) is not None
    ]
    if len(found) < 2:
        return found[0] if found else None
    return session.scalar(select(Case.id).where(Case.id.in_(found)).order_by(text(ORDER)).limit(1))
