"""What a pack for the NCA holds beside the originals: the report, as JSON and as a PDF."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy.orm import Session

from seawall.errors import Conflict, ReportInvalid
from seawall.evidence.vault import Vault
from seawall.reporting import vics
from seawall.reporting.nca import drafting
from seawall.reporting.nca.form import HINT, Form
from seawall.reporting.nca.pdf import pdf
from seawall.reporting.package import Member
from seawall.reporting.states import ReportState
from seawall.reporting.vics import Original

JSON, PDF = "report.json", "report.pdf"


def members(
    session: Session, vault: Vault, report_id: int, originals: Sequence[Original], approved: str
) -> list[Member]:
    """The report, in both forms; holds its case until the transaction ends.

    Args:
        approved: the digest of the form that two people let go.

    Raises:
        NotFound: there is no such report.
        Conflict: it is set aside, or its form says something else now.
        ReportInvalid: it is not complete; the message says what is missing.
    """
    row = drafting.locked(session, report_id)
    if row.state == ReportState.SET_ASIDE:
        raise Conflict(f"Report {report_id} is set aside.")
    form = drafting.opened(session, vault, row)
    if form.sha256 != approved:
        raise Conflict(f"Report {report_id} is not as it was when its pack was asked for.", hint="Ask for it anew.")
    if found := form.problems():
        raise ReportInvalid(" ".join(found), hint=HINT)
    files = [
        (vics.place_of(number, each), each.item_id, each.sha256.hex()) for number, each in enumerate(originals, 1)
    ]
    return [
        Member(JSON, _json(report_id, row.case_id, row.is_test, form, files), {}),
        Member(PDF, _pdf(report_id, row.case_id, row.is_test, form, files), {"same_as": JSON}),
    ]


def _json(report_id: int, case_id: int, is_test: bool, form: Form, files: Sequence[tuple[str, int, str]]) -> bytes:
    document = {
        "report": report_id,
        "case": case_id,
        "test_data": is_test,
        **form.document(),
        "files": [{"path": path, "item": item, "sha256": sha256} for path, item, sha256 in files],
    }
    return json.dumps(document, ensure_ascii=False, indent=1).encode("utf-8", "replace")


def _pdf(report_id: int, case_id: int, is_test: bool, form: Form, files: Sequence[tuple[str, int, str]]) -> bytes:
    head = [("Our report", str(report_id)), ("Our case", str(case_id))]
    return pdf(
        form, head, [f"{path}: item {item}, SHA-256 {sha256}" for path, item, sha256 in files], is_test=is_test
    )
