"""One case, whole, as a person looks at it: its items, what was found, decided and looked at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from seawall.cases.items import terms_from_json
from seawall.cases.priority import Term
from seawall.database.documents import finding_from_json, reason_from_json
from seawall.database.tables import Case, CaseItem, Content, Decision, Evidence, Request, Reveal, User
from seawall.errors import NotFound
from seawall.records import (
    CaseState,
    ContentState,
    Finding,
    HarmClass,
    ItemState,
    Outcome,
    Reason,
    RevealStage,
    Verdict,
)
from seawall.request_records import RequestState

# Of an item that takes up an earlier one again: that one, to which evidence and decisions belong.
ORIGIN = func.coalesce(CaseItem.again_of, CaseItem.id)
# The decision that another one followed.
FOLLOWED = aliased(Decision)


@dataclass(frozen=True, slots=True)
class DecisionView:
    """A decision on one item. `viewed` says whether that person had looked at the evidence, by the record; `copy_of`
    the case of the item whose decision this one followed, as one of the same bytes; `second_person` who agreed, or
    why nobody had to, where it took two people."""

    outcome: Outcome
    user: str
    reason: str
    restrict_account: bool
    viewed: bool
    decided_at: datetime
    copy_of: int | None = None
    second_person: str = ""


@dataclass(frozen=True, slots=True)
class WaitingView:
    """A request about one item that waits for a second person."""

    request_id: int
    asked_by: str
    reason: str
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class RevealView:
    """One reveal: a look at the evidence that was asked for. `shown_at` is None where nothing was shown. A look at
    the `first` picture is none at a strip of stills, or at a single one."""

    user: str
    stage: RevealStage
    asked_at: datetime
    shown_at: datetime | None
    strip: bool = False
    first: bool = True


@dataclass(frozen=True, slots=True)
class ItemView:
    """One item with its content and history. `evidence_id` is None where no bytes came. `retracted` is what was found
    once, by entries that have been taken off their lists since. An item that takes up an earlier one again has that
    one's evidence, decisions and looks. `waiting` is the request about it that no second person has answered yet."""

    id: int
    content_id: str
    surface: str
    filename: str | None
    uploader_ip: str | None
    uploaded_at: datetime | None
    sha256: bytes | None
    media_type: str | None
    width: int | None
    height: int | None
    size: int | None
    pdq_quality: int | None
    pictures: int
    content_state: ContentState
    state: ItemState
    verdict: Verdict
    reasons: tuple[Reason, ...]
    findings: tuple[Finding, ...]
    retracted: tuple[Finding, ...]
    policy_version: str
    added_at: datetime
    decided_at: datetime | None
    evidence_id: int | None
    decisions: tuple[DecisionView, ...]
    reveals: tuple[RevealView, ...]
    waiting: WaitingView | None = None


@dataclass(frozen=True, slots=True)
class CaseView:
    """One case. `terms` explain its `priority`; `harm_class` is the gravest of what was found, `at_risk` what a
    person said: that a child may be in danger now."""

    id: int
    subject: str
    account_id: str | None
    state: CaseState
    urgent: bool
    priority: int
    terms: tuple[Term, ...]
    harm_class: HarmClass
    at_risk: bool
    is_test: bool
    opened_at: datetime
    updated_at: datetime
    decided_at: datetime | None
    items: tuple[ItemView, ...]

    @property
    def pending(self) -> int:
        """How many items wait for a decision."""
        return sum(item.state is ItemState.PENDING for item in self.items)


def get_case(session: Session, case_id: int) -> CaseView:
    """The case with all that belongs to it, in five queries.

    Raises:
        NotFound: there is none of that number.
    """
    case = session.get(Case, case_id)
    if case is None:
        raise NotFound(f"There is no case {case_id}.")
    rows = session.execute(
        select(CaseItem, Content, Evidence.id)
        .join(Content, Content.id == CaseItem.content_row)
        .outerjoin(Evidence, Evidence.item_id == ORIGIN)
        .where(CaseItem.case_id == case_id)
        .order_by(CaseItem.id)
    ).all()
    origins = {item.again_of or item.id for item, _content, _evidence_id in rows}
    decisions, reveals = _decisions(session, origins), _reveals(session, origins)
    waits = _waiting(session, [item.id for item, _content, _evidence_id in rows])
    items = tuple(
        _item(item, content, evidence_id, decisions.get(origin, ()), reveals.get(origin, ()), waits.get(item.id))
        for item, content, evidence_id in rows
        for origin in (item.again_of or item.id,)
    )
    return CaseView(
        id=case.id,
        subject=case.subject,
        account_id=case.account_id,
        state=CaseState(case.state),
        urgent=case.urgent,
        priority=case.priority,
        terms=terms_from_json(case.terms),
        harm_class=HarmClass(case.harm_class),
        at_risk=case.at_risk,
        is_test=case.is_test,
        opened_at=case.opened_at,
        updated_at=case.updated_at,
        decided_at=case.decided_at,
        items=items,
    )


def _decisions(session: Session, origins: Collection[int]) -> dict[int, list[DecisionView]]:
    """By the item that was first: with those on what took it up again."""
    query = (
        select(Decision, User.name, ORIGIN, FOLLOWED.case_id, Request.answered_by, Request.switched_off)
        .join(User, User.id == Decision.user_id)
        .outerjoin(Request, Request.id == Decision.request_id)
        .join(CaseItem, CaseItem.id == Decision.item_id)
        .outerjoin(FOLLOWED, FOLLOWED.id == Decision.copy_of)
        .where(CaseItem.id.in_(origins) | CaseItem.again_of.in_(origins))
    )
    found: dict[int, list[DecisionView]] = defaultdict(list)
    for row, name, origin, followed, second, off in session.execute(query.order_by(Decision.id)):
        second_person = f"switched off: {off}" if off else (second or "").partition(":")[2]
        told = (name, row.reason, row.restrict_account, row.viewed, row.decided_at, followed, second_person)
        found[origin].append(DecisionView(Outcome(row.outcome), *told))
    return found


def _waiting(session: Session, item_ids: Collection[int]) -> dict[int, WaitingView]:
    """The requests that wait, by their items."""
    by_subject = {f"item:{item_id}": item_id for item_id in item_ids}
    wanted = select(Request).where(
        Request.subject.in_(by_subject),
        Request.state == RequestState.WAITING.value,
        Request.lapses_at > func.now(),
    )
    return {
        by_subject[row.subject]: WaitingView(row.id, row.asked_by.partition(":")[2], row.reason, row.asked_at)
        for row in session.scalars(wanted)
    }


def _reveals(session: Session, origins: Collection[int]) -> dict[int, list[RevealView]]:
    query = (
        select(Reveal, User.name, Evidence.item_id)
        .join(User, User.id == Reveal.user_id)
        .join(Evidence, Evidence.id == Reveal.evidence_id)
        .where(Evidence.item_id.in_(origins))
        .order_by(Reveal.id)
    )
    found: dict[int, list[RevealView]] = defaultdict(list)
    for row, name, item_id in session.execute(query):
        found[item_id].append(
            RevealView(
                name,
                RevealStage(row.stage),
                row.asked_at,
                row.shown_at,
                row.strip,
                not row.strip and row.place is None,
            )
        )
    return found


def _item(
    item: CaseItem,
    content: Content,
    evidence_id: int | None,
    decisions: Sequence[DecisionView],
    reveals: Sequence[RevealView],
    waiting: WaitingView | None,
) -> ItemView:
    return ItemView(
        id=item.id,
        content_id=content.content_id,
        surface=content.surface,
        filename=content.filename,
        uploader_ip=None if content.uploader_ip is None else str(content.uploader_ip),
        uploaded_at=content.uploaded_at,
        sha256=content.sha256,
        media_type=content.media_type,
        width=content.width,
        height=content.height,
        size=content.size,
        pdq_quality=content.pdq_quality,
        pictures=len({frame["number"] for frame in content.frames}),
        content_state=ContentState(content.state),
        state=ItemState(item.state),
        verdict=Verdict(item.verdict),
        reasons=tuple(reason_from_json(document) for document in item.reasons),
        findings=tuple(finding_from_json(document) for document in item.findings),
        retracted=tuple(finding_from_json(document) for document in item.retracted),
        policy_version=item.policy_version,
        added_at=item.added_at,
        decided_at=item.decided_at,
        evidence_id=evidence_id,
        decisions=tuple(decisions),
        reveals=tuple(reveals),
        waiting=waiting,
    )
