"""Where a newcomer starts: for each kind of arrival, the ordered steps.

A room never calls the next room. It takes records and returns records, and the functions here carry them on. Nothing
is answered before what the answer obliges us to (ledger, case, sealed evidence, outbox, audit) is committed, all in
one transaction. A step that is more than one call stands in `steps.py`.
"""

from __future__ import annotations

import time
from dataclasses import replace

from seawall import steps
from seawall.access.people import PersonSession
from seawall.actions import outbox
from seawall.cases import reveals
from seawall.cases import store as cases
from seawall.cases.store import DecisionResult
from seawall.evidence import audit
from seawall.fingerprints import exact
from seawall.matching import ledger
from seawall.policy.decide import decide
from seawall.records import (
    Answer,
    Finding,
    Fingerprint,
    HashArrival,
    Judged,
    Judgement,
    MediaArrival,
    Outcome,
    RevealStage,
)
from seawall.rooms import Rooms

# ---------------------------------------------------------------------------------------------- something arrives


def judge_media(rooms: Rooms, arrival: MediaArrival) -> Answer:
    """Bytes -> fingerprint -> findings -> verdict -> case, evidence, webhook -> answer.

    Raises:
        NotMedia: the bytes are no media, and on no list either; nothing was stored.
        Unavailable: a part is out of reach; nothing was stored, and the platform must not publish.
    """
    started = time.perf_counter()
    digests = exact.digest(arrival.body)
    identity = exact.identity(digests)
    answer = steps.earlier_answer(rooms, arrival.content_id, identity, with_bytes=True)
    if answer is None:
        fingerprint, findings = steps.understand(rooms, arrival.body, digests)
        judgement = decide(rooms.policy, findings, surface=arrival.surface)
        answer = steps.act(rooms, Judged(arrival, identity, fingerprint, findings, judgement))
    return _timed(answer, started)


def judge_hashes(rooms: Rooms, arrival: HashArrival) -> Answer:
    """Hashes alone -> findings -> verdict -> case, webhook -> answer. There are no bytes to seal."""
    started = time.perf_counter()
    identity = ledger.identity_of_hashes(arrival)
    answer = steps.earlier_answer(rooms, arrival.content_id, identity, with_bytes=False)
    if answer is None:
        fingerprint = ledger.fingerprint_of_hashes(arrival)
        findings = rooms.index.lookup(fingerprint, rooms.settings.minimum_pdq_quality)
        judgement = decide(rooms.policy, findings, surface=arrival.surface)
        answer = steps.act(rooms, Judged(arrival, identity, fingerprint, findings, judgement))
    return _timed(answer, started)


def examine(rooms: Rooms, body: bytes, surface: str) -> tuple[Fingerprint, tuple[Finding, ...], Judgement]:
    """Bytes -> fingerprint -> findings -> verdict, with nothing kept: for the operator's own files.

    Raises:
        NotMedia: the bytes are no media, and on no list either.
    """
    fingerprint, findings = steps.understand(rooms, body, exact.digest(body))
    return fingerprint, findings, decide(rooms.policy, findings, surface=surface)


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


def _timed(answer: Answer, started: float) -> Answer:
    return replace(answer, elapsed_ms=round((time.perf_counter() - started) * 1000, 3))
