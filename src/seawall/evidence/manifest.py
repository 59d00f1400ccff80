"""What a backup's folder holds, and the digests by which it is known whole.

manifest.json     what is here, made last: without it the backup was not finished
manifest.sha256   its digest
database.dump     PostgreSQL's own dump
objects.jsonl     name, SHA-256 and size of each sealed object
objects/          the sealed objects
audit/, keys/     the heads that were noted; keys, if they were asked for
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from seawall.errors import BackupDamaged
from seawall.evidence.key_files import sync

FORMAT = 1
MANIFEST, DIGEST = "manifest.json", "manifest.sha256"
DUMP, OBJECTS, OBJECT_LIST = "database.dump", "objects", "objects.jsonl"
HEADS = "audit/heads.jsonl"
# Whatever the files are called where they come from.
MASTER_KEY, AUDIT_KEY = "keys/master.key", "keys/audit.key"
KNOWN = frozenset({DUMP, OBJECT_LIST, HEADS, MASTER_KEY, AUDIT_KEY})
# Names of objects become paths here, so none is believed that is not of the vault's own kind.
OBJECT_NAME = re.compile(r"evidence/[0-9a-f]{2}/[0-9a-f]{32}")
HEAD = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself. `files` are digests by path; `damaged` are objects that were not in the store as
    they were sealed, and so are not here."""

    format: int
    seawall: str
    made_at: str
    revision: str
    server_version: int
    events: int
    head: str
    master_keys: tuple[str, ...]
    objects: int
    object_bytes: int
    damaged: tuple[str, ...]
    files: dict[str, str]


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One sealed object of a backup."""

    name: str
    sha256: str
    size: int


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Finishes a backup: all else that is in it must outlast a power cut before this says that it is there."""
    _sync(folder)
    text = json.dumps(asdict(manifest), indent=2, ensure_ascii=False).encode() + b"\n"
    for name, data in ((DIGEST, hashlib.sha256(text).hexdigest().encode() + b"\n"), (MANIFEST, text)):
        with new_file(folder / name) as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        sync(folder)


def read_manifest(folder: Path) -> Manifest:
    """What the folder's backup says of itself.

    Raises:
        BackupDamaged: it has no manifest, or one that was changed, or is of another form.
    """
    try:
        text, digest = (folder / MANIFEST).read_bytes(), (folder / DIGEST).read_text("ascii").strip()
    except (OSError, ValueError):
        raise BackupDamaged(f"{folder} holds no finished backup.") from None
    if not secrets.compare_digest(hashlib.sha256(text).hexdigest().encode(), digest.encode()):
        raise BackupDamaged(f"The manifest of {folder} was changed.")
    try:
        document = json.loads(text)
        if document["format"] != FORMAT:
            raise BackupDamaged(
                f"The backup has the form {document['format']!r}, and this Seawall knows {FORMAT}.",
                hint="Restore it with the Seawall that made it.",
            )
        return _manifest_of(document)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise BackupDamaged(f"The manifest of {folder} is not in its form.") from None


def check_backup(folder: Path) -> Manifest:
    """Reads every byte of a backup and compares.

    Raises:
        BackupDamaged: names the first file that is not what was backed up.
    """
    manifest = read_manifest(folder)
    if not {DUMP, OBJECT_LIST} <= manifest.files.keys() <= KNOWN:
        raise BackupDamaged(f"The manifest of {folder} names other files than those of a backup.")
    for name, digest in manifest.files.items():
        if digest_of(folder / name) != digest:
            raise BackupDamaged(f"{name} is not what was backed up.")
    count = 0
    for stored in objects_of(folder):
        count += 1
        if digest_of(folder / OBJECTS / stored.name) != stored.sha256:
            raise BackupDamaged(f"The object {stored.name} is not what was backed up.")
    if count != manifest.objects:
        raise BackupDamaged(f"The backup has {count} objects, and there were {manifest.objects}.")
    return manifest


def objects_of(folder: Path) -> Iterator[StoredObject]:
    """The sealed objects of a backup, streamed.

    Raises:
        BackupDamaged: a line is not in its form.
    """
    with (folder / OBJECT_LIST).open("rb") as stream:
        for line in stream:
            try:
                stored = StoredObject(**json.loads(line))
                _check(stored.name, str)
            except (ValueError, TypeError, RecursionError):
                raise BackupDamaged("The list of objects is not in its form.") from None
            if not OBJECT_NAME.fullmatch(stored.name):
                raise BackupDamaged("The list of objects names what is no object.")
            yield stored


def _manifest_of(document: dict[str, Any]) -> Manifest:
    """Raises:
    ValueError, TypeError: it is none.
    """
    made = Manifest(**document)
    for name in ("seawall", "made_at", "revision", "head"):
        _check(document[name], str)
    for name in ("server_version", "events", "objects", "object_bytes"):
        _check(document[name], int)
    for name in ("master_keys", "damaged"):
        _check(document[name], list)
        for each in document[name]:
            _check(each, str)
    _check(made.files, dict)
    for digest in made.files.values():
        _check(digest, str)
    if not HEAD.fullmatch(made.head):
        raise ValueError("no head")
    return replace(made, master_keys=tuple(made.master_keys), damaged=tuple(made.damaged))


def _check(value: object, kind: type[object]) -> None:
    if type(value) is not kind:
        raise TypeError(f"not of type {kind.__name__}")


def _sync(folder: Path) -> None:
    for path in folder.rglob("*"):
        sync(path)
    sync(folder)
    with suppress(PermissionError):  # of a folder that holds other people's too, which may not be read
        sync(folder.parent)


def digest_of(file: Path) -> str | None:
    """The SHA-256 of a file in hex; None when it cannot be read."""
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return None


def new_file(path: Path) -> BinaryIO:
    """A new file for its owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
