"""The steps that `flow.py` strings together, where one step is more than one call into one room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy.orm import Session

from seawall.actions import outbox
from seawall.cases import store as cases
from seawall.database.documents import reason_from_json, reason_to_json
from seawall.database.locks import Lock, take
from seawall.database.tables import Content
from seawall.decoding.asking import Keypoints
from seawall.errors import Conflict, DecodingFailed, IndexUnavailable, NotFound, NotMedia
from seawall.evidence import audit
from seawall.fingerprints.keypoints import KeypointSignature
from seawall.matching import entering, ledger
from seawall.matching.found import merged
from seawall.policy.decide import decide
from seawall.records import (
    SYSTEM,
    Answer,
    ContentState,
    Digests,
    EventType,
    Finding,
    Fingerprint,
    HashArrival,
    ItemState,
    Judged,
    Judgement,
    Match,
    MediaArrival,
    Noted,
    NotedKind,
    Reason,
    ScanOwed,
    ShareArrival,
    Verdict,
)
from seawall.rooms import Rooms


def earlier(
    rooms: Rooms, content_id: str, identity: bytes, *, with_bytes: bool
) -> tuple[Answer | None, Fingerprint | None]:
    """What was answered of the same content and bytes before, where that answer stands; and otherwise, where hashes
    alone have come, what the ledger knows of those bytes."""
    with rooms.database.transaction() as session:
        row = ledger.recall(session, content_id, identity)
        if row is None:
            return None, None
        if ledger.is_settled(row, with_bytes=with_bytes):
            return _answer_again(row), None
        return None, None if with_bytes else ledger.fingerprint_of_row(row)


def known_by_reference(rooms: Rooms, share: ShareArrival) -> Answer | None:
    """What the ledger says of what is passed on by its content id or its address; None when it does not know it."""
    if share.content_id is None and share.url_hash is None:
        return None
    with rooms.database.transaction() as session:
        row = ledger.referred_to(session, content_id=share.content_id, url_hash=share.url_hash)
        return None if row is None else _answer_again(row)


def not_screened(rooms: Rooms, share: ShareArrival) -> Answer:
    """The answer to what the ledger does not know: nobody has screened it, the policy says what follows, and
    nothing is kept of it."""
    owed = ScanOwed(NotFound.code, "The ledger does not know what is passed on, so nobody has screened it")
    return unkept(Fingerprint(Digests()), decide(rooms.policy, (owed,), surface=share.surface))


def refused_copy(rooms: Rooms, digests: Digests) -> Answer | None:
    """What was answered of the same bytes, where they are held, blocked or removed."""
    with rooms.database.transaction() as session:
        row = ledger.refused_with(session, digests)
        if row is None:
            return None
        answer = _answer_again(row)
    same = Reason("same_bytes", "ledger", f"The same bytes are in the ledger, as {row.state}.")
    return replace(answer, reasons=(same, *answer.reasons))


def unkept(fingerprint: Fingerprint, judgement: Judgement) -> Answer:
    """An answer that obliges to nothing: no row, no case."""
    return Answer(judgement.verdict, judgement.reasons, fingerprint, None, judgement.policy_version, elapsed_ms=0.0)


def stricter(one: Answer, other: Answer | None) -> Answer:
    """The stricter of two answers; the first when they are as strict."""
    return one if other is None or other.verdict.severity <= one.verdict.severity else other


def understand(rooms: Rooms, body: bytes, digests: Digests, surface: str) -> tuple[Fingerprint, tuple[Finding, ...]]:
    """Decodes in a child process and looks everything up. What cannot be decoded is still looked up by digest, and is
    a finding of its own: "scan owed"; so is what of a video or an archive was not read. What is unusual
    about a file is noted. Where nothing is met, keypoints may be compared with what was confirmed here."""
    signatures: tuple[KeypointSignature, ...] = ()
    try:
        regions = rooms.settings.regions_on(surface)
        if rooms.keypoints.wanted_on(surface, rooms.index.generation):
            media, signatures = rooms.decoders.fingerprint_with(Keypoints.ARRIVING, body, regions)
        else:
            media = rooms.decoders.fingerprint(body, regions)
    except NotMedia:
        fingerprint = Fingerprint(digests)
        met = all_met(rooms, fingerprint)
        if not met:
            raise
        return fingerprint, met
    except DecodingFailed as error:
        fingerprint = Fingerprint(digests)
        return fingerprint, (*all_met(rooms, fingerprint), ScanOwed(error.code, error.message))
    fingerprint = Fingerprint(digests, media.media_type, media.width, media.height, media.frames)
    # Each file in an archive is looked up by its digests too: a list may know no more of it.
    met = all_met(rooms, fingerprint, *(Fingerprint(part) for part in media.parts))
    if signatures and not any(isinstance(finding, Match) for finding in met):
        met = (*rooms.keypoints.find(signatures), *met)
    return fingerprint, (*met, *media.owed, *media.noted)


def all_met(rooms: Rooms, *fingerprints: Fingerprint) -> tuple[Finding, ...]:
    """What the fingerprints of one content meet. It is noted that there is more than is given, none of it nearer, and
    that there are likenesses which do not count."""
    found = rooms.index.find_many(fingerprints, rooms.settings.minimum_pdq_quality)
    matches = merged(each.matches for each in found)
    noted: list[Noted] = []
    if any(each.truncated for each in found):
        more = f"More entries are met than the {len(matches)} nearest that are named"
        noted.append(Noted(NotedKind.MORE_MATCHES.value, more))
    if any(each.set_aside for each in found):
        little = (
            "It looks like a listed one, but so does much text and many a pattern, so that this alone does not count"
        )
        noted.append(Noted(NotedKind.LOW_INFORMATION.value, little))
    return (*matches, *noted)


def look_up_hashes(
    rooms: Rooms, arrival: HashArrival, known: Fingerprint | None
) -> tuple[Fingerprint, tuple[Finding, ...]]:
    """What is known of these bytes by now, and all that it meets: what was told of them before counts too, so that
    fewer hashes never make a milder verdict. Hashes that cannot be of the same bytes are owed a look.

    Args:
        known: what the ledger has of them, from `earlier`.
    """
    told = ledger.fingerprint_of_hashes(arrival)
    if known is None:
        return told, all_met(rooms, told)
    whole = ledger.united(known, told)  # has all that is told
    findings = all_met(rooms, whole)
    if ledger.contradict(known.digests, told.digests):
        contradiction = "These hashes contradict those that the ledger has of the same bytes"
        findings = (*findings, ScanOwed(Conflict.code, contradiction))
    return whole, findings


def without_findings(rooms: Rooms, arrivals: Sequence[HashArrival]) -> dict[int, Judged]:
    """Those that meet no entry, judged, by their places; of each content version only its first. All are looked up
    together. Where the index cannot be asked, none."""
    generation = rooms.index.generation
    firsts = list(entering.first_of_each(arrivals))
    fingerprints = [ledger.fingerprint_of_hashes(arrival) for _place, arrival, _identity in firsts]
    try:
        findings = rooms.index.lookup_many(fingerprints, rooms.settings.minimum_pdq_quality)
    except IndexUnavailable:
        return {}
    return {
        place: Judged(
            arrival, identity, fingerprint, (), decide(rooms.policy, (), surface=arrival.surface), generation
        )
        for (place, arrival, identity), fingerprint, met in zip(firsts, fingerprints, findings, strict=True)
        if not met
    }


def answer_of(judged: Judged, case_id: int | None = None, *, replayed: bool = False) -> Answer:
    """The answer to what was just judged."""
    judgement = judged.judgement
    return Answer(
        judgement.verdict,
        judgement.reasons,
        judged.fingerprint,
        case_id,
        judgement.policy_version,
        elapsed_ms=0.0,
        replayed=replayed,
    )


def act(rooms: Rooms, judged: Judged) -> Answer:
    """Commits the verdict together with all that it obliges us to, then answers."""
    content_id, judgement = judged.arrival.content_id, judged.judgement
    with rooms.database.transaction() as session:
        take(session, Lock.CONTENT, of=f"{content_id}:{judged.identity.hex()}")
        before = ledger.recall(session, content_id, judged.identity)
        if before is not None and _stands(session, before, judged):
            return _answer_again(before)
        row = ledger.enter(session, before, judged)
        if judgement.verdict.refuses:
            body = judged.arrival.body if isinstance(judged.arrival, MediaArrival) else None
            open_case(rooms, session, row, judgement, judged.findings, body=body)
        case_id = row.case_id
    return answer_of(judged, case_id, replayed=before is not None)


def _stands(session: Session, before: Content, judged: Judged) -> bool:
    """Whether the earlier answer is the answer. Clean bytes do not lift what is in a case: its reviewer does. What a
    reviewer released stays released until an entry is met that was not before that reviewer."""
    with_bytes = isinstance(judged.arrival, MediaArrival)
    if ledger.is_settled(before, with_bytes=with_bytes):
        return True
    if not judged.judgement.verdict.refuses:
        # Nor do hashes that somebody sends lift what was found in the bytes themselves.
        milder = judged.judgement.verdict.severity < Verdict(before.verdict).severity
        return before.case_id is not None or (milder and not with_bytes and before.size is not None)
    if before.state != ContentState.RELEASED or (with_bytes and before.size is None):
        return False
    met = {finding.entry_id for finding in judged.findings if isinstance(finding, Match)}
    return met <= cases.entries_reviewed(session, before.id)


def open_case(
    rooms: Rooms,
    session: Session,
    row: Content,
    judgement: Judgement,
    findings: tuple[Finding, ...],
    *,
    body: bytes | None = None,
    late: bool = False,
) -> None:
    """Case and item, sealed evidence, webhook, audit: in the transaction of the verdict.

    Args:
        body: the bytes to seal, where there are some.
        late: whether the content was on the platform already, so that it has to be taken down.
    """
    matches = [finding for finding in findings if isinstance(finding, Match)]
    # A match on a real list is a real one, also where somebody has set SEAWALL_DEMO.
    is_test = all(match.list.is_test for match in matches) if matches else rooms.settings.demo
    case, item, created = cases.add_item(
        session,
        subject=f"account:{row.account_id}" if row.account_id is not None else f"content:{row.content_id}",
        account_id=row.account_id,
        content_row=row,
        judgement=judgement,
        findings=findings,
        is_test=is_test,
    )
    if not created and item.state != ItemState.PENDING:
        # Decided by its hashes alone, and now there are bytes; or before a list knew what it knows now.
        cases.reopen_item(session, case, item, judgement, findings)
        case.is_test = case.is_test and is_test
    item.late = late
    row.case_id = case.id
    if body is not None:
        rooms.vault.seal(session, case.id, item.id, body, row.media_type)
    outbox.put(session, event_of(judgement, late), announcement(row, judgement, is_test, late), case_id=case.id)
    details = {"item": item.id, "content_id": row.content_id, "policy": judgement.policy_version, "test": is_test}
    act = f"content.{'late_' if late else ''}{judgement.verdict}"
    audit.append(session, SYSTEM, act, f"case:{case.id}", details)


def event_of(judgement: Judgement, late: bool) -> EventType:
    """What the platform is told of a hold or a block."""
    if judgement.verdict is Verdict.HOLD:
        return EventType.CONTENT_HOLD
    return EventType.CONTENT_REMOVE if late else EventType.CONTENT_BLOCK


def announcement(row: Content, judgement: Judgement, is_test: bool, late: bool) -> dict[str, object]:
    """The data of that webhook; docs/reference/webhooks.md describes it."""
    return {
        "content_id": row.content_id,
        "account_id": row.account_id,
        "surface": row.surface,
        "sha256": row.sha256.hex() if row.sha256 else None,
        "verdict": judgement.verdict.value,
        "reasons": [reason_to_json(reason) for reason in judgement.reasons],
        "case_id": row.case_id,
        "late": late,
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
