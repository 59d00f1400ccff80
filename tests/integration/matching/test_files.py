"""The index in a file: opened instead of loaded, shared, refused when it is not what was written."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import delete, select

from seawall.database.sessions import Database
from seawall.database.tables import Entry, IndexBuild
from seawall.errors import IndexUnavailable, MasterKeyMissing
from seawall.evidence.master_key import load_master_key
from seawall.hashlists import store
from seawall.hashlists.store import ListDefinition
from seawall.matching import checked_files, memory_files
from seawall.matching.keeper import IndexKeeper
from seawall.matching.sealed_files import is_sealed
from seawall.matching.segment_files import open_file
from seawall.records import SYSTEM, Digests, EntryDraft, Fingerprint, Frame
from seawall.settings import Settings

FEW = 100
PATIENCE_S = 120.0


def hashes(count: int, seed: int = 1) -> list[bytes]:
    random = np.random.default_rng(seed)
    return [random.bytes(32) for _ in range(count)]


def put(database: Database, values: list[bytes], name: str = "Test list") -> None:
    drafts = [EntryDraft(line, pdq=value, sha256=value[::-1]) for line, value in enumerate(values, 1)]
    with database.transaction() as session:
        store.import_entries(session, name, drafts, actor=SYSTEM, definition=ListDefinition(is_test=True))


def knows(keeper: IndexKeeper, value: bytes) -> bool:
    near = keeper.lookup(Fingerprint(Digests(), frames=(Frame(0, (value,), 100),)), 0)
    exact = keeper.lookup(Fingerprint(Digests(sha256=value[::-1])), 0)
    assert [match.entry_id for match in near] == [match.entry_id for match in exact]
    return bool(near)


def wait_until(true: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)


@pytest.fixture
def keeper_of(database: Database, settings: Settings) -> Iterator[Callable[..., IndexKeeper]]:
    keepers: list[IndexKeeper] = []

    def start(**changed: object) -> IndexKeeper:
        keepers.append(IndexKeeper(database, settings.model_copy(update=changed), fewest_rows=FEW))
        keepers[-1].start()
        return keepers[-1]

    yield start
    for keeper in keepers:
        keeper.close()


@pytest.fixture
def built(database: Database, keeper_of: Callable[[], IndexKeeper]) -> list[bytes]:
    """Entries that lie in a file."""
    values = hashes(300)
    put(database, values)
    keeper = keeper_of()
    wait_until(lambda: keeper.file is not None)
    assert keeper.sizes.delta_rows == 0
    keeper.close()
    return values


def segment(settings: Settings) -> Path:
    (path,) = settings.index_folder.glob("*.segment")
    return path


def test_a_restart_opens_the_file_and_asks_only_for_what_is_new(
    database: Database, settings: Settings, built: list[bytes], keeper_of: Callable[[], IndexKeeper]
) -> None:
    new = hashes(3, seed=2)
    put(database, new)
    with database.transaction() as session:
        gone = session.scalars(select(Entry.id).where(Entry.pdq == built[7])).one()
        store.remove_entry(session, gone, SYSTEM)
    keeper = keeper_of()
    assert keeper.file is not None
    assert (keeper.sizes.delta_rows, keeper.sizes.dead_rows) == (3, 1)
    assert all(knows(keeper, value) for value in [*built[:7], *built[8:], *new])
    assert not knows(keeper, built[7])
    assert settings.index_folder.stat().st_mode & 0o777 == 0o700
    assert segment(settings).stat().st_mode & 0o777 == 0o600


def test_all_processes_take_a_new_file_into_use(
    database: Database, settings: Settings, built: list[bytes], keeper_of: Callable[[], IndexKeeper]
) -> None:
    first, second = keeper_of(), keeper_of()
    more = hashes(400, seed=3)
    put(database, more, "Another test list")
    for keeper in (first, second):
        wait_until(lambda keeper=keeper: keeper.sizes.delta_rows == 0 and keeper.sizes.rows == 700)
        assert all(knows(keeper, value) for value in [*built, *more])
    assert segment(settings).exists(), "the older file is gone"


@pytest.mark.parametrize("harm", ["cut", "empty", "turned", "manifest", "gone"])
def test_a_file_that_is_not_what_was_written_is_not_believed(
    settings: Settings, built: list[bytes], keeper_of: Callable[[], IndexKeeper], harm: str
) -> None:
    path, manifest = segment(settings), settings.index_folder / "manifest.json"
    body = path.read_bytes()
    if harm == "cut":
        path.write_bytes(body[: len(body) // 2])
    elif harm == "empty":
        path.write_bytes(b"")
    elif harm == "turned":
        path.write_bytes(body[:-200] + bytes([body[-200] ^ 1]) + body[-199:])
    elif harm == "manifest":
        manifest.write_text("{")
    else:
        path.unlink()
    keeper = keeper_of()
    assert all(knows(keeper, value) for value in built)
    wait_until(lambda: keeper.file is not None)
    assert all(knows(keeper, value) for value in built)


COLUMNS = ("entry_ids", "slots", "flags", "classes", "pdq", "pdq_rows", "sha256_tops", "sha256", "sha256_rows")


@pytest.mark.parametrize("column", COLUMNS)
def test_a_file_in_which_anything_turned_over_answers_nothing(
    settings: Settings, built: list[bytes], keeper_of: Callable[[], IndexKeeper], column: str
) -> None:
    """The description is right and a column is not: no answer comes from it, and it is made anew."""
    path = segment(settings)
    array = open_file(path).columns[column]
    damaged = bytearray(path.read_bytes())
    place = bytes(damaged).index(array.tobytes())
    for byte in range(place, place + array.nbytes):
        damaged[byte] ^= 0x55
    path.write_bytes(damaged)
    keeper = keeper_of()
    assert all(knows(keeper, value) for value in built)
    wait_until(lambda: keeper.file is not None)
    assert all(knows(keeper, value) for value in built)
    assert path.name != segment(settings).name


def test_what_breaks_while_it_is_not_looked_at_is_noticed(
    settings: Settings, built: list[bytes], keeper_of: Callable[[], IndexKeeper], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a disk gives back other bytes than before: the file looks untouched, and is in use meanwhile."""
    monkeypatch.setattr(checked_files, "is_checked", lambda *_: True)
    path = segment(settings)
    body = bytearray(path.read_bytes())
    place = bytes(body).index(built[0])
    for byte in range(place, place + 32):
        body[byte] ^= 0xFF
    path.write_bytes(body)
    keeper = keeper_of()

    def mended() -> bool:
        try:
            return keeper.file is not None and knows(keeper, built[0])
        except (IndexUnavailable, AssertionError):
            return False

    wait_until(mended)
    assert all(knows(keeper, value) for value in built)


def test_files_of_another_database_are_not_used(
    database: Database, built: list[bytes], keeper_of: Callable[[], IndexKeeper]
) -> None:
    """As after restoring a backup from before the file was built: other changes may have the same numbers."""
    with database.transaction() as session:
        session.execute(delete(IndexBuild))
        session.execute(delete(Entry).where(Entry.pdq == built[0]))
    keeper = keeper_of()
    assert not knows(keeper, built[0])
    assert all(knows(keeper, value) for value in built[1:])


def test_a_folder_that_cannot_be_written_costs_only_the_file(
    database: Database, settings: Settings, keeper_of: Callable[[], IndexKeeper]
) -> None:
    settings.index_folder.write_text("a file stands where the folder should")
    values = hashes(300)
    put(database, values)
    keeper = keeper_of()
    time.sleep(1)
    assert keeper.file is None
    assert all(knows(keeper, value) for value in values)


def test_a_full_disk_leaves_what_there_was(
    database: Database,
    settings: Settings,
    built: list[bytes],
    keeper_of: Callable[[], IndexKeeper],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import os

    tried = threading.Event()

    def full(*_: object) -> None:
        tried.set()
        raise OSError(28, "No space left on device")

    before = segment(settings)
    monkeypatch.setattr(os, "posix_fallocate", full)
    more = hashes(400, seed=4)
    put(database, more)
    keeper = keeper_of()
    assert tried.wait(PATIENCE_S)
    keeper.close()
    assert segment(settings) == before
    assert not list(settings.index_folder.glob("*.part"))
    assert all(knows(keeper, value) for value in [*built, *more])


def test_only_one_of_two_builds(settings: Settings, built: list[bytes], database: Database) -> None:
    from seawall.matching.shelf import Shelf

    shelf, other = Shelf(settings.index_folder, database), Shelf(settings.index_folder, database)
    with shelf.writing() as mine, other.writing() as too:
        assert (mine, too) == (True, False)
    with other.writing() as later:
        assert later


def test_a_build_that_was_broken_off_is_swept_away(
    database: Database, settings: Settings, built: list[bytes], keeper_of: Callable[[], IndexKeeper]
) -> None:
    (settings.index_folder / "entries-9-x.segment.part").write_bytes(b"half")
    shutil.copy(segment(settings), settings.index_folder / "entries-1-old.segment")
    keeper = keeper_of()
    put(database, hashes(400, seed=5))
    wait_until(lambda: keeper.sizes.rows == 700 and keeper.sizes.delta_rows == 0)
    keeper.close()
    assert sorted(path.name for path in settings.index_folder.iterdir()) == sorted(
        ["checked.json", "lock", "manifest.json", segment(settings).name]
    )


# ------------------------------------------------------------------------------------------------------- sealed

needs_memory_files = pytest.mark.skipif(not memory_files.possible(), reason="Linux has memory-backed files")


@pytest.fixture
def sealed(settings: Settings) -> dict[str, object]:
    """What to change of the settings so that files are sealed; the home has a master key."""
    load_master_key(settings, may_create=True)
    return {"index_sealed": True}


def lying_plain(settings: Settings) -> list[str]:
    return [path.name for path in settings.index_folder.glob("*.segment*") if not is_sealed(path)]


@needs_memory_files
def test_switching_makes_the_files_anew_and_leaves_none_of_the_other_kind(
    settings: Settings, built: list[bytes], keeper_of: Callable[..., IndexKeeper], sealed: dict[str, object]
) -> None:
    for changed, plain in ((sealed, 0), ({}, 1), (sealed, 0)):
        keeper = keeper_of(**changed)
        assert all(knows(keeper, value) for value in built)
        wait_until(lambda keeper=keeper: keeper.file is not None)
        assert all(knows(keeper, value) for value in built)
        keeper.close()
        assert len(lying_plain(settings)) == plain
        assert len(list(settings.index_folder.glob("*.segment"))) == 1


@needs_memory_files
def test_a_plain_file_is_gone_as_soon_as_files_are_to_be_sealed(
    database: Database, settings: Settings, built: list[bytes], sealed: dict[str, object]
) -> None:
    """Even when there are too few entries, or no room, for another."""
    IndexKeeper(database, settings.model_copy(update=sealed))
    assert list(settings.index_folder.glob("*.segment*")) == []


@needs_memory_files
def test_a_restart_opens_the_sealed_file_and_asks_only_for_what_is_new(
    database: Database,
    settings: Settings,
    built: list[bytes],
    keeper_of: Callable[..., IndexKeeper],
    sealed: dict[str, object],
) -> None:
    first = keeper_of(**sealed)
    wait_until(lambda: first.file is not None)
    first.close()
    new = hashes(3, seed=2)
    put(database, new)
    second = keeper_of(**sealed)
    assert second.file is not None
    assert second.file.file.memory is not None
    assert second.sizes.delta_rows == 3
    assert all(knows(second, value) for value in [*built, *new])


@needs_memory_files
@pytest.mark.parametrize("harm", ["another master key", "a bit"])
def test_a_sealed_file_that_does_not_open_is_made_anew(
    settings: Settings,
    built: list[bytes],
    keeper_of: Callable[..., IndexKeeper],
    sealed: dict[str, object],
    harm: str,
) -> None:
    first = keeper_of(**sealed)
    wait_until(lambda: first.file is not None)
    first.close()
    before = segment(settings)
    if harm == "a bit":
        body = bytearray(before.read_bytes())
        body[len(body) // 2] ^= 1
        before.write_bytes(body)
        (settings.index_folder / memory_files.OPENED).unlink()
    else:
        settings.resolved_master_key_file.unlink()
        load_master_key(settings, may_create=True)
    keeper = keeper_of(**sealed)
    assert all(knows(keeper, value) for value in built)
    wait_until(lambda: keeper.file is not None)
    assert segment(settings) != before
    assert lying_plain(settings) == []


@needs_memory_files
def test_without_a_master_key_nothing_is_opened(database: Database, settings: Settings) -> None:
    with pytest.raises(MasterKeyMissing):
        IndexKeeper(database, settings.model_copy(update={"index_sealed": True}))
