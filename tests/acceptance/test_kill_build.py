"""kill -9 at every point of building an index file, and a full disk: the next answers as comparing all."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from seawall.database.sessions import Database
from seawall.database.tables import Entry
from seawall.evidence.master_key import load_master_key
from seawall.hashlists import store
from seawall.hashlists.store import ListDefinition
from seawall.matching import memory_files
from seawall.matching.keeper import IndexKeeper
from seawall.matching.sealed_files import is_sealed
from seawall.records import SYSTEM, Digests, EntryDraft, Fingerprint, Frame
from seawall.settings import Settings
from tests.acceptance.killed_build import FEW, POINTS

CHILD = Path(__file__).with_name("killed_build.py")
PATIENCE_S = 120
SEALED = pytest.mark.skipif(not memory_files.possible(), reason="Linux has memory-backed files")
WAYS = [pytest.param(False, id="plain"), pytest.param(True, id="sealed", marks=SEALED)]


def put(database: Database, values: list[bytes]) -> None:
    drafts = [EntryDraft(line, pdq=value, sha256=value[::-1]) for line, value in enumerate(values, 1)]
    with database.transaction() as session:
        store.import_entries(session, "Test list", drafts, actor=SYSTEM, definition=ListDefinition(is_test=True))


def remove(database: Database, values: list[bytes]) -> None:
    with database.transaction() as session:
        for entry_id in session.scalars(select(Entry.id).where(Entry.pdq.in_(values))).all():
            store.remove_entry(session, entry_id, SYSTEM)


def near(one: bytes, other: bytes) -> int:
    return (int.from_bytes(one) ^ int.from_bytes(other)).bit_count()


def changed(value: bytes, bits: int, seed: int) -> bytes:
    number = int.from_bytes(value)
    for bit in np.random.default_rng(seed).choice(256, bits, replace=False).tolist():
        number ^= 1 << bit
    return number.to_bytes(32)


def answers_as_comparing_all(keeper: IndexKeeper, database: Database, asked: list[bytes]) -> None:
    """Asks for hashes at many distances of what is and what was there, and for digests."""
    with database.transaction() as session:
        there = {row.id: row.pdq for row in session.scalars(select(Entry).where(Entry.removed_at.is_(None)))}
    for number, value in enumerate(asked):
        query = changed(value, number % 34, number)
        found = keeper.lookup(Fingerprint(Digests(), frames=(Frame(0, (query,), 100),)), 0)
        expected = {entry: near(query, pdq) for entry, pdq in there.items() if pdq and near(query, pdq) <= 31}
        assert {match.entry_id: match.distance for match in found} == expected
        exact = keeper.lookup(Fingerprint(Digests(sha256=value[::-1])), 0)
        assert [match.entry_id for match in exact] == [entry for entry, pdq in there.items() if pdq == value]


def child(database: Database, settings: Settings, point: str, sealed: bool) -> subprocess.CompletedProcess[str]:
    arguments = [database.url, str(settings.home), point, "yes" if sealed else "no"]
    return subprocess.run(
        [sys.executable, str(CHILD), *arguments], capture_output=True, text=True, timeout=2 * PATIENCE_S, check=False
    )


def built(keeper: IndexKeeper, rows: int) -> None:
    until = time.monotonic() + PATIENCE_S
    while keeper.file is None or keeper.file.file.meta["rows"] != rows:
        assert time.monotonic() < until, "no file was built"
        time.sleep(0.05)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("sealed", WAYS)
def test_killed_at_every_point_of_a_build(database: Database, settings: Settings, sealed: bool) -> None:
    """Each process finds what the one before left, and more that is new and more that is gone."""
    load_master_key(settings, may_create=True)
    wanted = settings.model_copy(update={"index_sealed": sealed})
    random = np.random.default_rng(11)
    known = [random.bytes(32) for _ in range(2 * FEW)]
    put(database, known)
    with IndexKeeper(database, wanted, fewest_rows=FEW) as keeper:
        built(keeper, len(known))
    gone: list[bytes] = []
    for point in POINTS:
        if point == "seal" and not sealed:
            continue
        # Always enough for another file: an eighth of the last one.
        more = [random.bytes(32) for _ in range(2 * FEW + len(known) // 4)]
        put(database, [*known, *more])
        remove(database, known[: FEW // 5])
        gone, known = [*gone, *known[: FEW // 5]], [*known[FEW // 5 :], *more]
        ended = child(database, settings, point, sealed)
        assert ended.returncode == -9, f"not killed at {point}: {ended.stdout}{ended.stderr}"
        keeper = IndexKeeper(database, wanted, fewest_rows=FEW)
        keeper.catch_up()
        answers_as_comparing_all(keeper, database, [*known[:: len(known) // 40], *gone[-10:]])
        left = [path for path in settings.index_folder.glob("*.segment*") if path.stat().st_size]
        assert not sealed or all(is_sealed(path) for path in left), f"plain after the kill at {point}"
        keeper.close()
    with IndexKeeper(database, wanted, fewest_rows=FEW) as keeper:
        more = [random.bytes(32) for _ in range(len(known) // 2)]
        put(database, [*known, *more])
        built(keeper, len(known) + len(more))
        answers_as_comparing_all(keeper, database, [*known[:100], *gone])
    names = {path.name for path in settings.index_folder.iterdir()}
    (only,) = names - {"checked.json", "opened", "lock", "manifest.json"}
    assert only.endswith(".segment"), "what was broken off is swept away"


@pytest.mark.timeout(900)
@pytest.mark.parametrize("sealed", WAYS)
def test_a_full_disk_in_a_build(database: Database, settings: Settings, sealed: bool) -> None:
    load_master_key(settings, may_create=True)
    wanted = settings.model_copy(update={"index_sealed": sealed})
    random = np.random.default_rng(12)
    known = [random.bytes(32) for _ in range(10 * FEW)]
    put(database, known)
    ended = child(database, settings, "full", sealed)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert (settings.home / "known").read_text() == str(len(known)), ended.stdout + ended.stderr
    assert list(settings.index_folder.glob("*.segment*")) == []
    with IndexKeeper(database, wanted, fewest_rows=FEW) as keeper:
        built(keeper, len(known))
        answers_as_comparing_all(keeper, database, known[:100])
