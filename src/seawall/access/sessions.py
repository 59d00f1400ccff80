"""Sessions at the console: opened by a login, seen with each request, listed, ended, and proven anew."""

from __future__ import annotations

import enum
import hashlib
import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, case, func, null, select, update
from sqlalchemy.orm import Session

from seawall.access.people import PersonSession, user_named
from seawall.access.secrets import as_bytes, digest_of, new_secret
from seawall.database.tables import ConsoleSession, User
from seawall.errors import NotFound
from seawall.evidence import audit
from seawall.records import Actor, Role

# Writing the time of every single request would turn each look at a page into a write.
SEEN_STEP = timedelta(minutes=1)
LONGEST_AGENT = 300
LONGEST_ADDRESS = 100
LARGEST_ID = 2**62


class Way(enum.StrEnum):
    """By what a person has shown who they are."""

    PASSWORD = "password"  # noqa: S105  (the name of the way, not one)
    PASSKEY = "passkey"
    PROVIDER = "provider"


@dataclass(frozen=True, slots=True)
class Browser:
    """What a request says of where it comes from: the User-Agent, and the address of the other end."""

    agent: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Login:
    """What a good login opens. `token` goes into the session cookie, `csrf_token` into each form."""

    token: str = field(repr=False)
    csrf_token: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session that is open, as a list of sessions shows it. `proven_at` is when its person last proved who they
    are; None once that has lapsed."""

    id: int
    browser: Browser
    way: Way
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    proven_at: datetime | None


def open_session(session: Session, user: User, way: Way, browser: Browser, lasts: timedelta) -> Login:
    """Opens a session for a person who has just shown who they are, on the record. The caller holds their row."""
    user.last_login_at = func.now()
    token = new_secret()
    expires_at = session.scalars(select(func.now())).one() + lasts
    session.add(
        ConsoleSession(
            token_hash=digest_of(token),
            user_id=user.id,
            expires_at=expires_at,
            proven_at=func.now(),
            way=way.value,
            agent=_kept(browser.agent, LONGEST_AGENT),
            address=_kept(browser.address, LONGEST_ADDRESS),
        )
    )
    session.flush()
    audit.append(session, Actor("user", user.name), "user.login", f"user:{user.name}", {"way": way.value})
    return Login(token, csrf_token(token), expires_at)


def session_from_token(
    session: Session, token: str, *, browser: Browser | None = None, idle: timedelta | None = None
) -> PersonSession | None:
    """Whose session the cookie opens, with the roles they hold now; None when it has ended, or never was.

    Args:
        browser: where the request comes from, which is noted; None for what a page asks by itself, which is no sign
            of a person.
        idle: how long a session may lie unused before its proof lapses; None: for ever.
    """
    wanted = digest_of(token)
    row = session.execute(
        select(
            User.id,
            User.name,
            User.roles,
            ConsoleSession.id.label("session_id"),
            ConsoleSession.expires_at,
            ConsoleSession.proven_at,
            (func.now() - ConsoleSession.seen_at).label("unused"),
        )
        .join(User, User.id == ConsoleSession.user_id)
        .where(
            ConsoleSession.token_hash == wanted,
            ConsoleSession.ended_at.is_(None),
            ConsoleSession.expires_at > func.now(),
            User.disabled_at.is_(None),
        )
    ).one_or_none()
    if row is None:
        return None
    proven_at = row.proven_at
    if browser is not None and row.unused >= SEEN_STEP:
        proven_at = _note_seen(session, wanted, browser, idle)
    elif idle is not None and row.unused > idle:
        proven_at = None
    roles = frozenset(Role(role) for role in row.roles)
    return PersonSession(
        row.id, row.name, roles, row.expires_at, csrf_token(token), session_id=row.session_id, proven_at=proven_at
    )


def logout(session: Session, token: str) -> None:
    """Ends the session that the cookie opens; does nothing when there is none."""
    person = session_from_token(session, token)
    if person is None:
        return
    session.execute(
        update(ConsoleSession).where(ConsoleSession.token_hash == digest_of(token)).values(ended_at=func.now())
    )
    audit.append(session, person.actor, "user.logout", f"user:{person.name}", {})


def note_proof(session: Session, person: PersonSession, way: Way) -> None:
    """Writes down that a person has just proved again who they are, in the session that they did it in."""
    session.execute(
        update(ConsoleSession)
        .where(ConsoleSession.id == person.session_id, ConsoleSession.user_id == person.user_id)
        .values(proven_at=func.now(), seen_at=func.now())
    )
    audit.append(session, person.actor, "user.prove", f"user:{person.name}", {"way": way.value})


def set_proof(session: Session, login: Login, at: datetime | None) -> None:
    """Says when the person of a new session has shown who they are, where that was not just now."""
    session.execute(
        update(ConsoleSession)
        .where(ConsoleSession.token_hash == digest_of(login.token))
        .values(proven_at=at)
        .execution_options(synchronize_session=False)
    )


def open_sessions(session: Session, name: str) -> list[OpenSession]:
    """The sessions of a person that are open, the one that was used last first.

    Raises:
        NotFound: nobody has that name.
    """
    rows = session.scalars(
        select(ConsoleSession)
        .where(
            ConsoleSession.user_id == user_named(session, name).id,
            ConsoleSession.ended_at.is_(None),
            ConsoleSession.expires_at > func.now(),
        )
        .order_by(ConsoleSession.seen_at.desc(), ConsoleSession.id.desc())
    )
    return [
        OpenSession(
            row.id,
            Browser(row.agent, row.address),
            Way(row.way),
            row.created_at,
            row.seen_at,
            row.expires_at,
            row.proven_at,
        )
        for row in rows
    ]


def end(session: Session, name: str, session_id: int, actor: Actor) -> None:
    """Ends one session of a person at once.

    Raises:
        NotFound: nobody has that name, or they have no such session that is open.
    """
    user_id = user_named(session, name).id
    ended = _end(session, user_id, ConsoleSession.id == session_id) if 0 < session_id < LARGEST_ID else []
    if not ended:
        raise NotFound("That session has ended already.", hint="Nothing is left to do.")
    audit.append(session, actor, "user.session_end", f"user:{name}", {"sessions": ended})


def end_all(session: Session, name: str, actor: Actor, *, but: int | None = None) -> int:
    """Ends all sessions of a person at once, but for one of them; returns how many that were.

    Raises:
        NotFound: nobody has that name.
    """
    ended = _end(session, user_named(session, name).id, ConsoleSession.id != (but or 0))
    if ended:
        audit.append(session, actor, "user.session_end", f"user:{name}", {"sessions": ended})
    return len(ended)


def csrf_token(token: str) -> str:
    """A token that only who holds the session's token can make, and from which that one cannot be had back: nothing
    more needs to be stored, and every page of a session can show it."""
    made = hmac.digest(as_bytes(token), b"seawall console form", hashlib.sha256)
    return urlsafe_b64encode(made).decode().rstrip("=")


def _end(session: Session, user_id: int, which: ColumnElement[bool]) -> list[int]:
    ended = session.scalars(
        update(ConsoleSession)
        .where(
            ConsoleSession.user_id == user_id,
            ConsoleSession.ended_at.is_(None),
            ConsoleSession.expires_at > func.now(),
            which,
        )
        .values(ended_at=func.now())
        .returning(ConsoleSession.id)
        .execution_options(synchronize_session=False)
    )
    return sorted(ended)


def _note_seen(session: Session, token_hash: bytes, browser: Browser, idle: timedelta | None) -> datetime | None:
    """Notes a request. Of two at once, the second waits for the first and finds the proof lapsed as it left it."""
    kept = ConsoleSession.proven_at
    proven = kept if idle is None else case((ConsoleSession.seen_at < func.now() - idle, null()), else_=kept)
    return session.scalar(
        update(ConsoleSession)
        .where(ConsoleSession.token_hash == token_hash)
        .values(
            proven_at=proven,
            seen_at=func.now(),
            agent=_kept(browser.agent, LONGEST_AGENT),
            address=_kept(browser.address, LONGEST_ADDRESS),
        )
        .returning(ConsoleSession.proven_at)
        .execution_options(synchronize_session=False)
    )


def _kept(text: str, longest: int) -> str:
    """What a stranger sent, as far as it can be kept: PostgreSQL takes no NUL and no lone surrogates."""
    return text[:longest].encode("utf-8", "replace").decode().replace("\x00", "")
