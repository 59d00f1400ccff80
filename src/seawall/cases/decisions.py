"""Deciding an item: what it means for the item, its case, its content, and what the platform must be told."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from seawall.cases import claims
from seawall.database.tables import Case, CaseItem, Content, Decision, Evidence, Request, Reveal, now
from seawall.errors import BadInput, Conflict, NotFound
from seawall.records import CaseState, ContentState, EventType, ItemState, Outcome
from seawall.request_records import RequestState

LONGEST_REASON = 4000

Event = tuple[EventType, dict[str, object]]


@dataclass(frozen=True, slots=True)
class DecisionResult:
    """What a decision brought about. `events` are owed to the platform, in this order; the caller puts them into the
    outbox, in the same transaction. `waits` is the number of the request where nothing was brought about yet, because
    a second person has to agree."""

    case_id: int
    item_id: int
    content: Content
    case_closed: bool
    events: list[Event]
    waits: int | None = None


def decide(
    session: Session,
    *,
    item_id: int,
    user_id: int,
    outcome: Outcome,
    reason: str,
    restrict_account: bool = False,
    copy_of: int | None = None,
    request_id: int | None = None,
) -> DecisionResult:
    """Records what a reviewer concluded of one item. The caller appends the audit event.

    Confirmed content is removed and cleared content released; an escalated case waits for somebody else, its item
    still pending. The case closes with its last pending item, and with it ends whoever's claim.

    Args:
        copy_of: the decision on an item of the same bytes that this one follows.
        request_id: the request for a second person by which it is decided.

    Raises:
        BadInput: there is no reason, or no account to restrict.
        NotFound: there is no such item.
        CaseClaimed: somebody else works on the case.
        Conflict: the item is decided already, or a request about it waits for a second person.
    """
    words = checked_reason(reason)
    case, item, content = locked(session, item_id)
    if item.state == ItemState.RETRACTED:
        raise Conflict(f"Item {item_id} needs no decision any more: its list took back what had held it.")
    if item.state != ItemState.PENDING:
        raise Conflict(f"Item {item_id} was decided already, as {item.state.replace('_', ' ')}.")
    if request_id is None or copy_of is not None:  # else whoever agreed may be working on it
        claims.refuse_others(session, case.id, user_id)
    refuse_while_waiting(session, item_id, request_id)
    if restrict_account and outcome is Outcome.NOT_A_MATCH:
        raise BadInput("An account cannot be restricted for what is not a match.", hint="Decide without restricting.")
    if restrict_account and case.account_id is None:
        raise BadInput(
            "There is no account to restrict: the platform named none.", hint="Decide without restricting."
        )
    _record(session, item, user_id, outcome, words, restrict_account, copy_of, request_id)
    events = _carry_out(case, item, content, outcome)
    if outcome is Outcome.ESCALATE:
        claims.end(session, case.id)  # it waits for somebody else
    # What follows another decision has nothing to tell that the other does not.
    item.spread_due = outcome is not Outcome.ESCALATE and copy_of is None
    if restrict_account:
        data: dict[str, object] = {"account_id": case.account_id, "case_id": case.id, "test": case.is_test}
        events.append((EventType.ACCOUNT_RESTRICT, data))
    session.flush()
    closed = close_if_done(session, case)
    return DecisionResult(case.id, item.id, content, closed, events)


def overturn(session: Session, *, item_id: int, user_id: int, reason: str, request_id: int | None) -> DecisionResult:
    """Turns what was confirmed into "not a match", because of an appeal. The caller holds the item and appends the
    audit event.

    Raises:
        BadInput: there is no reason.
        Conflict: it is not confirmed any more.
    """
    words = checked_reason(reason)
    case, item, content = locked(session, item_id)
    if item.state != ItemState.CONFIRMED or content.state != ContentState.REMOVED:
        raise Conflict(f"Item {item_id} is not removed by a decision any more.")
    _record(session, item, user_id, Outcome.NOT_A_MATCH, words, False, None, request_id)
    events = _carry_out(case, item, content, Outcome.NOT_A_MATCH)
    session.flush()
    return DecisionResult(case.id, item.id, content, case.decided_at is not None, events)


def checked_reason(reason: str) -> str:
    """Words without space around them.

    Raises:
        BadInput: there are none, or too many.
    """
    words = reason.strip()
    if not words:
        raise BadInput("A decision needs a reason.", hint="Say in a few words what led to it.")
    if len(words) > LONGEST_REASON or "\0" in words:
        raise BadInput(f"A reason is text of at most {LONGEST_REASON} characters.", hint="Shorten it.")
    return words


def locked(session: Session, item_id: int) -> tuple[Case, CaseItem, Content]:
    """Case, item and content, held until the transaction ends. The content comes first, then the case, as where a
    verdict adds an item: so nobody waits for each other in a ring."""
    named = session.execute(
        select(CaseItem.case_id, CaseItem.content_row).where(CaseItem.id == item_id)
    ).one_or_none()
    if named is None:
        raise NotFound(f"There is no item {item_id}.")
    content = session.get_one(Content, named.content_row, with_for_update=True, populate_existing=True)
    case = session.get_one(Case, named.case_id, with_for_update=True, populate_existing=True)
    item = session.get_one(CaseItem, item_id, with_for_update=True, populate_existing=True)
    return case, item, content


def refuse_while_waiting(session: Session, item_id: int, request_id: int | None = None) -> None:
    """Refuses to decide what two people are deciding just now. The caller holds the item.

    Args:
        request_id: the request that is being carried out, which is no hindrance.

    Raises:
        Conflict: another request about the item waits.
    """
    waits = select(Request.id).where(
        Request.subject == f"item:{item_id}",
        Request.state == RequestState.WAITING.value,
        Request.lapses_at > func.now(),
    )
    waiting = session.scalar(waits)
    if waiting is not None and waiting != request_id:
        raise Conflict(
            f"Item {item_id} waits for a second person.", hint=f"Answer request {waiting} first, under Second look."
        )


def was_viewed(session: Session, item: CaseItem, user_id: int) -> bool:
    """Whether a person is on record as having looked at the evidence of an item."""
    looked = (
        exists()
        .where(Evidence.item_id == (item.again_of or item.id))
        .where(Reveal.evidence_id == Evidence.id, Reveal.user_id == user_id, Reveal.shown_at.is_not(None))
    )
    return bool(session.scalar(select(looked)))


def _record(
    session: Session,
    item: CaseItem,
    user_id: int,
    outcome: Outcome,
    reason: str,
    restrict_account: bool,
    copy_of: int | None,
    request_id: int | None,
) -> None:
    """Adds the decision, saying whether this person is on record as having looked at the evidence."""
    session.add(
        Decision(
            case_id=item.case_id,
            item_id=item.id,
            user_id=user_id,
            outcome=outcome.value,
            reason=reason,
            restrict_account=restrict_account,
            viewed=was_viewed(session, item, user_id),
            copy_of=copy_of,
            request_id=request_id,
        )
    )


def _carry_out(case: Case, item: CaseItem, content: Content, outcome: Outcome) -> list[Event]:
    at = now()
    case.updated_at = at
    if outcome is Outcome.ESCALATE:
        case.state = CaseState.ESCALATED.value
        return []
    confirmed = outcome is Outcome.CONFIRM
    item.state = (ItemState.CONFIRMED if confirmed else ItemState.NOT_A_MATCH).value
    item.decided_at = at
    item.copies_due = not _is_conversation(item)  # which has nothing that a list could know
    content.state = (ContentState.REMOVED if confirmed else ContentState.RELEASED).value
    content.updated_at = at
    if not confirmed:
        # While it was held, lists that walked through the ledger have passed it by. As one that was written only now
        # it is compared with what they know, unless it was judged with that.
        content.written_in = func.pg_current_xact_id()
    if _is_conversation(item):
        return [(EventType.CONVERSATION_DECIDED, _of_conversation(case, content, outcome))]
    data: dict[str, object] = {
        "content_id": content.content_id,
        "account_id": content.account_id,
        "surface": content.surface,
        "sha256": None if content.sha256 is None else content.sha256.hex(),
        "case_id": case.id,
        "outcome": outcome.value,
        "test": case.is_test,
    }
    return [(EventType.CONTENT_REMOVE if confirmed else EventType.CONTENT_RELEASE, data)]


def _is_conversation(item: CaseItem) -> bool:
    return any(finding["finding"] == "conversation" for finding in item.findings)


def _of_conversation(case: Case, content: Content, outcome: Outcome) -> dict[str, object]:
    """What the platform is told of a conversation: the items of those are called ``conversation:<id>``."""
    return {
        "conversation_id": content.content_id.partition(":")[2],
        "account_id": content.account_id,
        "surface": content.surface,
        "case_id": case.id,
        "outcome": outcome.value,
        "test": case.is_test,
    }


def close_if_done(session: Session, case: Case) -> bool:
    """Closes a case that has no pending item left; whether it had none. The caller holds the case."""
    pending = exists().where(CaseItem.case_id == case.id, CaseItem.state == ItemState.PENDING.value)
    if session.scalar(select(pending)):
        return False
    case.state, case.decided_at = CaseState.DECIDED.value, now()
    claims.end(session, case.id)
    session.flush()
    return True
