"""Passkeys (WebAuthn): registered by a person, and good for coming in and for showing again that it is them.

A challenge is made for one browser and one purpose, works once and for a few minutes, and is used up before anything
else is looked at, so that what was recorded once cannot be played again. The authenticator must have verified its
person (a PIN, a finger), and its counter must go up where it counts at all.
"""

from __future__ import annotations

import enum
import json
import secrets
from base64 import urlsafe_b64decode
from binascii import Error as NotBase64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import structlog
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from seawall.access.people import PersonSession, user_named
from seawall.access.secrets import digest_of
from seawall.access.sessions import Browser, Login, Way, note_proof, open_session
from seawall.database.sessions import Database
from seawall.database.tables import Passkey, PasskeyChallenge, User
from seawall.errors import BadInput, Conflict, NotFound, Unauthenticated
from seawall.evidence import audit
from seawall.records import Actor
from seawall.settings import Settings

GOOD_FOR = timedelta(minutes=5)
MOST = 20
LONGEST_NAME = 60
LONGEST_ANSWER = 16_000
SERVICE = "Seawall"

log = structlog.get_logger(__name__)


class Purpose(enum.StrEnum):
    """What a challenge was made for; it is good for nothing else."""

    REGISTER = "register"
    LOGIN = "login"
    PROVE = "prove"


@dataclass(frozen=True, slots=True)
class Site:
    """Where passkeys are good: the name that they are bound to, and the one address that may use them."""

    name: str
    origin: str


@dataclass(frozen=True, slots=True)
class PasskeyListing:
    """A passkey as a list shows it."""

    id: int
    name: str
    created_at: datetime
    last_used_at: datetime | None


def site_of(settings: Settings) -> Site | None:
    """Where passkeys are good, from the public address; None where browsers allow none: at a bare number, and without
    TLS elsewhere than on this machine."""
    given = urlsplit(settings.public_url or f"http://localhost:{settings.port}")
    host = given.hostname or ""
    if not host or _is_number(host) or (given.scheme != "https" and host != "localhost"):
        return None
    return Site(host, f"{given.scheme}://{given.netloc}")


def list_passkeys(session: Session, name: str) -> list[PasskeyListing]:
    """A person's passkeys, the oldest first.

    Raises:
        NotFound: nobody has that name.
    """
    user = user_named(session, name)
    rows = session.scalars(select(Passkey).where(Passkey.user_id == user.id).order_by(Passkey.id))
    return [PasskeyListing(row.id, row.name, row.created_at, row.last_used_at) for row in rows]


def remove(session: Session, name: str, passkey_id: int, actor: Actor) -> None:
    """Takes a person's passkey away, for good.

    Raises:
        NotFound: nobody has that name, or they have no such passkey.
    """
    user = user_named(session, name)
    gone = session.scalar(
        delete(Passkey).where(Passkey.id == passkey_id, Passkey.user_id == user.id).returning(Passkey.name)
    )
    if gone is None:
        raise NotFound("There is no such passkey.", hint="It may be removed already.")
    audit.append(session, actor, "user.passkey_remove", f"user:{name}", {"passkey": passkey_id, "name": gone})


class Passkeys:
    """Asks browsers for passkeys, and checks what comes back. `binding` is what one browser alone holds: the digest
    of the token of its forms."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._lasts = timedelta(hours=settings.session_hours)
        self.site = site_of(settings)

    def options_to_register(self, person: PersonSession, binding: bytes) -> str:
        """What the browser needs to make a passkey, in JSON."""
        from webauthn import generate_registration_options, options_to_json
        from webauthn.helpers.structs import (
            AuthenticatorSelectionCriteria,
            PublicKeyCredentialDescriptor,
            ResidentKeyRequirement,
            UserVerificationRequirement,
        )

        site = self._site()
        with self._database.transaction() as session:
            challenge = _new_challenge(session, Purpose.REGISTER, binding)
            kept = session.scalars(select(Passkey.credential_id).where(Passkey.user_id == person.user_id)).all()
        options: str = options_to_json(
            generate_registration_options(
                rp_id=site.name,
                rp_name=SERVICE,
                user_id=handle_of(person.user_id),
                user_name=person.name,
                challenge=challenge,
                authenticator_selection=AuthenticatorSelectionCriteria(
                    resident_key=ResidentKeyRequirement.REQUIRED,
                    user_verification=UserVerificationRequirement.REQUIRED,
                ),
                exclude_credentials=[PublicKeyCredentialDescriptor(id=each) for each in kept],
            )
        )
        return options

    def register(self, person: PersonSession, binding: bytes, answer: str, name: str) -> None:
        """Keeps a passkey that the browser has made.

        Raises:
            BadInput: it has no usable name, or the answer is not one to a challenge of this browser.
            Conflict: it is registered already, or there are too many.
        """
        from webauthn import verify_registration_response

        name = " ".join(name.split())
        if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
            raise BadInput(f"A passkey's name has 1 to {LONGEST_NAME} letters.", hint="Such as Work laptop.")
        site = self._site()
        given = self._taken(answer, Purpose.REGISTER, binding)
        made = _checked(
            lambda: verify_registration_response(
                credential=given.answer,
                expected_challenge=given.challenge,
                expected_rp_id=site.name,
                expected_origin=site.origin,
                require_user_verification=True,
            )
        )
        if made is None:
            raise BadInput("This passkey cannot be used here.", hint="Try again, or use another one.")
        with self._database.transaction() as session:
            # One at a time for each person, so that the limit is one.
            session.execute(select(User.id).where(User.id == person.user_id).with_for_update())
            many = session.scalars(select(func.count()).where(Passkey.user_id == person.user_id)).one()
            if many >= MOST:
                raise Conflict(f"You have {MOST} passkeys already.", hint="Remove one that you do not use.")
            if session.scalar(select(Passkey.id).where(Passkey.credential_id == made.credential_id)) is not None:
                raise Conflict("This passkey is registered already.", hint="Nothing is left to do.")
            row = Passkey(
                user_id=person.user_id,
                name=name,
                credential_id=made.credential_id,
                public_key=made.credential_public_key,
                sign_count=made.sign_count,
            )
            session.add(row)
            session.flush()
            audit.append(
                session,
                person.actor,
                "user.passkey_add",
                f"user:{person.name}",
                {"passkey": row.id, "name": name},
            )

    def options_to_use(self, purpose: Purpose, binding: bytes, person: PersonSession | None = None) -> str:
        """What the browser needs to use a passkey, in JSON. To come in, any passkey will do, so that nothing says who
        has one; to prove oneself, one of the person's own."""
        from webauthn import generate_authentication_options, options_to_json
        from webauthn.helpers.structs import PublicKeyCredentialDescriptor, UserVerificationRequirement

        site = self._site()
        with self._database.transaction() as session:
            challenge = _new_challenge(session, purpose, binding)
            own: list[bytes] = []
            if person is not None:
                own += session.scalars(select(Passkey.credential_id).where(Passkey.user_id == person.user_id))
        options: str = options_to_json(
            generate_authentication_options(
                rp_id=site.name,
                challenge=challenge,
                allow_credentials=[PublicKeyCredentialDescriptor(id=each) for each in own],
                user_verification=UserVerificationRequirement.REQUIRED,
            )
        )
        return options

    def login(self, binding: bytes, answer: str, browser: Browser | None = None) -> Login:
        """Opens a session.

        Raises:
            Unauthenticated: the answer is not one to a challenge of this browser, by a passkey that is known here.
        """
        given = self._taken(answer, Purpose.LOGIN, binding)
        with self._database.transaction() as session:
            user = self._user(session, given, None)
            if user is not None:
                return open_session(session, user, Way.PASSKEY, browser or Browser(), self._lasts)
        raise _refused()

    def prove(self, person: PersonSession, binding: bytes, answer: str) -> None:
        """Shows once more who is at the other end of a session.

        Raises:
            Unauthenticated: as for a login, or the passkey is another person's.
        """
        given = self._taken(answer, Purpose.PROVE, binding)
        with self._database.transaction() as session:
            user = self._user(session, given, person.user_id)
            if user is not None:
                note_proof(session, person, Way.PASSKEY)
                return
        raise _refused()

    def _site(self) -> Site:
        if self.site is None:
            raise NotFound("Passkeys need an https address with a name.", hint="Set SEAWALL_PUBLIC_URL to it.")
        return self.site

    def _taken(self, answer: str, purpose: Purpose, binding: bytes) -> _Given:
        """The answer, with its challenge used up, whatever is found of it afterwards."""
        given = _read(answer)
        with self._database.transaction() as session:
            used = session.scalar(
                delete(PasskeyChallenge)
                .where(
                    PasskeyChallenge.challenge == given.challenge,
                    PasskeyChallenge.purpose == purpose.value,
                    PasskeyChallenge.binding == binding,
                    PasskeyChallenge.expires_at > func.now(),
                )
                .returning(PasskeyChallenge.purpose)
            )
        if used is None:
            log.warning("passkey.challenge_unknown", purpose=purpose.value)
            raise _refused()
        return given

    def _user(self, session: Session, given: _Given, user_id: int | None) -> User | None:
        """Whose passkey has answered, with their row held; None where it does not do. A counter that did not go up is
        put on record: somebody may have copied the passkey."""
        from webauthn import verify_authentication_response

        site = self._site()
        found = session.execute(
            select(Passkey, User)
            .join(User, User.id == Passkey.user_id)
            .where(Passkey.credential_id == given.credential_id, User.disabled_at.is_(None))
            .with_for_update()
        ).one_or_none()
        if found is None:
            return None
        passkey, user = found
        if user_id is not None and user.id != user_id:
            return None
        if given.handle not in {None, handle_of(user.id)}:
            return None
        seen = _checked(
            lambda: verify_authentication_response(
                credential=given.answer,
                expected_challenge=given.challenge,
                expected_rp_id=site.name,
                expected_origin=site.origin,
                credential_public_key=passkey.public_key,
                # Compared below, after the signature, so that only the passkey itself can raise the alarm.
                credential_current_sign_count=0,
                require_user_verification=True,
            )
        )
        if seen is None:
            return None
        if (seen.new_sign_count or passkey.sign_count) and seen.new_sign_count <= passkey.sign_count:
            log.warning("passkey.counter", person=user.name)
            details = {"passkey": passkey.id, "name": passkey.name}
            audit.append(session, Actor("user", user.name), "user.passkey_counter", f"user:{user.name}", details)
            return None
        passkey.sign_count = seen.new_sign_count
        passkey.last_used_at = func.now()
        return user


@dataclass(frozen=True, slots=True)
class _Given:
    """A browser's answer: the whole of it for the library, and what is looked up by."""

    answer: dict[str, Any]
    credential_id: bytes
    challenge: bytes
    handle: bytes | None


def handle_of(user_id: int) -> bytes:
    """By what a passkey names its person: 32 bytes that say nothing of them."""
    return digest_of(f"seawall person {user_id}")


def _read(text: str) -> _Given:
    """Raises Unauthenticated for what is no answer of a browser."""
    if len(text) > LONGEST_ANSWER:
        raise _refused()
    try:
        answer = json.loads(text)
        response = answer["response"]
        client = json.loads(_decoded(response["clientDataJSON"]))
        handle = response.get("userHandle")
        return _Given(
            answer,
            _decoded(answer["id"]),
            _decoded(client["challenge"]),
            None if handle is None else _decoded(handle),
        )
    except (ValueError, KeyError, TypeError, AttributeError, NotBase64, RecursionError):
        raise _refused() from None


def _checked(check: Callable[[], Any]) -> Any:
    """What the library finds; None where it refuses. It is given what strangers send, and beside its own errors lets
    those of its parsers through."""
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from webauthn.helpers.exceptions import WebAuthnException

    try:
        return check()
    except (
        WebAuthnException,
        InvalidSignature,
        UnsupportedAlgorithm,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        IndexError,
        RecursionError,
    ) as error:
        log.warning("passkey.refused", why=type(error).__name__)
        return None


def _new_challenge(session: Session, purpose: Purpose, binding: bytes) -> bytes:
    challenge = secrets.token_bytes(32)
    session.add(
        PasskeyChallenge(
            challenge=challenge, purpose=purpose.value, binding=binding, expires_at=func.now() + GOOD_FOR
        )
    )
    return challenge


def _decoded(text: str) -> bytes:
    return urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))


def _is_number(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _refused() -> Unauthenticated:
    return Unauthenticated("This passkey was not accepted.", hint="Try again, or use your password.")
