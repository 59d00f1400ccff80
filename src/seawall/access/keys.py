"""API keys: made once, kept as a digest, revoked for good."""

from __future__ import annotations

import hmac
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from seawall.access.secrets import digest_of, new_secret
from seawall.database.locks import Lock, take
from seawall.database.sessions import Database
from seawall.database.tables import ApiKey
from seawall.errors import BadInput, Conflict, NotFound, Unauthenticated
from seawall.evidence import audit
from seawall.records import Actor, Scope

PREFIX = "swk_"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
SHAPE = re.compile(PREFIX + r"[A-Za-z0-9_-]{43}")
HIGHEST_RATE = 10_000_000
# Writing the time of every single use would turn each lookup into a write.
LAST_USED_STEP = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """A key as gateways see it. `rate_per_minute` is None where the setting's default applies."""

    id: int
    name: str
    scopes: frozenset[Scope]
    rate_per_minute: int | None

    @property
    def actor(self) -> Actor:
        """The key, as the audit chain names it."""
        return Actor("key", self.name)


@dataclass(frozen=True, slots=True)
class KeyListing:
    """A key as a list of keys shows it."""

    info: KeyInfo
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


def create(session: Session, name: str, scopes: Iterable[Scope], rate_per_minute: int | None, actor: Actor) -> str:
    """Makes a key and returns its secret, ``swk_`` and 43 letters, which is shown this once.

    Raises:
        BadInput: the name, the scopes or the rate cannot be used.
        Conflict: there is, or was, a key of that name.
    """
    wanted = sorted({scope.value for scope in scopes})
    _refuse_unusable(name, wanted, rate_per_minute)
    take(session, Lock.PEOPLE)
    if session.scalar(select(ApiKey.id).where(ApiKey.name == name)) is not None:
        raise Conflict(
            f"There is, or was, a key named {name}.",
            hint="Names are never used twice, so that the audit chain stays clear; choose another.",
        )
    secret = new_secret(PREFIX)
    session.add(ApiKey(name=name, secret_hash=digest_of(secret), scopes=wanted, rate_per_minute=rate_per_minute))
    session.flush()
    audit.append(session, actor, "key.create", f"key:{name}", {"scopes": wanted, "rate": rate_per_minute})
    return secret


def revoke(session: Session, name: str, actor: Actor) -> None:
    """Ends a key for good. It stops working everywhere within seconds (see :class:`KeyRing`).

    Raises:
        NotFound: no key has that name.
        Conflict: it is revoked already.
    """
    row = session.scalar(select(ApiKey).where(ApiKey.name == name).with_for_update())
    if row is None:
        raise NotFound(f"No key is named {name}.", hint="`seawall keys list` shows all.")
    if row.revoked_at is not None:
        raise Conflict(f"The key {name} is revoked already.", hint="Nothing is left to do.")
    row.revoked_at = func.now()
    session.flush()
    audit.append(session, actor, "key.revoke", f"key:{name}", {})


def list_keys(session: Session) -> list[KeyListing]:
    """All keys by name, the revoked ones too."""
    rows = session.scalars(select(ApiKey).order_by(ApiKey.name)).all()
    return [KeyListing(_info(row), row.created_at, row.last_used_at, row.revoked_at) for row in rows]


def named(session: Session, name: str) -> KeyInfo:
    """The key of that name, for doors whose protocol carries no secret.

    Raises:
        NotFound: no key that still holds has that name.
    """
    row = session.scalar(select(ApiKey).where(ApiKey.name == name, ApiKey.revoked_at.is_(None)))
    if row is None:
        raise NotFound(f"No key that holds is named {name}.", hint="`seawall keys create` makes one.")
    _note_use(session, row)
    return _info(row)


def authenticate(session: Session, secret: str) -> KeyInfo:
    """The key that has this secret; its last use is written at most once a minute.

    Raises:
        Unauthenticated: no key that still holds has this secret.
    """
    # A wrong shape needs no look into the database, so that noise stays cheap.
    row = None
    if SHAPE.fullmatch(secret):
        wanted = digest_of(secret)
        row = session.scalar(select(ApiKey).where(ApiKey.secret_hash == wanted, ApiKey.revoked_at.is_(None)))
        # The index compares digests, whose bytes tell nothing of the secret; compared here once more so that a match
        # never hangs on the index's word alone.
        if row is not None and not hmac.compare_digest(row.secret_hash, wanted):
            row = None
    if row is None:
        raise Unauthenticated("This API key is unknown or revoked.")
    _note_use(session, row)
    return _info(row)


class KeyRing:
    """Authenticates with a short memory, so that a busy key costs one query in some seconds.

    A revoked key stops working when its memory runs out: after `ttl_s` at the latest. Only keys that are good are
    remembered, at most `capacity` of them.

    Args:
        clock: seconds that never go backwards.
    """

    def __init__(
        self,
        database: Database,
        *,
        ttl_s: float = 2.0,
        capacity: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._ttl_s = ttl_s
        self._capacity = capacity
        self._clock = clock
        self._guard = threading.Lock()
        self._known: OrderedDict[bytes, tuple[float, KeyInfo]] = OrderedDict()

    def remembered(self, secret: str) -> KeyInfo | None:
        """The key that has this secret, if it is remembered. Never waits."""
        digest = digest_of(secret)
        now = self._clock()
        with self._guard:
            known = self._known.get(digest)
            return known[1] if known is not None and now < known[0] else None

    def authenticate(self, secret: str) -> KeyInfo:
        """The key that has this secret.

        Raises:
            Unauthenticated: no key that still holds has this secret.
            DatabaseUnavailable: it is not remembered, and cannot be looked up.
        """
        asked_at = self._clock()
        if (known := self.remembered(secret)) is not None:
            return known
        digest = digest_of(secret)
        with self._guard:
            self._known.pop(digest, None)
        with self._database.transaction() as session:
            info = authenticate(session, secret)
        with self._guard:
            # Counted from before the look-up: what was revoked while it ran is not remembered for longer.
            self._known[digest] = (asked_at + self._ttl_s, info)
            self._known.move_to_end(digest)
            while len(self._known) > self._capacity:
                self._known.popitem(last=False)
        return info

    def __len__(self) -> int:
        """How many keys are remembered."""
        return len(self._known)


def _refuse_unusable(name: str, scopes: list[str], rate: int | None) -> None:
    if not NAME.fullmatch(name):
        raise BadInput(
            "A key's name has 1 to 64 letters, digits, dots, dashes and underscores.",
            hint="Name the platform that will use it, such as forum-upload.",
        )
    if not scopes:
        raise BadInput("A key needs at least one scope.", hint="--scope judge is what a platform's uploads need.")
    if rate is not None and not 1 <= rate <= HIGHEST_RATE:
        raise BadInput(f"A rate is between 1 and {HIGHEST_RATE} a minute.", hint="Leave it out for the default.")


def _note_use(session: Session, row: ApiKey) -> None:
    stale = or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at < func.now() - LAST_USED_STEP)
    if session.scalar(select(ApiKey.id).where(ApiKey.id == row.id, stale)) is None:
        return
    # Skipping a locked row: another thread is writing the same minute, and nobody should wait for that.
    free = select(ApiKey.id).where(ApiKey.id == row.id, stale).with_for_update(skip_locked=True)
    session.execute(
        update(ApiKey)
        .where(ApiKey.id.in_(free))
        .values(last_used_at=func.now())
        .execution_options(synchronize_session=False)
    )


def _info(row: ApiKey) -> KeyInfo:
    return KeyInfo(row.id, row.name, frozenset(Scope(scope) for scope in row.scopes), row.rate_per_minute)
