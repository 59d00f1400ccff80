"""Deciding an appeal, and when overturning takes two people: as releasing the same item would have."""

from __future__ import annotations

from sqlalchemy.orm import Session

from seawall.access import requests
from seawall.access.people import PersonSession
from seawall.access.requests import Parameters, RequestInfo
from seawall.actions import outbox
from seawall.cases import appeals, weighty
from seawall.cases.appeals import AppealState, AppealView
from seawall.database.tables import Case, CaseItem, Content
from seawall.evidence import audit
from seawall.records import Actor, Outcome
from seawall.second import items


def parameters_of(appeal: AppealView) -> Parameters:
    """Which appeal is meant."""
    return {"appeal": appeal.id, "item": appeal.item_id, "case": appeal.case_id}


def hold(session: Session, parameters: Parameters) -> str:
    """Stands differently when it was decided, or when its item does.

    Raises:
        NotFound: there is no such appeal.
    """
    appeal = appeals.hold(session, int(str(parameters["appeal"])))
    item = session.get_one(CaseItem, appeal.item_id)
    content = session.get_one(Content, item.content_row)
    return f"{appeal.state.value}:{item.state}:{items.standing_of(item, content.state)}"


def carry_out(session: Session, request: RequestInfo, actor: Actor) -> None:
    """Overturns by who asked. The caller holds the appeal."""
    assert request.asker_id is not None, "appeals are decided at the console"
    appeal = appeals.get(session, int(str(request.parameters["appeal"])))
    overturn(session, actor, request.asker_id, appeal, request.reason, request)


def takes_two(session: Session, appeal: AppealView) -> bool:
    """Whether a second person has to agree to overturn: where one has to for "not a match"."""
    item = session.get_one(CaseItem, appeal.item_id)
    return weighty.takes_two(Outcome.NOT_A_MATCH, items.findings_of(item))


def uphold(session: Session, person: PersonSession, appeal: AppealView, reason: str) -> None:
    """The decision stays -> webhook -> audit. The caller holds the appeal."""
    appeals.uphold(session, appeal, person.user_id, reason)
    _tell(session, person.actor, appeal, AppealState.UPHELD, None)


def overturn(
    session: Session,
    actor: Actor,
    user_id: int,
    appeal: AppealView,
    reason: str,
    request: RequestInfo | None,
) -> None:
    """The content is restored -> webhooks -> audit. The caller holds the appeal."""
    result = appeals.overturn(session, appeal, user_id, reason, None if request is None else request.id)
    for event, data in result.events:
        outbox.put(session, event, data, case_id=result.case_id)
    _tell(session, actor, appeal, AppealState.OVERTURNED, request)


def refuse_while_waiting(session: Session, appeal: AppealView) -> None:
    """Raises:
    Conflict: a second person is asked about it.
    """
    requests.refuse_while_waiting(session, subject_of(appeal))


def subject_of(appeal: AppealView) -> str:
    """The appeal, as a request names it."""
    return f"appeal:{appeal.id}"


def _tell(
    session: Session, actor: Actor, appeal: AppealView, state: AppealState, request: RequestInfo | None
) -> None:
    is_test = session.get_one(Case, appeal.case_id).is_test
    outbox.put(session, *appeals.outcome_event(appeal, state, is_test), case_id=appeal.case_id)
    details: dict[str, audit.Json] = {"item": appeal.item_id, "case": appeal.case_id}
    if request is not None:
        details |= {"request": request.id, "second_person": request.on_record}
    act = {AppealState.UPHELD: "appeal.uphold", AppealState.OVERTURNED: "appeal.overturn"}[state]
    audit.append(session, actor, act, f"appeal:{appeal.id}", details)
