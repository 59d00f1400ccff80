"""What an operator can do to the folder of the index: share it wrongly, forbid it, set the clock."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import numpy as np
import psycopg
import pytest

from seawall.database.sessions import Database
from seawall.hashlists import store
from seawall.hashlists.store import ListDefinition
from seawall.matching.keeper import IndexKeeper
from seawall.records import SYSTEM, Digests, EntryDraft, Fingerprint, Frame
from seawall.settings import Settings

FEW = 100
PATIENCE_S = 120.0
RANDOM = np.random.default_rng(21)
ONE = [RANDOM.bytes(32) for _ in range(2 * FEW)]
OTHER = [RANDOM.bytes(32) for _ in range(2 * FEW)]


def put(database: Database, values: list[bytes]) -> None:
    drafts = [EntryDraft(line, pdq=value) for line, value in enumerate(values, 1)]
    with database.transaction() as session:
        store.import_entries(session, "Test list", drafts, actor=SYSTEM, definition=ListDefinition(is_test=True))


def known(keeper: IndexKeeper, values: list[bytes]) -> int:
    prints = [Fingerprint(Digests(), frames=(Frame(0, (value,), 100),)) for value in values]
    return sum(bool(matches) for matches in keeper.lookup_many(prints, 0))


def in_file(keeper: IndexKeeper, rows: int = 2 * FEW) -> bool:
    """Whether it has a file of its own database in use, after waiting for it."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        if keeper.file is not None and keeper.file.file.meta["rows"] == rows and keeper.sizes.delta_rows == 0:
            return True
        time.sleep(0.05)
    return False


@pytest.fixture
def another_database(database: Database, postgres_address: str) -> Iterator[Database]:
    name = f"{database.engine.url.database}_other"
    with psycopg.connect(postgres_address.replace("/seawall?", "/postgres?"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE seawall STRATEGY FILE_COPY")
        other = Database(postgres_address.replace("/seawall?", f"/{name}?"))
        yield other
        other.close()
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_two_servers_of_two_databases_on_one_folder(
    database: Database, another_database: Database, settings: Settings
) -> None:
    """A mistake, in which each takes the other's file away. Neither ever answers by the other's."""
    put(database, ONE)
    put(another_database, OTHER)
    with (
        IndexKeeper(database, settings, fewest_rows=FEW) as one,
        IndexKeeper(another_database, settings, fewest_rows=FEW) as other,
    ):
        assert in_file(one) or in_file(other)
        for _ in range(20):
            assert (known(one, ONE), known(one, OTHER)) == (len(ONE), 0)
            assert (known(other, OTHER), known(other, ONE)) == (len(OTHER), 0)
            time.sleep(0.05)
    for mine, values, strange in ((database, ONE, OTHER), (another_database, OTHER, ONE)):
        with IndexKeeper(mine, settings, fewest_rows=FEW) as again:
            assert (known(again, values), known(again, strange)) == (len(values), 0)


def test_a_folder_in_which_nothing_can_be_written_is_read_all_the_same(
    database: Database, settings: Settings
) -> None:
    put(database, ONE)
    with IndexKeeper(database, settings, fewest_rows=FEW) as keeper:
        assert in_file(keeper)
    for name in ("lock", "checked.json", "opened", "manifest.json.part"):
        path = settings.index_folder / name
        path.unlink(missing_ok=True)
        path.mkdir()
    put(database, [*ONE, *OTHER])
    with IndexKeeper(database, settings, fewest_rows=FEW) as keeper:
        assert keeper.file is not None, "what is there is used, after it was compared"
        assert known(keeper, [*ONE, *OTHER]) == len(ONE) + len(OTHER)
        time.sleep(1)
        assert keeper.sizes.delta_rows == len(OTHER), "and no other is built"


@pytest.mark.parametrize("moment", [0, 4_000_000_000])
def test_a_clock_that_jumps(database: Database, settings: Settings, moment: int) -> None:
    """Nothing goes by the time of day: files from the future or from 1970 are as good as any."""
    put(database, ONE)
    with IndexKeeper(database, settings, fewest_rows=FEW) as keeper:
        assert in_file(keeper)
        for path in settings.index_folder.iterdir():
            os.utime(path, (moment, moment))
        put(database, [*ONE, *OTHER])
        assert in_file(keeper, len(ONE) + len(OTHER)), "a newer one takes its place"
        assert known(keeper, [*ONE, *OTHER]) == len(ONE) + len(OTHER)
    for path in settings.index_folder.iterdir():
        os.utime(path, (moment, moment))
    with IndexKeeper(database, settings, fewest_rows=FEW) as keeper:
        assert keeper.file is not None
        assert known(keeper, [*ONE, *OTHER]) == len(ONE) + len(OTHER)
