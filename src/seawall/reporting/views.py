"""Reports as people see them: where each stands, why it stopped, what was sent. What a report says is not in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from seawall.database.tables import Report as ReportRow
from seawall.database.tables import ReportItem, ReportSend
from seawall.errors import NotFound
from seawall.evidence import audit
from seawall.evidence.vault import Vault
from seawall.records import Actor
from seawall.reporting import draft as drafts
from seawall.reporting.acts import locked
from seawall.reporting.draft import Draft
from seawall.reporting.journal import sent_name
from seawall.reporting.nca import drafting as nca_drafting
from seawall.reporting.states import AUTHORITIES, NCA, ReportState


@dataclass(frozen=True, slots=True)
class ReportListing:
    """One report. `says` is why it stopped or waits, `authority_number` the authority's number of it, `reference`
    what an authority calls it that gives no number."""

    report_id: int
    case_id: int
    state: ReportState
    is_test: bool
    items: int
    system: str | None
    authority_number: int | None
    failures: int
    says: str | None
    created_at: datetime
    begun_at: datetime | None
    next_attempt_at: datetime | None
    filed_at: datetime | None
    authority: str
    reference: str | None

    @property
    def authority_label(self) -> str:
        """What people call the authority."""
        return AUTHORITIES.get(self.authority, self.authority)


@dataclass(frozen=True, slots=True)
class SendListing:
    """One request to the authority, and what came back of it: `answered` is false where nobody knows."""

    number: int
    call: str
    sent_at: datetime
    answered: bool
    status: int | None
    code: int | None
    request_id: str | None
    authority_number: int | None
    error: str | None
    has_xml: bool


def recent(session: Session, *, state: ReportState | None = None, limit: int = 100) -> list[ReportListing]:
    """The newest reports, newest first."""
    wanted = select(ReportRow)
    if state is not None:
        wanted = wanted.where(ReportRow.state == state.value)
    rows = session.scalars(wanted.order_by(ReportRow.id.desc()).limit(limit)).all()
    each = select(ReportItem.report_id, func.count()).group_by(ReportItem.report_id)
    counted = session.execute(each.where(ReportItem.report_id.in_([row.id for row in rows]))).all()
    items = {report_id: int(count) for report_id, count in counted}
    return [_listing(row, items.get(row.id, 0)) for row in rows]


def get(session: Session, report_id: int) -> ReportListing:
    """One report.

    Raises:
        NotFound: there is no such report.
    """
    row = _row(session, report_id)
    count = session.scalar(select(func.count()).select_from(ReportItem).where(ReportItem.report_id == report_id))
    return _listing(row, count or 0)


def sends(session: Session, report_id: int) -> list[SendListing]:
    """What was sent for a report, in order."""
    rows = session.scalars(select(ReportSend).where(ReportSend.report_id == report_id).order_by(ReportSend.number))
    return [
        SendListing(
            row.number,
            row.call,
            row.sent_at,
            row.code is not None,
            row.status,
            row.code,
            row.request_id,
            row.authority_number,
            row.error,
            row.sealed is not None,
        )
        for row in rows
    ]


def counts(session: Session) -> dict[ReportState, int]:
    """How many reports stand where."""
    rows = session.execute(select(ReportRow.state, func.count()).group_by(ReportRow.state)).all()
    found = {state: int(count) for state, count in rows}
    return {state: found.get(state.value, 0) for state in ReportState}


def problems(session: Session, vault: Vault, report_id: int) -> list[str]:
    """What keeps a draft from being filed. The places are named, and nothing of what stands there."""
    row = _row(session, report_id)
    if row.authority == NCA:
        return nca_drafting.opened(session, vault, row).problems()
    return drafts.opened(session, vault, row).problems()


def read(session: Session, vault: Vault, report_id: int, actor: Actor) -> Draft:
    """What a report to the CyberTipline says. It is full of personal data: who reads it is put on record.

    Raises:
        NotFound: there is no such report.
        Conflict: it goes to another authority.
    """
    _case, row = locked(session, report_id)
    found = drafts.opened(session, vault, row)
    audit.append(session, actor, "report.read", f"report:{report_id}", {"what": "draft"})
    return found


def read_send(session: Session, vault: Vault, report_id: int, number: int, actor: Actor) -> bytes:
    """The exact XML of one request. Who reads it is put on record.

    Raises:
        NotFound: there is no such request, or it had no XML.
    """
    row = _row(session, report_id)
    wanted = select(ReportSend).where(ReportSend.report_id == report_id, ReportSend.number == number)
    send = session.scalar(wanted)
    if send is None or send.sealed is None:
        raise NotFound(
            f"Report {report_id} has no request {number} with XML.", hint="`seawall reports show` lists them."
        )
    xml = vault.open_document(session, row.case_id, send.sealed, sent_name(report_id, number))
    audit.append(session, actor, "report.read", f"report:{report_id}", {"what": f"request {number}"})
    return xml


def _row(session: Session, report_id: int) -> ReportRow:
    row = session.get(ReportRow, report_id)
    if row is None:
        raise NotFound(f"There is no report {report_id}.", hint="`seawall reports list` shows all.")
    return row


def _listing(row: ReportRow, items: int) -> ReportListing:
    return ReportListing(
        row.id,
        row.case_id,
        ReportState(row.state),
        row.is_test,
        items,
        row.system,
        row.authority_number,
        row.failures,
        row.says,
        row.created_at,
        row.begun_at,
        row.next_attempt_at,
        row.filed_at,
        row.authority,
        row.reference,
    )
