"""Where a newcomer starts: for each kind of arrival, the ordered steps.

A room never calls the next room. It takes records and returns records, and the functions here carry them on. Nothing
is answered before what the answer obliges us to (ledger, case, sealed evidence, outbox, audit) is committed, all in
one transaction.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from sqlalchemy.orm import Session

from seawall.access.people import PersonSession
from seawall.actions import outbox
from seawall.cases import reveals
from seawall.cases import store as cases
from seawall.cases.store import DecisionResult
from seawall.database.documents import reason_from_json, reason_to_json
from seawall.database.locks import Lock, take
from seawall.database.sessions import Database
from seawall.database.tables import Content
from seawall.decoding.pool import DecoderPool
from seawall.errors import DecodingFailed, NotMedia
from seawall.evidence import audit
from seawall.evidence.vault import Vault
from seawall.fingerprints import exact
from seawall.matching import ledger
from seawall.matching.keeper import IndexKeeper
from seawall.policy.decide import decide
from seawall.policy.load import Policy
from seawall.records import (
    SYSTEM,
    Answer,
    ContentState,
    Digests,
    EventType,
    Finding,
    Fingerprint,
    HashArrival,
    Judged,
    Judgement,
    Match,
    MediaArrival,
    Outcome,
    Reason,
    RevealStage,
    ScanOwed,
    Verdict,
)
from seawall.settings import Settings


@dataclass(frozen=True)
class Rooms:
    """The opened rooms that the steps below go through."""

    settings: Settings
    database: Database
    decoders: DecoderPool
    index: IndexKeeper
    policy: Policy
    vault: Vault


# ---------------------------------------------------------------------------------------------- an upload arrives


def judge_media(rooms: Rooms, arrival: MediaArrival) -> Answer:
    """Bytes -> fingerprint -> findings -> verdict -> case, evidence, webhook -> answer.

    Raises:
        NotMedia: the bytes are no media, and on no list either; nothing was stored.
        Unavailable: a part is out of reach; nothing was stored, and the platform must not publish.
    """
    started = time.perf_counter()
    digests = exact.digest(arrival.body)
    identity = _given(digests.sha256)
    earlier = _earlier_answer(rooms, arrival.content_id, identity, started)
    if earlier is not None:
        return earlier
    fingerprint, findings = _understand(rooms, arrival.body, digests)
    judgement = decide(rooms.policy, findings, surface=arrival.surface)
    return _act(rooms, Judged(arrival, identity, fingerprint, findings, judgement), started)


def judge_hashes(rooms: Rooms, arrival: HashArrival) -> Answer:
    """Hashes alone -> findings -> verdict -> case, webhook -> answer. There are no bytes to seal."""
    started = time.perf_counter()
    identity = ledger.identity_of_hashes(arrival)
    earlier = _earlier_answer(rooms, arrival.content_id, identity, started)
    if earlier is not None:
        return earlier
    fingerprint = ledger.fingerprint_of_hashes(arrival)
    findings = rooms.index.lookup(fingerprint, rooms.settings.minimum_pdq_quality)
    judgement = decide(rooms.policy, findings, surface=arrival.surface)
    return _act(rooms, Judged(arrival, identity, fingerprint, findings, judgement), started)


def examine(rooms: Rooms, body: bytes, surface: str) -> tuple[Fingerprint, tuple[Finding, ...], Judgement]:
    """Bytes -> fingerprint -> findings -> verdict, with nothing kept: for the operator's own files.

    Raises:
        NotMedia: the bytes are no media, and on no list either.
    """
    fingerprint, findings = _understand(rooms, body, exact.digest(body))
    return fingerprint, findings, decide(rooms.policy, findings, surface=surface)


def _understand(rooms: Rooms, body: bytes, digests: Digests) -> tuple[Fingerprint, tuple[Finding, ...]]:
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


def _act(rooms: Rooms, judged: Judged, started: float) -> Answer:
    """Commits the verdict together with all that it obliges us to, then answers."""
    content_id, judgement = judged.arrival.content_id, judged.judgement
    with rooms.database.transaction() as session:
        take(session, Lock.CONTENT, of=f"{content_id}:{judged.identity.hex()}")
        before = ledger.recall(session, content_id, judged.identity)
        if before is not None and ledger.is_settled(before):
            return _answer_again(before, started)
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
        _elapsed_ms(started),
        replayed=before is not None,
    )


def _open_case(rooms: Rooms, session: Session, row: Content, judged: Judged) -> None:
    """Case and item, sealed evidence, webhook, audit: in the transaction of the verdict."""
    judgement = judged.judgement
    matches = [finding for finding in judged.findings if isinstance(finding, Match)]
    is_test = rooms.settings.demo or (bool(matches) and all(match.list.is_test for match in matches))
    case, item, _created = cases.add_item(
        session,
        subject=f"account:{row.account_id}" if row.account_id is not None else f"content:{row.content_id}",
        account_id=row.account_id,
        content_row=row,
        judgement=judgement,
        findings=judged.findings,
        is_test=is_test,
    )
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


# ------------------------------------------------------------------------------------ the same content comes again


def _earlier_answer(rooms: Rooms, content_id: str, identity: bytes, started: float) -> Answer | None:
    with rooms.database.transaction() as session:
        row = ledger.recall(session, content_id, identity)
        return _answer_again(row, started) if row is not None and ledger.is_settled(row) else None


def _answer_again(row: Content, started: float) -> Answer:
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
        _elapsed_ms(started),
        replayed=True,
    )


# --------------------------------------------------------------------------------------------- a reviewer decides


def decide_item(
    rooms: Rooms,
    person: PersonSession,
    item_id: int,
    outcome: Outcome,
    reason: str,
    *,
    restrict_account: bool = False,
) -> DecisionResult:
    """Decision -> webhooks to the platform -> audit, in one transaction.

    Raises:
        Conflict: someone else has decided it already.
        BadInput: no reason was given, or there is no account to restrict.
    """
    with rooms.database.transaction() as session:
        result = cases.decide(
            session,
            item_id=item_id,
            user_id=person.user_id,
            outcome=outcome,
            reason=reason,
            restrict_account=restrict_account,
        )
        for event, data in result.events:
            outbox.put(session, event, data, case_id=result.case_id)
        audit.append(
            session,
            person.actor,
            f"item.{outcome}",
            f"case:{result.case_id}",
            {"item": item_id, "restrict_account": restrict_account, "case_closed": result.case_closed},
        )
    return result


def ask_to_reveal(rooms: Rooms, person: PersonSession, evidence_id: int, stage: RevealStage) -> str:
    """One deliberate wish to look -> a one-time token, on record in the audit chain."""
    with rooms.database.transaction() as session:
        token = reveals.ask(session, evidence_id, person.user_id, stage)
        audit.append(
            session,
            person.actor,
            "reveal.ask",
            f"evidence:{evidence_id}",
            {"stage": stage.value},
        )
    return token


def reveal(rooms: Rooms, person: PersonSession, token: str, longest_side: int) -> bytes:
    """Token -> look on record -> evidence opened -> small picture made in a child process.

    The look counts before anything is shown: whatever fails afterwards, the record says that it was opened.

    Raises:
        NotFound: the token is unknown, used, expired or another person's.
        EvidenceTampered: the sealed bytes are not what was sealed.
    """
    with rooms.database.transaction() as session:
        look = reveals.redeem(session, token, person.user_id)
        audit.append(
            session,
            person.actor,
            "reveal.show",
            f"evidence:{look.evidence_id}",
            {"stage": look.stage.value},
        )
    with rooms.database.transaction() as session:
        original = rooms.vault.open(session, look.evidence_id)
    return rooms.decoders.thumbnail(original, look.stage, longest_side)


def _given(value: bytes | None) -> bytes:
    assert value is not None, "a digest of bytes that are here is never missing"
    return value


def _elapsed_ms(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 3)
