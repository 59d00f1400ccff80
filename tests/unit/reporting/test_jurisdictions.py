"""What jurisdictions want is data: dated, with sources, and the operator's own file beats what is shipped."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import structlog
from typer.testing import CliRunner

from seawall.cli.main import app
from seawall.errors import ConfigurationError, NotFound
from seawall.reporting.jurisdictions import Profile, chosen, profile, profiles
from seawall.settings import load_settings


def test_what_is_shipped_is_whole_and_has_sources() -> None:
    found = profiles(None)
    assert set(found) == {"AU", "CA", "EU", "GB", "US"}
    for each in found.values():
        assert each.authorities
        assert each.clocks
        assert any(call.number for call in each.calls)
        parts = (*each.authorities, *each.clocks, *each.retention, *each.calls)
        assert all(part.source for part in parts)
        assert not each.own


def kept(found: Profile) -> dict[str, str]:
    return {one.code: one.lasts for one in found.retention}


def test_the_periods_that_the_laws_name() -> None:
    assert kept(profile("US", None)) == {"content": "1 year"}
    assert kept(profile("gb", None)) == {"content": "1 year", "reference": "5 years"}
    assert kept(profile("CA", None)) == {"content": "21 days"}
    assert {clock.code: clock.hours for clock in profile("AU", None).clocks}["threat"] == 24


def test_an_own_file_replaces_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(
        """
        [GB]
        as_of = 2026-09-01
        [[GB.calls]]
        who = "Test contact"
        number = "+44 20 7946 0000"
        source = "A test"

        [NZ]
        as_of = 2026-09-02
        name = "New Zealand"
        [[NZ.authorities]]
        name = "Test authority"
        how = "By hand."
        address = ""
        source = "A test"
        """,
        "utf-8",
    )
    found = profiles(file)
    assert [call.number for call in found["GB"].calls] == ["+44 20 7946 0000"]
    assert (found["GB"].as_of, found["GB"].own) == (date(2026, 9, 1), {"as_of", "calls"})
    assert found["GB"].retention == profile("GB", None).retention
    assert found["NZ"].name == "New Zealand"
    assert found["US"] == profile("US", None)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[gb]\nas_of = 2026-09-01", "two capital letters"),
        ("[GB]\nname = 'x'", "GB needs as_of"),
        ("[GB]\nas_of = '2026'", "GB.as_of"),
        ("[GB]\nas_of = 2026-09-01T00:00:00", "GB.as_of"),
        ("[GB]\nas_of = 2026-09-01\nphone = '1'", "nothing in GB is called phone"),
        ("[GB]\nas_of = 2026-09-01\ncalls = 3", "GB.calls must be a list"),
        ("[GB]\nas_of = 2026-09-01\n[[GB.calls]]\nwho='x'\nsource='x'\nnumber='ring me'", "GB.calls[0].number"),
        ("[GB]\nas_of = 2026-09-01\n[[GB.calls]]\nwho='a\\u001b[2J'\nsource='x'\nnumber='1'", "GB.calls[0]"),
        (
            "[GB]\nas_of = 2026-09-01\n[[GB.retention]]\ncode='c'\ncounts_from='x'\nsays='x'\nsource='x'",
            "GB.retention[0] needs years or days",
        ),
        (
            "[GB]\nas_of = 2026-09-01\n[[GB.retention]]\ncode='c'\ncounts_from='x'\nsays='x'\nsource='x'\nyears=0",
            "GB.retention[0].years",
        ),
        ("[GB]\nas_of = 2026-09-01\n[[GB.clocks]]\ncode='c'\nsays='x'\nsource='x'\nhours=true", "GB.clocks[0].hours"),
        ("[GB]\nas_of = 2026-09-01\nauthorities = []", "at least one of authorities"),
        ("[NZ]\nas_of = 2026-09-01", "NZ.name"),
        ("[GB", "cannot be read"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(tmp_path: Path, text: str, place: str) -> None:
    file = tmp_path / "own.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(ConfigurationError) as caught:
        profiles(file)
    assert place in caught.value.message


def test_no_file_and_no_such_jurisdiction(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        profiles(tmp_path / "none.toml")
    with pytest.raises(NotFound):
        profile("XX", None)


def test_the_command_says_what_has_to_be_filled_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEAWALL_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "250")
    shown = CliRunner().invoke(app, ["reports", "profiles", "eu"])
    table = CliRunner().invoke(app, ["reports", "profiles"])
    structlog.reset_defaults()
    assert "to be filled in by you" in shown.stdout
    assert "112: Emergency services" in shown.stdout
    assert "content 1 year, reference 5 years" in table.stdout


def test_those_that_bind_an_operator_in_their_order() -> None:
    assert [each.code for each in chosen("US, GB", None)] == ["US", "GB"]
    assert len(chosen("", None)) == 5
    with pytest.raises(ConfigurationError, match="XX"):
        chosen("GB, XX", None)


@pytest.mark.parametrize("told", ["gb", "GB US", "GBR", "GB,,US"])
def test_a_setting_that_names_no_jurisdictions_is_refused(monkeypatch: pytest.MonkeyPatch, told: str) -> None:
    monkeypatch.setenv("SEAWALL_JURISDICTIONS", told)
    with pytest.raises(ConfigurationError, match="SEAWALL_JURISDICTIONS"):
        load_settings()
