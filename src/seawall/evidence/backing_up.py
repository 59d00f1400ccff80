"""Backups: the database and the sealed objects that it names, as they are at one moment, with a digest of each.

The database's dump and the list of objects come of one snapshot. Objects are never overwritten, so that each may be
copied later. The keys stay out: whoever finds a backup finds nothing that opens.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from seawall import __version__
from seawall.database.migrate import current_revision
from seawall.database.sessions import Database, psycopg_connection
from seawall.database.tables import AuditEvent, Evidence, EvidenceKey, now
from seawall.engines.objects import ObjectStore
from seawall.engines.postgres_programs import dump
from seawall.errors import BadInput, ConfigurationError, NotFound
from seawall.evidence import audit
from seawall.evidence.events import GENESIS, instant
from seawall.evidence.manifest import (
    AUDIT_KEY,
    DUMP,
    FORMAT,
    HEADS,
    MASTER_KEY,
    OBJECT_LIST,
    OBJECT_NAME,
    OBJECTS,
    Manifest,
    StoredObject,
    digest_of,
    new_file,
    write_manifest,
)
from seawall.records import Actor
from seawall.settings import Settings

PAGE = 500


def back_up(
    database: Database, objects: ObjectStore, settings: Settings, actor: Actor, folder: Path, *, with_keys: bool
) -> Manifest:
    """Makes a backup in a new folder, and puts that on record first, so that the record is in it.

    Raises:
        BadInput: the folder holds something already, or cannot be made.
        ConfigurationError: keys were asked for, and are not in files.
        DatabaseUnavailable, ObjectStoreUnavailable: it was not finished; what is there is no backup.
    """
    keys = _key_files(settings) if with_keys else {}
    _make_empty(folder)
    with database.transaction() as session:
        audit.append(session, actor, "backup.make", "database:all", {"with_keys": with_keys})
    try:
        # Before the snapshot, so that the chain in it contains all heads that are noted.
        if settings.audit_heads_file.exists():
            _copy(settings.audit_heads_file, folder / HEADS)
        for name, file in keys.items():
            _copy(file, folder / name)
        with database.transaction() as session:
            manifest = _in_snapshot(session, database, objects, folder)
        write_manifest(folder, manifest)
    except OSError as error:
        raise BadInput(
            f"The backup cannot be written to {folder} ({error.strerror}).", hint="Choose another place."
        ) from None
    return manifest


def _in_snapshot(session: Session, database: Database, objects: ObjectStore, folder: Path) -> Manifest:
    session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
    snapshot = str(session.scalar(text("SELECT pg_export_snapshot()")))
    version = psycopg_connection(session).info.server_version
    with new_file(folder / DUMP):
        pass  # the dump holds names of accounts and hash lists: nobody else may read it, from the first byte on
    dump(database.url, version, snapshot, folder / DUMP)
    count, size, damaged = _copy_objects(session, objects, folder)
    last = session.execute(
        select(AuditEvent.number, AuditEvent.hash).order_by(AuditEvent.number.desc()).limit(1)
    ).one_or_none()
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and folder / OBJECTS not in path.parents)
    return Manifest(
        format=FORMAT,
        seawall=__version__,
        made_at=instant(now()),
        revision=str(current_revision(database)),
        server_version=version,
        events=last.number if last is not None else 0,
        head=(bytes(last.hash) if last is not None else GENESIS).hex(),
        master_keys=tuple(session.scalars(select(EvidenceKey.master_key_id).distinct())),
        objects=count,
        object_bytes=size,
        damaged=damaged,
        files={path.relative_to(folder).as_posix(): str(digest_of(path)) for path in files},
    )


def _copy_objects(session: Session, objects: ObjectStore, folder: Path) -> tuple[int, int, tuple[str, ...]]:
    """How many were copied, of how many bytes, and the names of those that are not what was sealed."""
    count = size = last = 0
    damaged: list[str] = []
    page = select(Evidence.id, Evidence.object_name, Evidence.sealed_sha256).order_by(Evidence.id).limit(PAGE)
    with new_file(folder / OBJECT_LIST) as listed:
        while rows := session.execute(page.where(Evidence.id > last)).all():
            for row in rows:
                data = _fetch(objects, row.object_name)
                if data is None or hashlib.sha256(data).digest() != row.sealed_sha256:
                    damaged.append(row.object_name)
                    continue
                with new_file(folder / OBJECTS / row.object_name) as stream:
                    stream.write(data)
                stored = StoredObject(row.object_name, bytes(row.sealed_sha256).hex(), len(data))
                listed.write(json.dumps(asdict(stored)).encode() + b"\n")
                count, size = count + 1, size + len(data)
            last = rows[-1].id
    return count, size, tuple(damaged)


def _fetch(objects: ObjectStore, name: str) -> bytes | None:
    """The object; None where there is none, or its name is none that the vault gave."""
    if not OBJECT_NAME.fullmatch(name):
        return None
    try:
        return objects.get(name)
    except NotFound:
        return None


def _key_files(settings: Settings) -> dict[str, Path]:
    """The key files that there are, by what they are called in the backup."""
    if settings.master_key is not None or settings.audit_key is not None:
        raise ConfigurationError(
            "Keys that come from the environment are not put into a backup.",
            hint="Back them up where they come from, and make the backup without --with-keys.",
        )
    files = {MASTER_KEY: settings.resolved_master_key_file, AUDIT_KEY: settings.resolved_audit_key_file}
    return {name: file for name, file in files.items() if file.exists()}


def _make_empty(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if any(folder.iterdir()):
            raise BadInput(f"{folder} is not empty.", hint="Choose another folder; nothing is overwritten.")
        folder.chmod(0o700)
    except OSError as error:
        raise BadInput(f"{folder} cannot be made ({error.strerror}).", hint="Choose another place.") from None


def _copy(source: Path, to: Path) -> None:
    with new_file(to) as stream:
        stream.write(source.read_bytes())
