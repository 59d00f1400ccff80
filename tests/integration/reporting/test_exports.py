"""Sealed originals leave by two people alone, for the keys that both saw, and each time on record."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zipfile
from datetime import timedelta
from pathlib import Path

import pyrage
import pytest
import structlog
from sqlalchemy import select, update
from typer.testing import CliRunner

from seawall.access.requests import Asker, RequestInfo
from seawall.cli.main import app
from seawall.database.tables import CaseItem, Content, Evidence, Request, now
from seawall.errors import BadInput, Conflict, EvidenceTampered, Forbidden, NotFound
from seawall.evidence import audit
from seawall.hashlists.formats import read_entries
from seawall.records import BadLine, ItemState, Role
from seawall.request_records import RequestState
from seawall.second import asking, exports, handing_on
from tests.integration.reporting.desk import KEY, SOMEBODY, Desk
from tests.integration.second.pairs import somebody

IDENTITY = pyrage.x25519.Identity.generate()
PUBLIC = str(IDENTITY.to_public())


def ask(desk: Desk, case_id: int, asker: Asker | None = None) -> RequestInfo:
    with desk.database.transaction() as session:
        wanted = exports.parameters_of(session, case_id, "Test police, file 1", [PUBLIC])
        return handing_on.ask(session, wanted, asker or Asker(SOMEBODY), "A test.", timedelta(days=1))


def approve(desk: Desk, request: int, name: str = "test-senior", role: Role = Role.SENIOR) -> RequestInfo:
    person = somebody(desk.database, name, role)
    with desk.database.transaction() as session:
        return asking.answer(session, person, request, approved=True, words="I have compared the key.")


def write(desk: Desk, request: int, out: Path) -> bytes:
    handing_on.write(desk.database, desk.vault, desk.settings, request, out, SOMEBODY)
    return out.read_bytes()


def acts(desk: Desk) -> list[audit.AuditLink]:
    with desk.database.transaction() as session:
        return list(audit.links(session))


def test_what_two_people_let_go_opens_with_the_recipients_key(desk: Desk, tmp_path: Path) -> None:
    case_id = desk.decided(files=2, hashes_alone=1)
    asked = ask(desk, case_id)
    out = tmp_path / "case.zip.age"
    with pytest.raises(Conflict, match="not approved"):
        write(desk, asked.id, out)
    assert not list(tmp_path.iterdir())
    assert approve(desk, asked.id).state is RequestState.CARRIED_OUT
    sealed = write(desk, asked.id, out)

    assert b"test bytes of item" not in sealed
    assert [each.name for each in tmp_path.iterdir()] == ["case.zip.age"]
    assert out.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(io.BytesIO(pyrage.decrypt(sealed, [IDENTITY]))) as archive:
        media = [archive.read(name) for name in archive.namelist() if name.startswith("Media/")]
        document = archive.read(handing_on.DOCUMENT)
        manifest = json.loads(archive.read("manifest.json"))
    assert {hashlib.md5(data).hexdigest() for data in media} == set(desk.files_of(case_id).values())
    assert (manifest["case"], manifest["test_data"], manifest["for"]) == (case_id, True, "Test police, file 1")
    assert json.loads(document)["value"][0]["ContactEmail"] == "reporter@test.example"
    read = list(read_entries(io.BytesIO(document), "vics"))
    assert [each.code for each in read if isinstance(each, BadLine)] == ["not_categorised"] * 2

    (left,) = [link for link in acts(desk) if link.act == "evidence.export"]
    assert left.details["package_sha256"] == hashlib.sha256(sealed).hexdigest()
    assert left.details["second_person"] == "user:test-senior"
    assert len(left.details["evidence"]) == 2
    assert left.details["recipients"] == [PUBLIC]
    assert "evidence.export_allow" in [link.act for link in acts(desk)]


def test_who_asked_does_not_agree_and_who_may_not_does_not(desk: Desk) -> None:
    custodian = somebody(desk.database, "test-custodian", Role.EVIDENCE_CUSTODIAN)
    asked = ask(desk, desk.decided(), Asker(custodian.actor, custodian.user_id))
    for name, role in (("test-custodian", Role.EVIDENCE_CUSTODIAN), ("test-reviewer", Role.REVIEWER)):
        with pytest.raises(Forbidden):
            approve(desk, asked.id, name, role)
    assert approve(desk, asked.id, "other-custodian", Role.EVIDENCE_CUSTODIAN).state is RequestState.CARRIED_OUT


def set_state(desk: Desk, case_id: int, state: ItemState) -> None:
    with desk.database.transaction() as session:
        session.execute(update(CaseItem).where(CaseItem.case_id == case_id).values(state=state.value))


def test_what_is_not_confirmed_any_more_does_not_leave(desk: Desk, tmp_path: Path) -> None:
    case_id = desk.decided()
    waiting, let_go = ask(desk, case_id).id, None
    set_state(desk, case_id, ItemState.NOT_A_MATCH)
    assert approve(desk, waiting).state is RequestState.VOID
    set_state(desk, case_id, ItemState.CONFIRMED)
    let_go = ask(desk, case_id).id
    approve(desk, let_go)
    set_state(desk, case_id, ItemState.NOT_A_MATCH)
    with pytest.raises(Conflict, match="not confirmed"):
        write(desk, let_go, tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_other_bytes_than_were_asked_for_do_not_leave(desk: Desk, tmp_path: Path) -> None:
    case_id = desk.decided()
    asked = ask(desk, case_id).id
    approve(desk, asked)
    with desk.database.transaction() as session:
        row = session.scalars(select(Evidence).where(Evidence.case_id == case_id)).one()
        row.sha256 = bytes(32)
    with pytest.raises(Conflict, match="not as they were"):
        write(desk, asked, tmp_path / "out")


def test_evidence_that_was_changed_leaves_nothing_behind(desk: Desk, tmp_path: Path) -> None:
    case_id = desk.decided(files=2)
    asked = ask(desk, case_id).id
    approve(desk, asked)
    with desk.database.transaction() as session:
        last = session.scalars(
            select(Evidence).where(Evidence.case_id == case_id).order_by(Evidence.id.desc())
        ).first()
        assert last is not None
        last.sealed_sha256 = bytes(32)
    with pytest.raises(EvidenceTampered):
        write(desk, asked, tmp_path / "out")
    assert not list(tmp_path.iterdir())
    assert "evidence.export" not in [link.act for link in acts(desk)]


def test_a_permission_runs_out_and_nothing_is_written_over(desk: Desk, tmp_path: Path) -> None:
    asked = ask(desk, desk.decided()).id
    approve(desk, asked)
    there = tmp_path / "there"
    there.write_text("mine")
    with pytest.raises(Conflict, match="there already"):
        write(desk, asked, there)
    with pytest.raises(BadInput):
        write(desk, asked, tmp_path / "no-folder" / "out")
    write(desk, asked, tmp_path / "first")
    write(desk, asked, tmp_path / "again")  # a download that broke
    with desk.database.transaction() as session:
        session.get_one(Request, asked).answered_at = now() - timedelta(days=8)
    with pytest.raises(Conflict, match="days ago"):
        write(desk, asked, tmp_path / "late")
    assert there.read_text() == "mine"
    assert [link.act for link in acts(desk)].count("evidence.export") == 2


def test_what_cannot_be_handed_on(desk: Desk) -> None:
    there = desk.decided()
    with desk.database.transaction() as session:
        with pytest.raises(NotFound):
            exports.parameters_of(session, 999_999, "Test police", [PUBLIC])
        for wrong in ("", "x" * 300, "two\nlines"):
            with pytest.raises(BadInput):
                exports.parameters_of(session, there, wrong, [PUBLIC])
    only_hashes = desk.decided(files=0, hashes_alone=1)
    with desk.database.transaction() as session, pytest.raises(Conflict, match="nothing that may"):
        exports.parameters_of(session, only_hashes, "Test police", [PUBLIC])


def test_the_commands(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEAWALL_HOME", str(desk.settings.home))
    monkeypatch.setenv("SEAWALL_DATABASE_URL", desk.database.url)
    monkeypatch.setenv("SEAWALL_MASTER_KEY", base64.b64encode(KEY).decode())
    case_id = desk.decided()
    with desk.database.transaction() as session:
        session.execute(update(Content).values(filename="../../etc/passwd"))
    asked = CliRunner().invoke(
        app, ["reports", "export", str(case_id), "--to", PUBLIC, "--for", "Test police", "--reason", "A test."]
    )
    assert "waits for a second person" in asked.stdout, asked.output
    number = int(asked.stdout.split(":")[0].removeprefix("Request "))
    approve(desk, number)
    out = tmp_path / "case.zip.age"
    wrote = CliRunner().invoke(app, ["reports", "package", str(number), str(out)])
    structlog.reset_defaults()
    assert hashlib.sha256(out.read_bytes()).hexdigest() in wrote.stdout.replace("\n", "")
    with zipfile.ZipFile(io.BytesIO(pyrage.decrypt(out.read_bytes(), [IDENTITY]))) as archive:
        assert archive.namelist() == ["case.json", "Media/1.png", "manifest.json"]
