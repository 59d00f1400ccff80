"""Who works on which case: taking it, keeping it, putting it back, handing it on. Each act with its audit event."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select

from seawall.access.people import PersonSession
from seawall.access.permissions import Act, may, require
from seawall.cases import claims, danger, next, notes, presence
from seawall.cases.claims import ClaimView
from seawall.cases.clocks import Clocks
from seawall.cases.conditions import EVERYTHING, QueueFilter
from seawall.cases.queue import UNDECIDED
from seawall.database.tables import User
from seawall.errors import BadInput, NotFound
from seawall.evidence import audit
from seawall.records import CaseState, Role
from seawall.rooms import Rooms
from seawall.settings import Settings


@dataclass(frozen=True, slots=True)
class _Roles:
    """A person, as far as permissions care."""

    roles: frozenset[Role]


def lease_of(settings: Settings) -> timedelta:
    """How long a claim lasts when nobody goes on with it."""
    return timedelta(minutes=settings.claim_minutes)


def claim_case(rooms: Rooms, person: PersonSession, case_id: int, within: str | None = None) -> ClaimView:
    """Takes a case that is free, or goes on with it.

    Raises:
        NotFound: there is no such case.
        CaseClaimed: somebody else works on it.
        Conflict: it is decided.
    """
    with rooms.database.transaction() as session:
        taken = claims.claim(session, case_id, person.user_id, lease_of(rooms.settings), within)
        if taken.new:
            audit.append(session, person.actor, "case.claim", f"case:{case_id}", {})
    return taken


def claim_next(
    rooms: Rooms,
    person: PersonSession,
    *,
    states: Collection[CaseState] = UNDECIDED,
    filters: QueueFilter = EVERYTHING,
    within: str = "",
    overdue: Clocks | None = None,
    other_than: int | None = None,
) -> ClaimView | None:
    """Takes the next case for this person; None when there is none."""
    with rooms.database.transaction() as session:
        taken = next.claim_next(
            session,
            person.user_id,
            lease_of(rooms.settings),
            states=states,
            filters=filters,
            within=within,
            overdue=overdue,
            other_than=other_than,
            severe_in_a_row=rooms.settings.severe_in_a_row,
        )
        if taken is not None and taken.new:
            audit.append(session, person.actor, "case.claim", f"case:{taken.case_id}", {"next": True})
    return taken


def still_here(rooms: Rooms, person: PersonSession, case_id: int) -> ClaimView | None:
    """A page says that it is open: a claim of this person goes on, and others see that they look. Returns whose claim
    there is now."""
    with rooms.database.transaction() as session:
        claims.renew(session, case_id, person.user_id, lease_of(rooms.settings))
        presence.note(session, case_id, person.user_id)
        return claims.of_case(session, case_id)


def release_case(rooms: Rooms, person: PersonSession, case_id: int) -> bool:
    """Puts a case of this person's back; whether they had it."""
    with rooms.database.transaction() as session:
        had = claims.release(session, case_id, person.user_id)
        presence.leave(session, case_id, person.user_id)
        if had:
            audit.append(session, person.actor, "case.release", f"case:{case_id}", {})
    return had


def reassign_case(rooms: Rooms, person: PersonSession, case_id: int, to: str) -> None:
    """Hands a case to another person, whoever works on it.

    Raises:
        Forbidden: this person may not.
        NotFound: there is no such case, or nobody of that name who may log in.
        BadInput: they may not decide cases.
        Conflict: it is decided, or theirs already.
    """
    require(person, Act.REASSIGN)
    with rooms.database.transaction() as session:
        other = session.scalar(select(User).where(User.name == to, User.disabled_at.is_(None)))
        if other is None:
            raise NotFound(f"Nobody is named {to}.", hint="Choose one of those who may decide cases.")
        if not may(_Roles(frozenset(Role(role) for role in other.roles)), Act.DECIDE):
            raise BadInput(f"{to} may not decide cases.", hint="Choose somebody who is a reviewer.")
        lease = timedelta(hours=rooms.settings.assignment_hours)
        before = claims.reassign(session, case_id, other.id, lease)
        audit.append(session, person.actor, "case.reassign", f"case:{case_id}", {"from": before, "to": to})


def child_at_risk(rooms: Rooms, person: PersonSession, case_id: int) -> None:
    """Puts on record that a child may be in danger now: the case is weighed anew, and comes before all others.

    Raises:
        NotFound: there is no such case.
        CaseClaimed: somebody else works on it.
        Conflict: it is decided.
    """
    with rooms.database.transaction() as session:
        taken = claims.claim(session, case_id, person.user_id, lease_of(rooms.settings))
        danger.mark(session, case_id)
        audit.append(session, person.actor, "case.at_risk", f"case:{case_id}", {"claimed": taken.new})


def called(rooms: Rooms, person: PersonSession, case_id: int, whom: str, words: str) -> None:
    """Puts on record that somebody was called about a child in danger: as a note that all read who open the case.

    Raises:
        BadInput: it is not said who was called, or what was said.
        NotFound: there is no such case.
        Conflict: the case has too many notes.
    """
    who, said = " ".join(whom.split()), words.strip()
    if not who or not said:
        raise BadInput("Say who was called, and what was said.", hint="A few words are enough; the rest can follow.")
    with rooms.database.transaction() as session:
        number = notes.add(session, case_id, person.user_id, f"Called {who}: {said}")
        audit.append(session, person.actor, "case.called", f"case:{case_id}", {"note": number})
