"""What people do with reports: complete, file, resolve. Each act is in the audit chain, in its own transaction.

Filing is meant for two people. `file` is the one place where a report is let go: whoever asks for a second person's
agreement asks for it there.
"""

from __future__ import annotations

import enum
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from seawall.database.tables import Case, now
from seawall.database.tables import Report as ReportRow
from seawall.engines.jobs import defer
from seawall.errors import BadInput, Conflict, NotFound, ReportInvalid
from seawall.evidence import audit
from seawall.evidence.vault import Vault
from seawall.records import Actor
from seawall.reporting import draft as drafts
from seawall.reporting import drafting, journal
from seawall.reporting.cybertip.account import account_of
from seawall.reporting.draft import Draft
from seawall.reporting.states import AUTHORITIES, CYBERTIPLINE, ReportState
from seawall.settings import Settings

TASK = "reporting.file"
LONGEST_WORDS = 4000
LARGEST_NUMBER = 2**63 - 1


class Resolution(enum.StrEnum):
    """What a person has found out, or decided, about a report that cannot go on by itself."""

    OPENED = "opened"  # /submit had arrived, and the authority has it under this number
    NOT_OPENED = "not-opened"  # the authority has nothing of it
    FILED = "filed"  # it was filed by another way, under this number
    SET_ASIDE = "set-aside"  # it is not to be filed


def complete(session: Session, vault: Vault, report_id: int, completed: Draft, actor: Actor) -> list[str]:
    """Puts what a person has completed into the place of the draft; returns what is still wrong with it.

    Raises:
        NotFound: there is no such report.
        Conflict: it is no draft any more.
        ReportInvalid: it tells of other files than the report's.
    """
    _case, row = locked(session, report_id)
    if row.state != ReportState.DRAFT:
        raise Conflict(f"Report {report_id} is no draft: it is {ReportState(row.state).label.lower()}.")
    present = drafts.opened(session, vault, row)
    if set(completed.files) != set(present.files):
        wanted = ", ".join(map(str, sorted(present.files))) or "none"
        raise ReportInvalid(f"The report has files of these items: {wanted}. Leave each of them, and no other.")
    row.document, row.updated_at = drafts.seal(session, vault, row.case_id, completed), now()
    session.flush()
    audit.append(session, actor, "report.complete", f"report:{report_id}", {"case": row.case_id})
    return completed.problems()


def file(
    session: Session, vault: Vault, settings: Settings, report_id: int, actor: Actor, *, at: datetime | None = None
) -> None:
    """Lets a report go: from here on the worker files it. A stopped one is taken up where it stopped.

    Raises:
        NotFound: there is no such report.
        Conflict: it is on its way already, or must not be filed.
        ReportInvalid: it is not complete; the message says what is missing.
        ConfigurationError: filing is not configured.
    """
    account = account_of(settings)
    _case, row = locked(session, report_id)
    if row.state == ReportState.DRAFT:
        drafting.draft(session, vault, settings, row.case_id)
        row.system = account.system
    if row.state not in (ReportState.DRAFT, ReportState.STOPPED):
        raise Conflict(f"Report {report_id} cannot be filed now: it is {ReportState(row.state).label.lower()}.")
    if row.is_test and account.is_production:
        raise Conflict("Test data is never filed with the production system.", hint="File it with the test system.")
    if row.authority_number is not None and row.system != account.system:
        raise Conflict(f"Report {report_id} is open with {row.system}, and the settings name {account.system}.")
    if found := drafts.opened(session, vault, row).problems():
        raise ReportInvalid(" ".join(found))
    moment = at or now()
    row.attempts += 1  # whoever is still at it changes nothing any more
    row.state = (ReportState.DUE if row.authority_number is None else ReportState.OPEN).value
    row.system, row.says, row.failures = account.system, None, 0
    row.begun_at, row.updated_at, row.next_attempt_at = row.begun_at or moment, moment, moment
    session.flush()
    enqueue(session, report_id)
    details = {"case": row.case_id, "system": account.system}
    audit.append(session, actor, "report.file", f"report:{report_id}", details)


def resolve(
    session: Session,
    vault: Vault,
    settings: Settings,
    report_id: int,
    how: Resolution,
    words: str,
    actor: Actor,
    *,
    number: int | None = None,
    at: datetime | None = None,
) -> None:
    """Settles by hand what cannot go on by itself, with words that say what it rests on.

    Raises:
        BadInput: there are no words, or the number is missing or not wanted.
        NotFound: there is no such report.
        Conflict: it is not one that can be settled so.
    """
    said = _checked(words)
    if (number is not None) is not (how in (Resolution.OPENED, Resolution.FILED)):
        raise BadInput(
            f"“{how}” is said {'without' if number else 'with'} the authority's number.", hint="See --help."
        )
    if number is not None and not 0 < number <= LARGEST_NUMBER:
        raise BadInput("The authority's number is a whole number.", hint="As it stands in the authority's own pages.")
    _case, row = locked(session, report_id)
    opening = how in (Resolution.OPENED, Resolution.NOT_OPENED)
    able = (ReportState.RECONCILE,) if opening else (ReportState.DRAFT, ReportState.STOPPED, ReportState.RECONCILE)
    if row.state not in able:
        raise Conflict(f"Report {report_id} cannot be settled so: it is {ReportState(row.state).label.lower()}.")
    moment = at or now()
    row.updated_at, row.says, row.failures = moment, None, 0
    row.attempts += 1  # whoever is still at it changes nothing any more
    if opening:
        row.state = (ReportState.OPEN if number else ReportState.DUE).value
        row.authority_number, row.next_attempt_at = number, moment
        session.flush()
        enqueue(session, report_id)
    elif how is Resolution.FILED:
        row.authority_number, row.says = number, "Filed by another way, as a person says."
        journal.filed(session, vault, settings, row, moment)
    else:
        row.state, row.live, row.says = ReportState.SET_ASIDE.value, False, "A person has set it aside."
        session.flush()
    details = {"how": how.value, "number": number, "words": said, "case": row.case_id}
    audit.append(session, actor, "report.resolve", f"report:{report_id}", details)


def withdrawn(session: Session, report_id: int, words: str, actor: Actor) -> None:
    """Puts on record that a person wants a report back, before the authority is asked.

    Raises:
        BadInput: there are no words.
        NotFound: there is no such report.
    """
    said = _checked(words)
    _case, row = locked(session, report_id)
    audit.append(session, actor, "report.retract", f"report:{report_id}", {"words": said, "case": row.case_id})


def locked(session: Session, report_id: int) -> tuple[Case, ReportRow]:
    """A report to the CyberTipline with its case, held until the transaction ends; the case first, as everywhere.

    Raises:
        NotFound: there is no such report.
        Conflict: it goes to another authority.
    """
    wanted = select(ReportRow.case_id, ReportRow.authority).where(ReportRow.id == report_id)
    found = session.execute(wanted).one_or_none()
    if found is None:
        raise NotFound(f"There is no report {report_id}.", hint="`seawall reports list` shows all.")
    case_id, authority = found
    if authority != CYBERTIPLINE:
        raise Conflict(
            f"Report {report_id} goes to the {AUTHORITIES.get(authority, authority)}, which a person files with.",
            hint="See `seawall reports nca --help`.",
        )
    case = session.get_one(Case, case_id, with_for_update=True, populate_existing=True)
    return case, session.get_one(ReportRow, report_id, with_for_update=True, populate_existing=True)


def enqueue(session: Session, report_id: int) -> bool:
    """Lets a worker file it, in the session's own transaction."""
    return defer(session, TASK, queueing_lock=f"file:{report_id}", report_id=report_id)


def _checked(words: str) -> str:
    said = words.strip()
    if not said or len(said) > LONGEST_WORDS or "\0" in said:
        raise BadInput(
            f"Say in words what it rests on, in at most {LONGEST_WORDS} characters.", hint="Nothing changed."
        )
    return said
