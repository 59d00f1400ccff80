"""Signed heads in a real PostgreSQL: who rewrites the chain, or cuts off its end, is found."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from seawall.database.sessions import Database
from seawall.errors import AuditChainBroken, AuditKeyMissing, EvidenceError
from seawall.evidence import audit, heads
from seawall.evidence.events import GENESIS, export_line, link_hash
from seawall.evidence.proving import AuditProblem, verify_export
from seawall.evidence.raw_events import raw_events
from seawall.records import SYSTEM
from seawall.settings import Settings
from tests.integration.evidence.test_audit import VALUES, grow, tamper


def proved(database: Database, settings: Settings) -> AuditProblem | None:
    with database.transaction() as session:
        return heads.prove(session, settings).first_problem


def test_a_head_is_signed_where_something_happened(database: Database, settings: Settings) -> None:
    assert heads.sign(database, settings) is None
    grow(database, 3)
    first = heads.sign(database, settings)
    assert heads.sign(database, settings) is None
    grow(database, 1)
    second = heads.sign(database, settings)
    assert first is not None
    assert second is not None
    assert (first.events, second.events) == (3, 5)
    assert [head.events for head in heads.noted(settings)] == [4, 6]
    assert settings.audit_heads_file.stat().st_mode & 0o777 == 0o600
    with database.transaction() as session:
        report = heads.prove(session, settings)
    assert (report.ok, report.events, report.signatures, report.signed) == (True, 6, 2, 5)


@given(st.dictionaries(st.text(st.characters()), VALUES, max_size=4), st.text(st.characters()), st.text())
@hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_postgresql_writes_an_event_as_an_export_has_it(
    database: Database, details: dict[str, object], subject: str, act: str
) -> None:
    with database.transaction() as session:
        audit.append(session, SYSTEM, act, subject, details)
        written = [event.line for event in raw_events(session)]
        assert written == [export_line(link) for link in audit.links(session)]


def test_an_export_of_the_database_verifies_and_ends_signed(database: Database, settings: Settings) -> None:
    grow(database, 7)
    heads.sign(database, settings)
    stream = io.BytesIO()
    with database.transaction() as session:
        key = heads.open_signing_key(settings, session)
        assert heads.export(session, key, stream) == 8
    stream.seek(0)
    report = verify_export(stream, trust=heads.own_trust(settings))
    assert (report.ok, report.events, report.signed) == (True, 8, 8)


@pytest.mark.parametrize("cut", range(1, 8))
def test_an_end_that_was_cut_off_is_found(database: Database, settings: Settings, cut: int) -> None:
    grow(database, 3)
    heads.sign(database, settings)
    grow(database, 2)
    heads.sign(database, settings)
    tamper(database, f"DELETE FROM audit_events WHERE number >= {cut}")
    problem = proved(database, settings)
    assert problem is not None
    assert (problem.code, problem.number) == ("truncated", cut)


@pytest.mark.parametrize("signed", [True, False])
def test_a_chain_written_anew_is_found(database: Database, settings: Settings, signed: bool) -> None:
    """Everything that hashes show is put right; the signature is kept as it was, or left out."""
    grow(database, 4)
    heads.sign(database, settings)
    with database.transaction() as session:
        links = list(audit.links(session))
    links[1] = replace(links[1], actor="user:nobody")
    previous = GENESIS
    for place, link in enumerate(links):
        made = replace(link, previous=previous, act=link.act if signed else "test.event")
        links[place] = replace(made, hash=link_hash(made))
        previous = links[place].hash
        tamper(
            database,
            f"UPDATE audit_events SET actor = '{made.actor}', act = '{made.act}',"
            f" previous = decode('{made.previous.hex()}', 'hex'), hash = decode('{previous.hex()}', 'hex')"
            f" WHERE number = {made.number}",
        )
    with database.transaction() as session:
        assert audit.verify(session).ok
    problem = proved(database, settings)
    assert problem is not None
    assert problem.code == ("forged" if signed else "unlinked")
    settings.audit_heads_file.unlink()
    problem = proved(database, settings)
    assert (problem.code if problem is not None else None) == ("forged" if signed else None)


@pytest.mark.parametrize(
    "change",
    [
        "at = 'infinity'",
        "at = '20000-01-01'",
        "details = '{\"n\": 1.5}'",
        "details = '[1e1000]'",
        "details = ('[' || repeat('9', 5000) || ']')::jsonb",
        "details = (repeat('[', 5000) || repeat(']', 5000))::jsonb",
        "act = E'\\t'",
        "actor = E'\\\\N'",
    ],
)
def test_what_no_event_can_hold_is_a_change_and_no_accident(
    database: Database, settings: Settings, change: str
) -> None:
    grow(database, 3)
    tamper(database, f"UPDATE audit_events SET {change} WHERE number = 2")
    problem = proved(database, settings)
    assert problem is not None
    assert (problem.code, problem.number) == ("changed", 2)


def test_a_key_that_is_gone_is_not_replaced(database: Database, settings: Settings) -> None:
    grow(database, 1)
    heads.sign(database, settings)
    settings.resolved_audit_key_file.unlink()
    grow(database, 1)
    with pytest.raises(AuditKeyMissing):
        heads.sign(database, settings)
    assert not settings.resolved_audit_key_file.exists()


@pytest.mark.parametrize("written_anew", [0, 2, 3, 6])
def test_nobody_signs_another_chain_than_the_one_that_was_noted(
    database: Database, settings: Settings, written_anew: int
) -> None:
    grow(database, 3)
    heads.sign(database, settings)
    before = heads.noted(settings)
    tamper(database, "DELETE FROM audit_events")
    grow(database, written_anew)
    with pytest.raises(AuditChainBroken, match="Nothing was signed"):
        heads.sign(database, settings)
    assert heads.noted(settings) == before
    with database.transaction() as session:
        assert audit.verify(session).events == written_anew
    settings.audit_heads_file.rename(settings.home / "kept.jsonl")  # somebody has understood it
    assert (heads.sign(database, settings) is None) == (written_anew == 0)


def test_all_who_share_a_database_sign_with_one_key(database: Database, settings: Settings, tmp_path: Path) -> None:
    other = Settings(home=tmp_path / "other")
    grow(database, 1)
    for each in (settings, other):
        with database.transaction() as session:
            heads.open_signing_key(each, session)
    heads.sign(database, settings)
    grow(database, 1)
    with pytest.raises(AuditKeyMissing, match="another audit key"):
        heads.sign(database, other)
    with pytest.raises(AuditKeyMissing, match="another audit key"), database.transaction() as session:
        heads.open_signing_key(other, session)
    other.resolved_audit_key_file.write_bytes(settings.resolved_audit_key_file.read_bytes())
    assert heads.sign(database, other) is not None


def test_a_head_whose_signer_died_before_it_was_noted_is_noted_later(database: Database, settings: Settings) -> None:
    grow(database, 2)
    heads.sign(database, settings)
    settings.audit_heads_file.unlink()
    assert heads.sign(database, settings) is None
    assert heads.sign(database, settings) is None
    assert [head.events for head in heads.noted(settings)] == [3]
    with database.transaction() as session:
        assert heads.prove(session, settings).ok
    settings.audit_heads_file.unlink()
    tamper(database, 'UPDATE audit_events SET details = details || \'{"signature": "AAAA"}\' WHERE number = 3')
    with pytest.raises(AuditChainBroken, match="not of the audit key"):
        heads.sign(database, settings)
    assert heads.noted(settings) == ()


def test_a_note_that_was_cut_short_is_mended_and_one_that_was_changed_is_told(
    database: Database, settings: Settings
) -> None:
    grow(database, 1)
    heads.sign(database, settings)
    file = settings.audit_heads_file
    whole = file.read_bytes()
    file.write_bytes(whole + whole[:20])
    assert len(heads.noted(settings)) == 1
    grow(database, 1)
    heads.sign(database, settings)
    assert len(heads.noted(settings)) == 2
    file.write_bytes(b"{}\n" + whole)
    with pytest.raises(EvidenceError, match="Line 1"):
        heads.noted(settings)
