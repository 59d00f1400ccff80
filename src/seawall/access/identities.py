"""Accounts at the provider of single sign-on: whose they are here.

An administrator ties one to a person, by its subject or by an e-mail address that the provider has verified; at the
first login the subject takes the address's place for good. Where the settings give roles for a claim, who has such a
role there becomes a person here by themselves, never an administrator, and their roles follow the claim.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from seawall.access import people
from seawall.database.locks import Lock, take
from seawall.database.tables import ProviderAccount, User
from seawall.errors import BadInput, Conflict, NotFound, Unauthenticated
from seawall.evidence import audit
from seawall.records import Actor, Role

PROVIDER = Actor("system", "single sign-on")
LONGEST_SUBJECT = 255
EMAIL = re.compile(r"[^@\s]{1,100}@[^@\s]{1,150}")
NOT_IN_NAMES = re.compile(r"[^a-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class RolesByClaim:
    """Which values of which claim give which roles."""

    claim: str
    given: Mapping[str, Role]

    def of(self, claims: Mapping[str, Any]) -> frozenset[Role]:
        """The roles that the claims give."""
        found = claims.get(self.claim)
        values = found if isinstance(found, list) else [found]
        return frozenset(self.given[value] for value in values if isinstance(value, str) and value in self.given)


def tie(
    session: Session, name: str, issuer: str, *, email: str | None = None, subject: str | None = None, actor: Actor
) -> None:
    """Lets a person log in by an account of the provider, which either its subject names or its verified address.

    Raises:
        NotFound: nobody has that name.
        BadInput: neither or both were given, or it is no address.
        Conflict: it is somebody's already.
    """
    if (email is None) == (subject is None):
        raise BadInput("An account has a subject or an e-mail address.", hint="Give one of --subject and --email.")
    email = None if email is None else email.strip().casefold()
    if email is not None and not EMAIL.fullmatch(email):
        raise BadInput("That is no e-mail address.", hint="Such as reviewer@example.org.")
    if subject is not None and not 0 < len(subject) <= LONGEST_SUBJECT:
        raise BadInput(f"A subject has 1 to {LONGEST_SUBJECT} letters.", hint="The provider shows it.")
    take(session, Lock.PEOPLE)
    user = people.user_named(session, name)
    same = or_(
        ProviderAccount.user_id == user.id,
        ProviderAccount.subject == subject if email is None else ProviderAccount.email == email,
    )
    if session.scalar(select(ProviderAccount.id).where(ProviderAccount.issuer == issuer, same)) is not None:
        raise Conflict(
            f"{name} has an account there already, or this one is somebody's.",
            hint=f"seawall users untie {name}",
        )
    session.add(ProviderAccount(user_id=user.id, issuer=issuer, email=email, subject=subject, by_claim=False))
    session.flush()
    audit.append(
        session, actor, "user.tie", f"user:{name}", {"issuer": issuer, "by": "email" if email else "subject"}
    )


def untie(session: Session, name: str, actor: Actor) -> None:
    """Keeps a person from logging in by the provider. Sessions stay open.

    Raises:
        NotFound: nobody has that name, or they have no account there.
    """
    take(session, Lock.PEOPLE)
    user = people.user_named(session, name)
    rows = session.scalars(select(ProviderAccount).where(ProviderAccount.user_id == user.id)).all()
    if not rows:
        raise NotFound(f"{name} has no account at a provider.", hint="Nothing is left to do.")
    for row in rows:
        session.delete(row)
    session.flush()
    audit.append(session, actor, "user.untie", f"user:{name}", {})


def has_account(session: Session, user_id: int, issuer: str) -> bool:
    """Whether the person can show by the provider who they are."""
    found = select(ProviderAccount.id).where(
        ProviderAccount.user_id == user_id, ProviderAccount.issuer == issuer, ProviderAccount.subject.is_not(None)
    )
    return session.scalar(found) is not None


def person_of(session: Session, issuer: str, claims: Mapping[str, Any], by_claim: RolesByClaim | None) -> User:
    """The person whose account this is, with their row held; made here where the settings allow it.

    Raises:
        Unauthenticated: it is nobody's, or its person may not come in.
    """
    take(session, Lock.PEOPLE)
    roles = frozenset[Role]() if by_claim is None else by_claim.of(claims)
    row = _account(session, issuer, claims)
    if row is None:
        row = _made(session, issuer, claims, roles)
    user = session.scalars(select(User).where(User.id == row.user_id).with_for_update()).one()
    if user.disabled_at is not None:
        raise _nobody()
    if row.by_claim and by_claim is not None:
        _follow(session, user, roles, frozenset(by_claim.given.values()))
    elif row.by_claim:
        # Made by a rule that the settings hold no more.
        raise _nobody()
    row.last_used_at = func.now()
    return user


def _account(session: Session, issuer: str, claims: Mapping[str, Any]) -> ProviderAccount | None:
    subject: str = claims["sub"]
    row = session.scalar(
        select(ProviderAccount).where(ProviderAccount.issuer == issuer, ProviderAccount.subject == subject)
    )
    email = claims.get("email")
    # Only an address that the provider has verified says anything, and only until a subject has taken its place.
    if row is not None or not isinstance(email, str) or claims.get("email_verified") is not True:
        return row
    row = session.scalar(
        select(ProviderAccount).where(
            ProviderAccount.issuer == issuer,
            ProviderAccount.email == email.strip().casefold(),
            ProviderAccount.subject.is_(None),
        )
    )
    if row is not None:
        row.subject = subject[:LONGEST_SUBJECT] if len(subject) <= LONGEST_SUBJECT else None
        session.flush()
    return row


def _made(session: Session, issuer: str, claims: Mapping[str, Any], roles: frozenset[Role]) -> ProviderAccount:
    """A new person, by the roles that their claim gives them; never one whose name is somebody's already."""
    wanted = claims.get("preferred_username") or claims.get("email") or ""
    name = NOT_IN_NAMES.sub("-", str(wanted).partition("@")[0].lower()).strip("-._")[:64]
    if not roles or not people.NAME.fullmatch(name) or len(claims["sub"]) > LONGEST_SUBJECT:
        raise _nobody()
    try:
        user_id = people.create_user(session, name, roles, PROVIDER)
    except Conflict:
        raise _nobody() from None
    row = ProviderAccount(user_id=user_id, issuer=issuer, subject=claims["sub"], email=None, by_claim=True)
    session.add(row)
    session.flush()
    return row


def _follow(session: Session, user: User, roles: frozenset[Role], known: frozenset[Role]) -> None:
    """Roles that the claim can give follow it; those that somebody gave by hand beside them stay."""
    if not roles:
        raise _nobody()
    wanted = roles | {Role(role) for role in user.roles if Role(role) not in known}
    if wanted != {Role(role) for role in user.roles}:
        people.set_roles(session, user.name, wanted, PROVIDER)


def _nobody() -> Unauthenticated:
    return Unauthenticated(
        "This account of the single sign-on is nobody's here.",
        hint="An administrator lets you in: seawall users tie NAME --email ADDRESS",
    )
