"""Logging in at the console with name and password, slowly for those who guess."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from seawall.access.passwords import Passwords
from seawall.access.people import NAME, PersonSession
from seawall.access.secrets import digest_of
from seawall.access.sessions import Browser, Login, Way, note_proof, open_session
from seawall.database.sessions import Database
from seawall.database.tables import ConsoleSession, FailedLogin, OneTimeLink, PasskeyChallenge, ProviderRequest, User
from seawall.errors import RateLimited, Unauthenticated
from seawall.evidence import audit
from seawall.records import SYSTEM
from seawall.settings import Settings

# How long ended sessions and used links stay for a look back; the audit chain keeps the acts themselves.
KEPT_AFTER_THE_END = timedelta(days=1)
# Counts of guesses are put on record when they go. Only those of this minute and the last are still needed.
GUESSES_KEPT = timedelta(hours=1)
UNKNOWN = "(unknown)"

log = structlog.get_logger(__name__)


class Logins:
    """The door: checks names and passwords, slowly for those who guess.

    Guesses are counted per name and minute in the database, so that all replicas slow down together. A guess is
    counted before the password is looked at, so that a thousand guesses at the same moment count as a thousand.
    """

    def __init__(self, database: Database, settings: Settings, passwords: Passwords | None = None) -> None:
        self._database = database
        self._settings = settings
        self.passwords = passwords or Passwords()

    def login(self, name: str, password: str, browser: Browser | None = None) -> Login:
        """Opens a session.

        Raises:
            Unauthenticated: no such name, or not its password; it does not say which, nor by how long it takes.
            RateLimited: too many guesses at this name in this minute, or too many people at the door.
        """
        with self.passwords.place():
            name = name.strip().lower()
            user_id, kept, fresh = self._checked(name, password)
            with self._database.transaction() as session:
                user = self._still(session, user_id, kept, fresh)
                lasts = timedelta(hours=self._settings.session_hours)
                return open_session(session, user, Way.PASSWORD, browser or Browser(), lasts)

    def prove(self, person: PersonSession, password: str) -> None:
        """Shows once more, by the password, who is at the other end of a session. Counts as a login where it fails.

        Raises:
            Unauthenticated: it is not the person's password.
            RateLimited: as for a login.
        """
        with self.passwords.place():
            user_id, kept, fresh = self._checked(person.name, password)
            with self._database.transaction() as session:
                self._still(session, user_id, kept, fresh)
                note_proof(session, person, Way.PASSWORD)

    def _checked(self, name: str, password: str) -> tuple[int, str, str | None]:
        """The person's number, the hash that the password fits, and a fresh one where that is outdated."""
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
        return user_id, kept, self.passwords.hash(password) if self.passwords.is_outdated(kept) else None

    def _still(self, session: Session, user_id: int, checked: str, fresh: str | None) -> User:
        """The person's row, held, if they may still come in with the password that was checked; it was no guess."""
        user = session.scalar(select(User).where(User.id == user_id).with_for_update())
        if user is None or user.disabled_at is not None or user.password_hash != checked:
            # Disabled, or given another password, while this one was being checked.
            raise Unauthenticated("This name and this password do not go together.", hint="Try again.")
        if fresh is not None:
            user.password_hash = fresh
        _uncount_attempt(session, user.name)
        return user


def prune(session: Session) -> int:
    """Removes sessions and links that ended more than a day ago, and the counts of guesses of over an hour ago, which
    go into the audit chain. Returns how many rows went."""
    before = func.now() - KEPT_AFTER_THE_END
    gone = 0
    for statement in (
        delete(ConsoleSession).where((ConsoleSession.expires_at < before) | (ConsoleSession.ended_at < before)),
        delete(PasskeyChallenge).where(PasskeyChallenge.expires_at < func.now()),
        delete(ProviderRequest).where(ProviderRequest.expires_at < func.now()),
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
