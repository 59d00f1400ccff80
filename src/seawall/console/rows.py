"""What a row of the queue shows, made from the records of the rooms. Wording only, no decisions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from seawall.cases import priority
from seawall.cases.clocks import Clocks
from seawall.cases.priority import Terms
from seawall.cases.store import QueueRow
from seawall.console import wording
from seawall.console.conversation_wording import IN_SHORT
from seawall.records import CaseState, Reason


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One row of the queue. `points` is the sum of `terms`; `due` says by when it ought to be decided, `late` whether
    that is over; `at_work` who works on it, `looking` who else has it open."""

    id: int
    subject_kind: str
    subject_name: str
    is_test: bool
    urgent: bool
    why: str
    lists: tuple[str, ...]
    items: int
    pending: int
    opened_at: datetime
    state: str
    points: int
    terms: Terms
    due: str
    due_at: datetime
    late: bool
    at_work: str
    mine: bool
    looking: tuple[str, ...]


def row_view(row: QueueRow, clocks: Clocks, user_id: int, at: datetime) -> CaseRow:
    """A row of the queue, for one person at a time."""
    kind, name = wording.subject(row.subject)
    terms = priority.with_waiting(row.terms, row.opened_at, at)
    undecided = row.state is not CaseState.DECIDED
    due_at = clocks.due_at(row.urgent, row.harm_class, row.opened_at)
    mine = row.holder_id == user_id
    return CaseRow(
        id=row.case_id,
        subject_kind=kind,
        subject_name=name,
        is_test=row.is_test,
        urgent=row.urgent,
        why=in_short(row.reasons),
        lists=row.lists,
        items=row.items,
        pending=row.pending,
        opened_at=row.opened_at,
        state=wording.CASE_STATES[row.state],
        points=priority.total(terms),
        terms=tuple(term for term in terms if term.points),
        due=due_in_words(due_at - at) if undecided else "",
        due_at=due_at,
        late=undecided and due_at < at,
        at_work="You" if mine else row.holder or "",
        mine=mine,
        looking=tuple(each for each in row.looking if each != row.holder),
    )


def due_in_words(left: timedelta) -> str:
    """How long there is to decide: ``due in 5 h``, ``overdue by 20 min``."""
    seconds = abs(left.total_seconds())
    for size, unit in ((48 * 3600, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            length = f"{int(seconds // (86400 if unit == 'd' else size))} {unit}"
            break
    else:
        length = "<1 min"
    return f"due in {length}" if left > timedelta(0) else f"overdue by {length}"


def in_short(reasons: Iterable[Reason]) -> str:
    """Why a case is there, in a few words."""
    for reason in reasons:
        if reason.rule == wording.RETRACTION_RULE:
            return wording.AGAIN_IN_SHORT
        if reason.code in IN_SHORT:
            return IN_SHORT[reason.code]
        if reason.list is None:
            return "Could not be screened to the end"
        turned = wording.turned(reason.orientation)
        likeness = wording.likeness(reason.kind, reason.distance)
        return f"{likeness}, {turned}" if turned else likeness
    return ""
