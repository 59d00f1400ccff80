"""Who works on a case, in words, and where somebody goes who is done with one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from sqlalchemy import select

from seawall import claiming
from seawall.access.people import PersonSession, list_people
from seawall.access.permissions import Act, may
from seawall.cases import claims, presence
from seawall.cases.store import CaseView
from seawall.console.desk import Desk
from seawall.console.filters import Filters, of_query
from seawall.console.wording import Notice
from seawall.database.tables import Case
from seawall.errors import CaseClaimed, Conflict
from seawall.records import CaseState, ItemState


@dataclass(frozen=True, slots=True)
class Work:
    """Who works on a case, for one person who has it open. `mine` says that it is theirs, `says` the same in words;
    `colleagues` are those whom it can be handed to, by somebody who may."""

    case_id: int
    open: bool
    mine: bool
    free: bool
    says: str
    at_risk: bool
    may_take: bool
    colleagues: tuple[str, ...]

    @property
    def why_not(self) -> str:
        """Why this person cannot decide it now, although their account may; empty when they can."""
        return "" if self.mine or self.free or not self.open else self.says


def opened(desk: Desk, person: PersonSession, case_id: int, query: str | None) -> None:
    """Somebody opens a case: it is theirs from now on, if it is free and they may decide it. They see who has it
    otherwise.

    Args:
        query: the part of the queue that they come from.
    """
    if not may(person, Act.DECIDE):
        return
    within = None if query is None else of_query(query).query()
    try:
        claiming.claim_case(desk.rooms, person, case_id, within)
    except (CaseClaimed, Conflict):
        return


def on(desk: Desk, person: PersonSession, case_id: int) -> Work:
    """Who works on a case now."""
    with desk.database.transaction() as session:
        case = session.execute(select(Case.state, Case.at_risk).where(Case.id == case_id)).one_or_none()
        holder = claims.of_case(session, case_id)
        looking = presence.looking(session, [case_id]).get(case_id, ())
        people = list_people(session) if may(person, Act.REASSIGN) else []
    is_open = case is not None and case.state != CaseState.DECIDED
    others = [name for name in looking if name not in (person.name, holder and holder.user)]
    mine = holder is not None and holder.user_id == person.user_id
    return Work(
        case_id=case_id,
        open=is_open,
        mine=mine,
        free=is_open and holder is None,
        says=in_words(holder.user if holder else None, mine, others) if is_open else "",
        at_risk=case is not None and case.at_risk,
        may_take=may(person, Act.DECIDE),
        colleagues=tuple(
            each.name
            for each in people
            if each.disabled_at is None and may(each, Act.DECIDE) and each.name != (holder and holder.user)
        ),
    )


def in_words(holder: str | None, mine: bool, others: Sequence[str]) -> str:
    """Who works on a case and who else has it open: ``You work on this case. two looks on.``"""
    said = "You work on this case." if mine else f"{holder} works on this case." if holder else "Nobody works on it."
    if not others:
        return said
    names = others[0] if len(others) == 1 else f"{', '.join(others[:-1])} and {others[-1]}"
    return f"{said} {names} {'looks' if len(others) == 1 else 'look'} on."


def within(desk: Desk, person: PersonSession, case_id: int) -> Filters:
    """The part of the queue that this person took the case from; the whole one when they do not have it."""
    with desk.database.transaction() as session:
        holder = claims.of_case(session, case_id)
    return of_query(holder.within if holder is not None and holder.user_id == person.user_id else "")


def next_address(desk: Desk, person: PersonSession, filters: Filters, done: int | None = None) -> str:
    """Takes the next case of a part of the queue, and says where it is; the queue itself where nothing is left in
    that part.

    Args:
        done: the case that they come from.
    """
    taken = claiming.claim_next(
        desk.rooms,
        person,
        states=filters.states,
        filters=filters.wanted(person.user_id),
        within=filters.query(),
        overdue=filters.clocks(desk.clocks),
        other_than=done,
    )
    came_from = {"done": done} if done else {}
    if taken is None:
        query = "&".join(part for part in (filters.query(), urlencode({"left": "none", **came_from})) if part)
        return f"/console/?{query}#notice"
    address = f"/console/cases/{taken.case_id}"
    return f"{address}?{urlencode(came_from)}" if came_from else address


def onward(desk: Desk, person: PersonSession, case: CaseView, item_id: int, filters: Filters) -> str:
    """Where somebody goes who has decided an item and wants the next: to the next item of the case that is theirs to
    decide, or else to the next case."""
    left = [
        item for item in case.items if item.state is ItemState.PENDING and item.waiting is None and item.id != item_id
    ]
    if left and case.state is not CaseState.ESCALATED:
        return f"/console/cases/{case.id}?decided={item_id}#item-{left[0].id}"
    return next_address(desk, person, filters, done=case.id)


def came_from(done: int) -> Notice:
    """What is said on the next case."""
    return Notice(f"Case #{done} is done.", "This is the next one.", "good")
