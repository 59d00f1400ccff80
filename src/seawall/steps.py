"""The steps that `flow.py` strings together, where one step is more than one call into one room."""

from __future__ import annotations

from sqlalchemy.orm import Session

from seawall.actions import outbox
from seawall.cases import store as cases
from seawall.database.documents import reason_from_json, reason_to_json
from seawall.database.locks import Lock, take
from seawall.database.tables import Content
from seawall.errors import DecodingFailed, NotMedia
from seawall.evidence import audit
from seawall.matching import ledger
from seawall.records import (
    SYSTEM,
    Answer,
    ContentState,
    Digests,
    EventType,
    Finding,
    Fingerprint,
    ItemState,
    Judged,
    Judgement,
    Match,
    MediaArrival,
    Reason,
    ScanOwed,
    Verdict,
)
from seawall.rooms import Rooms


def earlier_answer(rooms: Rooms, content_id: str, identity: bytes, *, with_bytes: bool) -> Answer | None:
    """What was answered of the same content and bytes before, where that answer stands."""
    with rooms.database.transaction() as session:
        row = ledger.recall(session, content_id, identity)
        stands = row is not None and ledger.is_settled(row, with_bytes=with_bytes)
        return _answer_again(row) if row is not None and stands else None


def understand(rooms: Rooms, body: bytes, digests: Digests) -> tuple[Fingerprint, tuple[Finding, ...]]:
    """Decodes in a child process and looks everything up. What cannot be decoded is still looked up by digest, and is
    a finding of its own: "scan owed"."""
    minimum = rooms.settings.minimum_pdq_quality
    try:
        media = rooms.decoders.fingerprint(body)
    except NotMedia:
        fingerprint = Fingerprint(digests)
        matches = rooms.index.lookup(fingerprint, minimum)
        if not matches:
            raise
        return fingerprint, matches
    except DecodingFailed as error:
        fingerprint = Fingerprint(digests)
        return fingerprint, (*rooms.index.lookup(fingerprint, minimum), ScanOwed(error.code, error.message))
    fingerprint = Fingerprint(digests, media.media_type, media.width, media.height, media.frames)
    return fingerprint, rooms.index.lookup(fingerprint, minimum)


def act(rooms: Rooms, judged: Judged) -> Answer:
    """Commits the verdict together with all that it obliges us to, then answers."""
    content_id, judgement = judged.arrival.content_id, judged.judgement
    with rooms.database.transaction() as session:
        take(session, Lock.CONTENT, of=f"{content_id}:{judged.identity.hex()}")
        before = ledger.recall(session, content_id, judged.identity)
        if before is not None and _stands(session, before, judged):
            return _answer_again(before)
        row = ledger.enter(session, before, judged)
        if judgement.verdict in (Verdict.HOLD, Verdict.BLOCK):
            _open_case(rooms, session, row, judged)
        case_id = row.case_id
    return Answer(
        judgement.verdict,
        judgement.reasons,
        judged.fingerprint,
        case_id,
        judgement.policy_version,
        elapsed_ms=0.0,
        replayed=before is not None,
    )


def _stands(session: Session, before: Content, judged: Judged) -> bool:
    """Whether the earlier answer is the answer. Clean bytes do not lift what is in a case: its reviewer does. What a
    reviewer released stays released until an entry is met that was not before that reviewer."""
    with_bytes = isinstance(judged.arrival, MediaArrival)
    if ledger.is_settled(before, with_bytes=with_bytes):
        return True
    if judged.judgement.verdict not in (Verdict.HOLD, Verdict.BLOCK):
        return before.case_id is not None
    if before.state != ContentState.RELEASED or (with_bytes and before.size is None):
        return False
    met = {finding.entry_id for finding in judged.findings if isinstance(finding, Match)}
    return met <= cases.entries_reviewed(session, before.id)


def _open_case(rooms: Rooms, session: Session, row: Content, judged: Judged) -> None:
    """Case and item, sealed evidence, webhook, audit: in the transaction of the verdict."""
    judgement = judged.judgement
    matches = [finding for finding in judged.findings if isinstance(finding, Match)]
    # A match on a real list is a real one, also where somebody has set SEAWALL_DEMO.
    is_test = all(match.list.is_test for match in matches) if matches else rooms.settings.demo
    case, item, created = cases.add_item(
        session,
        subject=f"account:{row.account_id}" if row.account_id is not None else f"content:{row.content_id}",
        account_id=row.account_id,
        content_row=row,
        judgement=judgement,
        findings=judged.findings,
        is_test=is_test,
    )
    if not created and item.state != ItemState.PENDING:
        # Decided by its hashes alone, and now there are bytes; or before a list knew what it knows now.
        cases.reopen_item(session, case, item, judgement, judged.findings)
        case.is_test = case.is_test and is_test
    row.case_id = case.id
    if isinstance(judged.arrival, MediaArrival):
        rooms.vault.seal(session, case.id, item.id, judged.arrival.body, row.media_type)
    event = EventType.CONTENT_HOLD if judgement.verdict is Verdict.HOLD else EventType.CONTENT_BLOCK
    outbox.put(session, event, _announcement(row, judgement, is_test), case_id=case.id)
    details = {"item": item.id, "content_id": row.content_id, "policy": judgement.policy_version, "test": is_test}
    audit.append(session, SYSTEM, f"content.{judgement.verdict}", f"case:{case.id}", details)


def _announcement(row: Content, judgement: Judgement, is_test: bool) -> dict[str, object]:
    return {
        "content_id": row.content_id,
        "account_id": row.account_id,
        "surface": row.surface,
        "sha256": row.sha256.hex() if row.sha256 else None,
        "verdict": judgement.verdict.value,
        "reasons": [reason_to_json(reason) for reason in judgement.reasons],
        "case_id": row.case_id,
        "test": is_test,
    }


def _answer_again(row: Content) -> Answer:
    """The earlier answer; once a reviewer has decided, the decision."""
    verdict, reasons = Verdict(row.verdict), tuple(reason_from_json(document) for document in row.reasons)
    state = ContentState(row.state)
    if state is ContentState.RELEASED:
        verdict = Verdict.ALLOW
        reasons = (Reason("released", "decision", "A reviewer decided that this is not a match."),)
    elif state is ContentState.REMOVED:
        verdict = Verdict.BLOCK
        reasons = (Reason("removed", "decision", "A reviewer confirmed the match."), *reasons)
    return Answer(
        verdict,
        reasons,
        ledger.fingerprint_of_row(row),
        row.case_id,
        row.policy_version,
        elapsed_ms=0.0,
        replayed=True,
    )
