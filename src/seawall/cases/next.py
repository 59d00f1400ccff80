"""The next case for a person: the most pressing one that nobody works on, taken in the same breath.

Many people ask at once. Each locks the case that it takes, and passes by what another has locked just now.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from seawall.cases import claims, mixing
from seawall.cases.claims import ClaimView
from seawall.cases.clocks import Clocks
from seawall.cases.conditions import EVERYTHING, QueueFilter, Whose, conditions
from seawall.cases.mixing import SEVERE_SQL
from seawall.cases.queue import ORDER, UNDECIDED, queue
from seawall.database.tables import Case, Claim
from seawall.errors import CaseClaimed
from seawall.records import CaseState

# How often it looks again when others were quicker; each time they have taken a case each.
TRIES = 50
# Of how many that are overdue the next one is chosen: more than there are people who ask at the same moment.
CANDIDATES = 200
# Somebody who escalated a case is not given it back: it waits for somebody else.
_FREE = f"""
SELECT id FROM cases
WHERE state = :state{{conditions}}
  AND NOT EXISTS (SELECT FROM claims WHERE claims.case_id = cases.id AND claims.expires_at > clock_timestamp())
  AND NOT EXISTS (
      SELECT FROM decisions WHERE decisions.case_id = cases.id AND decisions.user_id = :person
          AND decisions.outcome = 'escalate' AND cases.state = 'escalated'
  )
  AND EXISTS (
      SELECT FROM case_items WHERE case_items.case_id = cases.id AND case_items.state = 'pending' AND NOT EXISTS (
          SELECT FROM requests WHERE requests.subject = 'item:' || case_items.id AND requests.state = 'waiting'
              AND requests.lapses_at > clock_timestamp()
      )
  )
  AND NOT EXISTS (
      SELECT FROM blind_reviews AS b JOIN decisions AS d ON d.id = b.decision_id
          JOIN case_items AS o ON o.id = b.item_id
          JOIN case_items AS i ON i.case_id = cases.id AND i.state = 'pending' AND i.content_row = o.content_row
          JOIN users AS u ON u.id = :person
      WHERE b.state = 'disagreed' AND cases.state = 'escalated'
          AND (NOT 'senior' = ANY(u.roles) OR :person IN (b.user_id, d.user_id))
  )
  AND NOT EXISTS (
      SELECT FROM passed_on WHERE passed_on.case_id = cases.id AND passed_on.user_id = :person
          AND passed_on.passed_at > clock_timestamp() - interval '1 day'
  )
ORDER BY {ORDER} LIMIT 1 FOR UPDATE OF cases
"""  # noqa: S608 - made of constants
# Something that is not severe, among the most pressing ones: further down it would not be the next in any sense.
_AMONG = f" AND id IN (SELECT id FROM cases WHERE state = :state{{conditions}} ORDER BY {ORDER} LIMIT 300)"  # noqa: S608
_CALM = f" AND NOT EXISTS (SELECT FROM case_items WHERE case_items.case_id = cases.id AND ({SEVERE_SQL}))"


def claim_next(
    session: Session,
    user_id: int,
    lease: timedelta,
    *,
    states: Collection[CaseState] = UNDECIDED,
    filters: QueueFilter = EVERYTHING,
    within: str = "",
    overdue: Clocks | None = None,
    other_than: int | None = None,
    severe_in_a_row: int | None = None,
) -> ClaimView | None:
    """Claims the next case for this person: first what was assigned to them, then the most pressing free one. None
    when there is none.

    Args:
        states, filters, within: the part of the queue that it is taken from, and how that part's address says it.
            Whose cases a filter asks for does not matter here.
        overdue: only what ought to have been decided by these clocks; of the longest overdue the most pressing.
        other_than: a case that they come from.
        severe_in_a_row: after so many severe items that they looked at, something else comes first where there is
            something else; but for what is urgent. None minds nothing.
    """
    weary = severe_in_a_row is not None and mixing.had_enough_in_a_row(session, user_id, severe_in_a_row)
    free = replace(filters, whose=Whose.FREE)
    look = _Look(session, user_id, states, replace(filters, whose=None), among_overdue=overdue is not None)
    for _ in range(TRIES):
        if overdue is not None:
            late = queue(session, states, limit=CANDIDATES, filters=free, overdue=overdue)
            look.among([row.case_id for row in late])
        case_id = (
            _assigned(session, user_id, other_than)
            or (look.something_else() if weary else None)
            or look.first(f"{_FREE} SKIP LOCKED")
            or look.first(_FREE)
        )
        if case_id is None:
            return None
        try:
            return claims.claim(session, case_id, user_id, lease, within)
        except CaseClaimed:
            continue  # taken between the look and the lock; the next look sees it
    return None


class _Look:
    """Looks for free cases in one part of the queue."""

    def __init__(
        self,
        session: Session,
        user_id: int,
        states: Collection[CaseState],
        filters: QueueFilter,
        *,
        among_overdue: bool,
    ) -> None:
        self._session = session
        self._states = sorted(set(states) & set(UNDECIDED))
        asked, values = conditions(filters)
        self._conditions = asked + (" AND id = ANY(:candidates)" if among_overdue else "")
        self._values = {**values, "person": user_id}

    def among(self, case_ids: list[int]) -> None:
        """Looks among these alone from now on."""
        self._values["candidates"] = case_ids

    def first(self, statement: str, more: str = "") -> int | None:
        """Of each state the first case, locked; of these the most pressing one."""
        sought = text(statement.format(conditions=self._conditions + more))
        found = [
            case_id
            for state in self._states
            if (case_id := self._session.scalar(sought, {**self._values, "state": state.value})) is not None
        ]
        if len(found) < 2:
            return found[0] if found else None
        return self._session.scalar(select(Case.id).where(Case.id.in_(found)).order_by(text(ORDER)).limit(1))

    def something_else(self) -> int | None:
        """One that is not severe, unless the most pressing one is urgent: a child may be at risk now."""
        statement = f"{_FREE} SKIP LOCKED"
        first = self.first(statement)
        if first is None or self._session.scalar(select(Case.urgent).where(Case.id == first)):
            return None
        return self.first(statement, _AMONG.format(conditions=self._conditions) + _CALM)


def _assigned(session: Session, user_id: int, other_than: int | None) -> int | None:
    """Gives way to what somebody holds just now."""
    wanted = (
        select(Case.id)
        .join(Claim, Claim.case_id == Case.id)
        .where(Claim.user_id == user_id, Claim.assigned, Case.state != CaseState.DECIDED.value)
        .where(Case.id != (other_than or 0))
        .order_by(text("NOT cases.urgent, cases.rank, cases.id"))
        .limit(1)
        .with_for_update(of=Case, skip_locked=True)
    )
    return session.scalar(wanted)
