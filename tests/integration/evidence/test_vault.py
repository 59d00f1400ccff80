"""What is sealed lies nowhere in the clear, and opens only as exactly what was sealed."""

from __future__ import annotations

import os
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from seawall.database.sessions import Database
from seawall.engines.objects import Objects, open_objects
from seawall.errors import Conflict, EvidenceError, EvidenceTampered, MasterKeyMissing, NotFound
from seawall.evidence.audit import last_links
from seawall.evidence.master_key import MasterKey, load_master_key
from seawall.evidence.vault import YOUNGEST_ORPHAN, Vault
from seawall.settings import Settings

from .conftest import MakeItems

# Harmless and unmistakable, longer than one segment.
ORIGINAL = b"seawall test evidence, not a picture. " * 40_000
OLDER = timedelta(hours=2)


@pytest.fixture
def objects(settings: Settings) -> Objects:
    return open_objects(settings)


@pytest.fixture
def master_key(settings: Settings) -> MasterKey:
    return load_master_key(settings, may_create=True)


@pytest.fixture
def vault(objects: Objects, master_key: MasterKey) -> Vault:
    return Vault(objects, master_key)


def object_files(settings: Settings) -> list[Path]:
    return sorted(path for path in settings.objects_folder.rglob("*") if path.is_file())


def sealed(database: Database, vault: Vault, case: int, item: int, data: bytes = ORIGINAL) -> tuple[int, str]:
    with database.transaction() as session:
        row = vault.seal(session, case, item, data, "image/png")
    return row.id, row.object_name


def test_what_was_sealed_opens(database: Database, vault: Vault, make_items: MakeItems) -> None:
    case, (first, second) = make_items("a", 2)
    with database.transaction() as session:
        assert not Vault.anything_sealed(session)
    ids = [sealed(database, vault, case, first)[0], sealed(database, vault, case, second, b"")[0]]
    with database.transaction() as session:
        assert Vault.anything_sealed(session)
        assert [vault.open(session, evidence) for evidence in ids] == [ORIGINAL, b""]
        keys = session.execute(text("SELECT count(*) FROM evidence_keys")).scalar()
    assert keys == 1


def test_nothing_of_the_original_lies_in_the_home(
    database: Database, vault: Vault, make_items: MakeItems, settings: Settings
) -> None:
    case, (item,) = make_items("a")
    sealed(database, vault, case, item)
    files = object_files(settings)
    assert len(files) == 1
    for file in (path for path in settings.home.rglob("*") if path.is_file()):
        assert b"seawall test evidence" not in file.read_bytes()
    assert settings.objects_folder.stat().st_mode & 0o077 == 0
    # Whole parts of the path: the names are random, and may well hold the same digit.
    assert str(case) not in files[0].relative_to(settings.objects_folder).parts


def test_the_same_bytes_twice_are_sealed_once(
    database: Database, vault: Vault, make_items: MakeItems, settings: Settings
) -> None:
    case, (item,) = make_items("a")
    assert sealed(database, vault, case, item) == sealed(database, vault, case, item)
    assert len(object_files(settings)) == 1
    with pytest.raises(Conflict):
        sealed(database, vault, case, item, b"other bytes")


@pytest.mark.parametrize("position", [0, 5, 6, 30, 1_000_000, 1_200_000, -1])
def test_a_flipped_bit_is_detected(
    database: Database, vault: Vault, make_items: MakeItems, settings: Settings, position: int
) -> None:
    case, (item,) = make_items("a")
    evidence, _name = sealed(database, vault, case, item)
    file = object_files(settings)[0]
    data = bytearray(file.read_bytes())
    data[position] ^= 1
    file.write_bytes(data)
    with database.transaction() as session, pytest.raises(EvidenceTampered):
        vault.open(session, evidence)


@pytest.mark.parametrize("length", [0, 10, 22, 22 + (1 << 20) + 16, -1])
def test_a_cut_object_is_detected(
    database: Database, vault: Vault, make_items: MakeItems, settings: Settings, length: int
) -> None:
    case, (item,) = make_items("a")
    evidence, _name = sealed(database, vault, case, item)
    file = object_files(settings)[0]
    file.write_bytes(file.read_bytes()[:length])
    # Whoever can also write the database makes the row fit; the object itself still does not verify.
    for statement in (None, "UPDATE evidence SET sealed_sha256 = sha256(:data)"):
        with database.transaction() as session, pytest.raises(EvidenceTampered):
            if statement:
                session.execute(text(statement), {"data": file.read_bytes()})
            vault.open(session, evidence)


def test_a_lost_object_is_detected(
    database: Database, vault: Vault, make_items: MakeItems, settings: Settings
) -> None:
    case, (item,) = make_items("a")
    evidence, _name = sealed(database, vault, case, item)
    object_files(settings)[0].unlink()
    with database.transaction() as session, pytest.raises(EvidenceTampered, match="gone"):
        vault.open(session, evidence)


@pytest.mark.parametrize("same_case", [True, False])
def test_swapped_objects_are_detected_even_when_the_rows_fit(
    database: Database, vault: Vault, make_items: MakeItems, same_case: bool
) -> None:
    first_case, items = make_items("a", 2)
    second_case, others = make_items("b")
    other_item, other_case = (items[1], first_case) if same_case else (others[0], second_case)
    first, _ = sealed(database, vault, first_case, items[0], b"one thing, test data")
    second, _ = sealed(database, vault, other_case, other_item, b"another, test data")
    columns = "object_name, sealed_sha256, sha256, size"
    with database.transaction() as session:
        rows = {row.id: row[1:] for row in session.execute(text(f"SELECT id, {columns} FROM evidence"))}
        session.execute(text("UPDATE evidence SET object_name = 'away' || id"))
        for target, source in ((first, second), (second, first)):
            values = dict(zip("nstz", rows[source], strict=True)) | {"id": target}
            session.execute(
                text(
                    "UPDATE evidence SET object_name = :n, sealed_sha256 = :s, sha256 = :t, size = :z WHERE id = :id"
                ),
                values,
            )
    for evidence in (first, second):
        with database.transaction() as session, pytest.raises(EvidenceTampered):
            vault.open(session, evidence)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE evidence SET sha256 = sha256('x')",
        "UPDATE evidence SET size = size + 1",
        "UPDATE evidence SET sealed_sha256 = sha256('x')",
        "UPDATE evidence_keys SET wrapped = set_byte(wrapped, 20, get_byte(wrapped, 20) # 1)",
        "UPDATE evidence_keys SET wrapped = ''",
        "DELETE FROM evidence_keys",
    ],
)
def test_a_changed_row_is_detected(database: Database, vault: Vault, make_items: MakeItems, statement: str) -> None:
    case, (item,) = make_items("a")
    evidence, _name = sealed(database, vault, case, item)
    with database.transaction() as session, pytest.raises(EvidenceTampered):
        session.execute(text(statement))
        vault.open(session, evidence)


def test_another_master_key_is_named_and_opens_nothing(
    database: Database, vault: Vault, make_items: MakeItems, objects: Objects, master_key: MasterKey
) -> None:
    case, (first, second) = make_items("a", 2)
    evidence, _name = sealed(database, vault, case, first)
    other = Vault(objects, MasterKey(os.urandom(32)))
    for attempt in (
        lambda session: other.open(session, evidence),
        lambda session: other.seal(session, case, second, b"x", None),
        other.check_master_key,
    ):
        with database.transaction() as session, pytest.raises(MasterKeyMissing, match=master_key.key_id):
            attempt(session)
    with database.transaction() as session:
        vault.check_master_key(session)
        session.execute(text("UPDATE evidence_keys SET master_key_id = :id"), {"id": other._master_key.key_id})
    with database.transaction() as session, pytest.raises(EvidenceTampered):
        other.open(session, evidence)


def test_what_is_not_there_is_not_found(database: Database, vault: Vault) -> None:
    with database.transaction() as session, pytest.raises(NotFound):
        vault.open(session, 4711)


def test_items_sealed_at_once_share_the_key_of_the_case(
    database: Database, vault: Vault, make_items: MakeItems
) -> None:
    case, items = make_items("a", 8)
    barrier, ids = threading.Barrier(8), {}

    def seal(item: int) -> None:
        barrier.wait()
        ids[item] = sealed(database, vault, case, item, b"test %d" % item)[0]

    threads = [threading.Thread(target=seal, args=(item,)) for item in items]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.transaction() as session:
        assert {item: vault.open(session, ids[item]) for item in items} == {item: b"test %d" % item for item in items}


def age(settings: Settings, by: timedelta) -> None:
    for file in object_files(settings):
        then = file.stat().st_mtime - by.total_seconds()
        os.utime(file, (then, then))


def leave_orphan(database: Database, vault: Vault, case: int, item: int) -> None:
    with pytest.raises(RuntimeError), database.transaction() as session:
        vault.seal(session, case, item, b"never committed, test data", None)
        raise RuntimeError


def test_an_object_whose_transaction_died_is_found_and_removed(
    database: Database, vault: Vault, make_items: MakeItems, settings: Settings
) -> None:
    case, (first, second) = make_items("a", 2)
    evidence, name = sealed(database, vault, case, first)
    leave_orphan(database, vault, case, second)
    with database.transaction() as session:
        assert list(vault.find_orphans(session, OLDER)) == []
    age(settings, timedelta(hours=3))
    with database.transaction() as session:
        orphans = list(vault.find_orphans(session, OLDER))
    assert len(orphans) == 1
    assert orphans[0] != name
    with database.transaction() as session:
        assert vault.remove_orphans(session, OLDER) == 1
    with database.transaction() as session:
        assert vault.remove_orphans(session, OLDER) == 0
        assert vault.open(session, evidence) == ORIGINAL
        assert [(link.act, link.details) for link in last_links(session, 5)] == [
            ("evidence.remove_orphans", {"count": 1})
        ]
    assert len(object_files(settings)) == 1


def test_a_database_that_forgot_its_evidence_does_not_lose_it(
    database: Database, vault: Vault, make_items: MakeItems, settings: Settings
) -> None:
    case, items = make_items("a", 4)
    for item in items:
        leave_orphan(database, vault, case, item)
    age(settings, timedelta(days=30))
    with database.transaction() as session, pytest.raises(EvidenceError, match="none was deleted"):
        vault.remove_orphans(session, at_most=3)
    assert len(object_files(settings)) == 4


def test_what_may_still_be_committed_is_never_called_an_orphan(database: Database, vault: Vault) -> None:
    with database.transaction() as session, pytest.raises(ValueError, match="hour"):
        list(vault.find_orphans(session, YOUNGEST_ORPHAN - timedelta(seconds=1)))
