"""Restoring a backup into an empty place: checked before anything is touched, and after all is there.

Objects are put back first, then the keys and the noted heads, each whole or not at all, and the database last, in one
transaction: whatever dies before that, the place is still without a database, and restoring again goes on where it
stopped. What dies after it has everything in its place.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from seawall.database.migrate import HEAD, upgrade
from seawall.database.sessions import Database, psycopg_connection
from seawall.engines.objects import ObjectStore
from seawall.engines.postgres_programs import restore as fill
from seawall.errors import BackupDamaged, ConfigurationError, Conflict, EvidenceError
from seawall.evidence import audit, heads
from seawall.evidence.key_files import put_whole
from seawall.evidence.manifest import (
    AUDIT_KEY,
    DUMP,
    HEADS,
    MASTER_KEY,
    OBJECTS,
    Manifest,
    check_backup,
    objects_of,
)
from seawall.evidence.proving import AuditReport
from seawall.evidence.vault import PREFIX
from seawall.records import Actor
from seawall.settings import Settings


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored, and whether its audit chain holds."""

    manifest: Manifest
    report: AuditReport


def restore(database: Database, objects: ObjectStore, settings: Settings, actor: Actor, folder: Path) -> Restored:
    """Puts a backup where nothing is, brings it to the newest schema, and verifies the audit chain.

    Raises:
        BackupDamaged: the backup is not whole, or of a newer Seawall; nothing was touched.
        Conflict: there is something already in the database, the object store, or instead of a key.
        ConfigurationError: a key or the noted heads cannot be written to their place.
        EvidenceError: the chain that was restored is not the one that was backed up.
    """
    manifest = check_backup(folder)
    if manifest.revision > HEAD:
        raise BackupDamaged(
            "The backup was made by a newer Seawall.", hint=f"Restore it with Seawall {manifest.seawall}."
        )
    version = _empty_database(database)
    files = _keys_to_put_back(settings, folder, manifest)
    if HEADS in manifest.files and not settings.audit_heads_file.exists():
        files.append((folder / HEADS, settings.audit_heads_file))
    _put_objects(objects, folder)
    for source, file in files:
        _put_file(source, file)
    fill(database.url, version, folder / DUMP)
    upgrade(database)
    with database.transaction() as session:
        expected = bytes.fromhex(manifest.head) if manifest.events else None
        report = heads.prove(session, settings, expected_head=expected)
    if report.ok and report.events != manifest.events:
        raise EvidenceError(
            f"The chain that was restored has {report.events} events, and {manifest.events} were backed up."
        )
    with database.transaction() as session:
        details = {"made_at": manifest.made_at, "events": manifest.events, "objects": manifest.objects}
        audit.append(session, actor, "backup.restore", "database:all", details)
    return Restored(manifest, report)


def _empty_database(database: Database) -> int:
    """The server's version; Conflict where there is any table."""
    with database.transaction() as session:
        tables = session.scalar(
            text(
                "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                " WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema')"
                " AND n.nspname NOT LIKE 'pg_toast%'"
            )
        )
        if tables:
            raise Conflict(
                "The database is not empty, and nothing is overwritten.",
                hint="Restore into another SEAWALL_HOME, or an empty database (SEAWALL_DATABASE_URL). If a restore "
                "into this one died after the database was filled, all is back: `seawall audit verify` shows it.",
            )
        return psycopg_connection(session).info.server_version


def _keys_to_put_back(settings: Settings, folder: Path, manifest: Manifest) -> list[tuple[Path, Path]]:
    """Key files of the backup and where they go; those that lie there already are left as they are."""
    found = []
    places = {MASTER_KEY: settings.resolved_master_key_file, AUDIT_KEY: settings.resolved_audit_key_file}
    for name, file in places.items():
        if name not in manifest.files:
            continue
        source = folder / name
        if not file.exists():
            found.append((source, file))
        elif file.read_bytes() != source.read_bytes():
            raise Conflict(
                f"Another key lies at {file}.", hint="Move it away, if what the backup holds is to be opened."
            )
    return found


def _put_file(source: Path, file: Path) -> None:
    try:
        put_whole(file, source.read_bytes())
    except OSError as error:
        raise ConfigurationError(
            f"{file} cannot be written ({error.strerror}).", hint="Let Seawall write there, and restore again."
        ) from None


def _put_objects(objects: ObjectStore, folder: Path) -> None:
    known = {stored.name for stored in objects_of(folder)}
    present = {name for name, _ in objects.names(PREFIX)}
    if present - known:
        raise Conflict(
            "The object store holds evidence that is not in the backup, and nothing is overwritten.",
            hint="Restore into another SEAWALL_HOME, or an empty store (SEAWALL_OBJECTS_URL).",
        )
    for stored in objects_of(folder):
        if stored.name not in present:
            objects.put_new(stored.name, (folder / OBJECTS / stored.name).read_bytes())
        elif hashlib.sha256(objects.get(stored.name)).hexdigest() != stored.sha256:
            raise Conflict(f"The object store holds another object named {stored.name}.")
