"""One case item judged again: by what of its findings stands, what the lists know by now, and the policy.

In one transaction, with all that follows: state, webhook, audit. Why it is judged again is the caller's matter: an
entry was taken back (:mod:`seawall.retraction`), or a list has learnt of something (:mod:`seawall.news`).
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from seawall.actions import outbox
from seawall.cases import retractions
from seawall.cases.decisions import locked
from seawall.cases.items import entries_reviewed, was_released
from seawall.database.documents import finding_from_json, reason_from_json, reason_to_json
from seawall.database.locks import Lock, take
from seawall.database.tables import Case, CaseItem, Content
from seawall.database.tables.content import REFUSED_STATES
from seawall.evidence import audit
from seawall.hashlists.own import entries_of
from seawall.matching import ledger
from seawall.matching.orientations import with_orientations
from seawall.matching.sifting import Sifted, entries_now, sift, with_news
from seawall.policy.decide import decide, in_order, stricter
from seawall.records import (
    SYSTEM,
    ContentState,
    EventType,
    Finding,
    ItemState,
    Judgement,
    Match,
    Reason,
    Verdict,
)
from seawall.reporting import drafting as reports
from seawall.rooms import Rooms
from seawall.steps import announcement, event_of

# The rule that reasons of a retraction name, and what `content.release` says of it.
RETRACTION = "retraction"
RETRACTED = "retracted"
# Content that was confirmed stays removed while somebody decides again.
CONFIRMED_BEFORE = ContentState.REMOVED.value


class Change(enum.StrEnum):
    """What came of looking at an item again. The value is the audit event's act."""

    RELEASED = "item.retract"
    JUDGED = "item.judge_again"
    REOPENED = "item.reopen"


@dataclass(frozen=True, slots=True)
class Taken:
    """One item with all that belongs to it, held until the transaction ends, and what of its findings stands."""

    case: Case
    item: CaseItem
    row: Content
    before: tuple[Finding, ...]
    sifted: Sifted

    @property
    def disputed(self) -> tuple[Match, ...]:
        """What stands and has been disputed since it was found."""
        known = {finding.entry_id for finding in matches_of(self.before) if finding.disputed}
        return tuple(each for each in matches_of(self.sifted.kept) if each.disputed and each.entry_id not in known)


def judge_item_again(rooms: Rooms, item_id: int, *, with_news_alone: bool = False) -> Change | None:
    """Judges one item by what the lists and the policy say now; None where nothing came of it.

    Args:
        with_news_alone: also an item of whose findings nothing was taken back, where it meets something new.
    """
    with rooms.database.transaction() as session:
        taken = _taken(session, item_id)
        if taken is None:
            return None
        if taken.item.state == ItemState.CONFIRMED:
            return _reconsider(rooms, session, taken)
        return _judge(rooms, session, taken, with_news_alone)


def _taken(session: Session, item_id: int) -> Taken | None:
    named = session.execute(
        select(Content.content_id, Content.identity, Case.subject)
        .join(CaseItem, CaseItem.content_row == Content.id)
        .join(Case, Case.id == CaseItem.case_id)
        .where(CaseItem.id == item_id)
    ).one_or_none()
    if named is None:
        return None
    take(session, Lock.CONTENT, of=f"{named.content_id}:{named.identity.hex()}")
    take(session, Lock.SUBJECT, of=named.subject)
    case, item, row = locked(session, item_id)
    newest = session.scalar(select(func.max(CaseItem.id)).where(CaseItem.content_row == row.id))
    if item.state not in retractions.OPEN_TO_RETRACTIONS or newest != item.id or row.state not in REFUSED_STATES:
        return None
    before = _findings(item.findings)
    known = entries_now(session, (match.entry_id for match in matches_of(before)))
    return Taken(case, item, row, before, sift(before, known, ledger.fingerprint_of_row(row)))


def _reconsider(rooms: Rooms, session: Session, taken: Taken) -> Change | None:
    """What was confirmed is decided again when no entry that spoke for it does so any more. Until then it stays
    removed: a person has said what it is, and only a person takes that back. No draft of a report tells of it."""
    spoke, speaks = _undisputed(taken.before), _undisputed(taken.sifted.kept)
    if not spoke or speaks:
        return None
    findings, judgement, _generation = _now(rooms, session, taken)
    told = _reasons(taken)
    judgement = _at_least_held(replace(judgement, reasons=(*told, *judgement.reasons)))
    earlier = taken.item.id
    case, item = retractions.take_up_again(
        session, taken.case, taken.item, taken.row, judgement, findings, taken.sifted.fallen
    )
    reports.keep_up(session, rooms.vault, rooms.settings, taken.case.id)
    _put_on_record(session, Change.REOPENED, case, item, taken, judgement, earlier=earlier)
    return Change.REOPENED


def _judge(rooms: Rooms, session: Session, taken: Taken, with_news_alone: bool) -> Change | None:
    taken_back = bool(taken.sifted.fallen or taken.disputed)
    if not taken_back and not with_news_alone:
        return None
    findings, judgement, generation = _now(rooms, session, taken)
    if not taken_back and not _met(findings) - _met(taken.before):
        return None
    if taken.row.state == CONFIRMED_BEFORE:
        return _await_person(rooms, session, taken, findings, judgement)
    if not taken_back and judgement.verdict.severity < Verdict(taken.row.verdict).severity:
        return None  # something more never makes it milder: the policy has changed meanwhile
    if not judgement.verdict.refuses or (taken_back and _was_dismissed(session, taken.row, findings)):
        return _release(rooms, session, taken, findings, judgement, generation)
    told = judgement.verdict != taken.row.verdict
    ledger.judge_row(taken.row, judgement, ledger.STATE_OF[judgement.verdict], generation)
    _write(rooms, session, taken, findings, judgement)
    if told:
        shown = replace(judgement, reasons=(*_reasons(taken), *judgement.reasons))
        event = event_of(judgement, taken.item.late)
        data = announcement(taken.row, shown, taken.case.is_test, taken.item.late)
        outbox.put(session, event, data, case_id=taken.case.id)
    _put_on_record(session, Change.JUDGED, taken.case, taken.item, taken, judgement)
    return Change.JUDGED


def _await_person(
    rooms: Rooms, session: Session, taken: Taken, findings: tuple[Finding, ...], judgement: Judgement
) -> Change:
    """It was confirmed once and waits to be decided again: what is found now is shown, and nothing else happens."""
    told = tuple(reason for reason in map(reason_from_json, taken.item.reasons) if reason.rule == RETRACTION)
    reasons = tuple(dict.fromkeys((*told, *_reasons(taken), *judgement.reasons)))
    judgement = _at_least_held(replace(judgement, reasons=reasons))
    _write(rooms, session, taken, findings, judgement)
    _put_on_record(session, Change.JUDGED, taken.case, taken.item, taken, judgement)
    return Change.JUDGED


def _release(
    rooms: Rooms,
    session: Session,
    taken: Taken,
    findings: tuple[Finding, ...],
    judgement: Judgement,
    generation: int,
) -> Change:
    row, told = taken.row, _reasons(taken)
    # What a reviewer has released before is theirs again; anything else stands as if it had been judged only now.
    dismissed = was_released(session, row.id)
    ledger.judge_row(row, judgement, ContentState.RELEASED if dismissed else ContentState.PUBLISHED, generation)
    # While it was held, lists that walked through the ledger have passed it by.
    row.written_in = func.pg_current_xact_id()
    _write(rooms, session, taken, findings, replace(judgement, reasons=(*told, *judgement.reasons)))
    closed = retractions.close_retracted(session, taken.case, taken.item)
    data = {
        "content_id": row.content_id,
        "account_id": row.account_id,
        "surface": row.surface,
        "sha256": None if row.sha256 is None else row.sha256.hex(),
        "case_id": taken.case.id,
        "outcome": RETRACTED,
        "reasons": [reason_to_json(reason) for reason in told],
        "test": taken.case.is_test,
    }
    outbox.put(session, EventType.CONTENT_RELEASE, data, case_id=taken.case.id)
    _put_on_record(session, Change.RELEASED, taken.case, taken.item, taken, judgement, closed=closed)
    return Change.RELEASED


def _write(rooms: Rooms, session: Session, taken: Taken, findings: tuple[Finding, ...], judgement: Judgement) -> None:
    urgent = judgement.urgent or (taken.case.urgent and _others_urgent(rooms, session, taken))
    fallen = taken.sifted.fallen
    retractions.judge_anew(session, taken.case, taken.item, judgement, findings, fallen, urgent=urgent)


def _others_urgent(rooms: Rooms, session: Session, taken: Taken) -> bool:
    others = retractions.undecided_findings(session, taken.case.id, taken.item.id)
    return any(decide(rooms.policy, _findings(found), surface=surface).urgent for surface, found in others)


def _now(rooms: Rooms, session: Session, taken: Taken) -> tuple[tuple[Finding, ...], Judgement, int]:
    """What is found now: what stands, and what the lists know by now; the verdict; and the lists' generation."""
    generation = rooms.index.generation
    fingerprint = with_orientations(ledger.fingerprint_of_row(taken.row))
    # What was put on a list from this very content says nothing of it that was not known.
    of_itself = entries_of(session, taken.row.id)
    found = [
        match
        for match in rooms.index.lookup(fingerprint, rooms.settings.minimum_pdq_quality)
        if match.entry_id not in of_itself
    ]
    findings = in_order(with_news(taken.sifted.kept, found))
    return findings, decide(rooms.policy, findings, surface=taken.row.surface), generation


def _was_dismissed(session: Session, row: Content, findings: Sequence[Finding]) -> bool:
    """Whether all that is found was before a reviewer who decided that it is not a match."""
    met = {match.entry_id for match in matches_of(findings)}
    return (
        len(matches_of(findings)) == len(findings)
        and was_released(session, row.id)
        and met <= entries_reviewed(session, row.id)
    )


def _at_least_held(judgement: Judgement) -> Judgement:
    return replace(judgement, verdict=stricter(judgement.verdict, Verdict.HOLD))


def _reasons(taken: Taken) -> tuple[Reason, ...]:
    """Why an item is looked at again: one reason for each list that took something back."""
    gone = dict.fromkeys(match.list.name for match in taken.sifted.fallen)
    disputed = dict.fromkeys(match.list.name for match in taken.disputed)
    return (
        *(_reason("entry_retracted", name, "no longer has the entry that it met") for name in gone),
        *(_reason("entry_disputed", name, "has an entry that it met, which is disputed now") for name in disputed),
    )


def _reason(code: str, name: str, what: str) -> Reason:
    return Reason(code, RETRACTION, f'The list "{name}" {what}.', name)


def _put_on_record(
    session: Session,
    change: Change,
    case: Case,
    item: CaseItem,
    taken: Taken,
    judgement: Judgement,
    **more: audit.Json,
) -> None:
    details: dict[str, audit.Json] = {
        "item": item.id,
        "content_id": taken.row.content_id,
        "verdict": judgement.verdict.value,
        "policy": judgement.policy_version,
        "lists": [*sorted({match.list.name for match in (*taken.sifted.fallen, *taken.disputed)})],
        "entries_retracted": len(taken.sifted.fallen),
        "entries_disputed": len(taken.disputed),
        "test": case.is_test,
        **more,
    }
    audit.append(session, SYSTEM, change.value, f"case:{case.id}", details)


def matches_of(findings: Iterable[Finding]) -> tuple[Match, ...]:
    """Those of the findings that are matches."""
    return tuple(finding for finding in findings if isinstance(finding, Match))


def _met(findings: Iterable[Finding]) -> set[int]:
    return {match.entry_id for match in matches_of(findings)}


def _undisputed(findings: Iterable[Finding]) -> bool:
    return any(not match.disputed for match in matches_of(findings))


def _findings(documents: Iterable[dict[str, Any]]) -> tuple[Finding, ...]:
    return tuple(finding_from_json(document) for document in documents)
