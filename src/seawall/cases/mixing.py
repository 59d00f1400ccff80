"""What spares a person: a case can be passed on, and severe ones do not follow each other for ever."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from seawall.database.tables import Case, PassedOn
from seawall.errors import Conflict, NotFound
from seawall.records import CaseState, Finding, HarmClass, Match

SEVERE = frozenset({HarmClass.CSAM, HarmClass.TERRORISM})
# Of items, by what was found: as `is_severe` says it. An index knows it.
SEVERE_SQL = " OR ".join(f"""findings @> '[{{"list": {{"harm_class": "{each}"}}}}]'""" for each in sorted(SEVERE))
# What was looked at longer ago than a shift's half does not count as having just been seen.
_LAST_SEEN = text(f"""
SELECT count(*) = :most AND bool_and({SEVERE_SQL}) FROM (
    SELECT item_id FROM decisions
    WHERE user_id = :user_id AND viewed AND decided_at > clock_timestamp() - interval '4 hours'
    ORDER BY id DESC LIMIT :most
) AS last JOIN case_items ON case_items.id = last.item_id
""")  # noqa: S608 - of constants alone


def is_severe(findings: Iterable[Finding]) -> bool:
    """Whether one of these is of a harm class after which a pause is suggested."""
    return any(isinstance(each, Match) and each.list.harm_class in SEVERE for each in findings)


def pass_on(session: Session, case_id: int, user_id: int) -> None:
    """Leaves an undecided case to others: it is not offered to this person for a day. The audit event, and giving up
    a claim, are the caller's.

    Raises:
        NotFound: there is no such case.
        Conflict: it is decided.
    """
    state = session.scalar(select(Case.state).where(Case.id == case_id))
    if state is None:
        raise NotFound(f"There is no case {case_id}.")
    if state == CaseState.DECIDED:
        raise Conflict(f"Case {case_id} is decided.", hint="Nobody need work on it any more.")
    passed = insert(PassedOn).values(case_id=case_id, user_id=user_id, passed_at=func.clock_timestamp())
    session.execute(
        passed.on_conflict_do_update(
            index_elements=["case_id", "user_id"], set_={"passed_at": passed.excluded.passed_at}
        )
    )


def had_enough_in_a_row(session: Session, user_id: int, most: int) -> bool:
    """Whether the last so many items that this person looked at and decided were all severe."""
    return session.scalar(_LAST_SEEN, {"user_id": user_id, "most": most}) is True
