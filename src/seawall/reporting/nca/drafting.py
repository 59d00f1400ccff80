"""Reports to the NCA: made of a case by a person, instead of one to the CyberTipline and never beside it.

An item is in one report that counts, whichever authority it goes to; the database sees to it. So a report to the NCA
takes what is confirmed and in no report yet, and what is only in a draft for the CyberTipline, which then loses it.
What is being filed there, or was, stays there: the NCA gets from NCMEC what concerns the United Kingdom, and asks not
to be told twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from seawall.database.tables import Case, ReportItem, now
from seawall.database.tables import Report as ReportRow
from seawall.errors import BadInput, Conflict, NotFound, ReportInvalid
from seawall.evidence import audit
from seawall.evidence.vault import Vault
from seawall.records import Actor
from seawall.reporting import drafting
from seawall.reporting.cybertip.reporter_file import ReporterFile, read_reporter_file
from seawall.reporting.facts import ItemFacts, confirmed_items, facts_of
from seawall.reporting.nca.form import OF_RECORD, Answer, Form, blank, kept_up, read_form
from seawall.reporting.states import CYBERTIPLINE, NCA, ReportState
from seawall.settings import Settings

SEALED_AS = "nca-form"
LONGEST_REFERENCE = 100
LONGEST_WORDS = 4000


def draft(session: Session, vault: Vault, settings: Settings, case_id: int, actor: Actor) -> int:
    """Makes the draft of a case for the NCA, or lets it take up what has been confirmed since; its number.

    Raises:
        NotFound: there is no such case.
        Conflict: nothing confirmed is left for it.
        ConfigurationError: the reporter file cannot be used.
        ReportInvalid: there is more on record than a form holds; nothing changed.
    """
    case = session.get(Case, case_id, with_for_update=True, populate_existing=True)
    if case is None:
        raise NotFound(f"There is no case {case_id}.")
    row = _live(session, case_id)
    _take_from_drafts(session, case_id)
    facts = confirmed_items(session, case_id, None if row is None else row.id)
    if not facts:
        raise Conflict(
            f"Nothing of case {case_id} is left for the NCA.",
            hint="What is confirmed is in another report that counts; what was reported once is not reported again.",
        )
    told = _told(settings)
    known = _known(case, facts, told)
    if row is None:
        row = ReportRow(
            case_id=case_id,
            authority=NCA,
            state=ReportState.DRAFT.value,
            is_test=case.is_test,
            document=_seal(session, vault, case_id, blank(known)),
        )
        session.add(row)
        session.flush()
    else:
        row.document = _seal(session, vault, case_id, kept_up(opened(session, vault, row), known, OF_RECORD))
        row.is_test, row.updated_at = case.is_test, now()
    _put_items(session, row.id, facts)
    # The CyberTipline's draft is without them now; where nothing is left of it, it is set aside.
    drafting.draft(session, vault, settings, case_id)
    audit.append(
        session, actor, "report.draft", f"report:{row.id}", {"case": case_id, "items": len(facts), "to": NCA}
    )
    return row.id


def complete(session: Session, vault: Vault, report_id: int, form: Form, actor: Actor) -> list[str]:
    """Puts what a person has completed into the place of the draft; returns what is still wrong with it. What is on
    record about the items stays as it is on record.

    Raises:
        NotFound: there is no such report to the NCA.
        Conflict: it is no draft any more.
    """
    row = locked(session, report_id)
    _refuse_unless_draft(row)
    before = opened(session, vault, row)
    kept = replace(form, answers={**form.answers, **{code: before.answers[code] for code in OF_RECORD}})
    row.document, row.updated_at = _seal(session, vault, row.case_id, kept), now()
    session.flush()
    audit.append(session, actor, "report.complete", f"report:{report_id}", {"case": row.case_id})
    return kept.problems()


def received(
    session: Session, vault: Vault, settings: Settings, report_id: int, reference: str, actor: Actor
) -> None:
    """Puts on record that the NCA has it, under the reference that it gave.

    Raises:
        NotFound: there is no such report to the NCA.
        BadInput: the reference is none.
        Conflict: it is no draft any more, is test data, or another report has that reference.
        ReportInvalid: it was not complete; the message says what is missing.
    """
    given = reference.strip()
    if not given or len(given) > LONGEST_REFERENCE or not given.isprintable():
        raise BadInput(f"A reference has 1 to {LONGEST_REFERENCE} characters.", hint="As the NCA's receipt has it.")
    row = locked(session, report_id)
    _refuse_unless_draft(row)
    if row.is_test:
        raise Conflict("Test data is not reported to the NCA.", hint="Set it aside.")
    if found := opened(session, vault, row).problems():
        raise ReportInvalid(" ".join(found))
    if session.scalar(select(ReportRow.id).where(ReportRow.authority == NCA, ReportRow.reference == given)):
        raise _taken()
    row.state, row.live, row.reference, row.system = ReportState.FILED.value, False, given, NCA
    row.filed_at = row.updated_at = now()
    row.says = None
    try:
        session.flush()
    except IntegrityError as error:
        # Somebody gave another report the same reference at this very moment.
        if "uq_reports_reference" not in str(error.orig):
            raise
        raise _taken() from None
    drafting.keep_up(session, vault, settings, row.case_id)
    details = {"case": row.case_id, "to": NCA, "reference": given}
    audit.append(session, actor, "report.filed", f"report:{report_id}", details)


def set_aside(session: Session, vault: Vault, settings: Settings, report_id: int, words: str, actor: Actor) -> None:
    """Gives a draft up, with words that say why. Its items are free again, so that the CyberTipline's draft has them.

    Raises:
        NotFound: there is no such report to the NCA.
        BadInput: there are no words.
        Conflict: it is no draft any more.
    """
    said = words.strip()
    if not said or len(said) > LONGEST_WORDS or "\0" in said:
        raise BadInput(f"Say why, in at most {LONGEST_WORDS} characters.", hint="Nothing changed.")
    row = locked(session, report_id)
    _refuse_unless_draft(row)
    session.execute(delete(ReportItem).where(ReportItem.report_id == report_id))
    row.state, row.live, row.updated_at = ReportState.SET_ASIDE.value, False, now()
    row.says = "A person has set it aside."
    session.flush()
    drafting.keep_up(session, vault, settings, row.case_id)
    details = {"how": "set-aside", "words": said, "case": row.case_id}
    audit.append(session, actor, "report.resolve", f"report:{report_id}", details)


def opened(session: Session, vault: Vault, row: ReportRow) -> Form:
    """The form of a report.

    Raises:
        EvidenceTampered: it is not what was sealed.
    """
    data = vault.open_document(session, row.case_id, row.document, SEALED_AS)
    return read_form(data.decode(errors="surrogatepass"))


def read(session: Session, vault: Vault, report_id: int, actor: Actor) -> Form:
    """What a report says. It is full of personal data: who reads it is put on record."""
    found = opened(session, vault, locked(session, report_id))
    audit.append(session, actor, "report.read", f"report:{report_id}", {"what": "draft"})
    return found


def locked(session: Session, report_id: int) -> ReportRow:
    """A report to the NCA, held with its case until the transaction ends.

    Raises:
        NotFound: there is no such report to the NCA.
    """
    wanted = select(ReportRow.case_id).where(ReportRow.id == report_id, ReportRow.authority == NCA)
    case_id = session.scalar(wanted)
    if case_id is None:
        raise NotFound(f"There is no report {report_id} to the NCA.", hint="`seawall reports list` shows all.")
    session.get_one(Case, case_id, with_for_update=True, populate_existing=True)
    return session.get_one(ReportRow, report_id, with_for_update=True, populate_existing=True)


def items_of(session: Session, report_id: int) -> list[int]:
    """The items of a report, by their numbers."""
    return [each.item_id for each in facts_of(session, report_id)]


def _live(session: Session, case_id: int) -> ReportRow | None:
    return session.scalar(
        select(ReportRow)
        .where(ReportRow.case_id == case_id, ReportRow.authority == NCA, ReportRow.live)
        .with_for_update()
    )


def _take_from_drafts(session: Session, case_id: int) -> None:
    """Frees what is in a draft for the CyberTipline that nobody has let go, or in a report that was set aside."""
    unfiled = select(ReportRow.id).where(
        ReportRow.case_id == case_id,
        ReportRow.authority == CYBERTIPLINE,
        ReportRow.state.in_([ReportState.DRAFT.value, ReportState.SET_ASIDE.value]),
    )
    session.execute(delete(ReportItem).where(ReportItem.report_id.in_(unfiled)))
    session.flush()


def _put_items(session: Session, report_id: int, facts: Sequence[ItemFacts]) -> None:
    session.execute(delete(ReportItem).where(ReportItem.report_id == report_id))
    session.add_all(ReportItem(report_id=report_id, item_id=each.item_id) for each in facts)
    session.flush()


def _refuse_unless_draft(row: ReportRow) -> None:
    if row.state != ReportState.DRAFT:
        raise Conflict(f"Report {row.id} is no draft: it is {ReportState(row.state).label.lower()}.")


def _taken() -> Conflict:
    return Conflict("Another report has that reference already.", hint="Look at the NCA's receipt again.")


def _seal(session: Session, vault: Vault, case_id: int, form: Form) -> bytes:
    text = form.to_json()
    read_form(text)  # what could not be opened again is not sealed
    return vault.seal_document(session, case_id, text.encode(errors="surrogatepass"), SEALED_AS)


def _told(settings: Settings) -> ReporterFile | None:
    return None if settings.cybertip_reporter_file is None else read_reporter_file(settings.cybertip_reporter_file)


def _known(case: Case, facts: Sequence[ItemFacts], told: ReporterFile | None) -> dict[str, Answer]:
    """What is on record, and what the operator says for all reports."""
    known = {
        "content": Answer(True, "\n".join(_content(each) for each in facts)),
        "detection": Answer(
            True, "It matched a list of known material, and a reviewer of the platform confirmed it."
        ),
        "uploaded_at": _or_not(
            [f"Item {each.item_id}: {each.uploaded_at:%Y-%m-%d %H:%M:%S} UTC" for each in facts if each.uploaded_at],
            "The platform gave Seawall no time of upload.",
        ),
        "upload_ip": _or_not(
            [f"Item {each.item_id}: {each.uploader_ip}" for each in facts if each.uploader_ip],
            "The platform gave Seawall no address.",
        ),
        "hashes": _or_not(
            [f"Item {each.item_id}: {kind} {value.hex()}" for each in facts for kind, value in each.hashes],
            "Only a perceptual hash of it arrived.",
        ),
    }
    if any(each.evidence_id is not None for each in facts):
        known["exif"] = Answer(True, "As the original files have it, which are in the pack.")
    if case.account_id is not None:
        known["account"] = Answer(True, f"Account {case.account_id}")
    if told is not None:
        person = told.reporter.reporting_person
        name = " ".join(filter(None, (person.first_name, person.last_name)))
        values = {
            "reporter_name": name,
            "reporter_email": person.email[0].value if person.email else "",
            "reporter_telephone": person.phone[0].value if person.phone else "",
            "platform": told.platform or "",
        }
        known |= {code: Answer(True, value) for code, value in values.items() if value}
    return known


def _content(each: ItemFacts) -> str:
    file = "without its bytes, which are not held" if each.evidence_id is None else f"file of item {each.item_id}"
    return f"Item {each.item_id}: content {each.content_id} on {each.surface}, {file}"


def _or_not(lines: list[str], why_not: str) -> Answer:
    return Answer(True, "\n".join(lines)) if lines else Answer(False, "", why_not)
