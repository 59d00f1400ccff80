"""One person asks, another answers: approved, an act is carried out in the same transaction, exactly once.

Whatever is carried out is what was asked for: the parameters are frozen, and a request is void when its subject does
not stand any more as it did. Where an operator has switched the second person off for an act, in writing, asking
carries it out at once, and every record says so.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from seawall.access import requests
from seawall.access.people import PersonSession
from seawall.access.permissions import may, require
from seawall.access.requests import Asker, Parameters, RequestInfo
from seawall.database.tables import Request, User, now
from seawall.errors import Forbidden, NotFound
from seawall.records import Actor, Role
from seawall.request_records import RequestKind, RequestState
from seawall.second.kinds import KINDS, Kind


def ask(
    session: Session,
    kind: RequestKind,
    subject: str,
    parameters: Parameters,
    asker: Asker,
    reason: str,
    lasts: timedelta,
) -> RequestInfo:
    """Asks for an act; returns the request, which waits, or was carried out where nobody else is needed.

    Raises:
        BadInput: no reason was given.
        NotFound: the subject is gone.
        Conflict: a request about the same subject waits already.
    """
    said = requests.checked_words(reason, "A request")
    standing = KINDS[kind].hold(session, parameters)
    row = requests.put(session, kind, subject, parameters, standing, asker, said, lasts)
    off = requests.switched_off(session).get(kind)
    if off is None:
        requests.put_on_record(session, row, asker.actor, "request.ask")
        return requests.info(row)
    row.state, row.switched_off, row.answered_at = RequestState.CARRIED_OUT.value, off.reason, now()
    session.flush()
    done = requests.info(row)
    KINDS[kind].carry_out(session, done, asker.actor)
    requests.put_on_record(session, row, asker.actor, "request.carry_out")
    return done


def answer(session: Session, person: PersonSession, request_id: int, *, approved: bool, words: str) -> RequestInfo:
    """A second person's answer; returns the request as it stands then.

    Raises:
        BadInput: they said nothing.
        Forbidden: it is their own request, or they may not do such acts.
        NotFound: there is no such request.
        Conflict: it was answered already.
    """
    known = requests.get(session, request_id)
    kind = KINDS[known.kind]
    why_not = reason_against(person, known)
    if why_not is not None:
        if not is_own(person, known):
            require(person, kind.agrees[0])
        raise Forbidden(why_not, hint="Somebody else has to answer it.")
    said = requests.checked_words(words, "An answer")
    standing = _standing(session, kind, known.parameters)
    row = requests.take_waiting(session, request_id)
    state = RequestState.REFUSED if not approved else _state_of(session, kind, row, standing)
    requests.close(row, state, person.actor, said)
    session.flush()
    if state is RequestState.CARRIED_OUT:
        kind.carry_out(session, requests.info(row), _actor_of(row))
    requests.put_on_record(session, row, person.actor, f"request.{_ACTS[state]}")
    return requests.info(row)


def withdraw(session: Session, person: PersonSession, request_id: int) -> RequestInfo:
    """Takes one's own request back.

    Raises:
        Forbidden: it is somebody else's.
        NotFound: there is no such request.
        Conflict: it was answered already.
    """
    known = requests.get(session, request_id)
    if known.asked_by != str(person.actor):
        raise Forbidden("Only who asked can take a request back.", hint="Refuse it instead, with words.")
    _standing(session, KINDS[known.kind], known.parameters)
    row = requests.take_waiting(session, request_id)
    requests.close(row, RequestState.WITHDRAWN, person.actor)
    session.flush()
    requests.put_on_record(session, row, person.actor, "request.withdraw")
    return requests.info(row)


def reason_against(person: PersonSession, request: RequestInfo) -> str | None:
    """Why this person may not answer a request; None when they may."""
    if is_own(person, request):
        return "You asked for this yourself; a second person has to answer."
    if not may_answer(person, request.kind):
        return f"Your account may not {KINDS[request.kind].agrees[0].value}."
    return None


def may_answer(person: PersonSession, kind: RequestKind) -> bool:
    """Whether a person may answer such requests of others."""
    return any(may(person, act) for act in KINDS[kind].agrees)


def is_own(person: PersonSession, request: RequestInfo) -> bool:
    """Whether a person asked for it: at the console, or at a command line under the same name."""
    return request.asker_id == person.user_id or request.asked_by.partition(":")[2] == person.name


_ACTS = {
    RequestState.CARRIED_OUT: "carry_out",
    RequestState.REFUSED: "refuse",
    RequestState.LAPSED: "lapse",
    RequestState.VOID: "void",
}


def _state_of(session: Session, kind: Kind, row: Request, standing: str | None) -> RequestState:
    """What becomes of a request that was approved."""
    if row.lapses_at <= now():
        return RequestState.LAPSED
    as_it_was = standing is not None and requests.digest_of(row, standing) == row.digest
    return RequestState.CARRIED_OUT if as_it_was and _asker_still_may(session, kind, row) else RequestState.VOID


def _standing(session: Session, kind: Kind, parameters: Parameters) -> str | None:
    """How the subject stands, held until the transaction ends; None when it is gone."""
    try:
        return kind.hold(session, parameters)
    except NotFound:
        return None


def _asker_still_may(session: Session, kind: Kind, row: Request) -> bool:
    """Whether who asked could still ask: they may have been kept out or lost the role meanwhile."""
    if row.asker_id is None:
        return True
    user = session.scalar(select(User).where(User.id == row.asker_id, User.disabled_at.is_(None)))
    return user is not None and may(_Roles(frozenset(Role(role) for role in user.roles)), kind.needs)


class _Roles:
    """Roles alone, as far as permissions care."""

    def __init__(self, roles: frozenset[Role]) -> None:
        self._roles = roles

    @property
    def roles(self) -> frozenset[Role]:
        """All of them."""
        return self._roles


def _actor_of(row: Request) -> Actor:
    kind, _, name = row.asked_by.partition(":")
    return Actor(kind, name)
