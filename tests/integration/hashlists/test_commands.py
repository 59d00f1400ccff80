"""`seawall lists`, on a real PostgreSQL."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner, Result

from seawall.cli.main import app
from seawall.database.sessions import Database
from seawall.database.tables import Entry
from seawall.errors import BadInput, Conflict, HashInvalid, ListFormatInvalid, NotFound, UpdateQuarantined
from seawall.evidence import audit
from seawall.hashlists import store
from seawall.hashlists.tally import MatchTally
from seawall.records import Role
from seawall.request_records import RequestState
from seawall.second import asking
from seawall.settings import Settings
from tests.integration.cases.material import add, match
from tests.integration.second.pairs import somebody


def md5(number: int) -> str:
    return hashlib.md5(f"harmless {number}".encode()).hexdigest()


@pytest.fixture(autouse=True)
def surroundings(database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEAWALL_HOME", str(settings.home))
    monkeypatch.setenv("SEAWALL_DATABASE_URL", database.url)


def lists(*arguments: object, stdin: str | None = None) -> Result:
    """Runs the command; an error that a person would read comes out of it."""
    result = CliRunner().invoke(app, ["lists", *(str(argument) for argument in arguments)], input=stdin)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def second_person(*arguments: str) -> str:
    """Runs `seawall second-person`."""
    result = CliRunner().invoke(app, ["second-person", *arguments], env={"COLUMNS": "200"})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.stdout


def shown(*arguments: str) -> list[dict[str, object]]:
    documents: list[dict[str, object]] = json.loads(lists("show", "--json", *arguments).stdout)
    return documents


def file_of(tmp_path: Path, *numbers: int, extra: str = "") -> Path:
    file = tmp_path / "list.csv"
    file.write_text("md5\n" + "".join(f"{md5(number)}\n" for number in numbers) + extra)
    return file


def test_import_show_disable_enable_remove(tmp_path: Path) -> None:
    options = ("--source", "clerk", "--trust", "trusted", "--harm-class", "ncii", "--max-distance", "20", "--test")
    result = lists("import", file_of(tmp_path, 1, 2), "--name", "test", *options)
    assert "2 added" in result.stdout
    (one,) = shown()
    assert (one["name"], one["source"], one["trust"], one["harm_class"]) == ("test", "clerk", "trusted", "ncii")
    assert (one["max_distance"], one["test"], one["entries"], one["enabled"]) == (20, True, 2, True)
    lists("disable", "test")
    assert shown("test")[0]["enabled"] is False
    lists("enable", "test")
    assert shown("test")[0]["enabled"] is True
    assert lists("remove", "test", "--reason", "A test.", stdin="n\n").exit_code == 1
    assert len(shown()) == 1
    second_person("off", "list.remove", "--reason", "A team of one.")
    assert "test is removed." in lists("remove", "test", "--reason", "A test.", stdin="y\n").stdout
    assert shown() == []
    assert "There are no lists" in lists("show").stdout


def test_what_is_left_out_stays(tmp_path: Path) -> None:
    lists("import", file_of(tmp_path, 1), "--name", "test", "--trust", "trusted", "--test")
    lists("import", file_of(tmp_path, 1), "--name", "test")
    assert (shown()[0]["trust"], shown()[0]["test"]) == ("trusted", True)


def test_bad_lines_are_named_and_the_rest_goes_in(tmp_path: Path) -> None:
    result = lists("import", file_of(tmp_path, 1, extra="x\n" * 30), "--name", "test")
    assert result.exit_code == 0
    assert "1 added" in result.stdout
    assert "30 bad lines" in result.stdout
    assert "line 3: md5 has 1 characters instead of 32. (wrong_length)" in result.stderr
    assert "and 10 more" in result.stderr
    report = json.loads(lists("import", file_of(tmp_path, 1, extra="x\n"), "--name", "test", "--json").stdout)
    assert (report["unchanged"], report["bad_count"], report["bad"][0]["line"]) == (1, 1, 3)


def test_strict(tmp_path: Path) -> None:
    with pytest.raises(ListFormatInvalid):
        lists("import", file_of(tmp_path, 1, extra="x\n"), "--name", "test", "--strict")
    assert shown() == []


def test_replace(tmp_path: Path) -> None:
    lists("import", file_of(tmp_path, *range(10)), "--name", "test")
    with pytest.raises(UpdateQuarantined):
        lists("import", file_of(tmp_path, 1), "--name", "test", "--replace")
    lists("import", file_of(tmp_path, 1), "--name", "test", "--replace", "--force")
    assert shown()[0]["entries"] == 1


def test_standard_input_and_a_country() -> None:
    document = json.dumps({"@odata.context": "x", "value": [{"MD5": md5(1), "Category": 1}]})
    assert "1 added" in lists("import", "-", "--name", "test", "--country", "nl", stdin=document).stdout


def test_tables_and_reports_never_show_a_hash(tmp_path: Path) -> None:
    printed = lists("import", file_of(tmp_path, 1, extra=f"{md5(2)}0\n"), "--name", "test").output
    printed += lists("show").output + lists("show", "test", "--json").output
    assert md5(1) not in printed
    assert md5(2) not in printed


def test_what_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be opened"):
        lists("import", tmp_path / "nothing", "--name", "test")
    with pytest.raises(BadInput, match="cannot be opened"):
        lists("import", tmp_path, "--name", "test")
    with pytest.raises(BadInput, match="two letters"):
        lists("import", file_of(tmp_path, 1), "--name", "test", "--country", "nowhere")
    with pytest.raises(ListFormatInvalid):
        lists("import", file_of(tmp_path, 1), "--name", "test", "--format", "xml")
    for command in ("enable", "disable", "show"):
        with pytest.raises(NotFound):
            lists(command, "nobody")
    assert lists("import", file_of(tmp_path, 1), "--name", "test", "--max-distance", "32").exit_code == 2


@pytest.mark.parametrize("command", ["import", "show", "enable", "disable", "remove"])
def test_every_command_has_an_example(command: str) -> None:
    assert "Example: seawall lists" in " ".join(lists(command, "--help").stdout.split())


def test_stats_tell_size_growth_and_matches(tmp_path: Path, database: Database) -> None:
    assert "There are no lists" in lists("stats").stdout
    lists("import", file_of(tmp_path, 1, 2, 3), "--name", "test", "--test")
    tally = MatchTally(database)
    tally.record(["test"])
    tally.record(["test"], late=True)
    tally.flush()
    (one,) = json.loads(lists("stats", "test", "--json", "--days", "7").stdout)
    assert (one["entries"], one["hashes"]["md5"], one["entries_before"]) == (3, 3, None)
    assert [(day["entries"], day["matches"], day["late_matches"]) for day in one["days"]] == [(3, 1, 1)]
    assert "Late matches" in lists("stats").stdout
    assert md5(1) not in lists("stats").stdout
    with pytest.raises(NotFound):
        lists("stats", "other")


def test_what_a_case_met_is_disputed(tmp_path: Path, database: Database) -> None:
    lists("import", file_of(tmp_path, 1, 2), "--name", "test")
    with database.transaction() as session:
        list_id = store.get_list(session, "test").list_id
        entry = store.entries_named(session, list_id, value=bytes.fromhex(md5(2)))[0]
        met = replace(match(), entry_id=entry, list=replace(match().list, list_id=list_id))
        case, _item, _created = add(session, "c1", findings=[met])
        number = case.id
    assert "1 entry of test disputed." in lists("dispute", "test", "--case", number).stdout
    with database.transaction() as session:
        assert session.scalars(select(Entry.id).where(Entry.disputed)).all() == [entry]


def test_single_entries_are_disputed_and_removed(tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text("id,md5\n" + "".join(f"n{number},{md5(number)}\n" for number in (1, 2, 3)))
    lists("import", file, "--name", "test")
    assert "1 entry of test disputed." in lists("dispute", "test", "--id", "n1").stdout
    assert shown("test")[0]["disputed"] == 1
    assert "1 entry of test not disputed any more." in lists("dispute", "test", "--hash", md5(1), "--undo").stdout
    assert shown("test")[0]["disputed"] == 0
    why = ("--reason", "A test.")
    second_person("off", "list.remove_entries", "--reason", "A team of one.")
    assert "1 entry of test removed." in lists("remove-entry", "test", "--hash", md5(2), *why).stdout
    assert shown("test")[0]["entries"] == 2
    with pytest.raises(NotFound, match="no such entry"):
        lists("remove-entry", "test", "--hash", md5(2), *why)
    with pytest.raises(NotFound, match="case 9"):
        lists("remove-entry", "test", "--case", "9", *why)
    with pytest.raises(HashInvalid):
        lists("remove-entry", "test", "--hash", "xyz", *why)
    for arguments in ((), ("--id", "n1", "--hash", md5(1))):
        with pytest.raises(BadInput, match="Which entries"):
            lists("dispute", "test", *arguments)


@pytest.mark.parametrize("whole", [False, True])
def test_taking_off_a_list_waits_for_a_second_person(tmp_path: Path, database: Database, whole: bool) -> None:
    lists("import", file_of(tmp_path, 1, 2), "--name", "test")
    what = ("remove", "test", "--yes") if whole else ("remove-entry", "test", "--hash", md5(2))
    asked = lists(*what, "--reason", "Taken back by the source.")
    assert "Request 1 waits for a second person" in asked.stdout
    assert f"seawall second-person off list.{'remove' if whole else 'remove_entries'} --reason" in asked.stdout
    assert shown("test")[0]["entries"] == 2
    with pytest.raises(Conflict, match="waits for a second person"):
        lists(*what, "--reason", "Once more.")
    assert "1" in second_person("show")
    clerk = somebody(database, "clerk", *Role)
    with database.transaction() as session:
        done = asking.answer(session, clerk, 1, approved=True, words="I have seen the ticket.")
    assert done.state is RequestState.CARRIED_OUT
    assert shown() == [] if whole else shown("test")[0]["entries"] == 1
    with database.transaction() as session:
        events = {link.act: link for link in audit.links(session)}
    removed = events["list.remove" if whole else "entry.remove"]
    assert (removed.actor.partition(":")[0], removed.details["second_person"]) == ("cli", "user:clerk")


def test_a_second_person_is_switched_off_and_on_in_writing(database: Database) -> None:
    with pytest.raises(BadInput, match="needs words"):
        second_person("off", "list.remove", "--reason", " ")
    assert "takes one person now" in second_person("off", "list.remove", "--reason", "A team of one.")
    assert "A team of one." in second_person("show")
    assert "takes two people now" in second_person("on", "list.remove")
    with pytest.raises(Conflict, match="two people already"):
        second_person("on", "list.remove")
    with database.transaction() as session:
        acts = [(link.act, link.subject, link.details) for link in audit.links(session)]
    assert acts == [
        ("second_person.off", "act:list.remove", {"reason": "A team of one."}),
        ("second_person.on", "act:list.remove", {}),
    ]
