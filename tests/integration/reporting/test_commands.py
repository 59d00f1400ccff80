"""`seawall reports` as a person calls it, and the double as a process of its own."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import structlog
from typer.testing import CliRunner

from seawall.cli.main import app
from seawall.errors import Conflict, SeawallError
from seawall.evidence import audit
from seawall.reporting import condition, drafting
from seawall.reporting.double.faults import Fault, FaultKind
from seawall.reporting.states import ReportState
from tests.integration.reporting.desk import KEY, Desk


@pytest.fixture
def shell(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """The desk, which commands of this process find by their environment."""
    monkeypatch.setenv("SEAWALL_HOME", str(desk.settings.home))
    monkeypatch.setenv("SEAWALL_DATABASE_URL", desk.database.url)
    monkeypatch.setenv("SEAWALL_MASTER_KEY", base64.b64encode(KEY).decode())
    monkeypatch.setenv("SEAWALL_CYBERTIP_REPORTER_FILE", str(desk.settings.home / "reporter.toml"))
    monkeypatch.setenv("SEAWALL_CYBERTIP_USERNAME", "test")
    monkeypatch.setenv("SEAWALL_CYBERTIP_PASSWORD", "test")
    monkeypatch.setenv("SEAWALL_CYBERTIP_URL", desk.double.address)
    monkeypatch.setenv("COLUMNS", "250")
    return desk


def said(*arguments: str, status: int = 0) -> str:
    result = CliRunner().invoke(app, ["reports", *arguments])
    structlog.reset_defaults()  # the command wrote to a standard error that is closed now
    if isinstance(result.exception, SeawallError):
        raise result.exception
    assert result.exit_code == status, result.output
    return str(result.stdout)


def test_a_report_from_draft_to_filed(shell: Desk, tmp_path: Path) -> None:
    report = str(shell.report(shell.decided()).id)
    assert re.search(r"Draft \(test data\)", said("list"))
    document = json.loads(said("show", report, "--json"))
    document["report"]["additional_info"] = "Test data, added by a person."
    file = tmp_path / "report.json"
    file.write_text(json.dumps(document), "utf-8")
    assert "it can be filed" in said("complete", report, str(file))
    document["report"]["internet_details"] = []
    file.write_text(json.dumps(document), "utf-8")
    assert "internetDetails is missing" in said("complete", report, str(file), status=1)
    assert "To complete: report/internetDetails is missing" in said("show", report)
    document["report"]["internet_details"] = [{"chat_im_incident": {}}]
    file.write_text(json.dumps(document), "utf-8")
    said("complete", report, str(file))
    said("file", report)
    with pytest.raises(Conflict):
        said("file", report)
    shell.double.faults.add(Fault("finish", FaultKind.FAULT_1000))
    shell.make_due()
    shell.filer().file(int(report))
    assert "draft again" in said("retract", report, "--words", "A test.")
    said("file", report)
    shell.make_due()
    shell.filer().file(int(report))
    shown = said("show", report)
    assert "Filed" in shown
    assert "/finish: code 0 (HTTP 200)" in shown
    assert "added by a person" in said("show", report, "--request", "1")
    with shell.database.transaction() as session:
        acts = [link.act for link in audit.links(session)]
        assert acts.count("report.read") == 2
        assert audit.verify(session).ok


def test_what_cannot_go_on_is_settled_by_hand(shell: Desk) -> None:
    report_id = shell.begin(shell.decided())
    shell.double.faults.add(Fault("submit", FaultKind.DROP_AFTER))
    shell.filer().file(report_id)
    assert any("reconcile by hand" in says for _, says in condition.examine(shell.settings, shell.database))
    assert "no answer" in said("show", str(report_id))
    number = str(shell.books.reports()[0].report_id)
    said("resolve", str(report_id), "opened", "--number", number, "--words", "Looked it up.")
    shell.make_due()
    shell.filer().file(report_id)
    assert shell.state(report_id) is ReportState.FILED
    assert {state for state, _ in condition.examine(shell.settings, shell.database)} == {"warn"}, "the test system"


def test_a_reporter_file_that_is_broken_keeps_no_decision_from_standing(shell: Desk) -> None:
    file = shell.settings.home / "reporter.toml"
    whole = file.read_text("utf-8")
    file.write_text("platform = 7", "utf-8")
    case_id = shell.confirm("test-account-broken", draft=False)
    with shell.database.transaction() as session:
        drafting.keep_up(session, shell.vault, shell.settings, case_id)
    with shell.database.transaction() as session:
        assert [link.act for link in audit.links(session)] == ["report.not_drafted"]
    file.write_text(whole, "utf-8")
    assert "is its draft" in said("draft", str(case_id))


def test_the_double_is_a_process_for_training(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "seawall.cli.main", "dev", "cybertip-double", "--port", "0"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(3)]
        address = re.search(r"http://127\.0\.0\.1:\d+/ispws", "".join(lines))
        assert address is not None
        assert httpx.get(f"{address[0]}/status", auth=("test", "test")).status_code == 200
        assert httpx.get(f"{address[0]}/status", auth=("test", "wrong")).status_code == 401
        process.terminate()
