"""What `seawall doctor` says: that all is well, and each thing that is out of date, unsafe or missing."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.orm import Session

from seawall.database.sessions import Database
from seawall.database.tables import now
from seawall.engines.jobs import defer
from seawall.evidence.master_key import load_master_key
from seawall.hashlists import quarantines, store
from seawall.hashlists.quarantines import Grounds, Why
from seawall.health import PartState, examine_all
from seawall.matching.keeper import IndexKeeper
from seawall.records import Actor, EntryDraft
from seawall.settings import Settings

CLERK = Actor("cli", "test-clerk")
LETS_OWED_SCANS_PASS = """
version = 1
[[rule]]
name = "unreadable-previews-pass"
explanation = "A test policy."
when = { finding = "scan_owed", surface = "link-preview" }
verdict = "allow"
"""


@pytest.fixture
def installed(settings: Settings, database: Database) -> Settings:
    """The settings of a Seawall on this database."""
    return settings.model_copy(update={"database_url": SecretStr(database.url)})


def said(settings: Settings, part: str, state: str) -> list[str]:
    """What doctor says of a part in that state."""
    return [each.says for each in examine_all(settings) if (each.part, each.state) == (part, state)]


def put_list_on(session: Session, name: str = "Test list") -> None:
    store.import_entries(session, name, [EntryDraft(1, md5=bytes(range(16)))], actor=CLERK)


def test_a_new_installation_fails_nowhere_and_says_what_is_missing(installed: Settings) -> None:
    states = list(examine_all(installed))
    assert [state for state in states if state.state == "fail"] == []
    assert {state.part for state in states if state.state == "warn"} == {"hash lists", "webhooks", "people"}
    assert PartState("settings", "ok", "From the environment: nothing; all else as it ships.") in states
    assert any("no-new-privileges" in state.says or "memory" in state.says for state in states)


def test_fetching_is_told_of_where_it_is_on(installed: Settings) -> None:
    def told(state: str, **more: str) -> list[str]:
        return said(installed.model_copy(update=more), "fetching", state)

    assert [told(state) for state in ("ok", "warn", "fail")] == [[], [], []]
    assert "*.example.com" in told("ok", fetch_from="*.example.com", fetch_networks="10.0.0.0/8")[0]
    assert "10.0.0.0/8" in told("warn", fetch_from="a.example, *", fetch_networks="10.0.0.0/8")[0]
    assert "SEAWALL_FETCH_FROM" in told("fail", fetch_from="https://a.example")[0]


def test_a_misspelt_setting_is_named(installed: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEAWALL_HOTS", "0.0.0.0")
    (warning,) = said(installed, "settings", "warn")
    assert "SEAWALL_HOTS" in warning
    assert "0.0.0.0" not in warning


def test_demo_mode_is_no_way_to_run(installed: Settings) -> None:
    assert any(
        "SEAWALL_DEMO" in says for says in said(installed.model_copy(update={"demo": True}), "settings", "warn")
    )


def test_what_the_policy_should_say_only_on_purpose_is_repeated(installed: Settings) -> None:
    (installed.home / "policy.toml").write_text(LETS_OWED_SCANS_PASS)
    (warning,) = said(installed, "policy", "warn")
    assert "PUBLISHES CONTENT THAT NOBODY SCREENED" in warning


def test_a_policy_that_is_wrong_fails_and_ends_nothing(installed: Settings) -> None:
    (installed.home / "policy.toml").write_text("version = 2")
    states = {state.part: state.state for state in examine_all(installed)}
    assert states["policy"] == "fail"
    assert states["database"] == "ok"


def test_an_old_list_is_out_of_date(installed: Settings, database: Database) -> None:
    with database.transaction() as session:
        put_list_on(session)
    assert said(installed, "hash lists", "warn") == []
    with database.transaction() as session:
        session.execute(text("UPDATE hash_lists SET updated_at = :then"), {"then": now() - timedelta(days=8)})
    (warning,) = said(installed, "hash lists", "warn")
    assert "is there a newer one?" in warning


def test_what_is_in_quarantine_is_told_of(installed: Settings, database: Database) -> None:
    grounds = Grounds(Why.REVIEW, 9, 9)
    with database.transaction() as session:
        put_list_on(session)
        list_id = store.get_list(session, "Test list").list_id
        quarantines.quarantine_entries(session, store.entries_named(session, list_id), grounds)
        quarantines.quarantine_list(session, list_id, grounds)
    whole, entries = said(installed, "hash lists", "warn")
    assert "the whole list is in quarantine" in whole
    assert "Test list: 1 entries are in quarantine" in entries


def test_a_folder_that_others_can_enter_is_unsafe(installed: Settings) -> None:
    assert said(installed, "home", "fail") == []
    (installed.home / "keys").chmod(0o755)
    (failure,) = said(installed, "home", "fail")
    assert "chmod 700" in failure


def test_an_open_address_without_tls_is_unsafe(installed: Settings) -> None:
    everywhere = installed.model_copy(update={"host": "0.0.0.0"})
    assert said(everywhere, "address", "warn")
    behind_a_proxy = everywhere.model_copy(update={"public_url": "https://seawall.example"})
    assert said(behind_a_proxy, "address", "warn") == []


def test_jobs_that_nobody_takes_are_seen(installed: Settings, database: Database) -> None:
    with database.transaction() as session:
        defer(session, "a.task")
    assert said(installed, "jobs", "warn") == []
    with database.transaction() as session:
        session.execute(text("UPDATE procrastinate_events SET at = at - interval '16 minutes'"))
    (warning,) = said(installed, "jobs", "warn")
    assert "is a worker running?" in warning


FEW = 100


def build(installed: Settings, database: Database) -> Path:
    """Has an index file made of a test list; returns it."""
    load_master_key(installed, may_create=True)
    with database.transaction() as session:
        drafts = [EntryDraft(line, md5=line.to_bytes(16)) for line in range(1, 2 * FEW)]
        store.import_entries(session, "Test list", drafts, actor=CLERK)
    with IndexKeeper(database, installed, fewest_rows=FEW) as keeper:
        until = time.monotonic() + 60
        while keeper.file is None:
            assert time.monotonic() < until
            time.sleep(0.02)
        return keeper.file.file.path


@pytest.mark.parametrize("sealed", [False, True])
def test_how_the_index_lies(installed: Settings, database: Database, sealed: bool) -> None:
    assert "No files yet" in " ".join(said(installed, "index", "ok"))
    wanted = installed.model_copy(update={"index_sealed": sealed})
    path = build(wanted, database)
    says = " ".join(said(wanted, "index", "ok"))
    assert "199 entries" in says
    assert "mode 0700" in says
    assert f"{path.name}: whole" in says
    assert ("sealed; opening it takes" in says and "MiB of memory" in says) is sealed
    assert said(wanted, "index", "fail") == []
    assert not any("lies" in warning for warning in said(wanted, "index", "warn"))
    switched = installed.model_copy(update={"index_sealed": not sealed})
    assert any(f"{path.name} lies" in warning for warning in said(switched, "index", "warn"))


def test_a_list_that_is_too_large_for_a_file(installed: Settings, database: Database) -> None:
    small = installed.model_copy(update={"index_memory_bytes": 1 << 20})
    assert said(small, "index", "warn") == []
    with database.transaction() as session:
        store.import_entries(session, "Test list", [EntryDraft(1, md5=bytes(16))], actor=CLERK)
    (warning,) = said(small, "index", "warn")
    assert "1 entries cannot be built into a file" in warning
    assert said(installed, "index", "warn") == []


def test_an_index_that_is_damaged_or_open_to_others(installed: Settings, database: Database) -> None:
    path = build(installed, database)
    installed.index_folder.chmod(0o750)
    (failure,) = said(installed, "index", "fail")
    assert "chmod 700" in failure
    body = bytearray(path.read_bytes())
    body[3] ^= 1
    path.write_bytes(body)
    (failure,) = said(installed, "index", "fail")
    assert "has changed since it was written" in failure
    path.unlink()
    (failure,) = said(installed, "index", "fail")
    assert "which is gone" in failure
