"""Blind review: a sampled share of what was decided is decided once more, by somebody who does not see what the first
person said, nor who that was.

What is drawn follows from a keyed hash of the decision's number: nobody who lacks the key can tell beforehand. Where
the two agree nothing changes; where they do not, the item waits again, and a senior who is neither decides it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from seawall.cases import claims
from seawall.cases.decisions import checked_reason, locked, was_viewed
from seawall.cases.retractions import take_up_again
from seawall.database.documents import finding_from_json, reason_from_json
from seawall.database.locks import Lock
from seawall.database.locks import take as lock
from seawall.database.tables import BlindReview, Case, CaseItem, Content, Decision, User, now
from seawall.errors import Conflict, NotFound
from seawall.records import CaseState, HarmClass, ItemState, Judgement, Outcome, Reason, Role, Verdict

LEASE = timedelta(minutes=30)
STATE_OF = {Outcome.CONFIRM.value: ItemState.CONFIRMED.value, Outcome.NOT_A_MATCH.value: ItemState.NOT_A_MATCH.value}
WAITING, AGREED, DISAGREED = "waiting", "agreed", "disagreed"
DISAGREEMENT = "blind-review"
_LARGEST = 2**64

_Other = aliased(Decision)
_IS_CONVERSATION = CaseItem.findings.contains([{"finding": "conversation"}])


@dataclass(frozen=True, slots=True)
class BlindView:
    """One review that somebody took: what it is about. Never what was decided first, nor by whom."""

    id: int
    case_id: int
    item_id: int


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of an answer about an item of the case `of_case`. Where it did not agree, `case` and `item` are where
    it waits, `content` what it is of, and `was_released` whether that was shown on the platform until now."""

    agrees: bool
    of_case: int
    case: Case
    item: CaseItem
    content: Content
    judgement: Judgement | None = None
    was_released: bool = False


def draw(
    session: Session,
    item_id: int,
    percent: Callable[[HarmClass], float],
    tag: Callable[[str], bytes],
    roles: Collection[Role],
) -> bool:
    """Whether the newest decision on an item was drawn. What two people decided is not, nor what nobody else could
    look at, nor a conversation, which is read within its case alone.

    Args:
        percent: how many of a hundred decisions of a harm class are drawn.
        tag: a keyed hash of a text.
        roles: of which others need one to decide too.
    """
    wanted = (
        select(Decision, Case.harm_class, _IS_CONVERSATION)
        .join(Case, Case.id == Decision.case_id)
        .join(CaseItem, CaseItem.id == Decision.item_id)
    )
    newest = wanted.where(Decision.item_id == item_id).order_by(Decision.id.desc()).limit(1)
    decision, harm_class, is_conversation = session.execute(newest).one()
    if decision.outcome not in STATE_OF or decision.copy_of is not None or decision.request_id is not None:
        return False
    if is_conversation:
        return False
    if int.from_bytes(tag(f"decision:{decision.id}")[:8]) >= percent(HarmClass(harm_class)) / 100 * _LARGEST:
        return False
    others = select(User.id).where(
        User.id != decision.user_id, User.disabled_at.is_(None), User.roles.overlap([role.value for role in roles])
    )
    if session.scalar(others.limit(1)) is None:
        return False
    session.add(BlindReview(item_id=item_id, decision_id=decision.id, state=WAITING))
    session.flush()
    return True


def waiting(session: Session, user_id: int) -> int:
    """How many this person could take."""
    return session.scalar(_open(user_id).with_only_columns(func.count())) or 0


def mine(session: Session, user_id: int) -> BlindView | None:
    """The one that this person has taken."""
    held = _current().where(BlindReview.user_id == user_id, BlindReview.taken_until > func.now())
    return _view(session, held.limit(1))


def take(session: Session, user_id: int) -> BlindView | None:
    """Takes the next one, for half an hour; what was taken already stays. None when there is none."""
    present = mine(session, user_id)
    if present is not None:
        return present
    found = session.scalar(
        _open(user_id).order_by(BlindReview.id).limit(1).with_for_update(of=BlindReview, skip_locked=True)
    )
    if found is None:
        return None
    found.user_id, found.taken_until = user_id, now() + LEASE
    session.flush()
    return mine(session, user_id)


def get(session: Session, number: int, user_id: int) -> BlindView:
    """The one of that number, if this person has taken it.

    Raises:
        NotFound: they have not, or not any more.
    """
    held = mine(session, user_id)
    if held is None or held.id != number:
        raise NotFound("That review is not yours (any more).", hint="Take the next one.")
    return held


def give_back(session: Session, number: int, user_id: int) -> None:
    """Leaves it to somebody else; this person is not offered it again.

    Raises:
        NotFound: they have not taken it.
    """
    held = get(session, number, user_id)
    row = session.get_one(BlindReview, held.id, with_for_update=True, populate_existing=True)
    row.user_id, row.taken_until, row.passed_by = None, None, [*row.passed_by, user_id]
    session.flush()


def answer(session: Session, number: int, user_id: int, outcome: Outcome, reason: str) -> Answered:
    """What the second person says. Where it is not what the first said, the item is undecided again, its case
    escalated. The caller appends the audit event and tells the platform.

    Raises:
        BadInput: there is no reason.
        NotFound: they have not taken it, or not any more.
        Conflict: it was decided again meanwhile.
    """
    words = checked_reason(reason)
    held = get(session, number, user_id)
    subject = session.scalars(select(Case.subject).where(Case.id == held.case_id)).one()
    lock(session, Lock.SUBJECT, of=subject)
    case, item, content = locked(session, held.item_id)
    row = session.get_one(BlindReview, number, with_for_update=True, populate_existing=True)
    if row.state != WAITING or row.user_id != user_id or _view(session, _current(number)) is None:
        raise Conflict("That review needs no answer any more.", hint="Take the next one.")
    first = session.get_one(Decision, row.decision_id)
    agrees = outcome.value == first.outcome
    row.state, row.outcome, row.reason = (AGREED if agrees else DISAGREED), outcome.value, words
    row.viewed, row.answered_at, row.taken_until = was_viewed(session, item, user_id), now(), None
    session.flush()
    if agrees:
        return Answered(True, held.case_id, case, item, content)
    was_released = item.state == ItemState.NOT_A_MATCH
    judgement = _doubted(case, item)
    findings = [finding_from_json(document) for document in item.findings]
    case, item = take_up_again(session, case, item, content, judgement, findings, ())
    case.state = CaseState.ESCALATED.value
    claims.end(session, case.id)  # it waits for somebody else
    session.flush()
    return Answered(False, held.case_id, case, item, content, judgement, was_released)


def refuse_decider(session: Session, item: CaseItem, user_id: int, *, senior: bool) -> None:
    """Keeps an item that two people disagree about for a senior who is neither of them. The caller holds the item.

    Raises:
        Conflict: this person is not.
    """
    other = aliased(CaseItem)
    settled = exists().where(
        _Other.item_id == other.id,
        other.content_row == item.content_row,
        _Other.id > BlindReview.decision_id,
        _Other.outcome.in_(STATE_OF),
    )
    wanted = (
        select(BlindReview.user_id, Decision.user_id)
        .select_from(BlindReview)
        .join(Decision, Decision.id == BlindReview.decision_id)
        .join(CaseItem, CaseItem.id == BlindReview.item_id)
        .where(CaseItem.content_row == item.content_row, BlindReview.state == DISAGREED, ~settled)
    )
    found = session.execute(wanted).all()
    if not found or item.state != ItemState.PENDING:
        return
    if not senior or any(user_id in two for two in found):
        raise Conflict(
            "Two people said different things of this item; a senior reviewer who is neither decides it.",
            hint="Pass the case on.",
        )


def _doubted(case: Case, item: CaseItem) -> Judgement:
    told = Reason(
        "reviewers_disagree", DISAGREEMENT, "Two reviewers, of whom neither knew of the other, said different things."
    )
    reasons = (told, *(reason_from_json(document) for document in item.reasons))
    return Judgement(Verdict(item.verdict), case.urgent, reasons, item.policy_version)


def _current(number: int | None = None) -> Select[BlindReview]:
    """Those that wait and whose decision is still what stands."""
    stands = or_(*(and_(Decision.outcome == outcome, CaseItem.state == state) for outcome, state in STATE_OF.items()))
    later = exists().where(_Other.item_id == BlindReview.item_id, _Other.id > BlindReview.decision_id)
    wanted = (
        select(BlindReview)
        .select_from(BlindReview)
        .join(Decision, Decision.id == BlindReview.decision_id)
        .join(CaseItem, CaseItem.id == BlindReview.item_id)
        .where(BlindReview.state == WAITING, stands, ~later, ~_IS_CONVERSATION)
        .execution_options(populate_existing=True)
    )
    return wanted if number is None else wanted.where(BlindReview.id == number)


def _open(user_id: int) -> Select[BlindReview]:
    return _current().where(
        or_(BlindReview.taken_until.is_(None), BlindReview.taken_until <= func.now()),
        ~BlindReview.passed_by.contains([user_id]),
        ~_has_decided(user_id),
    )


def _has_decided(user_id: int) -> ColumnElement[bool]:
    """Whoever has ever decided the item, or one that it takes up, is not its second person."""
    other = aliased(CaseItem)
    return exists().where(
        _Other.user_id == user_id,
        _Other.item_id == other.id,
        other.content_row == CaseItem.content_row,
    )


def _view(session: Session, wanted: Select[BlindReview]) -> BlindView | None:
    row = session.execute(wanted.with_only_columns(BlindReview.id, CaseItem.case_id, CaseItem.id)).one_or_none()
    return None if row is None else BlindView(*row)
