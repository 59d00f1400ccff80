"""A reviewer decides an item or an appeal: alone, or by asking a second person where that is needed."""

from __future__ import annotations

import contextlib
from datetime import timedelta

from sqlalchemy.orm import Session

from seawall.access import requests
from seawall.access.people import PersonSession
from seawall.access.permissions import Act, may
from seawall.access.requests import Asker, RequestInfo
from seawall.cases import appeals, blind, claims, decisions, floors
from seawall.cases.decisions import DecisionResult
from seawall.cases.stages import Floor
from seawall.cases.weighty import takes_two
from seawall.errors import NotFound
from seawall.records import HarmClass, ItemState, Outcome
from seawall.request_records import RequestKind, RequestState
from seawall.second import appeals as of_appeals
from seawall.second import asking, items
from seawall.second import floors as of_floors
from seawall.settings import Settings


def decide(
    session: Session,
    person: PersonSession,
    item_id: int,
    outcome: Outcome,
    reason: str,
    *,
    restrict_account: bool,
    lasts: timedelta,
) -> DecisionResult:
    """Decides it, or writes a request down that waits for `lasts`.

    Raises:
        CaseClaimed: somebody else works on the case.
        Conflict: someone else has decided it already, it waits for a second person, or two people disagree about it
            and this is no senior beside them.
        BadInput: no reason was given, or there is no account to restrict.
    """
    case, item, content = decisions.locked(session, item_id)
    blind.refuse_decider(session, item, person.user_id, senior=may(person, Act.SECOND))
    alone = restrict_account or item.state != ItemState.PENDING or not takes_two(outcome, items.findings_of(item))
    if alone:  # what cannot be decided is refused there
        return items.decide(
            session, person.actor, person.user_id, item_id, outcome, reason, restrict_account=restrict_account
        )
    claims.refuse_others(session, case.id, person.user_id)
    request = asking.ask(
        session,
        RequestKind.NOT_A_MATCH,
        items.subject_of(item_id),
        items.parameters_of(item),
        Asker(person.actor, person.user_id),
        decisions.checked_reason(reason),
        lasts,
    )
    waits = request.id if request.state is RequestState.WAITING else None
    return DecisionResult(case.id, item_id, content, waits is None and case.decided_at is not None, [], waits)


def answer(session: Session, person: PersonSession, request_id: int, *, approved: bool, words: str) -> RequestInfo:
    """A second person's answer; see :func:`seawall.second.asking.answer`.

    Raises:
        Conflict: it was answered already, or two people disagree about the item and this is one of them.
    """
    known = requests.get(session, request_id)
    if approved and known.kind is RequestKind.NOT_A_MATCH:
        _refuse_one_of_two(session, person, known)
    return asking.answer(session, person, request_id, approved=approved, words=words)


def decide_appeal(
    session: Session, person: PersonSession, number: int, *, overturned: bool, reason: str, lasts: timedelta
) -> int | None:
    """Decides an appeal, or writes a request down that waits for `lasts`; returns the number of that request.

    Raises:
        Forbidden: this person decided what it is against.
        Conflict: there is nothing to decide, or a request about it waits.
        BadInput: no reason was given.
    """
    appeal = appeals.hold(session, number)
    appeals.refuse_decider(appeal, person.name)
    appeals.refuse_settled(appeal)
    of_appeals.refuse_while_waiting(session, appeal)
    if not overturned:
        of_appeals.uphold(session, person, appeal, reason)
        return None
    if not of_appeals.takes_two(session, appeal):
        of_appeals.overturn(session, person.actor, person.user_id, appeal, reason, None)
        return None
    request = asking.ask(
        session,
        RequestKind.OVERTURN,
        of_appeals.subject_of(appeal),
        of_appeals.parameters_of(appeal),
        Asker(person.actor, person.user_id),
        decisions.checked_reason(reason),
        lasts,
    )
    return request.id if request.state is RequestState.WAITING else None


def ask_lower_floor(
    session: Session, settings: Settings, person: PersonSession, harm_class: HarmClass, wanted: Floor, reason: str
) -> RequestInfo:
    """Asks that everybody is shown more of a class.

    Raises:
        BadInput: no reason was given.
        Conflict: it is no lower floor, lower than the settings allow, or a request about it waits.
        NotFound: nobody has raised it.
    """
    floors.check_lower(session, settings, harm_class, wanted)
    return asking.ask(
        session,
        RequestKind.LOWER_FLOOR,
        of_floors.subject_of(harm_class),
        of_floors.parameters_of(harm_class, wanted),
        Asker(person.actor, person.user_id),
        reason,
        timedelta(days=settings.second_person_days),
    )


def _refuse_one_of_two(session: Session, person: PersonSession, request: RequestInfo) -> None:
    """Whoever agrees to a decision is as little one of the two who disagree as who decides."""
    with contextlib.suppress(NotFound):  # what becomes of a request without its item is for `asking` to say
        _case, item, _content = decisions.locked(session, int(str(request.parameters["item"])))
        blind.refuse_decider(session, item, person.user_id, senior=True)
