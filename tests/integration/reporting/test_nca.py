"""Reports to the NCA: completed by a person, packed by two, and never beside a report to the CyberTipline."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pyrage
import pytest
import structlog
from sqlalchemy import select, text, update
from typer.testing import CliRunner

from seawall.access.requests import Asker
from seawall.cli.main import app
from seawall.database.tables import Case, CaseItem
from seawall.database.tables import Report as ReportRow
from seawall.errors import BadInput, Conflict, NotFound, ReportInvalid
from seawall.evidence import audit
from seawall.records import Role
from seawall.reporting import acts, views
from seawall.reporting.nca import drafting as nca
from seawall.reporting.nca import form as nca_form
from seawall.reporting.nca.form import Answer, Form, Priority
from seawall.reporting.states import NCA, ReportState
from seawall.second import asking, exports, handing_on
from tests.integration.reporting.desk import KEY, SOMEBODY, Desk
from tests.integration.second.pairs import somebody

IDENTITY = pyrage.x25519.Identity.generate()
PUBLIC = str(IDENTITY.to_public())


def draft(desk: Desk, case_id: int) -> int:
    with desk.database.transaction() as session:
        return nca.draft(session, desk.vault, desk.settings, case_id, SOMEBODY)


def real(desk: Desk, case_id: int) -> int:
    """The case as if it were no test data, which is never reported."""
    with desk.database.transaction() as session:
        session.execute(update(Case).where(Case.id == case_id).values(is_test=False))
    return case_id


def completed(form: Form) -> Form:
    answers = {
        code: answer if answer.held else Answer(False, "", "A test holds nothing.")
        for code, answer in form.answers.items()
    }
    return replace(form, answers=answers, priority=Priority.P3, priority_because="A test.", declared_by="Test Person")


def complete(desk: Desk, report: int) -> list[str]:
    with desk.database.transaction() as session:
        form = nca.read(session, desk.vault, report, SOMEBODY)
        return nca.complete(session, desk.vault, report, completed(form), SOMEBODY)


def receive(desk: Desk, report: int, reference: str) -> None:
    with desk.database.transaction() as session:
        nca.received(session, desk.vault, desk.settings, report, reference, SOMEBODY)


def test_what_is_on_record_is_filled_in_and_the_rest_is_asked_for(desk: Desk) -> None:
    report = draft(desk, desk.decided(files=2, account="test-account-nca"))
    with desk.database.transaction() as session:
        form = nca.read(session, desk.vault, report, SOMEBODY)
        assert len(views.problems(session, desk.vault, report)) == len(form.problems()) > 0
    assert form.answers["account"].value == "Account test-account-nca"
    assert form.answers["platform"].value == "Test platform"
    assert "192.0.2.7" in form.answers["upload_ip"].value
    assert form.answers["billing"].held is None
    assert complete(desk, report) == []


def test_nobody_rewrites_what_is_on_record(desk: Desk) -> None:
    report = draft(desk, desk.decided())
    with desk.database.transaction() as session:
        form = nca.read(session, desk.vault, report, SOMEBODY)
        other = replace(form, answers={**form.answers, "hashes": Answer(True, "MD5 of something else")})
        nca.complete(session, desk.vault, report, other, SOMEBODY)
        assert nca.read(session, desk.vault, report, SOMEBODY).answers["hashes"] == form.answers["hashes"]


def test_an_item_goes_one_way_or_the_other(desk: Desk) -> None:
    case_id = real(desk, desk.decided())
    tipline = desk.report(case_id).id
    report = draft(desk, case_id)
    assert desk.state(tipline) is ReportState.SET_ASIDE
    assert draft(desk, case_id) == report
    with pytest.raises(Conflict):
        _file(desk, tipline)
    complete(desk, report)
    receive(desk, report, "TEST-REF-1")
    assert desk.state(report) is ReportState.FILED
    assert desk.report(case_id).id == report  # no draft for the CyberTipline came of it
    with pytest.raises(Conflict):
        draft(desk, case_id)


def _file(desk: Desk, report: int) -> None:
    with desk.database.transaction() as session:
        acts.file(session, desk.vault, desk.settings, report, SOMEBODY)


def test_what_is_being_filed_with_the_tipline_stays_there(desk: Desk) -> None:
    case_id = desk.decided()
    filed = desk.begin(case_id)
    with pytest.raises(Conflict, match="Nothing of case"):
        draft(desk, case_id)
    desk.filer().file(filed)
    assert desk.state(filed) is ReportState.FILED
    with pytest.raises(Conflict, match="Nothing of case"):
        draft(desk, case_id)


def test_what_is_set_aside_goes_back_to_the_other_draft(desk: Desk) -> None:
    case_id = desk.decided(files=2)
    report = draft(desk, case_id)
    with desk.database.transaction() as session:
        with pytest.raises(BadInput):
            nca.set_aside(session, desk.vault, desk.settings, report, " ", SOMEBODY)
        nca.set_aside(session, desk.vault, desk.settings, report, "A test.", SOMEBODY)
    back = desk.report(case_id)
    assert (back.authority, back.state) == ("cybertipline", ReportState.DRAFT.value)
    assert len(desk.items_of(back.id)) == 2
    assert desk.items_of(report) == []


def test_a_reference_belongs_to_one_complete_report(desk: Desk) -> None:
    first, second = (draft(desk, real(desk, desk.decided())) for _ in range(2))
    with pytest.raises(ReportInvalid):
        receive(desk, first, "TEST-REF-2")
    complete(desk, first)
    complete(desk, second)
    for wrong in ("", "x" * 101, "two\nlines"):
        with pytest.raises(BadInput):
            receive(desk, first, wrong)
    receive(desk, first, " TEST-REF-2 ")
    with pytest.raises(Conflict, match="Another report"):
        receive(desk, second, "TEST-REF-2")
    with pytest.raises(Conflict, match="no draft"):
        receive(desk, first, "TEST-REF-3")
    with desk.database.transaction() as session:
        (told,) = [link for link in audit.links(session) if link.act == "report.filed"]
        assert views.get(session, first).reference == "TEST-REF-2"
    assert told.details["reference"] == "TEST-REF-2"


def test_a_reference_that_two_give_at_once_belongs_to_one(desk: Desk) -> None:
    reports = [draft(desk, real(desk, desk.decided())) for _ in range(2)]
    for report in reports:
        complete(desk, report)
    with ThreadPoolExecutor(1) as other:
        with desk.database.transaction() as session:
            nca.received(session, desk.vault, desk.settings, reports[0], "TEST-REF-5", SOMEBODY)
            late = other.submit(receive, desk, reports[1], "TEST-REF-5")
            assert any(waiting(desk) for _ in range(100_000))
        with pytest.raises(Conflict, match="Another report"):
            late.result()
    assert [desk.state(report) for report in reports] == [ReportState.FILED, ReportState.DRAFT]


def waiting(desk: Desk) -> int:
    """How many wait for a lock."""
    waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    with desk.database.transaction() as session:
        return int(session.execute(text(waits)).scalar_one())


def test_a_report_of_many_items_can_be_opened_again(desk: Desk) -> None:
    case_id = desk.decided(files=0, hashes_alone=300)
    report = draft(desk, case_id)
    assert len(desk.items_of(report)) == 300
    assert complete(desk, report) == []
    with desk.database.transaction() as session:
        said = nca.read(session, desk.vault, report, SOMEBODY).answers
    assert all(said[code].value.count("\n") >= 199 for code in ("content", "uploaded_at", "upload_ip", "hashes"))
    assert len(said["hashes"].value) > 20_000


def test_what_could_not_be_opened_again_is_not_sealed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    case_id = desk.decided()
    tipline = desk.report(case_id).id
    monkeypatch.setattr(nca_form, "LARGEST_DOCUMENT", 1000)
    with pytest.raises(ReportInvalid, match="too large"):
        draft(desk, case_id)
    assert desk.report(case_id).id == tipline
    assert len(desk.items_of(tipline)) == 1


def let_go(desk: Desk, report: int, name: str = "test-senior") -> int:
    """A pack that two people have let go; the number of the request."""
    with desk.database.transaction() as session:
        wanted = exports.parameters_of_report(session, desk.vault, report, [PUBLIC])
        asked = handing_on.ask(session, wanted, Asker(SOMEBODY), "A test.", timedelta(days=1)).id
    senior = somebody(desk.database, name, Role.SENIOR)
    with desk.database.transaction() as session:
        asking.answer(session, senior, asked, approved=True, words="I have compared the key.")
    return asked


def plan(desk: Desk, request: int) -> handing_on.Plan:
    with desk.database.transaction() as session:
        return handing_on.plan(session, desk.vault, desk.settings, request)


def test_the_pack_holds_the_report_that_was_let_go_and_no_other(desk: Desk) -> None:
    case_id = desk.decided(account="test-account-pack", hashes_alone=1)
    report = draft(desk, case_id)
    with desk.database.transaction() as session, pytest.raises(ReportInvalid):
        exports.parameters_of_report(session, desk.vault, report, [PUBLIC])
    complete(desk, report)
    request = let_go(desk, report)
    assert len(plan(desk, request).report) == 2
    with desk.database.transaction() as session:
        said = nca.read(session, desk.vault, report, SOMEBODY)
        nca.complete(session, desk.vault, report, replace(said, priority_because="Another."), SOMEBODY)
    with pytest.raises(Conflict, match="not as it was"):
        plan(desk, request)
    second = let_go(desk, report, "second-senior")
    plan(desk, second)
    bytes_came_late(desk, case_id)
    with pytest.raises(Conflict, match="other items"):
        plan(desk, second)
    third = let_go(desk, report, "third-senior")
    plan(desk, third)
    desk.confirm("test-account-pack", draft=False)
    draft(desk, case_id)
    with pytest.raises(Conflict, match="not as it was"):
        plan(desk, third)


def bytes_came_late(desk: Desk, case_id: int) -> None:
    with desk.database.transaction() as session:
        item = session.scalars(
            select(CaseItem.id).where(CaseItem.case_id == case_id).order_by(CaseItem.id.desc())
        ).first()
        assert item is not None
        desk.vault.seal(session, case_id, item, b"test bytes that came late", "image/png")


def test_test_data_is_never_reported(desk: Desk) -> None:
    report = draft(desk, desk.decided())
    complete(desk, report)
    with pytest.raises(Conflict, match="Test data"):
        receive(desk, report, "TEST-REF-4")


def test_commands_of_the_other_authority_leave_it_alone(desk: Desk) -> None:
    report = draft(desk, desk.decided())
    for act in (
        lambda session: views.read(session, desk.vault, report, SOMEBODY),
        lambda session: acts.locked(session, report),
    ):
        with desk.database.transaction() as session, pytest.raises(Conflict, match="NCA"):
            act(session)
    assert desk.filer().file(report) is None
    tipline = desk.report(desk.decided()).id
    with desk.database.transaction() as session, pytest.raises(NotFound):
        nca.locked(session, tipline)


def test_the_commands_from_draft_to_pack(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEAWALL_HOME", str(desk.settings.home))
    monkeypatch.setenv("SEAWALL_DATABASE_URL", desk.database.url)
    monkeypatch.setenv("SEAWALL_MASTER_KEY", base64.b64encode(KEY).decode())
    monkeypatch.setenv("SEAWALL_CYBERTIP_REPORTER_FILE", str(desk.settings.home / "reporter.toml"))

    def said(*arguments: str, status: int = 0) -> str:
        result = CliRunner().invoke(app, ["reports", *arguments])
        structlog.reset_defaults()
        assert result.exit_code == status, (result.output, result.exception)
        return str(result.stdout)

    report = said("nca", "draft", str(desk.decided())).split()[1]
    assert "To complete: fields.billing" in said("nca", "show", report)
    document = json.loads(said("nca", "show", report, "--json"))
    file = tmp_path / "report.json"
    file.write_text(json.dumps(document), "utf-8")
    assert "it is not complete" in said("nca", "complete", report, str(file), status=1)
    for field in document["fields"].values():
        if not field["held"]:
            field |= {"held": False, "why_not": "A test holds nothing."}
    document |= {"priority": "P1", "priority_because": "A test.", "declared_by": "Test Person"}
    file.write_text(json.dumps(document), "utf-8")
    assert "it is complete" in said("nca", "complete", report, str(file))
    number = int(said("nca", "pack", report, "--to", PUBLIC, "--reason", "A test.").split(":")[0].split()[1])
    with desk.database.transaction() as session:
        senior = somebody(desk.database, "test-senior", Role.SENIOR)
        asking.answer(session, senior, number, approved=True, words="I have compared the key.")
    out = tmp_path / "pack.zip.age"
    said("package", str(number), str(out))
    with zipfile.ZipFile(io.BytesIO(pyrage.decrypt(out.read_bytes(), [IDENTITY]))) as archive:
        assert archive.namelist() == ["report.json", "report.pdf", "case.json", "Media/1.png", "manifest.json"]
        told = json.loads(archive.read("report.json"))
        assert archive.read("report.pdf").startswith(b"%PDF-")
        assert json.loads(archive.read("case.json"))["@odata.context"].endswith("/UK/$metadata#Cases")
    assert (told["priority"], told["test_data"]) == ("P1", True)
    assert told["fields"]["billing"]["why_not"] == "A test holds nothing."
    assert [each["path"] for each in told["files"]] == ["Media/1.png"]
    said("nca", "set-aside", report, "--words", "A test.")
    with desk.database.transaction() as session:
        assert session.get_one(ReportRow, int(report)).authority == NCA
