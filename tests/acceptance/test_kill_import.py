"""kill -9 in an import: a list is in as a whole or not at all, and what was published is in once, however often it is
imported again."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import func, select

from seawall.database.sessions import Database
from seawall.database.tables import CaseItem, Content, Entry, HashList, OutboxMessage
from seawall.engines import postgres
from seawall.evidence import audit
from seawall.settings import Settings
from tests.acceptance.server import environment, seawall

KILLING = Path(__file__).with_name("killed_import.py")
ENTRIES = 3000


def md5(number: int) -> str:
    return hashlib.md5(f"harmless text {number}".encode()).hexdigest()


def killed(home: Path, at: str, *arguments: str, nth: int = 1) -> None:
    """Runs the command until it is killed."""
    done = subprocess.run(
        [sys.executable, str(KILLING), *arguments],
        env=environment(home, KILL_AT=at, NTH=str(nth)),
        capture_output=True,
        timeout=180,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert done.returncode == -9, done.stdout + done.stderr


def counted(database: Database, table: type) -> int:
    with database.transaction() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


@pytest.mark.timeout(900)
def test_a_list_is_in_as_a_whole_or_not_at_all(home: Path) -> None:
    file = home / "list.csv"
    options = ("--name", "Test list", "--trust", "trusted", "--test")

    def write(first: int) -> None:
        file.write_text("md5\n" + "".join(f"{md5(number)}\n" for number in range(first, first + ENTRIES)))

    def imported(*more: str) -> list[int]:
        report = json.loads(seawall(home, "lists", "import", str(file), *options, *more, "--json").stdout)
        return [report[name] for name in ("added", "unchanged", "removed")]

    write(0)
    killed(home, "read", "lists", "import", str(file), *options, nth=ENTRIES // 2)
    database = Database(postgres.embedded(Settings(home=home, decoder_processes=1)))
    killed(home, "merge", "lists", "import", str(file), *options)
    assert (counted(database, HashList), counted(database, Entry)) == (0, 0)
    killed(home, "done", "lists", "import", str(file), *options)
    assert counted(database, Entry) == ENTRIES
    assert imported() == [0, ENTRIES, 0]

    write(ENTRIES // 2)  # half of it goes, half is new
    killed(home, "merge", "lists", "import", str(file), *options, "--replace")
    with database.transaction() as session:
        standing = session.scalars(select(Entry.md5).where(Entry.removed_at.is_(None))).all()
    assert {value.hex() for value in standing if value} == {md5(number) for number in range(ENTRIES)}
    assert imported("--replace") == [ENTRIES // 2, ENTRIES // 2, ENTRIES // 2]
    assert imported("--replace") == [0, ENTRIES, 0]
    with database.transaction() as session:
        assert audit.verify(session).ok
    database.close()
    postgres.stop(Settings(home=home, decoder_processes=1))


@pytest.mark.timeout(900)
def test_what_was_published_is_in_once(home: Path) -> None:
    seawall(home, "webhooks", "add", "http://127.0.0.1:9/hooks")
    listed = home / "list.csv"
    listed.write_text("md5\n" + "".join(f"{md5(number)}\n" for number in (4, 14, 24, 34)))
    seawall(home, "lists", "import", str(listed), "--name", "Test list", "--trust", "trusted", "--test")
    file = home / "published.csv"
    file.write_text("content_id,md5\n" + "".join(f"c{number},{md5(number)}\n" for number in range(40)))
    database = Database(postgres.embedded(Settings(home=home, decoder_processes=1)))

    killed(home, "case", "ledger", "import", str(file))
    assert [counted(database, table) for table in (Content, CaseItem, OutboxMessage)] == [10, 1, 1]
    killed(home, "batch", "ledger", "import", str(file))
    assert counted(database, CaseItem) >= 2
    told = json.loads(seawall(home, "ledger", "import", str(file), "--json").stdout)
    assert told["entered"] + told["known"] == told["read"] == 40
    assert told["known"] >= 20
    assert [counted(database, table) for table in (Content, CaseItem, OutboxMessage)] == [40, 4, 4]
    again = json.loads(seawall(home, "ledger", "import", str(file), "--json").stdout)
    assert (again["entered"], again["known"]) == (0, 40)
    assert [counted(database, table) for table in (Content, CaseItem, OutboxMessage)] == [40, 4, 4]
    with database.transaction() as session:
        assert audit.verify(session).ok
    database.close()
    postgres.stop(Settings(home=home, decoder_processes=1))
