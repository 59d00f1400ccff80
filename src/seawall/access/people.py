"""People at the console: who they are, the links by which they choose a password, and their roles."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from seawall.access.passwords import Passwords, refuse_weak
from seawall.access.secrets import digest_of, new_secret
from seawall.database.locks import Lock, take
from seawall.database.tables import ConsoleSession, OneTimeLink, User
from seawall.errors import BadInput, Conflict, NotFound
from seawall.evidence import audit
from seawall.records import SYSTEM, Actor, Role

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
FIRST_ADMIN = "admin"
LONGEST_LINK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Person:
    """A person as a list of people shows them."""

    user_id: int
    name: str
    roles: frozenset[Role]
    has_password: bool
    created_at: datetime
    last_login_at: datetime | None
    disabled_at: datetime | None


@dataclass(frozen=True, slots=True)
class PersonSession:
    """Who is at the other end of a console session. `csrf_token` goes into each form and comes back with it;
    `proven_at` is when they last showed who they are, None when that has lapsed."""

    user_id: int
    name: str
    roles: frozenset[Role]
    expires_at: datetime
    csrf_token: str = field(repr=False)
    session_id: int = 0
    proven_at: datetime | None = None

    @property
    def actor(self) -> Actor:
        """The person, as the audit chain names them."""
        return Actor("user", self.name)


def create_user(session: Session, name: str, roles: Iterable[Role], actor: Actor) -> int:
    """Adds a person, who cannot log in before they have chosen a password by a one-time link. Returns their number.

    Raises:
        BadInput: the name cannot be used, or no role was given.
        Conflict: there is a person of that name, perhaps a disabled one.
    """
    wanted = _role_names(roles)
    if not NAME.fullmatch(name):
        raise BadInput(
            "A person's name has 1 to 64 small letters, digits, dots, dashes and underscores.",
            hint="Such as reviewer-1.",
        )
    take(session, Lock.PEOPLE)
    if session.scalar(select(User.id).where(User.name == name)) is not None:
        raise Conflict(f"There is a person named {name} already.", hint="`seawall users list` shows everyone.")
    user_id = _add(session, name, wanted)
    audit.append(session, actor, "user.create", f"user:{name}", {"roles": wanted})
    return user_id


def list_people(session: Session) -> list[Person]:
    """Everyone by name, the disabled ones too."""
    return [
        Person(
            row.id,
            row.name,
            frozenset(Role(role) for role in row.roles),
            row.password_hash is not None,
            row.created_at,
            row.last_login_at,
            row.disabled_at,
        )
        for row in session.scalars(select(User).order_by(User.name))
    ]


def has_password(session: Session, user_id: int) -> bool:
    """Whether the person has chosen a password."""
    return session.scalar(select(User.id).where(User.id == user_id, User.password_hash.is_not(None))) is not None


def set_roles(session: Session, name: str, roles: Iterable[Role], actor: Actor) -> None:
    """Gives a person exactly these roles; their open sessions follow at the next request.

    Raises:
        NotFound: nobody has that name.
        BadInput: no role was given.
        Conflict: nobody would be left who may manage people.
    """
    wanted = _role_names(roles)
    take(session, Lock.PEOPLE)
    user = _user(session, name)
    before, user.roles = list(user.roles), wanted
    session.flush()
    _refuse_without_admin(session)
    audit.append(session, actor, "user.roles", f"user:{name}", {"before": before, "after": wanted})


def disable(session: Session, name: str, actor: Actor) -> None:
    """Keeps a person out: ends their sessions and links at once. The name stays theirs on the record.

    Raises:
        NotFound: nobody has that name.
        Conflict: they are disabled already, or nobody would be left who may manage people.
    """
    take(session, Lock.PEOPLE)
    user = _user(session, name)
    if user.disabled_at is not None:
        raise Conflict(f"{name} is disabled already.", hint="Nothing is left to do.")
    user.disabled_at = func.now()
    session.flush()
    _refuse_without_admin(session)
    _end_sessions_and_links(session, user.id)
    audit.append(session, actor, "user.disable", f"user:{name}", {})


def enable(session: Session, name: str, actor: Actor) -> None:
    """Lets a disabled person in again, with the password they had.

    Raises:
        NotFound: nobody has that name.
        Conflict: they are not disabled.
    """
    take(session, Lock.PEOPLE)
    user = _user(session, name)
    if user.disabled_at is None:
        raise Conflict(f"{name} is not disabled.", hint="Nothing is left to do.")
    user.disabled_at = None
    session.flush()
    audit.append(session, actor, "user.enable", f"user:{name}", {})


def one_time_link(session: Session, name: str, lasts: timedelta, actor: Actor) -> str:
    """The token of a link by which a person chooses a password, once. Links made earlier stop working.

    Raises:
        NotFound: nobody has that name.
        Conflict: they are disabled.
        BadInput: it would last longer than a week.
    """
    if not timedelta(0) < lasts <= LONGEST_LINK:
        raise BadInput("A one-time link lasts at most a week.", hint="Make a new one when it is needed.")
    take(session, Lock.PEOPLE)
    user = _user(session, name)
    if user.disabled_at is not None:
        raise Conflict(f"{name} is disabled.", hint=f"Let them in again first: seawall users enable {name}")
    token = _new_link(session, user.id, lasts)
    audit.append(session, actor, "user.link", f"user:{name}", {"minutes": int(lasts.total_seconds() // 60)})
    return token


def first_admin_link(session: Session, lasts: timedelta) -> str | None:
    """The token by which the first administrator chooses a password; None once somebody has a password.

    The first administrator may do everything, since there is nobody yet to share the work with. As long as nobody
    has chosen a password, each start makes a new link and the one before stops working: a lost link locks nobody out.
    """
    take(session, Lock.PEOPLE)
    if session.scalar(select(User.id).where(User.password_hash.is_not(None)).limit(1)) is not None:
        return None
    user_id = session.scalar(select(User.id).where(User.name == FIRST_ADMIN))
    if user_id is None:
        user_id = _add(session, FIRST_ADMIN, _role_names(Role))
    token = _new_link(session, user_id, lasts)
    audit.append(session, SYSTEM, "user.first_admin", f"user:{FIRST_ADMIN}", {"roles": _role_names(Role)})
    return token


def name_of_link(session: Session, token: str) -> str | None:
    """Whose link this is, without using it up; None when it is unknown, used or expired."""
    found = _open_link(session, token, lock=False)
    return None if found is None else found[1].name


def redeem_link(session: Session, passwords: Passwords, token: str, password: str) -> str:
    """Uses a link up and sets the password; returns the person's name. All their sessions end.

    Raises:
        NotFound: the link is unknown, used or expired.
        BadInput: the password is too weak; the link stays good.
    """
    found = _open_link(session, token, lock=True)
    if found is None:
        raise NotFound(
            "This link was used, has expired or never existed.",
            hint="An administrator makes a new one: seawall users link NAME",
        )
    _link, user = found
    refuse_weak(password, user.name)
    user.password_hash = passwords.hash(password)
    session.flush()
    _end_sessions_and_links(session, user.id)
    audit.append(session, Actor("user", user.name), "user.password", f"user:{user.name}", {})
    return user.name


def _open_link(session: Session, token: str, *, lock: bool) -> tuple[OneTimeLink, User] | None:
    statement = (
        select(OneTimeLink, User)
        .join(User, User.id == OneTimeLink.user_id)
        .where(
            OneTimeLink.token_hash == digest_of(token),
            OneTimeLink.used_at.is_(None),
            OneTimeLink.expires_at > func.now(),
            User.disabled_at.is_(None),
        )
    )
    row = session.execute(statement.with_for_update() if lock else statement).one_or_none()
    return None if row is None else (row[0], row[1])


def _new_link(session: Session, user_id: int, lasts: timedelta) -> str:
    _use_up_links(session, user_id)
    token = new_secret()
    session.add(OneTimeLink(token_hash=digest_of(token), user_id=user_id, expires_at=func.now() + lasts))
    session.flush()
    return token


def _use_up_links(session: Session, user_id: int) -> None:
    session.execute(
        update(OneTimeLink)
        .where(OneTimeLink.user_id == user_id, OneTimeLink.used_at.is_(None))
        .values(used_at=func.now())
    )


def _end_sessions_and_links(session: Session, user_id: int) -> None:
    _use_up_links(session, user_id)
    session.execute(
        update(ConsoleSession)
        .where(ConsoleSession.user_id == user_id, ConsoleSession.ended_at.is_(None))
        .values(ended_at=func.now())
    )


def _refuse_without_admin(session: Session) -> None:
    left = select(User.id).where(User.disabled_at.is_(None), User.roles.contains([Role.ADMIN.value])).limit(1)
    if session.scalar(left) is None:
        raise Conflict(
            "Nobody would be left who may manage people.", hint="Make another person an administrator first."
        )


def _add(session: Session, name: str, roles: list[str]) -> int:
    user = User(name=name, roles=roles)
    session.add(user)
    session.flush()
    return user.id


def _user(session: Session, name: str) -> User:
    known = NAME.fullmatch(name) is not None
    user = session.scalar(select(User).where(User.name == name).with_for_update()) if known else None
    if user is None:
        raise NotFound(f"Nobody is named {name}.", hint="`seawall users list` shows everyone.")
    return user


def user_named(session: Session, name: str) -> User:
    """The row of that person, also a disabled one's, not held.

    Raises:
        NotFound: nobody has that name.
    """
    user = session.scalar(select(User).where(User.name == name)) if NAME.fullmatch(name) else None
    if user is None:
        raise NotFound(f"Nobody is named {name}.", hint="`seawall users list` shows everyone.")
    return user


def _role_names(roles: Iterable[Role]) -> list[str]:
    wanted = sorted({role.value for role in roles})
    if not wanted:
        raise BadInput("A person needs at least one role.", hint=f"One of: {', '.join(Role)}.")
    return wanted
