"""Appeals: one for each item that was refused, decided by somebody other than who decided first.

Its words are kept sealed, and forgotten some time after they were needed: they may say anything about anybody.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Row, func, select, update
from sqlalchemy.orm import Session

from seawall.cases import decisions
from seawall.cases.decisions import DecisionResult, checked_reason
from seawall.database.tables import Appeal, CaseItem, Content, Decision, Request, User, now
from seawall.database.tables.content import REFUSED_STATES
from seawall.errors import BadInput, Conflict, Forbidden, NotFound
from seawall.records import ContentState, EventType, ItemState, Outcome
from seawall.request_records import RequestState

LONGEST_TEXT = 4000
LARGEST_ID = 2**62


class AppealState(enum.StrEnum):
    """Where an appeal stands."""

    OPEN = "open"
    UPHELD = "upheld"
    OVERTURNED = "overturned"


@dataclass(frozen=True, slots=True)
class AppealArrival:
    """What somebody on the platform says against a refusal. `appeal_id` is the platform's own id of it."""

    appeal_id: str
    content_id: str
    text: str = field(repr=False)
    account_id: str | None = None


@dataclass(frozen=True, slots=True)
class AppealView:
    """One appeal. `deciders` confirmed what it is against (by name), `waits` is the request about it that no second
    person has answered yet; `sealed` None where its words were forgotten."""

    id: int
    appeal_id: str
    content_id: str
    account_id: str | None
    item_id: int
    case_id: int
    state: AppealState
    item_state: ItemState
    content_state: ContentState
    received_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    reason: str | None
    sealed: bytes | None
    deciders: frozenset[str]
    waits: int | None

    @property
    def settled(self) -> bool:
        """Whether nothing is left to decide: it was decided, or the content is no longer refused."""
        return self.state is not AppealState.OPEN or self.content_state.value not in REFUSED_STATES


def item_against(session: Session, content_id: str, account_id: str | None) -> int:
    """The newest item by which a content is refused, held until the transaction ends.

    Raises:
        NotFound: nothing of that id is refused.
        BadInput: the content is another account's.
    """
    wanted = (
        select(CaseItem.id, Content.account_id)
        .join(Content, Content.id == CaseItem.content_row)
        .where(Content.content_id == content_id, Content.state.in_(REFUSED_STATES))
        .order_by(CaseItem.id.desc())
        .limit(1)
        .with_for_update(of=CaseItem)
    )
    found = session.execute(wanted).one_or_none()
    if found is None:
        raise NotFound(
            "No content of that id is held, blocked or removed.",
            hint="An appeal is against a refusal; ask GET /v1/content/{content_id} where it stands.",
        )
    if account_id is not None and found.account_id is not None and account_id != found.account_id:
        raise BadInput("account_id is not the account that published the content.")
    return int(found.id)


def find(session: Session, appeal_id: str) -> AppealView | None:
    """The appeal that the platform knows by this id."""
    number = session.scalar(select(Appeal.id).where(Appeal.appeal_id == appeal_id))
    return None if number is None else get(session, number)


def receive(
    session: Session, appeal_id: str, content_id: str, account_id: str | None, item_id: int, sealed: bytes
) -> AppealView:
    """Takes a new appeal. The caller holds its item, and appends the audit event.

    Raises:
        Conflict: there is an appeal against the same decision already.
    """
    if session.scalar(select(Appeal.id).where(Appeal.item_id == item_id)) is not None:
        raise Conflict(
            "There is an appeal against this decision already.", hint="Only its first appeal is looked at."
        )
    row = Appeal(
        appeal_id=appeal_id,
        item_id=item_id,
        content_id=content_id,
        account_id=account_id,
        text_sealed=sealed,
        state=AppealState.OPEN.value,
    )
    session.add(row)
    session.flush()
    return get(session, row.id)


def get(session: Session, number: int) -> AppealView:
    """The appeal of that number.

    Raises:
        NotFound: there is none.
    """
    found = session.execute(_VIEW.where(Appeal.id == number)).one_or_none() if 0 < number < LARGEST_ID else None
    if found is None:
        raise NotFound(f"There is no appeal {number}.")
    return _view(found, _deciders(session, [found[0].item_id]), _waiting(session, [found[0].id]))


def undecided(session: Session, limit: int) -> list[AppealView]:
    """Appeals that wait, the oldest first."""
    wanted = _VIEW.where(Appeal.state == AppealState.OPEN.value, Content.state.in_(REFUSED_STATES))
    return _views(session, session.execute(wanted.order_by(Appeal.id).limit(limit)).all())


def decided(session: Session, limit: int) -> list[AppealView]:
    """The appeals that were decided last, newest first."""
    wanted = _VIEW.where(Appeal.decided_at.is_not(None)).order_by(Appeal.decided_at.desc(), Appeal.id.desc())
    return _views(session, session.execute(wanted.limit(limit)).all())


def hold(session: Session, number: int) -> AppealView:
    """The appeal with its item and content, held until the transaction ends.

    Raises:
        NotFound: there is none.
    """
    item_id = session.scalar(select(Appeal.item_id).where(Appeal.id == number)) if 0 < number < LARGEST_ID else None
    if item_id is None:
        raise NotFound(f"There is no appeal {number}.")
    decisions.locked(session, item_id)
    session.get_one(Appeal, number, with_for_update=True, populate_existing=True)
    return get(session, number)


def refuse_decider(appeal: AppealView, name: str) -> None:
    """Raises:
    Forbidden: this person decided first.
    """
    if name in appeal.deciders:
        raise Forbidden(
            "You decided this item; an appeal is decided by somebody else.", hint="Leave it to a colleague."
        )


def refuse_settled(appeal: AppealView) -> None:
    """Raises:
    Conflict: there is nothing to decide, or not yet.
    """
    if appeal.state is not AppealState.OPEN:
        raise Conflict(f"Appeal {appeal.id} was decided already: {appeal.state.value}.")
    if appeal.settled:
        raise Conflict(f"Appeal {appeal.id} needs no decision any more: its content is not refused.")
    if appeal.item_state is not ItemState.CONFIRMED:
        raise Conflict(
            f"Item {appeal.item_id} is not decided yet.", hint=f"Decide it first: it is in case {appeal.case_id}."
        )


def uphold(session: Session, appeal: AppealView, user_id: int, reason: str) -> None:
    """Leaves the decision as it is. The caller holds the appeal."""
    _close(session, appeal, AppealState.UPHELD, user_id, checked_reason(reason), None)


def overturn(
    session: Session, appeal: AppealView, user_id: int, reason: str, request_id: int | None
) -> DecisionResult:
    """Turns the decision round. The caller holds the appeal, and owes the platform the events."""
    result = decisions.overturn(
        session, item_id=appeal.item_id, user_id=user_id, reason=reason, request_id=request_id
    )
    _close(session, appeal, AppealState.OVERTURNED, user_id, checked_reason(reason), request_id)
    return result


def outcome_event(appeal: AppealView, state: AppealState, is_test: bool) -> tuple[EventType, dict[str, object]]:
    """What the platform is told of a decided appeal."""
    data: dict[str, object] = {
        "appeal_id": appeal.appeal_id,
        "content_id": appeal.content_id,
        "account_id": appeal.account_id,
        "case_id": appeal.case_id,
        "outcome": state.value,
        "test": is_test,
    }
    return EventType.APPEAL_DECIDED, data


def was_overturned(session: Session, item_id: int) -> bool:
    """Whether an appeal against what was decided of an item was right."""
    wanted = select(Appeal.id).where(Appeal.item_id == item_id, Appeal.state == AppealState.OVERTURNED.value)
    return session.scalar(wanted) is not None


def forget_words(session: Session, older_than: timedelta) -> int:
    """Forgets what was written in appeals that were settled (or, of content no longer refused, came in) longer ago;
    returns of how many."""
    limit = now() - older_than
    refused = select(CaseItem.id).join(Content, Content.id == CaseItem.content_row)
    still_open = refused.where(CaseItem.id == Appeal.item_id, Content.state.in_(REFUSED_STATES)).exists()
    forgotten = (
        update(Appeal)
        .where(
            Appeal.text_sealed.is_not(None),
            func.coalesce(Appeal.decided_at, Appeal.received_at) < limit,
            Appeal.decided_at.is_not(None) | ~still_open,
        )
        .values(text_sealed=None)
        .returning(Appeal.id)
        .execution_options(synchronize_session=False)
    )
    return len(session.scalars(forgotten).all())


def _close(
    session: Session, appeal: AppealView, state: AppealState, user_id: int, reason: str, request_id: int | None
) -> None:
    row = session.get_one(Appeal, appeal.id)
    row.state, row.decided_by, row.reason, row.decided_at = state.value, user_id, reason, now()
    row.request_id = request_id
    session.flush()


_VIEW = (
    select(Appeal, CaseItem.case_id, CaseItem.state, Content.state, User.name)
    .join(CaseItem, CaseItem.id == Appeal.item_id)
    .join(Content, Content.id == CaseItem.content_row)
    .outerjoin(User, User.id == Appeal.decided_by)
    .execution_options(populate_existing=True)
)


_Found = Row[Appeal, int, str, str, str]


def _views(session: Session, rows: Sequence[_Found]) -> list[AppealView]:
    deciders = _deciders(session, [row[0].item_id for row in rows])
    waiting = _waiting(session, [row[0].id for row in rows])
    return [_view(row, deciders, waiting) for row in rows]


def _deciders(session: Session, item_ids: Collection[int]) -> dict[int, frozenset[str]]:
    """Who confirmed each item."""
    rows = session.execute(
        select(Decision.item_id, User.name)
        .join(User, User.id == Decision.user_id)
        .where(Decision.item_id.in_(item_ids), Decision.outcome == Outcome.CONFIRM.value)
    ).all()
    return {item: frozenset(name for of, name in rows if of == item) for item in item_ids}


def _waiting(session: Session, numbers: Collection[int]) -> dict[int, int]:
    """The requests that wait for a second person, by their appeals."""
    by_subject = {f"appeal:{number}": number for number in numbers}
    wanted = select(Request.id, Request.subject).where(
        Request.subject.in_(by_subject),
        Request.state == RequestState.WAITING.value,
        Request.lapses_at > func.now(),
    )
    return {by_subject[row.subject]: row.id for row in session.execute(wanted)}


def _view(row: _Found, deciders: dict[int, frozenset[str]], waiting: dict[int, int]) -> AppealView:
    appeal, case_id, item_state, content_state, decided_by = row
    return AppealView(
        id=appeal.id,
        appeal_id=appeal.appeal_id,
        content_id=appeal.content_id,
        account_id=appeal.account_id,
        item_id=appeal.item_id,
        case_id=case_id,
        state=AppealState(appeal.state),
        item_state=ItemState(item_state),
        content_state=ContentState(content_state),
        received_at=appeal.received_at,
        decided_at=appeal.decided_at,
        decided_by=decided_by,
        reason=appeal.reason,
        sealed=appeal.text_sealed,
        deciders=deciders[appeal.item_id],
        waits=waiting.get(appeal.id),
    )
