"""Requests: acts that one person asks for and a second one answers. What each act is and does stands in
:mod:`seawall.second`; here is what holds for all of them.

A request is answered once. Who asks holds the locks of its subject, and so does who answers, before the request
itself is taken: so nobody waits for each other in a ring.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from seawall.database.tables import Request, SecondPersonOff, now
from seawall.errors import BadInput, Conflict, NotFound
from seawall.evidence import audit
from seawall.records import SYSTEM, Actor
from seawall.request_records import RequestKind, RequestState

LONGEST_WORDS = 4000
LARGEST_ID = 2**62
Parameters = Mapping[str, audit.Json]


@dataclass(frozen=True, slots=True)
class RequestInfo:
    """One request, as it stands. `asked_by` and `answered_by` are actors as the audit chain names them."""

    id: int
    kind: RequestKind
    subject: str
    parameters: Parameters
    asked_by: str
    asker_id: int | None
    reason: str
    asked_at: datetime
    lapses_at: datetime
    state: RequestState
    answered_by: str | None
    words: str | None
    answered_at: datetime | None
    switched_off: str | None

    @property
    def on_record(self) -> str:
        """Who the second person was, as every record of the act says it."""
        if self.switched_off is not None:
            return f"second person switched off: {self.switched_off}"
        return self.answered_by or "nobody yet"


@dataclass(frozen=True, slots=True)
class SwitchedOff:
    """An act that one person may do alone, and why."""

    kind: RequestKind
    reason: str
    switched_by: str
    switched_at: datetime


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: a person of the console, or a command (`user_id` is None)."""

    actor: Actor
    user_id: int | None = None


def checked_words(words: str, what: str) -> str:
    """Words without space around them.

    Raises:
        BadInput: there are none, or too many.
    """
    said = words.strip()
    if not said:
        raise BadInput(f"{what} needs words.", hint="Say in a few words why. They go on record.")
    if len(said) > LONGEST_WORDS or "\0" in said:
        raise BadInput(f"{what} has at most {LONGEST_WORDS} characters.", hint="Shorten it.")
    return said


def put(
    session: Session,
    kind: RequestKind,
    subject: str,
    parameters: Parameters,
    standing: str,
    asker: Asker,
    reason: str,
    lasts: timedelta,
) -> Request:
    """Writes a request down, which waits from now on; its caller holds the subject's locks.

    Args:
        standing: how the subject stands now, in a text that differs when it stands differently.

    Raises:
        Conflict: a request about the same subject waits already.
    """
    refuse_while_waiting(session, subject)
    row = Request(
        kind=kind.value,
        subject=subject,
        parameters=dict(parameters),
        digest=b"",
        asked_by=str(asker.actor),
        asker_id=asker.user_id,
        reason=reason,
        lapses_at=now() + lasts,
        state=RequestState.WAITING.value,
    )
    row.digest = digest_of(row, standing)
    session.add(row)
    session.flush()
    return row


def put_on_record(session: Session, row: Request, actor: Actor, act: str) -> None:
    """Appends what happened to a request to the audit chain."""
    details: dict[str, object] = {"act": row.kind, "subject": row.subject, "digest": row.digest.hex()}
    if row.state == RequestState.CARRIED_OUT:
        details |= {"asked_by": row.asked_by, "second_person": info(row).on_record}
    audit.append(session, actor, act, f"request:{row.id}", details)


def refuse_while_waiting(session: Session, subject: str, *, except_id: int | None = None) -> None:
    """Raises:
    Conflict: a request about this subject waits for an answer, other than the one that is being answered.
    """
    _let_lapse(session, subject)
    waiting = session.scalar(
        select(Request.id).where(Request.subject == subject, Request.state == RequestState.WAITING.value)
    )
    if waiting is not None and waiting != except_id:
        raise Conflict(
            f"Request {waiting} about this waits for a second person.",
            hint="It has to be answered or taken back first, at the console under Second look.",
        )


def digest_of(row: Request, standing: str) -> bytes:
    """The SHA-256 of all that was asked for, in canonical JSON."""
    document = {
        "kind": row.kind,
        "subject": row.subject,
        "parameters": row.parameters,
        "asked_by": row.asked_by,
        "reason": row.reason,
        "standing": standing,
    }
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def get(session: Session, request_id: int) -> RequestInfo:
    """The request of that number.

    Raises:
        NotFound: there is none.
    """
    row = session.get(Request, request_id) if 0 < request_id < LARGEST_ID else None
    if row is None:
        raise NotFound(f"There is no request {request_id}.")
    return info(row)


def take_waiting(session: Session, request_id: int) -> Request:
    """The request, held until the transaction ends. The caller holds the locks of its subject.

    Raises:
        Conflict: it does not wait any more.
    """
    row = session.get_one(Request, request_id, with_for_update=True, populate_existing=True)
    if row.state != RequestState.WAITING:
        raise Conflict(f"Request {request_id} was answered already: {row.state.replace('_', ' ')}.")
    return row


def close(row: Request, state: RequestState, by: Actor, words: str | None = None) -> None:
    """Writes the answer. Its caller carries out what it says and puts it on record."""
    row.state, row.answered_by, row.words, row.answered_at = state.value, str(by), words, now()


def waiting(session: Session, kinds: Collection[RequestKind]) -> list[RequestInfo]:
    """Requests of these kinds that wait for an answer, the oldest first."""
    wanted = select(Request).where(
        Request.state == RequestState.WAITING.value,
        Request.lapses_at > func.now(),
        Request.kind.in_([kind.value for kind in kinds]),
    )
    return [info(row) for row in session.scalars(wanted.order_by(Request.id))]


def answered(session: Session, kinds: Collection[RequestKind], limit: int) -> list[RequestInfo]:
    """The requests of these kinds that were answered last, newest first."""
    wanted = select(Request).where(Request.answered_at.is_not(None), Request.kind.in_([kind.value for kind in kinds]))
    newest = wanted.order_by(Request.answered_at.desc(), Request.id.desc()).limit(limit)
    return [info(row) for row in session.scalars(newest)]


def info(row: Request) -> RequestInfo:
    """A row as a record."""
    return RequestInfo(
        id=row.id,
        kind=RequestKind(row.kind),
        subject=row.subject,
        parameters=row.parameters,
        asked_by=row.asked_by,
        asker_id=row.asker_id,
        reason=row.reason,
        asked_at=row.asked_at,
        lapses_at=row.lapses_at,
        state=RequestState(row.state),
        answered_by=row.answered_by,
        words=row.words,
        answered_at=row.answered_at,
        switched_off=row.switched_off,
    )


def _let_lapse(session: Session, subject: str) -> None:
    """Ends what nobody answered in time, where somebody wants to do something about the same subject."""
    overdue = select(Request).where(
        Request.subject == subject, Request.state == RequestState.WAITING.value, Request.lapses_at <= func.now()
    )
    for row in session.scalars(overdue.with_for_update()):
        row.state = RequestState.LAPSED.value
        session.flush()
        put_on_record(session, row, SYSTEM, "request.lapse")


def switched_off(session: Session) -> dict[RequestKind, SwitchedOff]:
    """The acts that one person may do alone, with the text that says why."""
    return {
        RequestKind(row.kind): SwitchedOff(RequestKind(row.kind), row.reason, row.switched_by, row.switched_at)
        for row in session.scalars(select(SecondPersonOff).order_by(SecondPersonOff.kind))
        if row.kind in {kind.value for kind in RequestKind}
    }


def switch_off(session: Session, kind: RequestKind, reason: str, actor: Actor) -> None:
    """Lets one person do an act alone from now on. What waits already still waits.

    Raises:
        BadInput: no reason was given.
    """
    said = checked_words(reason, "Switching the second person off")
    row = session.get(SecondPersonOff, kind.value, with_for_update=True)
    if row is None:
        row = SecondPersonOff(kind=kind.value)
        session.add(row)
    row.reason, row.switched_by, row.switched_at = said, str(actor), now()
    session.flush()
    audit.append(session, actor, "second_person.off", f"act:{kind.value}", {"reason": said})


def switch_on(session: Session, kind: RequestKind, actor: Actor) -> None:
    """Has an act take two people again.

    Raises:
        Conflict: it does so already.
    """
    row = session.get(SecondPersonOff, kind.value, with_for_update=True)
    if row is None:
        raise Conflict(f"{kind.value} takes two people already.", hint="Nothing is left to do.")
    session.delete(row)
    session.flush()
    audit.append(session, actor, "second_person.on", f"act:{kind.value}", {})
