"""`seawall retroscan` by hand, on a real PostgreSQL: what is walked, what is shown of it, and what is no choice."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner, Result

from seawall.cli.main import app
from seawall.database.sessions import Database
from seawall.database.tables import Content
from seawall.errors import BadInput, NotFound
from seawall.hashlists import store
from seawall.hashlists.store import ListDefinition
from seawall.matching import backfill
from seawall.matching.backfill import Published
from seawall.records import SYSTEM, EntryDraft, HashArrival, Trust
from tests.integration.hashlists.test_store import digest


@pytest.fixture
def ledger(for_commands: Database) -> Database:
    """Ten contents that were published, and two lists that know one each."""
    arrivals = [HashArrival(f"c{number}", md5=digest(number)) for number in range(10)]
    with for_commands.transaction() as session:
        backfill.enter(session, [Published(arrival, "test", 0) for arrival in arrivals])
        for number, name in enumerate(("Test list", "Other test list")):
            definition = ListDefinition(trust=Trust.TRUSTED, is_test=True)
            entry = EntryDraft(1, md5=digest(number))
            store.import_entries(session, name, [entry], actor=SYSTEM, definition=definition)
    return for_commands


def retroscan(*arguments: str) -> Result:
    result = CliRunner().invoke(app, ["retroscan", *arguments])
    if result.exception is not None:
        raise result.exception
    return result


def states(database: Database) -> dict[str, str]:
    with database.transaction() as session:
        return dict(session.query(Content.content_id, Content.state).all())  # type: ignore[arg-type]


def test_one_list_walks_and_acts_once(ledger: Database) -> None:
    told = retroscan("--list", "Test list")
    assert "1 entries walked through 10 fingerprints: 1 candidates, 1 late matches." in told.stdout
    assert "part 1 of " in told.stderr
    assert [name for name, state in states(ledger).items() if state == "blocked"] == ["c0"]
    assert "0 late matches." in retroscan("--list", "Test list").stdout
    assert digest(0).hex() not in told.output


def test_all_lists_walk_and_the_walks_are_shown(ledger: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "2 entries walked through 10 fingerprints: 2 candidates, 2 late matches." in retroscan("--all").stdout
    assert sorted(name for name, state in states(ledger).items() if state == "blocked") == ["c0", "c1"]
    monkeypatch.setenv("COLUMNS", "200")
    shown = retroscan("--status").stdout
    assert "Late matches" in shown
    assert "finished" in shown
    assert "10 of 10" in shown


@pytest.mark.parametrize("arguments", [[], ["--results", "x"], ["--list", "Test list", "--workers", "2"], ["--json"]])
def test_what_is_no_choice_is_refused(ledger: Database, arguments: list[str]) -> None:
    with pytest.raises(BadInput):
        retroscan(*arguments)
    assert set(states(ledger).values()) == {"published"}


def test_an_unknown_list_is_refused(ledger: Database) -> None:
    with pytest.raises(NotFound, match="None such"):
        retroscan("--list", "None such")
    assert set(states(ledger).values()) == {"published"}
