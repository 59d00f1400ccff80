"""The ledger in files: nothing is missed, whatever happened meanwhile, and files that are wrong are refused."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import psycopg
import pytest
from pydantic import SecretStr
from sqlalchemy import func, select, text, update

from seawall import flow, late
from seawall.database.migrate import upgrade
from seawall.database.sessions import Database
from seawall.database.tables import CaseItem, Content, IndexBuild, Walk
from seawall.engines import postgres
from seawall.errors import IndexUnavailable
from seawall.evidence import master_key
from seawall.matching import ledger_search
from seawall.matching.expiry import expire
from seawall.matching.ledger_keeper import LedgerKeeper
from seawall.matching.partitions import first_id
from seawall.records import SYSTEM, ContentState, EntryDraft, HashArrival, MediaArrival
from seawall.rooms import Rooms
from seawall.runtime import Runtime
from seawall.settings import Settings
from tests.integration.test_flow import encoded, picture, put_on_list, runtime

__all__ = ["runtime"]

RANDOM = np.random.default_rng(8)
MIB = 1 << 20


@pytest.fixture
def rooms(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rooms]:
    """Rooms whose ledger goes into files from its first row on, and is always searched by the child."""
    monkeypatch.setattr(ledger_search, "COMPARED_HERE", -1)
    keeper = LedgerKeeper(runtime.database, runtime.settings, fewest_rows=1)
    yield replace(runtime.rooms, ledger=keeper)
    keeper.close()


def published(rooms: Rooms, *names: str) -> dict[str, bytes]:
    """Contents that are found on no list, by name with their PDQ hash."""
    hashes = {name: RANDOM.bytes(32) for name in names}
    for name, pdq in hashes.items():
        answer = flow.judge_hashes(rooms, HashArrival(name, account_id=f"account-{name}", pdq=pdq, pdq_quality=90))
        assert answer.verdict == "allow"
    return hashes


def listed(runtime: Runtime, pdq: bytes, name: str = "Test list") -> None:
    put_on_list(runtime, EntryDraft(1, pdq=pdq, pdq_quality=90), name=name)


def state(rooms: Rooms, name: str) -> str | None:
    with rooms.database.transaction() as session:
        return session.scalar(select(Content.state).where(Content.content_id == name))


def names(rooms: Rooms) -> list[str]:
    files = rooms.ledger.shelf.open()
    return [] if files is None else [file.path.name for file in files.files]


def settle(keeper: LedgerKeeper) -> None:
    while keeper.tend():
        pass


def test_what_lies_in_files_is_found_and_acted_on_once(runtime: Runtime, rooms: Rooms) -> None:
    hashes = published(rooms, "c1", "c2")
    settle(rooms.ledger)
    assert len(names(rooms)) == 1
    folder = runtime.settings.index_folder / "ledger"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.glob("*.segment")} == {0o600}
    near = bytes([hashes["c1"][0] ^ 0xFF, *hashes["c1"][1:]])
    listed(runtime, near)
    said: list[late.Progress] = []
    assert late.walk(rooms, say=said.append).matches == 1
    assert [(progress.parts_done, progress.matches) for progress in said] == [(1, 1), (2, 1), (3, 1), (4, 1)]
    assert (state(rooms, "c1"), state(rooms, "c2")) == (ContentState.HELD, ContentState.PUBLISHED)
    assert late.walk(rooms, lists=("Test list",), anew=True).matches == 0
    with rooms.database.transaction() as session:
        assert session.scalar(select(func.count()).select_from(CaseItem)) == 1
        walk = late.recent(session)[0]
        assert (walk.rows_done, walk.rows_total, len(walk.done)) == (2, 2, 4)


def test_frames_and_orientations_are_found_in_files(runtime: Runtime, rooms: Rooms) -> None:
    frames = [picture(seed, (240, 180)) for seed in (31, 32)]
    body = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    flow.judge_media(rooms, MediaArrival("c1", body))
    flow.judge_media(rooms, MediaArrival("c2", encoded(picture(33).rotate(90, expand=True))))
    settle(rooms.ledger)
    second = rooms.decoders.fingerprint(body).frames[1]
    upright = rooms.decoders.fingerprint(encoded(picture(33))).frames[0]
    listed(runtime, second.pdq)
    listed(runtime, upright.pdq, "Another test list")
    assert late.walk(rooms).matches == 2


def test_what_was_written_since_is_added_and_small_files_are_joined(runtime: Runtime, rooms: Rooms) -> None:
    hashes: dict[str, bytes] = {}
    for number in range(4):
        hashes |= published(rooms, f"c{number}")
        rooms.ledger.tend()
    settle(rooms.ledger)
    assert len(names(rooms)) == 1
    hashes |= published(rooms, "young")
    for name, pdq in hashes.items():
        listed(runtime, pdq, name)
    assert late.walk(rooms).matches == 5
    files = {path.name for path in (runtime.settings.index_folder / "ledger").glob("*.segment")}
    assert files == set(names(rooms))
    with rooms.database.transaction() as session:
        assert session.scalar(select(func.count()).select_from(IndexBuild)) == 1


def test_a_transaction_that_is_open_while_files_are_built(runtime: Runtime, rooms: Rooms) -> None:
    """Its number is lower than that of rows that are in the file already."""
    insert = text(
        "INSERT INTO content (content_id, identity, surface, sha256, frames, verdict, reasons, policy_version, state)"
        " VALUES ('slow', 'x', 'upload', :sha256, '[]', 'allow', '[]', 'p', 'published')"
    )
    with rooms.database.transaction() as slow:
        slow.execute(insert, {"sha256": b"\7" * 32})
        published(rooms, "c1")
        settle(rooms.ledger)
    published(rooms, "c2")
    settle(rooms.ledger)
    put_on_list(runtime, EntryDraft(1, sha256=b"\7" * 32))
    assert late.walk(rooms).matches == 1
    assert state(rooms, "slow") == ContentState.BLOCKED


def test_a_row_that_is_written_again_is_found_as_it_is_now(runtime: Runtime, rooms: Rooms) -> None:
    before = published(rooms, "c1")["c1"]
    settle(rooms.ledger)
    after = RANDOM.bytes(32)
    with rooms.database.transaction() as session:
        frames = [{"number": 0, "pdq": after.hex(), "quality": 90}]
        values = {"pdq": after, "frames": frames, "written_in": text("pg_current_xact_id()")}
        session.execute(update(Content).values(values))
    listed(runtime, before)
    assert late.walk(rooms).matches == 0
    listed(runtime, after, "Another test list")
    assert late.walk(rooms).matches == 1


def test_what_was_held_when_files_were_built_and_is_shown_now(runtime: Runtime, rooms: Rooms) -> None:
    """Its fingerprint was not written again, only its state."""
    pdq = published(rooms, "c1")["c1"]
    with rooms.database.transaction() as session:
        session.execute(update(Content).values(state="held"))
    settle(rooms.ledger)
    with rooms.database.transaction() as session:
        session.execute(update(Content).values(state="released"))
    listed(runtime, pdq)
    assert late.walk(rooms).matches == 1


def test_files_forget_what_the_ledger_forgot(runtime: Runtime, rooms: Rooms) -> None:
    hashes = published(rooms, "old", "cased", "young")
    old = first_id(date(2025, 1, 10))
    with rooms.database.transaction() as session:
        session.execute(text("UPDATE content SET id = :id WHERE content_id = 'old'"), {"id": old})
        session.execute(text("UPDATE content SET id = :id WHERE content_id = 'cased'"), {"id": old + 1})
    settle(rooms.ledger)
    listed(runtime, hashes["cased"])
    assert late.walk(rooms).matches == 1
    with rooms.database.transaction() as session:
        session.execute(text("UPDATE content SET judged_at = '2025-01-10' WHERE content_id <> 'young'"))
    (before,) = names(rooms)
    expire(rooms.database, 30, SYSTEM)
    assert (state(rooms, "old"), state(rooms, "cased")) == (None, ContentState.HELD)
    settle(rooms.ledger)
    files = rooms.ledger.shelf.open()
    assert files is not None
    assert (files.rows, names(rooms) == [before]) == (2, False)
    assert hashes["old"] not in files.files[0].path.read_bytes()
    assert hashes["cased"] in files.files[0].path.read_bytes()
    assert not rooms.ledger.tend()


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4100] ^= 1  # in the second column
    path.write_bytes(content)


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 100)


def manifest_of(path: Path) -> Path:
    return path.with_name("manifest.json")


@pytest.mark.parametrize(
    "damage",
    [
        flip,
        cut,
        Path.unlink,
        lambda path: manifest_of(path).write_text("{"),
        lambda path: manifest_of(path).write_text('{"format": 99}'),
        lambda path: manifest_of(path).write_text(manifest_of(path).read_text().replace("ledger-", "../ledger-")),
    ],
    ids=["a byte", "cut off", "gone", "manifest", "another format", "another folder"],
)
def test_what_is_damaged_is_refused_and_made_anew(
    runtime: Runtime, rooms: Rooms, damage: Callable[[Path], object]
) -> None:
    pdq = published(rooms, "c1")["c1"]
    settle(rooms.ledger)
    before = names(rooms)
    damage(runtime.settings.index_folder / "ledger" / before[0])
    listed(runtime, pdq)
    assert late.walk(rooms).matches == 1
    settle(rooms.ledger)
    assert names(rooms)
    assert names(rooms) != before


@pytest.mark.parametrize(
    "changed", [{"cluster": "another"}, {"horizon": 1 << 50}, {"token": "00" * 16}], ids=["cluster", "count", "token"]
)
def test_files_of_another_database_are_refused(runtime: Runtime, rooms: Rooms, changed: dict[str, object]) -> None:
    pdq = published(rooms, "c1")["c1"]
    settle(rooms.ledger)
    manifest = runtime.settings.index_folder / "ledger" / "manifest.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), **changed, "files": []}))
    assert rooms.ledger.shelf.open() is None
    listed(runtime, pdq)
    assert late.walk(rooms).matches == 1


def test_a_full_or_closed_folder_costs_the_files_only(runtime: Runtime, rooms: Rooms) -> None:
    pdq = published(rooms, "c1")["c1"]
    runtime.settings.index_folder.mkdir(exist_ok=True)
    (runtime.settings.index_folder / "ledger").write_text("in the way")
    assert not rooms.ledger.tend()
    listed(runtime, pdq)
    assert late.walk(rooms).matches == 1


def test_a_child_that_dies_ends_the_walk_and_the_next_goes_on(
    runtime: Runtime, rooms: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashes = published(rooms, "c1")
    settle(rooms.ledger)
    listed(runtime, hashes["c1"])
    process = rooms.ledger.process()
    monkeypatch.setattr(rooms.ledger, "process", lambda: process)
    with pytest.raises(IndexUnavailable):
        late.walk(rooms, say=lambda _: process.end())
    with rooms.database.transaction() as session:
        assert late.due(session)
    monkeypatch.undo()
    assert late.walk(rooms).entries == 1
    with rooms.database.transaction() as session:
        assert session.scalars(select(Walk.state).where(Walk.reason == "list change")).all() == ["finished"]
        assert session.scalar(select(func.count()).select_from(CaseItem)) == 1


def test_files_can_lie_sealed(runtime: Runtime, rooms: Rooms) -> None:
    master_key.load_master_key(runtime.settings, may_create=True)
    pdq = published(rooms, "c1")["c1"]
    settle(rooms.ledger)
    plain = names(rooms)
    keeper = LedgerKeeper(runtime.database, runtime.settings.model_copy(update={"index_sealed": True}), fewest_rows=1)
    sealed = replace(rooms, ledger=keeper)
    settle(keeper)
    folder = runtime.settings.index_folder / "ledger"
    assert names(sealed)
    assert names(sealed) != plain
    assert all(pdq not in path.read_bytes() for path in folder.iterdir())
    listed(runtime, pdq)
    assert late.walk(sealed).matches == 1
    keeper.close()


def test_the_child_is_told_no_secret(rooms: Rooms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEAWALL_DATABASE_URL", "postgresql://secret@127.0.0.1/x")
    with rooms.ledger.process() as process:
        child = process._started()
        variables = Path(f"/proc/{child.pid}/environ").read_bytes()
        assert b"SEAWALL" not in variables
        assert b"secret" not in variables


def copy_all(source: str, target: str) -> None:
    """What dumping one database and restoring it in another does: every table as it is, then the sequences."""
    tables = (
        "SELECT oid::regclass::text FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " AND relkind IN ('r', 'p') AND NOT relispartition"
    )
    with psycopg.connect(source) as one, psycopg.connect(target) as other:
        other.execute("SET session_replication_role = replica")
        for (name,) in one.execute(tables).fetchall():
            if other.execute(f"SELECT EXISTS (SELECT FROM {name})").fetchone() == (True,):
                other.execute(f"DELETE FROM {name}")
        for (name,) in one.execute(tables).fetchall():
            with (
                one.cursor().copy(f"COPY (SELECT * FROM {name}) TO STDOUT") as out,
                other.cursor().copy(f"COPY {name} FROM STDIN") as into,
            ):
                for data in out:
                    into.write(data)
        for name, value in one.execute("SELECT sequencename, last_value FROM pg_sequences").fetchall():
            if value is not None:
                other.execute("SELECT setval(%s::regclass, %s)", [name, value])


class TestRestoredDump:
    """A database that was restored into another cluster keeps transaction numbers that are still to come there."""

    @pytest.fixture
    def elsewhere(self, runtime: Runtime, settings: Settings) -> Iterator[Callable[[], Database]]:
        other = Settings(home=settings.home.with_name(f"{settings.home.name}-b"), decoder_processes=1)
        opened = []

        def restored() -> Database:
            opened.append(Database(postgres.embedded(other)))
            upgrade(opened[0])
            copy_all(runtime.database.url, opened[0].url)
            return opened[0]

        yield restored
        for database in opened:
            database.close()
        postgres.stop(other)
        shutil.rmtree(other.home, ignore_errors=True)

    def test_uploads_after_it_do_not_slip_through(
        self, runtime: Runtime, rooms: Rooms, elsewhere: Callable[[], Database]
    ) -> None:
        with rooms.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(
                text("DO $$ BEGIN FOR n IN 1..4000 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$")
            )
        hashes = published(rooms, "c1")
        listed(runtime, RANDOM.bytes(32))
        late.walk(rooms)
        late.stragglers(rooms)
        settle(rooms.ledger)
        database = elsewhere()
        moved = runtime.settings.model_copy(update={"database_url": SecretStr(database.url)})
        with Runtime(moved) as other:
            keeper = LedgerKeeper(database, moved, fewest_rows=1)
            there = replace(other.rooms, ledger=keeper)
            assert keeper.shelf.open() is None
            late.stragglers(there)
            before = there.index.generation
            insert = text(
                "INSERT INTO content (content_id, identity, surface, sha256, frames, verdict, reasons,"
                " policy_version, state, generation) VALUES"
                " ('late', 'x', 'upload', :sha256, '[]', 'allow', '[]', 'p', 'published', :generation)"
            )
            put_on_list(other, EntryDraft(1, sha256=b"\7" * 32), name="Another test list")
            late.walk(there)
            with database.transaction() as session:
                session.execute(insert, {"sha256": b"\7" * 32, "generation": before})
            assert late.stragglers(there) == 1
            settle(keeper)
            hashes |= published(there, "c2")
            listed(other, hashes["c1"], "Third test list")
            listed(other, hashes["c2"], "Fourth test list")
            assert late.walk(there).matches == 2
