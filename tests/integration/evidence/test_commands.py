"""`seawall audit` as a person calls it, on a real database."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from seawall.database.sessions import Database
from seawall.evidence.audit import append
from seawall.records import SYSTEM
from tests.integration.evidence.test_audit import tamper

Run = subprocess.CompletedProcess[str]


@pytest.fixture
def filled(database: Database) -> Database:
    with database.transaction() as session:
        for number in range(1, 6):
            append(session, SYSTEM, "test.event", f"test:{number}", {"number": number})
    return database


def audit(database: Database, home: Path, *arguments: str) -> Run:
    environment = {**os.environ, "SEAWALL_HOME": str(home), "SEAWALL_DATABASE_URL": database.url, "COLUMNS": "200"}
    command = [sys.executable, "-m", "seawall.cli.main", "audit", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def head_of(done: Run) -> str:
    return done.stdout.split("Head: ")[1].strip()


def test_a_chain_that_holds(filled: Database, tmp_path: Path) -> None:
    done = audit(filled, tmp_path, "verify")
    assert done.returncode == 0, done.stderr
    assert "5 events" in done.stdout
    assert audit(filled, tmp_path, "verify", "--head", head_of(done)).returncode == 0
    assert audit(filled, tmp_path, "verify", "--head", "00" * 31 + "01").returncode == 7
    assert audit(filled, tmp_path, "verify", "--head", "xyz").returncode == 6


def test_a_chain_that_was_changed(filled: Database, tmp_path: Path) -> None:
    with filled.transaction() as session:
        session.execute(text("ALTER TABLE audit_events DISABLE TRIGGER append_only"))
        session.execute(text("UPDATE audit_events SET actor = 'user:nobody' WHERE number = 3"))
    done = audit(filled, tmp_path, "verify")
    assert done.returncode == 7
    assert "Event 3 was changed" in done.stderr


def test_an_export_is_private_and_verifies_without_the_database(filled: Database, tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    head = head_of(audit(filled, tmp_path, "verify"))
    assert audit(filled, tmp_path, "export", "--to", str(file)).returncode == 0
    assert file.stat().st_mode & 0o777 == 0o600
    filled.close()
    nowhere = Database("postgresql://127.0.0.1:1/none")
    done = audit(nowhere, tmp_path, "verify", "--export", str(file), "--head", head)
    assert done.returncode == 0, done.stderr
    lines = file.read_bytes().splitlines(keepends=True)
    assert len(lines) == 7  # five events, the record of the export, and the signed end
    for broken, status in (
        (lines[:-1], 7),
        ([*lines[:-2], lines[-1]], 7),
        (lines[1:], 7),
        ([lines[0], lines[2], lines[1], *lines[3:]], 7),
        ([lines[0].replace(b'"number":1', b'"number":2', 1), *lines[1:]], 7),
        ([b"{}\n"], 6),
    ):
        file.write_bytes(b"".join(broken))
        assert audit(nowhere, tmp_path, "verify", "--export", str(file), "--head", head).returncode == status


def test_an_export_overwrites_nothing_and_is_itself_on_record(filled: Database, tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    file.write_text("mine")
    assert audit(filled, tmp_path, "export", "--to", str(file)).returncode == 6
    assert file.read_text() == "mine"
    done = audit(filled, tmp_path, "export")
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 7
    assert '"act":"audit.export"' in done.stdout.splitlines()[-2]
    shown = audit(filled, tmp_path, "show", "--last", "2")
    assert shown.returncode == 0, shown.stderr
    assert "audit.export" in shown.stdout
    assert "test:5" in shown.stdout
    assert "test:4" not in shown.stdout


def test_a_signed_chain_verifies_elsewhere_with_the_public_key_alone(filled: Database, tmp_path: Path) -> None:
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    assert "Signatures: not looked at" in audit(filled, home, "verify").stdout
    signed = audit(filled, home, "sign")
    assert "5 events are signed" in signed.stdout, signed.stderr
    assert "Nothing happened" in audit(filled, home, "sign").stdout
    assert "1 hold, and vouch for events 1 to 5" in audit(filled, home, "verify").stdout
    key, export = tmp_path / "audit.pub", tmp_path / "audit.jsonl"
    key.write_text(audit(filled, home, "public-key").stdout)
    assert key.read_text().startswith("-----BEGIN PUBLIC KEY-----")
    assert audit(filled, home, "export", "--to", str(export)).returncode == 0
    nowhere = Database("postgresql://127.0.0.1:1/none")
    done = audit(nowhere, elsewhere, "verify", "--export", str(export), "--public-key", str(key))
    assert "vouch for events 1 to 7" in done.stdout, done.stderr
    assert audit(nowhere, elsewhere, "verify", "--export", str(export), "--public-key", str(export)).returncode == 6
    assert audit(filled, elsewhere, "sign").returncode == 4  # another home lacks the key, and makes no other
    tamper(filled, "DELETE FROM audit_events WHERE number >= 3")
    refused = audit(filled, home, "export", "--to", str(tmp_path / "other.jsonl"))
    assert (refused.returncode, (tmp_path / "other.jsonl").exists()) == (7, False)
    assert "Nothing was signed" in refused.stderr
