"""The master key: it wraps the key of every case and seals small secrets, and is itself kept outside the database.

Nothing is encrypted with the master key directly. Each purpose has a sub-key of its own, derived with HKDF-SHA256, so
that what was sealed for one purpose never opens for another.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import secrets
import stat
from pathlib import Path

import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from seawall.errors import ConfigurationError, EvidenceTampered, MasterKeyMissing
from seawall.settings import Settings

KEY_BYTES = 32
NONCE_BYTES = 12
# The first byte of everything sealed here, so that another construction can follow one day.
FORMAT = b"\x01"
WRAP = b"case-key"

log = structlog.get_logger(__name__)


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
    if settings.master_key is not None:
        if settings.master_key_file is not None:
            raise ConfigurationError(
                "Both SEAWALL_MASTER_KEY and SEAWALL_MASTER_KEY_FILE are set.", hint="Set the one that is meant."
            )
        return MasterKey(_decode(settings.master_key.get_secret_value().encode(), "SEAWALL_MASTER_KEY"))
    file = settings.resolved_master_key_file
    text = _read(file)
    if text is None:
        if not may_create:
            raise MasterKeyMissing(
                f"There is no master key at {file}, but there is evidence that was sealed with one.",
            )
        _create(file)
        text = _read(file)
    if text is None:
        raise MasterKeyMissing(f"The master key at {file} is gone again.")
    return MasterKey(_decode(text, str(file)))


def _decode(text: bytes, where: str) -> bytes:
    """Base64 of either alphabet. The message never holds the text, which may be most of a key."""
    try:
        key = base64.b64decode(text.strip().translate(bytes.maketrans(b"-_", b"+/")), validate=True)
    except binascii.Error:
        key = b""
    if len(key) != KEY_BYTES:
        raise ConfigurationError(
            f"{where} holds no master key: {KEY_BYTES} bytes in base64 are expected.",
            hint="Restore it from its backup. Never replace it while there is evidence that needs it.",
        )
    return key


def _read(file: Path) -> bytes | None:
    """The file's text, or None when there is none. Rights are looked at on the opened file, so that nobody can swap
    it in between."""
    try:
        with file.open("rb") as stream:
            mode = os.fstat(stream.fileno()).st_mode
            if not stat.S_ISREG(mode):
                raise ConfigurationError(f"{file} is no ordinary file.")
            if stat.S_IMODE(mode) & 0o077:
                raise ConfigurationError(
                    f"The master key {file} can be read by others (mode {stat.S_IMODE(mode):04o}).",
                    hint=f"Run `chmod 600 {file}`, and think of who may have read it. A secret store can hand the "
                    "key over in SEAWALL_MASTER_KEY instead.",
                )
            return stream.read(1024)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigurationError(f"The master key {file} cannot be read ({error.strerror}).") from None


def _create(file: Path) -> None:
    """Makes a key file that appears whole or not at all. Where several processes try at once, one file stays."""
    draft = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    try:
        _make_folder(file.parent)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
                stream.flush()
                os.fsync(stream.fileno())
            os.link(draft, file)
        finally:
            draft.unlink()
        _sync_folder(file.parent)
    except FileExistsError:
        return
    except OSError as error:
        raise ConfigurationError(f"The master key cannot be written to {file} ({error.strerror}).") from None
    log.warning(
        "master_key.created",
        file=str(file),
        advice="Back it up somewhere else, apart from the database: without it no sealed evidence can be opened.",
    )


def _make_folder(folder: Path) -> None:
    """Makes the folder private. One that is there already stays as its owner made it, unless others could swap the
    key in it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    mode = folder.stat().st_mode
    if mode & 0o022 and not mode & stat.S_ISVTX:
        raise ConfigurationError(
            f"Others can write to {folder}, where the master key is to lie.", hint=f"Run `chmod 700 {folder}`."
        )


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
