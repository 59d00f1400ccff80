"""Deciding an item, alone or by two people."""

from __future__ import annotations

from sqlalchemy.orm import Session

from seawall.access.requests import Parameters, RequestInfo
from seawall.actions import outbox
from seawall.cases import decisions
from seawall.cases.decisions import DecisionResult
from seawall.database.documents import finding_from_json
from seawall.database.tables import CaseItem
from seawall.evidence import audit
from seawall.records import Actor, Finding, ItemState, Match, Outcome


def findings_of(item: CaseItem) -> tuple[Finding, ...]:
    """What an item met."""
    return tuple(finding_from_json(document) for document in item.findings)


def parameters_of(item: CaseItem) -> Parameters:
    """Which item is meant."""
    return {"item": item.id, "case": item.case_id, "outcome": Outcome.NOT_A_MATCH.value}


def subject_of(item_id: int) -> str:
    """The item, as a request names it."""
    return f"item:{item_id}"


def hold(session: Session, parameters: Parameters) -> str:
    """Stands differently when it is decided, or when something else is found of it.

    Raises:
        NotFound: there is no such item.
    """
    _case, item, content = decisions.locked(session, int(str(parameters["item"])))
    return standing_of(item, content.state)


def standing_of(item: CaseItem, content_state: str) -> str:
    """How an item stands, whose content stands like that."""
    pending = "pending" if item.state == ItemState.PENDING else "decided"
    met = sorted(
        f"{finding.entry_id}/{finding.kind.value}" if isinstance(finding, Match) else finding.code
        for finding in findings_of(item)
    )
    return f"{pending}:{content_state}:{','.join(met)}"


def carry_out(session: Session, request: RequestInfo, actor: Actor) -> None:
    """Records the decision of who asked. The caller holds the item."""
    assert request.asker_id is not None, "items are decided at the console"
    decide(
        session,
        actor,
        request.asker_id,
        int(str(request.parameters["item"])),
        Outcome(str(request.parameters["outcome"])),
        request.reason,
        request=request,
    )


def decide(
    session: Session,
    actor: Actor,
    user_id: int,
    item_id: int,
    outcome: Outcome,
    reason: str,
    *,
    restrict_account: bool = False,
    request: RequestInfo | None = None,
) -> DecisionResult:
    """Decision -> webhooks to the platform -> audit.

    Raises:
        Conflict: someone else has decided it already, or a request about it waits.
        BadInput: no reason was given, or there is no account to restrict.
    """
    result = decisions.decide(
        session,
        item_id=item_id,
        user_id=user_id,
        outcome=outcome,
        reason=reason,
        restrict_account=restrict_account,
        request_id=None if request is None else request.id,
    )
    for event, data in result.events:
        outbox.put(session, event, data, case_id=result.case_id)
    details: dict[str, audit.Json] = {
        "item": item_id,
        "restrict_account": restrict_account,
        "case_closed": result.case_closed,
    }
    if request is not None:
        details |= {"request": request.id, "second_person": request.on_record}
    audit.append(session, actor, f"item.{outcome}", f"case:{result.case_id}", details)
    return result
