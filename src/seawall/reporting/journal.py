"""What is written down about a filing, before each request and after each answer.

Every change of a report names the attempt that makes it: what an attempt that was overtaken still learns is written
to its request, and changes the report no more.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from seawall.database.sessions import Database
from seawall.database.tables import Case, CaseItem, Content, Evidence, ReportItem, ReportSend
from seawall.database.tables import Report as ReportRow
from seawall.errors import Conflict, DatabaseUnavailable
from seawall.evidence import audit
from seawall.evidence.vault import Vault
from seawall.records import SYSTEM
from seawall.reporting import draft as drafts
from seawall.reporting import drafting
from seawall.reporting.cybertip.client import Reply
from seawall.reporting.cybertip.report import FileDetails
from seawall.reporting.draft import Draft
from seawall.reporting.facts import viewed
from seawall.reporting.states import NEEDS_A_PERSON, WORKED_ON, Outcome, ReportState, Step
from seawall.settings import Settings

# A number that the authority has given is worth some patience with the database: without it a person must look it up.
TRIES, BETWEEN_TRIES_S = 30, 1.0
LONGEST_ERROR = 300

log = structlog.get_logger(__name__)


class Superseded(Exception):
    """Another attempt has taken the report over; this one ends without a further word."""


@dataclass(frozen=True, slots=True)
class FilePart:
    """One file of a report, and what is said of it."""

    item_id: int
    evidence_id: int
    details: FileDetails = field(repr=False)

    @property
    def name(self) -> str:
        """Under which it is uploaded: what the uploader called it stands in its details."""
        return f"item-{self.item_id}"


@dataclass(frozen=True, slots=True)
class Work:
    """A report that was taken up. `number` is the authority's, where one is open there."""

    report_id: int
    case_id: int
    attempt: int
    failures: int
    number: int | None
    system: str
    is_test: bool
    draft: Draft = field(repr=False)
    parts: tuple[FilePart, ...] = field(repr=False)


class Journal:
    """Reads and writes what filing needs, each in a transaction of its own."""

    def __init__(self, database: Database, vault: Vault, settings: Settings, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._vault = vault
        self._settings = settings
        self._clock = clock

    def take_up(self, report_id: int, *, to_withdraw: bool = False) -> Work | None:
        """Takes a report up. None when there is nothing to do, which is also what becomes of one whose /submit nobody
        knows of: it is put before a person.

        Args:
            to_withdraw: a person wants it back, due or not.

        Raises:
            Conflict: it cannot be withdrawn.
        """
        with self._database.transaction() as session:
            case_id = session.scalar(select(ReportRow.case_id).where(ReportRow.id == report_id))
            if case_id is None:
                return None
            session.get_one(Case, case_id, with_for_update=True)  # first the case, as everywhere
            row = session.get(ReportRow, report_id, with_for_update=True, populate_existing=True)
            if row is None or not self._is_to_be_taken_up(row, to_withdraw):
                return None
            if row.state == ReportState.SUBMITTING:
                unknown = Outcome(ReportState.RECONCILE, "A worker ended while /submit was on its way.")
                self._move(session, row, unknown, None)
                return None
            row.attempts += 1
            draft = drafts.opened(session, self._vault, row)
            return Work(
                row.id,
                row.case_id,
                row.attempts,
                row.failures,
                row.authority_number,
                row.system or "",
                row.is_test,
                draft,
                self._parts(session, row.id, draft),
            )

    def about_to_submit(self, work: Work, xml: bytes) -> int:
        """Writes down that /submit goes out. From here on until the answer is written, nobody knows."""
        with self._database.transaction() as session:
            self._change(session, work, state=ReportState.SUBMITTING.value, authority_number=None)
            return self._send(session, work, Step.SUBMIT, xml, None)

    def about_to_send(self, work: Work, step: Step, xml: bytes | None, item_id: int | None) -> int:
        """Writes down that a call for an open report goes out."""
        with self._database.transaction() as session:
            self._change(session, work, state=ReportState.OPEN.value)
            return self._send(session, work, step, xml, item_id)

    def opened(self, work: Work, send: int, reply: Reply) -> None:
        """Stores the authority's number of the report, whatever it takes."""
        for tries in range(1, TRIES + 1):
            try:
                with self._database.transaction() as session:
                    self._answer(session, send, reply)
                    self._change(
                        session, work, state=ReportState.OPEN.value, authority_number=reply.report_id, code=0
                    )
                return
            except Superseded:
                self.answered(send, reply)
                raise
            except DatabaseUnavailable:
                log.error("report.number_not_stored", report=work.report_id, number=reply.report_id, tries=tries)
                if tries == TRIES:
                    raise
                time.sleep(BETWEEN_TRIES_S)

    def answered(self, send: int, reply: Reply) -> None:
        """Writes down what came back."""
        with self._database.transaction() as session:
            self._answer(session, send, reply)

    def not_answered(self, send: int, words: str) -> None:
        """Writes down that nothing came back."""
        with self._database.transaction() as session:
            session.execute(
                update(ReportSend)
                .where(ReportSend.id == send)
                .values(answered_at=self._clock(), error=words[:LONGEST_ERROR])
            )

    def evidence(self, part: FilePart) -> bytes:
        """The bytes of a file, as they were sealed.

        Raises:
            EvidenceTampered: they are not what was sealed.
        """
        with self._database.transaction() as session:
            return self._vault.open(session, part.evidence_id)

    def as_viewed(self, part: FilePart) -> FileDetails:
        """The details of a file with what reveals say at this moment of who has seen it, whatever a draft says."""
        with self._database.transaction() as session:
            evidence = session.get_one(Evidence, part.evidence_id)
            content = session.scalars(select(Content).where(Content.id == _content_of(evidence.item_id))).one()
            seen = viewed(session, evidence, content)
        return replace(part.details, file_viewed_by_esp=seen, exif_viewed_by_esp=False)

    def conclude(self, work: Work, outcome: Outcome, pause: timedelta | None) -> None:
        """Writes down what an attempt came to; what was confirmed meanwhile becomes the next draft."""
        with self._database.transaction() as session:
            session.get_one(Case, work.case_id, with_for_update=True)
            row = session.get_one(ReportRow, work.report_id, with_for_update=True, populate_existing=True)
            if row.attempts != work.attempt or (row.state not in WORKED_ON and row.state not in NEEDS_A_PERSON):
                raise Superseded
            self._move(session, row, outcome, pause)

    def _move(self, session: Session, row: ReportRow, outcome: Outcome, pause: timedelta | None) -> None:
        row.state, row.says, row.updated_at = outcome.state.value, outcome.says or None, self._clock()
        row.failures = row.failures + 1 if pause is not None else 0
        row.next_attempt_at = None if pause is None else self._clock() + pause
        if outcome.state in (ReportState.DUE, ReportState.DRAFT, ReportState.RECONCILE):
            row.authority_number = None
        facts = {"report": row.id, "case": row.case_id, "number": row.authority_number, "says": row.says}
        if outcome.state is ReportState.FILED:
            filed(session, self._vault, self._settings, row, self._clock())
            log.info("report.filed", **facts)
        elif outcome.state in NEEDS_A_PERSON:
            log.error(f"report.{outcome.state.value}", **facts, advice=f"seawall reports show {row.id}")
            audit.append(session, SYSTEM, f"report.{outcome.state.value}", f"report:{row.id}", {"says": row.says})
        elif pause is not None:
            log.warning("report.not_filed_yet", **facts, next_in_s=round(pause.total_seconds()))

    def _is_to_be_taken_up(self, row: ReportRow, to_withdraw: bool) -> bool:
        if to_withdraw:
            if row.state not in (ReportState.DUE, ReportState.OPEN, ReportState.STOPPED):
                raise Conflict(f"Report {row.id} cannot be taken back: it is {ReportState(row.state).label.lower()}.")
            return True
        due = row.next_attempt_at is not None and row.next_attempt_at <= self._clock()
        return row.state == ReportState.SUBMITTING or (row.state in WORKED_ON and due)

    def _parts(self, session: Session, report_id: int, draft: Draft) -> tuple[FilePart, ...]:
        rows = session.scalars(
            select(ReportItem.item_id).where(ReportItem.report_id == report_id).order_by(ReportItem.item_id)
        )
        parts = []
        for item_id in rows:
            evidence_id = evidence_of(session, item_id)
            if evidence_id is not None:
                details = draft.files.get(item_id) or drafts.blank_file()
                parts.append(FilePart(item_id, evidence_id, details))
        return tuple(parts)

    def _change(self, session: Session, work: Work, **columns: Any) -> None:
        changed = session.execute(
            update(ReportRow)
            .where(
                ReportRow.id == work.report_id,
                ReportRow.attempts == work.attempt,
                ReportRow.state.in_([*WORKED_ON, ReportState.STOPPED]),
            )
            .values(updated_at=self._clock(), **columns)
            .returning(ReportRow.id)
            .execution_options(synchronize_session=False)
        )
        if changed.one_or_none() is None:
            raise Superseded

    def _send(self, session: Session, work: Work, step: Step, xml: bytes | None, item_id: int | None) -> int:
        latest = select(func.coalesce(func.max(ReportSend.number), 0)).where(ReportSend.report_id == work.report_id)
        number = session.scalars(latest).one() + 1
        name = sent_name(work.report_id, number)
        row = ReportSend(
            report_id=work.report_id,
            number=number,
            call=step.value,
            item_id=item_id,
            sealed=None if xml is None else self._vault.seal_document(session, work.case_id, xml, name),
            system=work.system,
            sent_at=self._clock(),
        )
        session.add(row)
        session.flush()
        return row.id

    def _answer(self, session: Session, send: int, reply: Reply) -> None:
        session.execute(
            update(ReportSend)
            .where(ReportSend.id == send)
            .values(
                answered_at=self._clock(),
                status=reply.status,
                code=reply.number,
                request_id=reply.request_id,
                authority_number=reply.report_id,
                error=reply.description[:LONGEST_ERROR] if reply.number else None,
            )
        )


def filed(session: Session, vault: Vault, settings: Settings, row: ReportRow, at: datetime) -> None:
    """Marks a report as filed. The caller holds the case."""
    row.state, row.live, row.filed_at, row.next_attempt_at = ReportState.FILED.value, False, at, None
    session.flush()
    drafting.keep_up(session, vault, settings, row.case_id)
    details = {"number": row.authority_number, "system": row.system, "case": row.case_id}
    audit.append(session, SYSTEM, "report.filed", f"report:{row.id}", details)


def evidence_of(session: Session, item_id: int) -> int | None:
    """The sealed bytes of an item, or of the one that it takes up again."""
    item = session.get_one(CaseItem, item_id)
    wanted = [item_id, *([item.again_of] if item.again_of else [])]
    return session.scalar(select(Evidence.id).where(Evidence.item_id.in_(wanted)).limit(1))


def sent_name(report_id: int, number: int) -> str:
    """Under which the XML of a request is sealed."""
    return f"report-send/{report_id}/{number}"


def _content_of(item_id: int) -> Any:
    return select(CaseItem.content_row).where(CaseItem.id == item_id).scalar_subquery()
