"""Files of secret keys: private, made whole or not at all, and never replaced."""

from __future__ import annotations

import base64
import binascii
import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

import structlog
from pydantic import SecretStr

from seawall.errors import ConfigurationError

KEY_BYTES = 32

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class KeyFile:
    """Where 32 secret bytes lie, in base64.

    `called` is what messages call the key, such as "master key"; `advice` is what to do with a new one.
    """

    path: Path
    called: str
    advice: str

    def read(self) -> bytes | None:
        """The key, or None when there is no file.

        Raises:
            ConfigurationError: it holds no key, or others can read it.
        """
        text = self._text()
        return None if text is None else decode_key(text, str(self.path), self.called)

    def make(self) -> None:
        """Makes the file, whole or not at all. Where several processes try at once, one file stays.

        Raises:
            ConfigurationError: it cannot be written.
        """
        file = self.path
        try:
            put_whole(file, base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
        except FileExistsError:
            return
        except OSError as error:
            raise ConfigurationError(f"The {self.called} cannot be written to {file} ({error.strerror}).") from None
        log.warning(f"{self.called.replace(' ', '_')}.created", file=str(file), advice=self.advice)

    def _text(self) -> bytes | None:
        """The file's text, or None when there is none. Rights are looked at on the opened file, so that nobody can
        swap it in between."""
        try:
            with self.path.open("rb") as stream:
                mode = os.fstat(stream.fileno()).st_mode
                if not stat.S_ISREG(mode):
                    raise ConfigurationError(f"{self.path} is no ordinary file.")
                if stat.S_IMODE(mode) & 0o077:
                    raise ConfigurationError(
                        f"The {self.called} {self.path} can be read by others (mode {stat.S_IMODE(mode):04o}).",
                        hint=f"Run `chmod 600 {self.path}`, and think of who may have read it. A secret store can "
                        f"hand the key over in SEAWALL_{self.called.upper().replace(' ', '_')} instead.",
                    )
                return stream.read(1024)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ConfigurationError(f"The {self.called} {self.path} cannot be read ({error.strerror}).") from None


def given_key(setting: SecretStr | None, file: Path | None, name: str, called: str) -> bytes | None:
    """The key that is given by the setting of this name, or None. `file` is the setting that names a file instead.

    Raises:
        ConfigurationError: it is no key, or both are set.
    """
    if setting is None:
        return None
    if file is not None:
        raise ConfigurationError(f"Both {name} and {name}_FILE are set.", hint="Set the one that is meant.")
    return decode_key(setting.get_secret_value().encode(), name, called)


def put_whole(file: Path, data: bytes) -> None:
    """Makes a private file, whole and on the disk or not at all.

    Raises:
        FileExistsError: there is one of that name, which stays as it is.
        ConfigurationError: others can write to its folder.
        OSError: it cannot be written.
    """
    draft = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    _make_folder(file.parent)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.link(draft, file)
    finally:
        draft.unlink()
    sync(file.parent)


def sync(path: Path) -> None:
    """Waits until a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def decode_key(text: bytes, where: str, called: str) -> bytes:
    """Base64 of either alphabet. The message never holds the text, which may be most of a key.

    Raises:
        ConfigurationError: it is no key.
    """
    try:
        key = base64.b64decode(text.strip().translate(bytes.maketrans(b"-_", b"+/")), validate=True)
    except binascii.Error:
        key = b""
    if len(key) != KEY_BYTES:
        raise ConfigurationError(
            f"{where} holds no {called}: {KEY_BYTES} bytes in base64 are expected.",
            hint="Restore it from its backup. Never replace it while something needs it.",
        )
    return key


def _make_folder(folder: Path) -> None:
    """Makes the folder private. One that is there already stays as its owner made it, unless others could swap the
    key in it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    mode = folder.stat().st_mode
    if mode & 0o022 and not mode & stat.S_ISVTX:
        raise ConfigurationError(
            f"Others can write to {folder}, where a key is to lie.", hint=f"Run `chmod 700 {folder}`."
        )
