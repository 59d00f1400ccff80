"""The audit key: an Ed25519 key that signs heads of the audit chain. Whoever has the public one can check them."""

from __future__ import annotations

import base64
import enum
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from seawall.errors import AuditKeyMissing, BadInput, ConfigurationError
from seawall.evidence.events import CANONICAL
from seawall.evidence.key_files import KeyFile, given_key
from seawall.settings import Settings

CALLED = "audit key"
ADVICE = (
    "Back it up, and keep `seawall audit public-key` elsewhere: it shows whose signatures those of the chain are."
)


class Purpose(enum.StrEnum):
    """What a signed head says: the chain was like this, or an export ends here."""

    HEAD = "seawall/1/audit-head"
    END = "seawall/1/audit-export-end"


@dataclass(frozen=True, slots=True)
class Head:
    """The chain's head at one moment: how many events there were, and the hash of the last (64 hex digits)."""

    at: str
    events: int
    head: str
    key_id: str
    purpose: Purpose

    @property
    def statement(self) -> bytes:
        """What is signed: canonical JSON."""
        return CANONICAL.encode(self.document).encode()

    @property
    def document(self) -> dict[str, object]:
        """The head without its signature."""
        return {
            "at": self.at,
            "events": self.events,
            "head": self.head,
            "key": self.key_id,
            "purpose": self.purpose.value,
        }

    def with_signature(self, signature: bytes) -> dict[str, object]:
        """The head as it stands in an event's details."""
        return {**self.document, "signature": base64.b64encode(signature).decode()}


class SigningKey:
    """Signs. It never shows itself in a log or a traceback."""

    def __init__(self, seed: bytes) -> None:
        if len(set(seed)) < 8:
            raise ConfigurationError(
                "The audit key is not 32 random bytes.",
                hint="Make one with: python3 -c 'import base64,os; print(base64.b64encode(os.urandom(32)).decode())'",
            )
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self._key.public_key()
        self.key_id = key_id_of(self.public)

    def __repr__(self) -> str:
        return f"SigningKey(key_id={self.key_id!r})"

    @property
    def public_pem(self) -> str:
        """The public key, as other programs read it."""
        return self.public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def signed(self, at: str, events: int, head: str, purpose: Purpose) -> dict[str, object]:
        """A head and its signature, as details of an event."""
        said = Head(at, events, head, self.key_id, purpose)
        return said.with_signature(self._key.sign(said.statement))


class Trust:
    """The public keys whose signatures count."""

    def __init__(self, keys: Iterable[Ed25519PublicKey]) -> None:
        self._keys: Mapping[str, Ed25519PublicKey] = {key_id_of(key): key for key in keys}

    def __bool__(self) -> bool:
        return bool(self._keys)

    def knows(self, key_id: str) -> bool:
        """Whether a key is among them."""
        return key_id in self._keys

    def vouches(self, head: Head, signature: bytes) -> bool:
        """Whether the signature is of one of them, under exactly this head."""
        key = self._keys.get(head.key_id)
        if key is None:
            return False
        try:
            key.verify(signature, head.statement)
        except InvalidSignature:
            return False
        return True


def key_id_of(key: Ed25519PublicKey) -> str:
    """What a key is called: the first 16 hex digits of the SHA-256 of its 32 bytes."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:16]


def head_of(details: Mapping[str, object]) -> tuple[Head, bytes]:
    """A head and its signature, of what :meth:`SigningKey.signed` made.

    Raises:
        ValueError, KeyError, TypeError: it is none.
    """
    at, events, head, key_id = (details[name] for name in ("at", "events", "head", "key"))
    if not (isinstance(at, str) and isinstance(head, str) and isinstance(key_id, str)):
        raise TypeError("not the types of a head")
    if type(events) is not int or len(details) != 6:
        raise TypeError("not the types of a head")
    signature = base64.b64decode(str(details["signature"]), validate=True)
    return Head(at, events, head, key_id, Purpose(str(details["purpose"]))), signature


def export_end(signed: Mapping[str, object]) -> bytes:
    """The last line of an export, of what :meth:`SigningKey.signed` made."""
    return CANONICAL.encode({"end": signed}).encode() + b"\n"


def load_signing_key(settings: Settings, *, may_create: bool) -> SigningKey | None:
    """The audit key from SEAWALL_AUDIT_KEY, or else from its file; None where there is none and none may be made.

    Raises:
        ConfigurationError: the key is malformed, two are given, or others can read the file.
    """
    given = given_key(settings.audit_key, settings.audit_key_file, "SEAWALL_AUDIT_KEY", CALLED)
    if given is not None:
        return SigningKey(given)
    file = KeyFile(settings.resolved_audit_key_file, CALLED, ADVICE)
    key = file.read()
    if key is None and may_create:
        file.make()
        key = file.read()
        if key is None:
            raise AuditKeyMissing(f"The audit key at {file.path} is gone again.")
    return None if key is None else SigningKey(key)


def read_public_key(pem: bytes) -> Ed25519PublicKey:
    """A public key as `seawall audit public-key` prints it.

    Raises:
        BadInput: it is none.
    """
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise BadInput("That file holds no Ed25519 public key (PEM).", hint="`seawall audit public-key` prints one.")
    return key
