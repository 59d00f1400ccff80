"""The content ledger: what the platform published, by its own id, with fingerprints and what was answered.

It keeps no bytes. It makes a repeated request harmless (same content and bytes, same answer, no second case) and is
what a new entry walks back through.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, String, any_, func, literal, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from seawall.database.documents import reason_to_json
from seawall.database.tables import Content, PolicyText, now
from seawall.database.tables.content import REFUSED, SHOWN_STATES
from seawall.errors import BadInput
from seawall.records import (
    ContentState,
    Digests,
    Fingerprint,
    Frame,
    HashArrival,
    Judged,
    Judgement,
    MediaArrival,
    Standing,
    Verdict,
)

STATE_OF = {
    Verdict.ALLOW: ContentState.PUBLISHED,
    Verdict.WARN: ContentState.PUBLISHED,
    Verdict.HOLD: ContentState.HELD,
    Verdict.BLOCK: ContentState.BLOCKED,
}
# What is published keeps the verdict of its upload: allow or warn.
VERDICT_OF = {
    ContentState.RELEASED: Verdict.ALLOW,
    ContentState.HELD: Verdict.HOLD,
    ContentState.BLOCKED: Verdict.BLOCK,
    ContentState.REMOVED: Verdict.BLOCK,
}
# Different PDQ hashes of the same bytes, told without them: that many frames at most.
MOST_TOLD = 1000


def identity_of_hashes(arrival: HashArrival) -> bytes:
    """What makes two arrivals of hashes the same content version: the SHA-256 of the bytes where it was sent, else
    a SHA-256 over the hashes that were."""
    if arrival.sha256 is not None:
        return arrival.sha256
    digest = hashlib.sha256(b"seawall hashes 1")
    for name in ("md5", "sha1", "pdq"):
        value: bytes = getattr(arrival, name) or b""
        digest.update(len(value).to_bytes(1, "big") + value)
    return digest.digest()


def id_of_share(identity: bytes, account_id: str | None) -> str:
    """What a share of hashes is called that has no content id of the platform: the same for the same hashes and who
    passes them on, so that everybody who does has an item of their own, once."""
    sharer = "" if account_id is None else f":{hashlib.sha256(account_id.encode()).hexdigest()[:32]}"
    return f"share:{identity.hex()}{sharer}"


def fingerprint_of_hashes(arrival: HashArrival) -> Fingerprint:
    """The fingerprint that a platform computed by itself; it has the upright PDQ only."""
    frames = () if arrival.pdq is None else (Frame(0, (arrival.pdq,), arrival.pdq_quality),)
    return Fingerprint(Digests(arrival.md5, arrival.sha1, arrival.sha256), frames=frames)


def united(known: Fingerprint, told: Fingerprint) -> Fingerprint:
    """What is known of the same bytes, and what was told of them since: hashes are added to, and none is given up but
    for one of the same kind that contradicts it.

    Raises:
        BadInput: there are more different PDQ hashes than anybody has of one content.
    """
    frames = {frame.pdq: frame for frame in known.frames}
    for frame in told.frames:
        before = frames.setdefault(frame.pdq, replace(frame, number=len(frames)))
        little = before.low_information and frame.low_information
        frames[frame.pdq] = replace(before, quality=_better(before.quality, frame.quality), low_information=little)
    if len(frames) > max(MOST_TOLD, len(known.frames)):
        raise BadInput(f"The ledger has {MOST_TOLD} different PDQ hashes of these bytes already.")
    had, new = known.digests, told.digests
    digests = Digests(new.md5 or had.md5, new.sha1 or had.sha1, new.sha256 or had.sha256)
    return replace(known, digests=digests, frames=tuple(frames.values()))


def contradict(known: Digests, told: Digests) -> bool:
    """Whether these cannot be digests of the same bytes."""
    pairs = ((known.md5, told.md5), (known.sha1, told.sha1), (known.sha256, told.sha256))
    return any(one is not None and other is not None and one != other for one, other in pairs)


def _better(one: int | None, other: int | None) -> int | None:
    """Of two qualities of the same hash; a hash without one is looked up in any case."""
    return None if one is None or other is None else max(one, other)


def recall(session: Session, content_id: str, identity: bytes) -> Content | None:
    """The ledger's row of one content version, if it has one."""
    return session.scalar(select(Content).where(Content.content_id == content_id, Content.identity == identity))


def is_settled(row: Content, *, with_bytes: bool) -> bool:
    """Whether the earlier answer stands whatever the lists say. A clean or released one does not: the lists may know
    more by now, so that it is judged again, and answered as before unless something new is found. Nor does an answer
    to hashes alone once the bytes come: hashes are the sender's word, and nobody has seen what a decision on them
    would let pass."""
    if with_bytes and row.size is None:
        return row.state == ContentState.REMOVED
    return row.state not in SHOWN_STATES


def enter(session: Session, before: Content | None, judged: Judged) -> Content:
    """Writes what was found and answered into the ledger, over an earlier row of the same version."""
    arrival, fingerprint, judgement = judged.arrival, judged.fingerprint, judged.judgement
    row = before or Content(content_id=arrival.content_id, identity=judged.identity, account_id=arrival.account_id)
    if before is None or judgement.verdict.refuses or isinstance(arrival, MediaArrival):
        row.surface = arrival.surface
    for name in ("filename", "uploader_ip", "uploaded_at", "url_hash"):
        if (told := getattr(arrival, name)) is not None:
            setattr(row, name, told)
    if isinstance(arrival, MediaArrival):
        row.size, row.generation = len(arrival.body), judged.generation
        _put_fingerprint(row, fingerprint)
    # What was found in the bytes is not given up for hashes that somebody sends later.
    elif before is None or row.size is None:
        whole = fingerprint if before is None else united(fingerprint_of_row(before), fingerprint)
        # Of what is kept: what somebody else has told meanwhile was not looked up with this.
        row.generation = judged.generation if whole == fingerprint else min(row.generation, judged.generation)
        _put_fingerprint(row, whole)
    # Whoever walks through the ledger looks at what was written since; the number of this transaction says so.
    row.written_in = func.pg_current_xact_id()
    row.verdict = judgement.verdict
    row.reasons = [reason_to_json(reason) for reason in judgement.reasons]
    row.policy_version = judgement.policy_version
    row.state = STATE_OF[judgement.verdict]
    row.updated_at = now()
    if before is None:
        row.judged_at = row.updated_at
        session.add(row)
    session.flush()
    return row


def judge_row(row: Content, judgement: Judgement, state: ContentState, generation: int) -> None:
    """Writes a later judgement of the same fingerprint over the earlier one."""
    row.verdict, row.policy_version = judgement.verdict, judgement.policy_version
    row.reasons = [reason_to_json(reason) for reason in judgement.reasons]
    row.state, row.generation, row.updated_at = state, generation, now()


def _put_fingerprint(row: Content, fingerprint: Fingerprint) -> None:
    row.md5, row.sha1, row.sha256 = fingerprint.digests.md5, fingerprint.digests.sha1, fingerprint.digests.sha256
    row.frames = [_frame_document(frame) for frame in fingerprint.frames]
    row.pdq = fingerprint.frames[0].pdq if fingerprint.frames else None
    row.pdq_quality = fingerprint.frames[0].quality if fingerprint.frames else None
    row.media_type, row.width, row.height = fingerprint.media_type, fingerprint.width, fingerprint.height


def fingerprint_of_row(row: Content) -> Fingerprint:
    """The fingerprint as the ledger keeps it (upright hashes only)."""
    return Fingerprint(
        Digests(row.md5, row.sha1, row.sha256),
        row.media_type,
        row.width,
        row.height,
        tuple(
            Frame(
                document["number"],
                (bytes.fromhex(document["pdq"]),),
                document["quality"],
                document.get("is_part", False),
                document.get("low_information", False),
            )
            for document in row.frames
        ),
    )


def referred_to(session: Session, *, content_id: str | None = None, url_hash: bytes | None = None) -> Content | None:
    """The strictest version of what is referred to by its content id, or by its address: of all that was ever served
    there."""
    ids = select(Content.content_id).where(Content.url_hash == url_hash)
    meant = Content.content_id == content_id if content_id is not None else Content.content_id.in_(ids)
    return max(session.scalars(select(Content).where(meant)), key=_strictness_of_row, default=None)


def refused_with(session: Session, digests: Digests) -> Content | None:
    """A content of the same bytes that is held, blocked or removed, the strictest first."""
    known = ((Content.md5, digests.md5), (Content.sha1, digests.sha1), (Content.sha256, digests.sha256))
    same = [column == digest for column, digest in known if digest is not None]
    if not same:
        return None
    strictest = (Content.state == ContentState.HELD.value, Content.id)
    return session.scalar(select(Content).where(or_(*same), REFUSED).order_by(*strictest).limit(1))


def standing(session: Session, content_id: str) -> Standing | None:
    """Where a content stands now, whatever was found at its upload: the strictest of its versions counts. None when
    the ledger does not know it, which says nothing of it."""
    return standings(session, [content_id]).get(content_id)


def standings(session: Session, content_ids: Collection[str]) -> dict[str, Standing]:
    """`standing` of each of these that the ledger knows."""
    among = any_(literal(list(content_ids), ARRAY(String)))
    wanted = select(Content.content_id, Content.state, Content.verdict, Content.updated_at)
    found: dict[str, Standing] = {}
    for content_id, state, verdict, updated_at in session.execute(wanted.where(Content.content_id == among)):
        by_state = VERDICT_OF.get(ContentState(state), Verdict(verdict))
        each = Standing(content_id, by_state, ContentState(state), updated_at)
        found[content_id] = max(each, found.get(content_id, each), key=_strictness)
    return found


def _strictness_of_row(row: Content) -> tuple[int, datetime]:
    return VERDICT_OF.get(ContentState(row.state), Verdict(row.verdict)).severity, row.updated_at


def _strictness(standing: Standing) -> tuple[int, datetime]:
    return standing.verdict.severity, standing.updated_at


def remember_policy(session: Session, version: str, words: str) -> None:
    """Keeps the text of a policy under its version, for explaining its verdicts later."""
    session.execute(insert(PolicyText).values(version=version, text=words).on_conflict_do_nothing())


def _frame_document(frame: Frame) -> dict[str, Any]:
    document: dict[str, Any] = {"number": frame.number, "pdq": frame.pdq.hex(), "quality": frame.quality}
    marks = {"is_part": frame.is_part, "low_information": frame.low_information}
    return document | {name: True for name, marked in marks.items() if marked}
