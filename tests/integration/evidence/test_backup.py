"""Back up, lose everything, restore: all is there again, and a damaged backup is not believed."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from sqlalchemy import text

from seawall.database.migrate import HEAD, current_revision
from seawall.database.sessions import Database
from seawall.database.tables import Evidence
from seawall.engines.objects import Objects, open_objects
from seawall.errors import BackupDamaged, BadInput, ConfigurationError, Conflict, DatabaseUnavailable
from seawall.evidence import heads, restoring
from seawall.evidence.backing_up import back_up
from seawall.evidence.key_files import put_whole
from seawall.evidence.manifest import DIGEST, MANIFEST, Manifest, check_backup, objects_of
from seawall.evidence.master_key import load_master_key
from seawall.evidence.restoring import restore
from seawall.evidence.vault import Vault
from seawall.records import Actor
from seawall.settings import Settings
from tests.integration.evidence.conftest import MakeItems
from tests.integration.evidence.test_audit import grow

OPERATOR = Actor("cli", "test")
ORIGINALS = (b"seawall test evidence, not a picture. " * 100, b"", b"another test file")


@contextmanager
def empty_database(address: str, name: str) -> Iterator[Database]:
    """A database beside the test's own, with nothing in it."""
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
        database = Database(urlsplit(address)._replace(path=f"/{name}").geturl())
        try:
            yield database
        finally:
            database.close()
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture
def sealed(database: Database, settings: Settings, make_items: MakeItems) -> list[int]:
    """Three pieces of evidence of two cases, a chain with a signed head, and what follows it."""
    vault = Vault(open_objects(settings), load_master_key(settings, may_create=True))
    (one, items), (other, more) = make_items("a", 2), make_items("b")
    with database.transaction() as session:
        places = [(one, items[0]), (one, items[1]), (other, more[0])]
        ids = [
            vault.seal(session, case, item, data, "image/png").id
            for (case, item), data in zip(places, ORIGINALS, strict=True)
        ]
    grow(database, 3)
    heads.sign(database, settings)
    grow(database, 2)
    return ids


@pytest.fixture
def backup(database: Database, settings: Settings, sealed: list[int], tmp_path: Path) -> Path:
    assert sealed
    folder = tmp_path / "backup"
    back_up(database, open_objects(settings), settings, OPERATOR, folder, with_keys=False)
    return folder


def test_everything_is_lost_and_restored(
    database: Database, settings: Settings, sealed: list[int], backup: Path, tmp_path: Path
) -> None:
    made = check_backup(backup)
    assert (made.objects, made.events, made.revision, made.damaged) == (3, 7, HEAD, ())
    private = [backup, *(path for path in backup.rglob("*") if path.is_file())]
    assert {path.stat().st_mode & 0o077 for path in private} == {0}
    new = Settings(home=tmp_path / "new")
    objects = open_objects(new)
    key = settings.resolved_master_key_file.read_bytes()
    assert all(key.strip() not in path.read_bytes() for path in backup.rglob("*") if path.is_file())
    audit_key = settings.resolved_audit_key_file
    for file in (new.resolved_master_key_file, new.resolved_audit_key_file):
        file.parent.mkdir(exist_ok=True, mode=0o700)
        file.touch(mode=0o600)
    new.resolved_master_key_file.write_bytes(key)
    new.resolved_audit_key_file.write_bytes(audit_key.read_bytes())
    shutil.rmtree(settings.home)
    with empty_database(database.url, "restored") as restored:
        done = restore(restored, objects, new, OPERATOR, backup)
        assert (done.report.ok, done.report.events, done.report.signed) == (True, 7, 3)
        assert current_revision(restored) == HEAD
        vault = Vault(objects, load_master_key(new, may_create=False))
        with restored.transaction() as session:
            assert [vault.open(session, evidence) for evidence in sealed] == list(ORIGINALS)
            assert heads.prove(session, new).events == 8
            acts = session.scalars(text("SELECT act FROM audit_events ORDER BY number DESC LIMIT 2")).all()
            assert acts == ["backup.restore", "backup.make"]
        grow(restored, 1)  # the trigger, the sequences and the jobs' tables came along
        with pytest.raises(Conflict, match="not empty"):
            restore(restored, objects, new, OPERATOR, backup)


def flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(bytes(data))


def listed_without_one(backup: Path) -> None:
    file = backup / "objects.jsonl"
    file.write_bytes(file.read_bytes().split(b"\n", 1)[1])


DAMAGES: dict[str, Callable[[Path], None]] = {
    "dump": lambda backup: flip(backup / "database.dump"),
    "dump gone": lambda backup: (backup / "database.dump").unlink(),
    "object": lambda backup: flip(backup / "objects" / next(objects_of(backup)).name),
    "object gone": lambda backup: (backup / "objects" / next(objects_of(backup)).name).unlink(),
    "list": listed_without_one,
    "heads": lambda backup: flip(backup / "audit" / "heads.jsonl"),
    "manifest": lambda backup: flip(backup / MANIFEST),
    "digest": lambda backup: flip(backup / DIGEST),
    "unfinished": lambda backup: (backup / MANIFEST).unlink(),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_backup_is_refused_before_anything_is_touched(
    damage: str, backup: Path, database: Database, tmp_path: Path
) -> None:
    DAMAGES[damage](backup)
    new = Settings(home=tmp_path / "new")
    # The place is not empty, which would be told if it were looked at.
    with pytest.raises(BackupDamaged):
        restore(database, open_objects(new), new, OPERATOR, backup)


def forge(backup: Path, **changed: object) -> None:
    """A manifest that says something else, with its digest put right."""
    document = json.loads((backup / MANIFEST).read_bytes()) | changed
    data = json.dumps(document).encode()
    (backup / MANIFEST).write_bytes(data)
    (backup / DIGEST).write_text(hashlib.sha256(data).hexdigest())


@pytest.mark.parametrize(
    "changed",
    [
        {"format": 2},
        {"format": []},
        {"files": {}},
        {"files": {"../../etc/passwd": "00"}},
        {"files": {"/etc/passwd": "00"}},
        {"revision": "9999"},
        {"more": 1},
        {"objects": 4},
    ],
)
def test_a_manifest_of_another_kind_is_refused(
    backup: Path, database: Database, tmp_path: Path, changed: dict[str, object]
) -> None:
    forge(backup, **changed)
    new = Settings(home=tmp_path / "new")
    with pytest.raises(BackupDamaged):
        restore(database, open_objects(new), new, OPERATOR, backup)


def test_no_name_leads_out_of_the_backup(backup: Path) -> None:
    line = json.dumps({"name": "evidence/../../../x", "sha256": "0" * 64, "size": 1}).encode() + b"\n"
    (backup / "objects.jsonl").write_bytes(line)
    files = json.loads((backup / MANIFEST).read_bytes())["files"]
    forge(backup, files=files | {"objects.jsonl": hashlib.sha256(line).hexdigest()})
    with pytest.raises(BackupDamaged, match="names what is no object"):
        check_backup(backup)


def test_nothing_is_overwritten(database: Database, settings: Settings, sealed: list[int], backup: Path) -> None:
    assert sealed
    objects = open_objects(settings)
    with pytest.raises(BadInput, match="not empty"):
        back_up(database, objects, settings, OPERATOR, backup, with_keys=False)
    with pytest.raises(Conflict, match="database is not empty"):
        restore(database, objects, settings, OPERATOR, backup)
    objects.put_new("evidence/aa/" + "b" * 32, b"other evidence")
    with empty_database(database.url, "other_evidence") as empty:
        with pytest.raises(Conflict, match="not in the backup"):
            restore(empty, objects, settings, OPERATOR, backup)
        assert current_revision(empty) is None


class DyingStore(Objects):
    """A store that goes away after one object."""

    left = 1

    def put_new(self, name: str, data: bytes) -> None:
        if self.left == 0:
            raise DatabaseUnavailable("test")
        self.left -= 1
        super().put_new(name, data)


def test_restoring_goes_on_where_it_stopped(database: Database, backup: Path, tmp_path: Path) -> None:
    new = Settings(home=tmp_path / "new")
    objects = open_objects(new)
    dying = DyingStore(objects._store, new.objects_folder)
    with empty_database(database.url, "stopped") as empty:
        with pytest.raises(DatabaseUnavailable):
            restore(empty, dying, new, OPERATOR, backup)
        assert current_revision(empty) is None
        assert len(list(objects.names())) == 1
        assert restore(empty, objects, new, OPERATOR, backup).report.ok
        assert len(list(objects.names())) == 3


def test_a_restore_that_dies_late_has_everything_in_its_place(
    database: Database, settings: Settings, sealed: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It dies before the database is filled, and goes on; it dies right after, and lacks nothing."""
    assert sealed
    folder = tmp_path / "backup"
    back_up(database, open_objects(settings), settings, OPERATOR, folder, with_keys=True)
    new = Settings(home=tmp_path / "new")

    def die(*_arguments: object) -> None:
        raise DatabaseUnavailable("test")

    with empty_database(database.url, "died_late") as restored:
        for step in ("fill", "upgrade"):
            with monkeypatch.context() as patched, pytest.raises(DatabaseUnavailable):
                patched.setattr(restoring, step, die)
                restore(restored, open_objects(new), new, OPERATOR, folder)
            assert new.resolved_audit_key_file.read_bytes() == settings.resolved_audit_key_file.read_bytes()
            assert new.resolved_master_key_file.read_bytes() == settings.resolved_master_key_file.read_bytes()
            assert new.audit_heads_file.read_bytes() == settings.audit_heads_file.read_bytes()
        with pytest.raises(Conflict, match="not empty") as caught:
            restore(restored, open_objects(new), new, OPERATOR, folder)
        assert "died after the database was filled" in str(caught.value.hint)
        with restored.transaction() as session:
            report = heads.prove(session, new)
        assert (report.ok, report.signatures) == (True, 1)
    kept = {path.name for path in new.home.rglob("*") if path.is_file() and new.objects_folder not in path.parents}
    assert kept == {"master.key", "audit.key", "heads.jsonl"}  # and no draft of them


def test_a_backup_is_on_the_disk_before_it_says_that_it_is_whole(
    database: Database, settings: Settings, sealed: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sealed
    folder = tmp_path / "backup"
    synced: set[str] = set()
    real = os.fsync

    def fsync(descriptor: int) -> None:
        real(descriptor)
        if not (folder / MANIFEST).exists():
            synced.add(os.readlink(f"/proc/self/fd/{descriptor}"))

    monkeypatch.setattr(os, "fsync", fsync)
    back_up(database, open_objects(settings), settings, OPERATOR, folder, with_keys=True)
    assert {str(path) for path in (folder, *folder.rglob("*")) if path.name != MANIFEST} <= synced


class AnyName(Objects):
    """A store that has an object under every name."""

    def get(self, name: str) -> bytes:
        return super().get(name) if name.startswith("evidence/") else b"test"


def test_no_name_in_the_database_leads_out_of_the_backup(
    database: Database, settings: Settings, sealed: list[int], tmp_path: Path
) -> None:
    out = str(tmp_path / "out")
    with database.transaction() as session:
        row = session.get_one(Evidence, sealed[0])
        row.object_name, row.sealed_sha256 = out, hashlib.sha256(b"test").digest()
    objects = AnyName(open_objects(settings)._store, settings.objects_folder)
    made = back_up(database, objects, settings, OPERATOR, tmp_path / "backup", with_keys=False)
    assert (made.damaged, made.objects, Path(out).exists()) == ((out,), 2, False)


def test_keys_have_their_own_names_in_a_backup(
    database: Database, settings: Settings, sealed: list[int], tmp_path: Path
) -> None:
    """Both are called the same where they come from."""
    assert sealed
    places = {"master_key_file": tmp_path / "a" / "the.key", "audit_key_file": tmp_path / "b" / "the.key"}
    sources = (settings.resolved_master_key_file, settings.resolved_audit_key_file)
    for place, source in zip(places.values(), sources, strict=True):
        put_whole(place, source.read_bytes())
    folder, named = tmp_path / "backup", settings.model_copy(update=places)
    back_up(database, open_objects(named), named, OPERATOR, folder, with_keys=True)
    new = Settings(home=tmp_path / "new")
    with empty_database(database.url, "named") as restored:
        assert restore(restored, open_objects(new), new, OPERATOR, folder).report.signatures == 1
    assert new.resolved_master_key_file.read_bytes() == places["master_key_file"].read_bytes()
    files = json.loads((folder / MANIFEST).read_bytes())["files"]
    (folder / "keys" / "audit.key").rename(folder / "keys" / "the.key")
    forge(folder, files={"keys/the.key" if name == "keys/audit.key" else name: said for name, said in files.items()})
    with pytest.raises(BackupDamaged, match="other files"):
        check_backup(folder)


def test_what_is_not_as_it_was_sealed_is_named_and_left_out(
    database: Database, settings: Settings, sealed: list[int], tmp_path: Path
) -> None:
    assert sealed
    gone, changed, _ = sorted(path for path in settings.objects_folder.rglob("*") if path.is_file())
    gone.unlink()
    flip(changed)
    made: Manifest = back_up(
        database, open_objects(settings), settings, OPERATOR, tmp_path / "backup", with_keys=False
    )
    names = {path.relative_to(settings.objects_folder).as_posix() for path in (gone, changed)}
    assert (set(made.damaged), made.objects) == (names, 1)
    assert check_backup(tmp_path / "backup").objects == 1


def test_keys_are_there_only_when_asked_for_and_come_back(
    database: Database, settings: Settings, sealed: list[int], tmp_path: Path
) -> None:
    folder = tmp_path / "backup"
    back_up(database, open_objects(settings), settings, OPERATOR, folder, with_keys=True)
    new = Settings(home=tmp_path / "new")
    objects = open_objects(new)
    with empty_database(database.url, "with_keys") as restored:
        assert restore(restored, objects, new, OPERATOR, folder).report.signatures == 1
        assert new.resolved_master_key_file.stat().st_mode & 0o777 == 0o600
        vault = Vault(objects, load_master_key(new, may_create=False))
        with restored.transaction() as session:
            assert vault.open(session, sealed[0]) == ORIGINALS[0]
    new.resolved_master_key_file.write_bytes(b"another")
    with empty_database(database.url, "other_key") as empty, pytest.raises(Conflict, match="Another key"):
        restore(empty, objects, new, OPERATOR, folder)
    given = Settings(home=settings.home, master_key="A" * 43 + "=")  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError):
        back_up(database, open_objects(given), given, OPERATOR, tmp_path / "other", with_keys=True)


def test_an_older_backup_says_what_is_lost(
    database: Database, settings: Settings, sealed: list[int], backup: Path
) -> None:
    assert sealed
    grow(database, 3)
    heads.sign(database, settings)
    with empty_database(database.url, "older") as restored:
        report = restore(restored, open_objects(settings), settings, OPERATOR, backup).report
    assert report.first_problem is not None
    assert report.first_problem.code == "truncated"


def test_the_commands_work_with_the_embedded_postgresql(tmp_path: Path) -> None:
    """From a home that nobody has used to another, with nothing set but SEAWALL_HOME."""
    with tempfile.TemporaryDirectory(prefix="seawall-") as short:
        first, second, folder = Path(short) / "a", Path(short) / "b", tmp_path / "backup"

        def seawall(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
            environment = {**os.environ, "SEAWALL_HOME": str(home)}
            command = [sys.executable, "-m", "seawall.cli.main", *arguments]
            return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)

        assert seawall(first, "keys", "create", "test-key", "--scope", "judge").returncode == 0
        made = seawall(first, "backup", str(folder))
        assert made.returncode == 0, made.stderr
        assert seawall(first, "restore", str(folder)).returncode == 6
        restored = seawall(second, "restore", str(folder))
        assert restored.returncode == 0, restored.stderr
        assert "The hashes of the audit chain hold. No signature was looked at" in restored.stdout
        assert "test-key" in seawall(second, "keys", "list").stdout
        flip(folder / "database.dump")
        assert seawall(second, "restore", str(folder)).returncode == 7
