"""The master key: it wraps the key of every case and seals small secrets, and is itself kept outside the database.

Nothing is encrypted with the master key directly. Each purpose has a sub-key of its own, derived with HKDF-SHA256, so
that what was sealed for one purpose never opens for another.
"""

from __future__ import annotations

import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from seawall.errors import ConfigurationError, EvidenceTampered, MasterKeyMissing
from seawall.evidence.key_files import KEY_BYTES, KeyFile, given_key
from seawall.settings import Settings

NONCE_BYTES = 12
# The first byte of everything sealed here, so that another construction can follow one day.
FORMAT = b"\x01"
WRAP = b"case-key"
CALLED = "master key"
ADVICE = "Back it up somewhere else, apart from the database: without it no sealed evidence can be opened."


class MasterKey:
    """32 secret bytes, and what is done with them. It never shows itself in a log or a traceback."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES or len(set(key)) < 8:
            raise ConfigurationError(
                f"The master key is not {KEY_BYTES} random bytes.",
                hint="Make one with: python3 -c 'import base64,os; print(base64.b64encode(os.urandom(32)).decode())'",
            )
        self._key = key
        self.key_id = self._derive(b"key-id")[:8].hex()

    def __repr__(self) -> str:
        return f"MasterKey(key_id={self.key_id!r})"

    def wrap(self, key: bytes, *, case_id: int) -> bytes:
        """The key of a case, encrypted, and bound to that case."""
        return self._encrypt(WRAP, key, WRAP + case_id.to_bytes(8))

    def unwrap(self, wrapped: bytes, *, case_id: int) -> bytes:
        """The key of a case.

        Raises:
            EvidenceTampered: it was changed, or belongs to another case or master key.
        """
        return self._decrypt(WRAP, wrapped, WRAP + case_id.to_bytes(8))

    def seal(self, data: bytes, purpose: bytes) -> bytes:
        """A small secret (a webhook's signing secret) encrypted for one purpose: version byte, nonce, ciphertext."""
        return self._encrypt(b"secret:" + purpose, data, purpose)

    def open(self, sealed: bytes, purpose: bytes) -> bytes:
        """What :meth:`seal` was given.

        Raises:
            EvidenceTampered: it was changed, or was sealed for another purpose or with another master key.
        """
        return self._decrypt(b"secret:" + purpose, sealed, purpose)

    def tag(self, data: bytes, purpose: bytes) -> bytes:
        """32 bytes that follow from the data, and that nobody can tell who lacks the key (HMAC-SHA256)."""
        return hmac.digest(self._derive(b"tag:" + purpose), data, "sha256")

    def _encrypt(self, label: bytes, data: bytes, aad: bytes) -> bytes:
        nonce = secrets.token_bytes(NONCE_BYTES)
        return FORMAT + nonce + AESGCM(self._derive(label)).encrypt(nonce, data, FORMAT + aad)

    def _decrypt(self, label: bytes, sealed: bytes, aad: bytes) -> bytes:
        head, nonce, rest = sealed[:1], sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
        try:
            if head != FORMAT or len(rest) < 16:
                raise InvalidTag
            return AESGCM(self._derive(label)).decrypt(nonce, rest, FORMAT + aad)
        except InvalidTag:
            raise EvidenceTampered(
                f"A sealed secret does not open with master key {self.key_id}: it was changed, or is another's."
            ) from None

    def _derive(self, label: bytes) -> bytes:
        return HKDF(SHA256(), KEY_BYTES, salt=None, info=b"seawall/1/" + label).derive(self._key)


def load_master_key(settings: Settings, *, may_create: bool) -> MasterKey:
    """The master key from SEAWALL_MASTER_KEY, or else from its file.

    Args:
        may_create: whether a missing file is made. Only ever true when nothing was sealed yet; otherwise a new key
            would hide that the one that opens the evidence is lost.

    Raises:
        MasterKeyMissing: there is no key, and none may be made.
        ConfigurationError: the key is malformed, two are given, or others can read the file.
    """
    given = given_key(settings.master_key, settings.master_key_file, "SEAWALL_MASTER_KEY", CALLED)
    if given is not None:
        return MasterKey(given)
    file = KeyFile(settings.resolved_master_key_file, CALLED, ADVICE)
    key = file.read()
    if key is None:
        if not may_create:
            raise MasterKeyMissing(
                f"There is no master key at {file.path}, but there is evidence that was sealed with one.",
            )
        file.make()
        key = file.read()
    if key is None:
        raise MasterKeyMissing(f"The master key at {file.path} is gone again.")
    return MasterKey(key)
