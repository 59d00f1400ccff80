"""Logging in at the console, and the sessions that this opens."""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from seawall.access.passwords import Passwords
from seawall.access.people import NAME, PersonSession
from seawall.access.secrets import as_bytes, digest_of, new_secret
from seawall.database.sessions import Database
from seawall.database.tables import ConsoleSession, FailedLogin, OneTimeLink, User
from seawall.errors import RateLimited, Unauthenticated
from seawall.evidence import audit
from seawall.records import SYSTEM, Actor, Role
from seawall.settings import Settings

# How long ended sessions and used links stay for a look back; the audit chain keeps the acts themselves.
KEPT_AFTER_THE_END = timedelta(days=1)
# Counts of guesses are put on record when they go. Only those of this minute and the last are still needed.
GUESSES_KEPT = timedelta(hours=1)
UNKNOWN = "(unknown)"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Login:
    """What a good password opens. `token` goes into the session cookie, `csrf_token` into each form."""

    token: str = field(repr=False)
    csrf_token: str = field(repr=False)
    expires_at: datetime


class Logins:
    """The door: checks names and passwords, slowly for those who guess.

    Guesses are counted per name and minute in the database, so that all replicas slow down together. A guess is
    counted before the password is looked at, so that a thousand guesses at the same moment count as a thousand.
    """

    def __init__(self, database: Database, settings: Settings, passwords: Passwords | None = None) -> None:
        self._database = database
        self._settings = settings
        self.passwords = passwords or Passwords()

    def login(self, name: str, password: str) -> Login:
        """Opens a session.

        Raises:
            Unauthenticated: no such name, or not its password; it does not say which, nor by how long it takes.
            RateLimited: too many guesses at this name in this minute, or too many people at the door.
        """
        with self.passwords.place():
            return self._login(name.strip().lower(), password)

    def _login(self, name: str, password: str) -> Login:
        with self._database.transaction() as session:
            attempts, now = _count_attempt(session, name)
            user_id, kept = _password_of(session, name)
        # A name that nobody has is left out: people type passwords into the wrong field.
        person = UNKNOWN if user_id is None else name
        if attempts > self._settings.login_attempts_per_minute:
            log.warning("login.throttled", person=person, attempts=attempts)
            raise RateLimited(
                "Too many wrong logins with this name.",
                retry_after_s=60.0 - now.second,
                hint="Wait for the next minute.",
            )
        # Outside of a transaction: it takes long on purpose.
        if not self.passwords.check(kept, password) or user_id is None or kept is None:
            log.warning("login.refused", person=person)
            raise Unauthenticated("This name and this password do not go together.", hint="Try again.")
        fresh = self.passwords.hash(password) if self.passwords.is_outdated(kept) else None
        with self._database.transaction() as session:
            return self._open(session, user_id, kept, fresh)

    def _open(self, session: Session, user_id: int, checked: str, fresh: str | None) -> Login:
        user = session.scalar(select(User).where(User.id == user_id).with_for_update())
        if user is None or user.disabled_at is not None or user.password_hash != checked:
            # Disabled, or given another password, while this one was being checked.
            raise Unauthenticated("This name and this password do not go together.", hint="Try again.")
        user.last_login_at = func.now()
        if fresh is not None:
            user.password_hash = fresh
        token = new_secret()
        expires_at = session.scalars(select(func.now())).one() + timedelta(hours=self._settings.session_hours)
        session.add(ConsoleSession(token_hash=digest_of(token), user_id=user_id, expires_at=expires_at))
        _uncount_attempt(session, user.name)
        session.flush()
        audit.append(session, Actor("user", user.name), "user.login", f"user:{user.name}", {})
        return Login(token, _csrf_token(token), expires_at)


def session_from_token(session: Session, token: str) -> PersonSession | None:
    """Whose session the cookie opens, with the roles they hold now; None when it has ended, or never was."""
    row = session.execute(
        select(User.id, User.name, User.roles, ConsoleSession.expires_at)
        .join(User, User.id == ConsoleSession.user_id)
        .where(
            ConsoleSession.token_hash == digest_of(token),
            ConsoleSession.ended_at.is_(None),
            ConsoleSession.expires_at > func.now(),
            User.disabled_at.is_(None),
        )
    ).one_or_none()
    if row is None:
        return None
    roles = frozenset(Role(role) for role in row.roles)
    return PersonSession(row.id, row.name, roles, row.expires_at, _csrf_token(token))


def logout(session: Session, token: str) -> None:
    """Ends the session that the cookie opens; does nothing when there is none."""
    person = session_from_token(session, token)
    if person is None:
        return
    session.execute(
        update(ConsoleSession).where(ConsoleSession.token_hash == digest_of(token)).values(ended_at=func.now())
    )
    audit.append(session, person.actor, "user.logout", f"user:{person.name}", {})


def prune(session: Session) -> int:
    """Removes sessions and links that ended more than a day ago, and the counts of guesses of over an hour ago, which
    go into the audit chain. Returns how many rows went."""
    before = func.now() - KEPT_AFTER_THE_END
    gone = 0
    for statement in (
        delete(ConsoleSession).where((ConsoleSession.expires_at < before) | (ConsoleSession.ended_at < before)),
        delete(OneTimeLink).where((OneTimeLink.expires_at < before) | (OneTimeLink.used_at < before)),
    ):
        gone += len(session.execute(statement.returning(1)).all())
    return gone + _record_guesses(session)


def _record_guesses(session: Session) -> int:
    """One event for each name at which somebody has guessed. It is written now and not at the guess: there it would
    show by its time which names exist, and let anyone fill the chain."""
    rows = session.execute(
        delete(FailedLogin)
        .where(FailedLogin.minute < func.now() - GUESSES_KEPT)
        .returning(FailedLogin.name_hash, FailedLogin.minute, FailedLogin.attempts)
    ).all()
    names = {digest_of(name): name for name in session.scalars(select(User.name))} if rows else {}
    guesses: dict[str, list[tuple[datetime, int]]] = defaultdict(list)
    for name_hash, minute, attempts in rows:
        if attempts:
            guesses[names.get(bytes(name_hash), UNKNOWN)].append((minute, attempts))
    for name, counted in sorted(guesses.items()):
        minutes = [minute.astimezone(UTC).isoformat(timespec="minutes") for minute, _attempts in sorted(counted)]
        details = {"attempts": sum(each for _, each in counted), "first": minutes[0], "last": minutes[-1]}
        audit.append(session, SYSTEM, "user.login_refused", f"user:{name}", details)
    return len(rows)


def _password_of(session: Session, name: str) -> tuple[int | None, str | None]:
    # What can be nobody's name is not asked for: it may hold what PostgreSQL cannot even read.
    if not NAME.fullmatch(name):
        return None, None
    user = session.scalar(select(User).where(User.name == name, User.disabled_at.is_(None)))
    return (None, None) if user is None else (user.id, user.password_hash)


def _count_attempt(session: Session, name: str) -> tuple[int, datetime]:
    """Counts one guess; returns how many this minute has now, and the database's time."""
    now = session.scalars(select(func.now())).one().astimezone(UTC)
    statement = insert(FailedLogin).values(name_hash=digest_of(name), minute=_minute(now), attempts=1)
    counted = statement.on_conflict_do_update(
        index_elements=[FailedLogin.name_hash, FailedLogin.minute],
        set_={"attempts": FailedLogin.attempts + 1},
    )
    return session.scalars(counted.returning(FailedLogin.attempts)).one(), now


def _uncount_attempt(session: Session, name: str) -> None:
    """A good login was no guess. Takes it off the newest minute that has one."""
    newest = (
        select(func.max(FailedLogin.minute))
        .where(FailedLogin.name_hash == digest_of(name), FailedLogin.attempts > 0)
        .scalar_subquery()
    )
    session.execute(
        update(FailedLogin)
        .where(FailedLogin.name_hash == digest_of(name), FailedLogin.minute == newest)
        .values(attempts=FailedLogin.attempts - 1)
        .execution_options(synchronize_session=False)
    )


def _minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def _csrf_token(token: str) -> str:
    """A token that only who holds the session's token can make, and from which that one cannot be had back: nothing
    more needs to be stored, and every page of a session can show it."""
    made = hmac.digest(as_bytes(token), b"seawall console form", hashlib.sha256)
    return urlsafe_b64encode(made).decode().rstrip("=")
