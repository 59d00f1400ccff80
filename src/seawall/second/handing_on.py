"""What two people have let go is written as a package that only its recipient opens, as often as is needed until the
permission runs out. That it leaves is in the audit chain, with its digests, before it has its name.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy.orm import Session

from seawall.access import requests
from seawall.access.requests import Asker, Parameters, RequestInfo
from seawall.database.sessions import Database
from seawall.database.tables import Case, Request, now
from seawall.errors import BadInput, Conflict, EvidenceTampered, NotFound
from seawall.evidence import audit
from seawall.evidence.vault import Vault
from seawall.records import Actor
from seawall.reporting import originals, package, vics
from seawall.reporting.cybertip.reporter_file import read_reporter_file
from seawall.reporting.nca import pack
from seawall.reporting.package import Member, Written
from seawall.reporting.vics import CaseToTell, Original
from seawall.request_records import RequestKind, RequestState
from seawall.second import asking, exports
from seawall.settings import Settings

DOCUMENT = "case.json"
# From the second person's answer on.
MAY_BE_WRITTEN = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be written."""

    request: RequestInfo
    case: CaseToTell
    originals: tuple[Original, ...]
    report: tuple[Member, ...]


def ask(session: Session, parameters: Parameters, asker: Asker, reason: str, lasts: timedelta) -> RequestInfo:
    """Asks for an export; as :func:`seawall.second.asking.ask`."""
    case_id = int(str(parameters["case"]))
    return asking.ask(session, RequestKind.EXPORT, exports.subject_of(case_id), parameters, asker, reason, lasts)


def plan(session: Session, vault: Vault, settings: Settings, request_id: int) -> Plan:
    """What a request lets be written; holds its case until the transaction ends.

    Raises:
        NotFound: there is no such request of an export.
        Conflict: nobody has let it go yet, the time is over, or its files or its report are not as they were.
        ConfigurationError: the reporter file cannot be used.
        ReportInvalid: the report that it is the pack of is not complete.
    """
    request = requests.get(session, request_id)
    if request.kind is not RequestKind.EXPORT:
        raise NotFound(f"Request {request_id} is of no export.")
    if request.state is not RequestState.CARRIED_OUT or request.answered_at is None:
        raise Conflict(f"Request {request_id} is not approved: it is {request.state.value.replace('_', ' ')}.")
    if request.answered_at + MAY_BE_WRITTEN < now():
        raise Conflict(
            f"Request {request_id} was approved more than {MAY_BE_WRITTEN.days} days ago.", hint="Ask for it anew."
        )
    try:
        standing = exports.hold(session, request.parameters)
    except NotFound as error:
        raise Conflict(error.message, hint="Ask for it anew.") from None
    row = session.get_one(Request, request_id)
    if requests.digest_of(row, standing) != row.digest:
        raise Conflict("The files of this request are not as they were when it was asked for.", hint="Ask anew.")
    case_id = int(str(request.parameters["case"]))
    found = originals.originals(session, case_id, exports.items_of(request.parameters))
    number = exports.report_of(request.parameters)
    form = exports.form_of(request.parameters)
    report = () if number is None else pack.members(session, vault, number, found, form)
    exports.refuse_other_items(session, request.parameters)
    case = _case(session, settings, case_id, str(request.parameters["country"]))
    return Plan(request, case, tuple(found), tuple(report))


def write(database: Database, vault: Vault, settings: Settings, request_id: int, out: Path, actor: Actor) -> Written:
    """Writes the package. It has its name only when it is whole and on record.

    Raises:
        NotFound, Conflict, ConfigurationError: as :func:`plan`; Conflict too where something has that name.
        BadInput: it cannot be written there.
        EvidenceError: something of it is not what was sealed; nothing is left behind.
    """
    with database.transaction() as session:
        wanted = plan(session, vault, settings, request_id)
    part = out.with_name(f"{out.name}.part")
    try:
        if out.exists():
            raise Conflict(f"There is something called {out.name} already.", hint="Choose another name.")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise BadInput(f"The package cannot be written there: {error.strerror}.", hint=f"Look at {part}.") from None
    try:
        with os.fdopen(descriptor, "wb") as sink:
            recipients = exports.recipients_of(wanted.request.parameters)
            written = package.write(sink, recipients, _head(wanted), _members(database, vault, wanted), now())
            sink.flush()
            os.fsync(sink.fileno())
        with database.transaction() as session:
            put_on_record(session, plan(session, vault, settings, request_id), written, actor)
        os.link(part, out)  # and not a rename, which would take the place of what is there
    except OSError as error:
        raise BadInput(
            f"The package could not be written: {error.strerror}.", hint="Nothing is left of it."
        ) from None
    finally:
        with suppress(FileNotFoundError):
            part.unlink()
    return written


def put_on_record(session: Session, wanted: Plan, written: Written, actor: Actor) -> None:
    """Appends to the audit chain that a package was made, with its digests."""
    details: dict[str, audit.Json] = {
        "request": wanted.request.id,
        "for": str(wanted.request.parameters["for"]),
        "recipients": list(exports.recipients_of(wanted.request.parameters)),
        "second_person": wanted.request.on_record,
        "evidence": [each.evidence_id for each in wanted.originals],
        "package_sha256": written.sha256.hex(),
        "package_bytes": written.size,
        "manifest_sha256": written.manifest_sha256.hex(),
    }
    audit.append(session, actor, "evidence.export", f"case:{wanted.case.case_id}", details)


def _members(database: Database, vault: Vault, wanted: Plan) -> Iterator[Member]:
    yield from wanted.report
    yield Member(DOCUMENT, vics.document(wanted.case, wanted.originals), {})
    for number, each in enumerate(wanted.originals, 1):
        with database.transaction() as session:
            data = vault.open(session, each.evidence_id)
        if len(data) != each.size:
            raise EvidenceTampered(f"Evidence {each.evidence_id} opens to other bytes than were sealed.")
        told = {"item": each.item_id, "evidence": each.evidence_id, "content": each.content_id}
        yield Member(vics.place_of(number, each), data, told)


def _head(wanted: Plan) -> dict[str, object]:
    return {
        "case": wanted.case.case_id,
        "test_data": wanted.case.is_test,
        "request": wanted.request.id,
        "for": str(wanted.request.parameters["for"]),
        "written_at": f"{now():%Y-%m-%dT%H:%M:%SZ}",
        "from": wanted.case.organisation,
    }


def _case(session: Session, settings: Settings, case_id: int, country: str) -> CaseToTell:
    case = session.get_one(Case, case_id)
    file = settings.cybertip_reporter_file
    told = None if file is None else read_reporter_file(file)
    emails = () if told is None else told.reporter.reporting_person.email
    return CaseToTell(
        case_id=case_id,
        opened_at=case.opened_at,
        is_test=case.is_test,
        organisation="" if told is None else told.platform or "",
        contact=emails[0].value if emails else "",
        country=country,
    )
