"""`seawall ledger`, on a real PostgreSQL."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from seawall.cli.main import app
from seawall.database.sessions import Database
from seawall.hashlists import store
from seawall.records import Actor, EntryDraft
from seawall.settings import Settings
from tests.browser.stand import picture
from tests.integration.hashlists.test_store import digest


def ledger(*arguments: object) -> str:
    result = CliRunner().invoke(app, ["ledger", *map(str, arguments)])
    if result.exception is not None:
        raise result.exception
    return result.stdout


def test_a_file_goes_in_once_and_what_is_listed_opens_a_case(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SEAWALL_HOME", str(settings.home))
    monkeypatch.setenv("SEAWALL_DATABASE_URL", database.url)
    monkeypatch.setenv("SEAWALL_DECODER_PROCESSES", "1")
    with database.transaction() as session:
        store.import_entries(session, "test", [EntryDraft(1, md5=digest(3))], actor=Actor("cli", "test"))
    file = tmp_path / "published.csv"
    lines = [f"item-{number},{digest(number).hex()},account-1,http://a/{number}" for number in range(6)]
    file.write_text("\n".join(["content_id,md5,account_id,url", *lines, "bad,zz,account-1,", ""]))
    first = json.loads(ledger("import", file, "--json"))
    assert [first[name] for name in ("read", "entered", "known", "matched", "bad_count")] == [7, 6, 0, 1, 1]
    assert first["bad"][0][0] == "line 8"
    again = json.loads(ledger("import", file, "--json"))
    assert [again[name] for name in ("read", "entered", "known", "matched", "bad_count")] == [7, 0, 6, 0, 1]
    with database.transaction() as session:
        states = dict(session.execute(text("SELECT state, count(*) FROM content GROUP BY state")).all())
        assert session.execute(text("SELECT count(*) FROM case_items")).scalar_one() == 1
        assert session.execute(text("SELECT count(DISTINCT url_hash) FROM content")).scalar_one() == 6
    assert states.pop("published") == 5
    assert sum(states.values()) == 1
    assert "content_default" in {part["partition"] for part in json.loads(ledger("stats", "--json"))}
    assert "Nothing was old enough." in ledger("prune", "--days", 30, "--yes")


def test_a_folder_is_scanned_once(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SEAWALL_HOME", str(settings.home))
    monkeypatch.setenv("SEAWALL_DATABASE_URL", database.url)
    monkeypatch.setenv("SEAWALL_DECODER_PROCESSES", "1")
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "one.png").write_bytes(picture())
    (tmp_path / "words.txt").write_text("harmless")
    for expected in ([2, 1, 0, 0, 1], [2, 0, 1, 0, 1]):
        told = json.loads(ledger("import", tmp_path, "--json"))
        assert [told[name] for name in ("read", "entered", "known", "matched", "bad_count")] == expected
    with database.transaction() as session:
        assert session.execute(text("SELECT content_id, state FROM content")).all() == [
            ("below/one.png", "published")
        ]
