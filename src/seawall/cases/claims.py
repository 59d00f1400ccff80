"""Claims: one person works on a case at a time, on a lease that runs out.

A claim is one row of its case, so that two people never hold one case. Whoever takes it locks the case first, as a
decision does: between looking at the claim and deciding, nothing changes. The audit events are the caller's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from seawall.database.tables import Case, Claim, User
from seawall.errors import CaseClaimed, Conflict, NotFound
from seawall.records import CaseState


@dataclass(frozen=True, slots=True)
class ClaimView:
    """Who works on a case until when. `within` is the queue's filter that the case was taken from, `assigned` whether
    they were given it and have not opened it yet, `new` whether the claim began just now."""

    case_id: int
    user_id: int
    user: str
    taken_at: datetime
    expires_at: datetime
    within: str
    assigned: bool = False
    new: bool = False


def claim(session: Session, case_id: int, user_id: int, lease: timedelta, within: str | None = None) -> ClaimView:
    """Takes an undecided case, or renews the claim that this person has.

    Args:
        within: the queue's filter that it is taken from; None keeps what a claim of theirs said.

    Raises:
        NotFound: there is no such case.
        CaseClaimed: somebody else works on it.
        Conflict: it is decided.
    """
    _hold_undecided(session, case_id)
    row = session.get(Claim, case_id, with_for_update=True, populate_existing=True)
    at: datetime = session.execute(select(func.clock_timestamp())).scalar_one()
    standing = row is not None and row.expires_at > at
    if row is not None and standing and row.user_id != user_id:
        raise _claimed(row, _name(session, row.user_id))
    if row is None:
        row = Claim(case_id=case_id)
        session.add(row)
    if not standing:
        row.user_id, row.taken_at, row.expires_at, row.within = user_id, at, at + lease, ""
    row.expires_at, row.assigned = max(row.expires_at, at + lease), False
    row.within = row.within if within is None else within
    session.flush()
    return _view(row, _name(session, user_id), new=not standing)


def renew(session: Session, case_id: int, user_id: int, lease: timedelta) -> bool:
    """Lets a claim of this person last on; whether they have one. A lease that was over is renewed too, as long as
    nobody else has taken the case."""
    until = func.greatest(Claim.expires_at, func.clock_timestamp() + lease)
    held = update(Claim).where(Claim.case_id == case_id, Claim.user_id == user_id).values(expires_at=until)
    done = session.execute(held.returning(Claim.case_id).execution_options(synchronize_session=False))
    return done.one_or_none() is not None


def release(session: Session, case_id: int, user_id: int) -> bool:
    """Gives up a claim of this person, so that the case waits for whoever comes next; whether they had one that
    stood."""
    gone = (
        delete(Claim)
        .where(Claim.case_id == case_id, Claim.user_id == user_id)
        .returning(Claim.expires_at > func.clock_timestamp())
        .execution_options(synchronize_session=False)
    )
    return session.scalar(gone) is True


def reassign(session: Session, case_id: int, to: int, lease: timedelta) -> str | None:
    """Makes an undecided case the work of another person, whoever holds it; returns the name of who did.

    Raises:
        NotFound: there is no such case, or no such person, or they may not log in.
        Conflict: it is decided, or theirs already.
    """
    _hold_undecided(session, case_id)
    named = session.scalar(select(User.name).where(User.id == to, User.disabled_at.is_(None)))
    if named is None:
        raise NotFound("There is nobody of that name who could take the case.")
    before = of_case(session, case_id)
    if before is not None and before.user_id == to:
        raise Conflict(f"Case {case_id} is with {named} already.", hint="Nothing is left to do.")
    end(session, case_id)
    at: datetime = session.execute(select(func.clock_timestamp())).scalar_one()
    session.add(Claim(case_id=case_id, user_id=to, taken_at=at, expires_at=at + lease, within="", assigned=True))
    session.flush()
    return before.user if before is not None else None


def of_case(session: Session, case_id: int) -> ClaimView | None:
    """The claim on a case, unless its lease is over."""
    found = session.execute(
        select(Claim, User.name)
        .join(User, User.id == Claim.user_id)
        .where(Claim.case_id == case_id, Claim.expires_at > func.clock_timestamp())
        .execution_options(populate_existing=True)
    ).one_or_none()
    return None if found is None else _view(found[0], found[1])


def refuse_others(session: Session, case_id: int, user_id: int) -> None:
    """Call it with the case held: nobody decides what another person works on.

    Raises:
        CaseClaimed: somebody else works on it.
    """
    holder = of_case(session, case_id)
    if holder is not None and holder.user_id != user_id:
        raise CaseClaimed(_sentence(case_id, holder.user, holder.expires_at))


def end(session: Session, case_id: int) -> None:
    """Ends whatever claim there is: the case is decided, or waits for somebody else."""
    session.execute(delete(Claim).where(Claim.case_id == case_id).execution_options(synchronize_session="fetch"))


def _hold_undecided(session: Session, case_id: int) -> None:
    state = session.scalar(select(Case.state).where(Case.id == case_id).with_for_update())
    if state is None:
        raise NotFound(f"There is no case {case_id}.")
    if state == CaseState.DECIDED:
        raise Conflict(f"Case {case_id} is decided.", hint="Nobody need work on it any more.")


def _name(session: Session, user_id: int) -> str:
    return session.execute(select(User.name).where(User.id == user_id)).scalar_one()


def _claimed(row: Claim, name: str) -> CaseClaimed:
    return CaseClaimed(_sentence(row.case_id, name, row.expires_at))


def _sentence(case_id: int, name: str, until: datetime) -> str:
    return f"{name} works on case {case_id}, until {until.astimezone(UTC):%H:%M} UTC unless they go on."


def _view(row: Claim, name: str, *, new: bool = False) -> ClaimView:
    return ClaimView(row.case_id, row.user_id, name, row.taken_at, row.expires_at, row.within, row.assigned, new)
