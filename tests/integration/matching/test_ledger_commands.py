"""`seawall ledger`, on a real PostgreSQL."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from seawall.cli.main import app
from seawall.database.sessions import Database
from seawall.hashlists import store
from seawall.records import Actor, EntryDraft
from tests.browser.stand import picture
from tests.integration.hashlists.test_store import digest


def ledger(*arguments: object) -> str:
    result = CliRunner().invoke(app, ["ledger", *map(str, arguments)])
    if result.exception is not None:
        raise result.exception
    return result.stdout


def tally(told: dict[str, int]) -> list[int]:
    return [told[name] for name in ("read", "entered", "known", "matched", "bad_count")]


def test_a_file_goes_in_once_and_what_is_listed_opens_a_case(for_commands: Database, tmp_path: Path) -> None:
    with for_commands.transaction() as session:
        store.import_entries(session, "test", [EntryDraft(1, md5=digest(3))], actor=Actor("cli", "test"))
    file = tmp_path / "published.csv"
    lines = [f"item-{number},{digest(number).hex()},account-1,http://a/{number}" for number in range(6)]
    file.write_text("\n".join(["content_id,md5,account_id,url", *lines, "bad,zz,account-1,", ""]))
    first = json.loads(ledger("import", file, "--json"))
    assert tally(first) == [7, 6, 0, 1, 1]
    assert first["bad"][0][0] == "line 8"
    again = json.loads(ledger("import", file, "--json"))
    assert tally(again) == [7, 0, 6, 0, 1]
    with for_commands.transaction() as session:
        states = dict(session.execute(text("SELECT state, count(*) FROM content GROUP BY state")).all())
        assert session.execute(text("SELECT count(*) FROM case_items")).scalar_one() == 1
        assert session.execute(text("SELECT count(DISTINCT url_hash) FROM content")).scalar_one() == 6
    assert states.pop("published") == 5
    assert sum(states.values()) == 1
    assert "content_default" in {part["partition"] for part in json.loads(ledger("stats", "--json"))}
    assert "Nothing was old enough." in ledger("prune", "--days", 30, "--yes")


def test_lines_that_tell_more_of_the_same_content_are_added(for_commands: Database, tmp_path: Path) -> None:
    listed, clean, more = "c3a5" * 16, "9d2b" * 16, "3b7d" * 16
    with for_commands.transaction() as session:
        entries = [EntryDraft(1, pdq=bytes.fromhex(listed), pdq_quality=100)]
        store.import_entries(session, "test", entries, actor=Actor("cli", "test"))
    file = tmp_path / "published.csv"

    def come_to(*lines: str) -> list[int]:
        file.write_text("\n".join(["content_id,sha256,md5,pdq,pdq_quality", *lines, ""]))
        return tally(json.loads(ledger("import", file, "--json")))

    one, two = f"one,{'1' * 64}", f"two,{'2' * 64}"
    assert come_to(f"{one},,,", f"{two},,,", f"{one},,{clean},90") == [3, 2, 1, 0, 0]
    assert come_to(f"{one},,{clean},90", f"{one},{'3' * 32},,", f"{one},,{more},90") == [3, 0, 3, 0, 0]
    assert come_to(f"{two},,,", f"{two},,{listed},90", f"{two},,,\u00b2") == [3, 0, 2, 1, 1]
    with for_commands.transaction() as session:
        rows = session.execute(text("SELECT content_id, md5, frames, state FROM content ORDER BY content_id")).all()
        assert session.execute(text("SELECT count(*) FROM case_items")).scalar_one() == 1
    assert [row.state for row in rows] == ["published", "held"]
    assert rows[0].md5 == bytes.fromhex("3" * 32)
    assert [[frame["pdq"] for frame in row.frames] for row in rows] == [[clean, more], [listed]]


@pytest.mark.usefixtures("for_commands")
def test_a_file_whose_name_is_no_text_is_a_bad_one(tmp_path: Path) -> None:
    for name in (b"a\xff.png", b"b.png"):
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_bytes(picture())
    told = json.loads(ledger("import", tmp_path, "--json"))
    assert [told[name] for name in ("read", "entered", "bad_count")] == [2, 1, 1]
    assert told["bad"][0][0] == "a\\xff.png"


def test_a_folder_is_scanned_once(for_commands: Database, tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "one.png").write_bytes(picture())
    (tmp_path / "words.txt").write_text("harmless")
    for expected in ([2, 1, 0, 0, 1], [2, 0, 1, 0, 1]):
        told = json.loads(ledger("import", tmp_path, "--json"))
        assert tally(told) == expected
    with for_commands.transaction() as session:
        assert session.execute(text("SELECT content_id, state FROM content")).all() == [
            ("below/one.png", "published")
        ]
