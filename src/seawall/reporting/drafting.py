"""Drafts of reports: made with the decision that obliges to them, in its own transaction, and kept up with the case.

A case has one report under way. What is confirmed while that is being filed waits, and becomes a draft of its own
when it is done; so nothing is forgotten and nothing is told twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import structlog
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from seawall.database.tables import Case, ReportItem, now
from seawall.database.tables import Report as ReportRow
from seawall.errors import ConfigurationError
from seawall.evidence import audit
from seawall.evidence.vault import Vault
from seawall.records import SYSTEM
from seawall.reporting import draft as drafts
from seawall.reporting.cybertip.account import account_of, configured
from seawall.reporting.cybertip.accounts import PersonOrUserReported
from seawall.reporting.cybertip.choices import CaptureEvent, IncidentType
from seawall.reporting.cybertip.people import IpCaptureEvent
from seawall.reporting.cybertip.report import FileDetails, Hash, IncidentSummary, Report
from seawall.reporting.cybertip.reporter_file import ReporterFile, read_reporter_file
from seawall.reporting.draft import Draft, blank_file
from seawall.reporting.facts import ItemFacts, confirmed_items, prior_reports
from seawall.reporting.states import CYBERTIPLINE, ReportState
from seawall.settings import Settings

T = TypeVar("T")

log = structlog.get_logger(__name__)

NO_TIME_OF_UPLOAD = "The time at which the platform asked about the content; no time of upload was given."


def keep_up(session: Session, vault: Vault, settings: Settings, case_id: int) -> None:
    """:func:`draft`, for what must not fail with it: a decision stands although the reporter file is broken. That is
    put on record then, and `seawall reports draft CASE` makes up for it."""
    try:
        with session.begin_nested():
            draft(session, vault, settings, case_id)
    except ConfigurationError as error:
        log.error("report.not_drafted", case=case_id, error=error.message, advice=f"seawall reports draft {case_id}")
        audit.append(session, SYSTEM, "report.not_drafted", f"case:{case_id}", {"says": error.message})


def draft(session: Session, vault: Vault, settings: Settings, case_id: int) -> int | None:
    """Lets the draft of a case hold all that is confirmed and in no other report; makes it where there is none, and
    sets it aside where nothing confirmed is left. Returns the report's number where there is a draft.

    The caller holds the case. Without filing configured nothing is drafted.

    Raises:
        ConfigurationError: the reporter file cannot be used.
    """
    if not configured(settings):
        return None
    row = live_report(session, case_id)
    if row is not None and row.state != ReportState.DRAFT:
        return None
    facts = confirmed_items(session, case_id, None if row is None else row.id)
    if not facts:
        if row is not None:
            _set_aside(session, row)
        return None
    case = session.get_one(Case, case_id)
    made = compose(session, settings, case, facts)
    if row is None:
        row = ReportRow(
            case_id=case_id,
            authority=CYBERTIPLINE,
            state=ReportState.DRAFT.value,
            is_test=case.is_test,
            document=drafts.seal(session, vault, case_id, made),
        )
        session.add(row)
        session.flush()
        _put_items(session, row.id, facts)
        audit.append(session, SYSTEM, "report.draft", f"report:{row.id}", {"case": case_id, "items": len(facts)})
        return row.id
    if _put_items(session, row.id, facts):
        kept = merged(drafts.opened(session, vault, row), made)
        row.document, row.updated_at = drafts.seal(session, vault, case_id, kept), now()
    row.is_test = case.is_test
    session.flush()
    return row.id


def live_report(session: Session, case_id: int) -> ReportRow | None:
    """The report of a case that is not done, held until the transaction ends."""
    return session.scalar(
        select(ReportRow)
        .where(ReportRow.case_id == case_id, ReportRow.authority == CYBERTIPLINE, ReportRow.live)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def compose(session: Session, settings: Settings, case: Case, facts: Sequence[ItemFacts]) -> Draft:
    """A draft of what is on record, and of what the operator says for all reports. Nothing else is in it."""
    told = read_reporter_file(settings.cybertip_reporter_file) if settings.cybertip_reporter_file else None
    if told is None:
        raise ValueError("filing is not configured")
    uploads = [each.uploaded_at for each in facts if each.uploaded_at is not None]
    summary = IncidentSummary(
        incident_type=IncidentType.CSAM,
        platform=told.platform,
        incident_date_time=min(uploads or [each.judged_at for each in facts]),
        incident_date_time_description=None if uploads else NO_TIME_OF_UPLOAD,
    )
    places = {each.surface: told.incidents[each.surface] for each in facts if each.surface in told.incidents}
    report = Report(
        incident_summary=summary,
        internet_details=tuple(places.values()),
        reporter=told.reporter,
        person_or_user_reported=_reported(session, settings, case, facts, told),
        additional_info="\n".join(_by_hashes_alone(each) for each in facts if each.evidence_id is None) or None,
    )
    return Draft(report, {each.item_id: _file(each) for each in facts if each.evidence_id is not None})


def merged(kept: Draft, made: Draft) -> Draft:
    """A draft that a person may have completed, with what has come since: what they wrote stays."""
    people = kept.report.person_or_user_reported or made.report.person_or_user_reported
    if people and made.report.person_or_user_reported:
        seen, new = people[0].ip_capture_event, made.report.person_or_user_reported[0].ip_capture_event
        people = (replace(people[0], ip_capture_event=_union(seen, new)), *people[1:])
    lines = (made.report.additional_info or "").splitlines()
    said = kept.report.additional_info or ""
    report = replace(
        kept.report,
        internet_details=_union(kept.report.internet_details, made.report.internet_details),
        person_or_user_reported=people,
        additional_info="\n".join(filter(None, [said, *(line for line in lines if line not in said)])) or None,
    )
    return Draft(report, {item: kept.files.get(item, file) for item, file in made.files.items()})


def _union(first: tuple[T, ...], second: tuple[T, ...]) -> tuple[T, ...]:
    return (*first, *(each for each in second if each not in first))


def _reported(
    session: Session, settings: Settings, case: Case, facts: Sequence[ItemFacts], told: ReporterFile
) -> tuple[PersonOrUserReported, ...]:
    captures: tuple[IpCaptureEvent, ...] = ()
    for each in facts:
        captures = _union(captures, _captured(each))
    if case.account_id is None and not captures:
        return ()
    system = account_of(settings).system if settings.cybertip_username else ""
    return (
        PersonOrUserReported(
            esp_identifier=case.account_id,
            esp_service=told.service,
            ip_capture_event=captures,
            prior_ct_reports=prior_reports(session, case.account_id, system),
        ),
    )


def _file(facts: ItemFacts) -> FileDetails:
    return blank_file(
        original_file_name=facts.filename or None,
        uploaded_to_esp_timestamp=facts.uploaded_at,
        file_viewed_by_esp=facts.viewed,
        exif_viewed_by_esp=False,
        original_file_hash=tuple(Hash(value.hex(), kind) for kind, value in facts.hashes),
        ip_capture_event=next(iter(_captured(facts)), None),
    )


def _captured(facts: ItemFacts) -> tuple[IpCaptureEvent, ...]:
    if facts.uploader_ip is None:
        return ()
    return (IpCaptureEvent(facts.uploader_ip, CaptureEvent.UPLOAD, facts.uploaded_at),)


def _by_hashes_alone(facts: ItemFacts) -> str:
    hashes = ", ".join(f"{kind} {value.hex()}" for kind, value in facts.hashes) or "a perceptual hash alone"
    return f"Reported without its bytes, which the reporter does not have: content {facts.content_id}, {hashes}."


def _put_items(session: Session, report_id: int, facts: Sequence[ItemFacts]) -> bool:
    """Lets exactly these items be the report's; whether that changed something."""
    wanted = {each.item_id for each in facts}
    present = set(session.scalars(select(ReportItem.item_id).where(ReportItem.report_id == report_id)))
    session.execute(
        delete(ReportItem).where(ReportItem.report_id == report_id, ReportItem.item_id.in_(present - wanted))
    )
    session.add_all(ReportItem(report_id=report_id, item_id=item) for item in sorted(wanted - present))
    session.flush()
    return wanted != present


def _set_aside(session: Session, row: ReportRow) -> None:
    """A draft of which nothing confirmed is left."""
    session.execute(delete(ReportItem).where(ReportItem.report_id == row.id))
    row.state, row.live, row.updated_at = ReportState.SET_ASIDE.value, False, now()
    row.says = "Nothing that a reviewer has confirmed is left in it."
    session.flush()
    audit.append(session, SYSTEM, "report.set_aside", f"report:{row.id}", {"case": row.case_id})
