"""A package that leaves the house: files in a ZIP, encrypted to its recipients as it is made (age, version 1).

Nothing of it lies anywhere in plaintext: one file at a time is in memory, goes through the ZIP and the encryption,
and what reaches the disk is age's ciphertext alone. Files are stored in the ZIP as they are.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, cast

import pyrage

from seawall.errors import BadInput, EvidenceError, SeawallError

MOST_RECIPIENTS = 5
MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: the digest and size of the ciphertext, and the digest of the manifest in it."""

    sha256: bytes
    size: int
    manifest_sha256: bytes


@dataclass(frozen=True, slots=True)
class Member:
    """One file of the package, and what the manifest says of it beside its digests."""

    path: str
    data: bytes
    told: dict[str, object]


def checked_recipients(texts: Sequence[str]) -> list[str]:
    """Public keys of age, each once.

    Raises:
        BadInput: there is none, there are too many, or one is no such key.
    """
    found = list(dict.fromkeys(text.strip() for text in texts))
    if not 0 < len(found) <= MOST_RECIPIENTS:
        raise BadInput(f"A package has 1 to {MOST_RECIPIENTS} recipients.", hint="Name each by --to age1...")
    for text in found:
        try:
            pyrage.x25519.Recipient.from_str(text)
        except pyrage.RecipientError:
            raise BadInput(
                "A recipient is no public key of age.",
                hint="They begin with age1. Ask the recipient for theirs, and compare it by telephone.",
            ) from None
    return found


def write(
    sink: BinaryIO, recipients: Sequence[str], head: dict[str, object], members: Iterable[Member], at: datetime
) -> Written:
    """Writes the package into `sink`; the manifest comes last.

    Args:
        head: what the manifest says of the whole.
        members: made one by one, as they are needed.

    Raises:
        SeawallError: whatever `members` raised; what has reached the sink is then no package, to be thrown away.
    """
    archive = _Archive(head, members, at)
    source = _Source(archive.chunks())
    counted = _Counted(sink)
    keys = [pyrage.x25519.Recipient.from_str(text) for text in recipients]
    try:
        pyrage.encrypt_io(source, counted, keys)
    except pyrage.EncryptError as error:
        if source.failed is not None:  # the library tells of it in its own words
            raise source.failed from None
        raise EvidenceError(f"The package could not be encrypted: {error}") from None
    return Written(counted.digest.digest(), counted.size, archive.manifest_sha256)


class _Archive:
    """The ZIP, as it is made. `manifest_sha256` is there at the end."""

    def __init__(self, head: dict[str, object], members: Iterable[Member], at: datetime) -> None:
        self._head, self._members, self._at = head, members, at
        self.manifest_sha256 = b""

    def chunks(self) -> Iterator[bytes]:
        """Its bytes, a member at a time."""
        parts = _Parts()
        files: list[dict[str, object]] = []
        with zipfile.ZipFile(cast("BinaryIO", parts), "w", zipfile.ZIP_STORED) as archive:
            for member in self._members:
                archive.writestr(_info(member.path, self._at), member.data)
                files.append({"path": member.path, "size": len(member.data), **_digests(member.data), **member.told})
                yield from parts.taken()
            manifest = json.dumps({**self._head, "files": files}, ensure_ascii=False, indent=1)
            data = manifest.encode("utf-8", "replace")
            self.manifest_sha256 = hashlib.sha256(data).digest()
            archive.writestr(_info(MANIFEST, self._at), data)
        yield from parts.taken()


def _info(path: str, at: datetime) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(path, at.timetuple()[:6])
    info.external_attr = 0o600 << 16
    return info


def _digests(data: bytes) -> dict[str, str]:
    return {
        "md5": hashlib.md5(data, usedforsecurity=False).hexdigest(),
        "sha256": hashlib.sha256(data).hexdigest(),
    }


class _Parts:
    """What a ZIP writes into: it can only go forward."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        """Keeps them until they are taken."""
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing waits anywhere else."""

    def taken(self) -> Iterator[bytes]:
        """What has come since the last time."""
        parts, self._parts = self._parts, []
        yield from parts


class _Source:
    """What the encryption reads from. `failed` is what went wrong while it was made, in its own words."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._waiting = memoryview(b"")
        self.failed: SeawallError | OSError | None = None

    def read(self, size: int = -1) -> bytes:
        """At most so many bytes; none at the end."""
        while not self._waiting:
            try:
                self._waiting = memoryview(next(self._chunks))
            except StopIteration:
                return b""
            except (SeawallError, OSError) as error:
                self.failed = error
                raise
        taken = self._waiting if size < 0 else self._waiting[:size]
        self._waiting = self._waiting[len(taken) :]
        return bytes(taken)


class _Counted:
    """What the encryption writes into."""

    def __init__(self, sink: BinaryIO) -> None:
        self._sink = sink
        self.digest = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> int:
        """Counts and hands on."""
        self.digest.update(data)
        self.size += len(data)
        self._sink.write(data)
        return len(data)

    def flush(self) -> None:
        """Hands on."""
        self._sink.flush()
