"""Filing as a state machine: what each answer, and each missing one, leads to. The double answers over real HTTP."""

from __future__ import annotations

from dataclasses import replace

import pytest
from lxml import etree
from sqlalchemy import select, text, update

from seawall.database.tables import Content, Evidence, ReportSend, Reveal, User, now
from seawall.database.tables import Report as ReportRow
from seawall.errors import BadInput, Conflict, ReportInvalid
from seawall.evidence import audit
from seawall.records import Role
from seawall.reporting import acts, draft, drafting, sweeping
from seawall.reporting.acts import Resolution
from seawall.reporting.cybertip.client import Reply
from seawall.reporting.double.books import End
from seawall.reporting.double.faults import Fault, FaultKind
from seawall.reporting.journal import Superseded
from seawall.reporting.states import ReportState, Step
from seawall.settings import Settings
from tests.integration.reporting.desk import SOMEBODY, Desk

DUE, OPEN, FILED = ReportState.DUE, ReportState.OPEN, ReportState.FILED
STOPPED, RECONCILE = ReportState.STOPPED, ReportState.RECONCILE


def acts_on_record(desk: Desk) -> list[str]:
    with desk.database.transaction() as session:
        return [link.act for link in audit.links(session) if link.act.startswith("report.")]


# ------------------------------------------------------------------------------------------------------- as it goes


def test_a_report_is_filed_with_everything_on_record(desk: Desk) -> None:
    case_id = desk.decided(files=2, hashes_alone=1)
    report_id = desk.begin(case_id)
    outcome = desk.filer().file(report_id)
    assert outcome is not None
    assert outcome.state is FILED
    (there,) = desk.books.reports()
    assert there.end is End.FINISHED
    assert {each.md5 for each in there.files.values()} == set(desk.files_of(case_id).values())
    assert desk.books.invalid == 0
    row = desk.report(case_id)
    assert (row.authority_number, row.live, row.system) == (there.report_id, False, desk.double.address[7:-6])
    sends = desk.sends(report_id)
    assert [send.call for send in sends] == ["submit", "upload", "fileinfo", "upload", "fileinfo", "finish"]
    assert {send.code for send in sends} == {0}
    assert all(send.request_id for send in sends)
    assert desk.sent_xml(report_id, sends[0]) == there.xml
    assert [desk.sent_xml(report_id, send) for send in sends if send.call == "fileinfo"] == [
        file.details for file in there.files.values()
    ]
    assert b"Reported without its bytes" in there.xml
    assert acts_on_record(desk) == ["report.draft", "report.file", "report.filed"]
    assert desk.filer().file(report_id) is None, "it is done"


def test_nothing_of_a_report_lies_open_in_the_database(desk: Desk) -> None:
    case_id = desk.decided()
    desk.filer().file(desk.begin(case_id))
    with desk.database.engine.connect() as connection:
        rows = connection.execute(
            text("SELECT r::text, s::text FROM reports r JOIN report_sends s ON s.report_id = r.id")
        )
        kept = str([tuple(row) for row in rows])
    for words in ("192.0.2.7", "reporter@test.example", "test-account", "test.png"):
        assert words not in kept
        assert words.encode().hex() not in kept


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        (Step.STATUS, FaultKind.DROP_BEFORE),
        (Step.UPLOAD, FaultKind.FAULT_1000),
        (Step.FILEINFO, FaultKind.DROP_AFTER),
        (Step.FINISH, FaultKind.DROP_BEFORE),
        (Step.FINISH, FaultKind.DROP_AFTER),
        (Step.FINISH, FaultKind.HTTP_500_AFTER),
    ],
)
def test_what_fails_is_tried_again_and_filed_once(desk: Desk, step: Step, kind: FaultKind) -> None:
    report_id = desk.begin(desk.decided())
    desk.double.faults.add(Fault(step.value, kind))
    filer = desk.filer()
    outcome = filer.file(report_id)
    assert outcome is not None
    assert outcome.state in (DUE, OPEN)
    assert outcome.pause_s == 30
    assert filer.file(report_id) is None, "not due yet"
    desk.make_due()
    again = filer.file(report_id)
    assert again is not None
    assert again.state is FILED
    ends = [there.end for there in desk.books.reports()]
    assert ends.count(End.FINISHED) == 1
    assert End.OPEN not in ends, "what was begun in vain was taken back"


@pytest.mark.parametrize("kind", [FaultKind.DROP_BEFORE, FaultKind.DROP_AFTER])
def test_a_submit_without_an_answer_is_for_a_person(desk: Desk, kind: FaultKind) -> None:
    report_id = desk.begin(desk.decided())
    desk.double.faults.add(Fault("submit", kind))
    filer = desk.filer()
    outcome = filer.file(report_id)
    assert outcome is not None
    assert outcome.state is RECONCILE
    desk.make_due()
    assert filer.file(report_id) is None, "never blindly again"
    there = desk.books.reports()
    if there:
        desk.resolve(report_id, Resolution.OPENED, there[0].report_id)
    else:
        desk.resolve(report_id, Resolution.NOT_OPENED)
    again = filer.file(report_id)
    assert again is not None
    assert again.state is FILED
    assert [each.end for each in desk.books.reports()].count(End.FINISHED) == 1
    assert "report.reconcile" in acts_on_record(desk)


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        (Step.STATUS, FaultKind.UNAUTHORISED),
        (Step.SUBMIT, FaultKind.REFUSED),
        (Step.UPLOAD, FaultKind.UNAUTHORISED),
        (Step.FINISH, FaultKind.REFUSED),
    ],
)
def test_what_a_person_must_mend_stops_and_tells(desk: Desk, step: Step, kind: FaultKind) -> None:
    case_id = desk.decided()
    report_id = desk.begin(case_id)
    desk.double.faults.add(Fault(step.value, kind))
    outcome = desk.filer().file(report_id)
    assert outcome is not None
    assert (outcome.state, outcome.pause_s) == (STOPPED, None)
    desk.make_due()
    assert desk.filer().file(report_id) is None
    assert "report.stopped" in acts_on_record(desk)
    assert (desk.report(case_id).says or "").startswith("The ")
    desk.begin(case_id)
    again = desk.filer().file(report_id)
    assert again is not None
    assert again.state is FILED
    assert [each.end for each in desk.books.reports()].count(End.FINISHED) == 1


def test_other_bytes_than_were_sent_are_never_filed(desk: Desk) -> None:
    report_id = desk.begin(desk.decided())
    desk.double.faults.add(Fault("upload", FaultKind.WRONG_MD5))
    outcome = desk.filer().file(report_id)
    assert outcome is not None
    assert (outcome.state, outcome.says) == (OPEN, "The authority received other bytes than were sent.")
    desk.make_due()
    desk.filer().file(report_id)
    assert [each.end for each in desk.books.reports()] == [End.RETRACTED, End.FINISHED]


def test_what_has_expired_starts_over(desk: Desk) -> None:
    report_id = desk.begin(desk.decided())
    desk.double.faults.add(Fault("finish", FaultKind.DROP_BEFORE))
    desk.filer().file(report_id)
    desk.clock.advance(sweeping.GRACE * 3600 * 30)
    desk.filer().file(report_id)
    assert [each.end for each in desk.books.reports()] == [End.EXPIRED, End.FINISHED]
    assert desk.state(report_id) is FILED


def test_pauses_grow_to_an_hour_and_never_end(desk: Desk) -> None:
    report_id = desk.begin(desk.decided())
    filer, pauses = desk.filer(), []
    for _ in range(10):
        desk.double.faults.add(Fault("status", FaultKind.HTTP_500))
        outcome = filer.file(report_id)
        assert outcome is not None
        pauses.append(outcome.pause_s)
        desk.make_due()
    assert pauses == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]


# --------------------------------------------------------------------------------------------------- at the same time


def test_a_report_that_somebody_files_is_left_alone(desk: Desk) -> None:
    report_id = desk.begin(desk.decided())
    first, second = desk.filer(), desk.filer()
    assert first._leases.take(str(report_id))
    with desk.database.transaction() as session:
        session.execute(text("DELETE FROM procrastinate_jobs"))
        assert sweeping.sweep(session, desk.clock() + sweeping.GRACE) == 0
    assert second.file(report_id) is None
    first._leases.give_back(str(report_id))
    with desk.database.transaction() as session:
        assert sweeping.sweep(session, desk.clock() + sweeping.GRACE) == 1
        assert sweeping.sweep(session, desk.clock() + sweeping.GRACE) == 0, "its job waits"
    outcome = second.file(report_id)
    assert outcome is not None
    assert outcome.state is FILED


def test_one_whose_lease_was_lost_changes_nothing_any_more(desk: Desk) -> None:
    """The second worker finds /submit on its way and asks a person; the first one's answer stays on record."""
    case_id = desk.decided()
    report_id = desk.begin(case_id)
    first, second = desk.filer(), desk.filer()
    work = first._journal.take_up(report_id)
    assert work is not None
    send = first._journal.about_to_submit(work, b"<report/>")
    assert second.file(report_id) is None
    assert desk.state(report_id) is RECONCILE
    desk.resolve(report_id, Resolution.NOT_OPENED)
    with pytest.raises(Superseded):
        first._journal.opened(work, send, Reply(200, 0, report_id=77))
    assert (desk.report(case_id).state, desk.report(case_id).authority_number) == (DUE, None)
    with desk.database.transaction() as session:
        assert session.get_one(ReportSend, send).authority_number == 77


def test_a_case_has_one_report_under_way(desk: Desk) -> None:
    case_id = desk.decided(account="test-account-again")
    report_id = desk.begin(case_id)
    desk.double.faults.add(Fault("finish", FaultKind.FAULT_1000))
    desk.filer().file(report_id)
    desk.confirm("test-account-again")
    assert desk.report(case_id).id == report_id, "what is confirmed meanwhile waits"
    desk.make_due()
    desk.filer().file(report_id)
    second = desk.begin(case_id)
    assert second != report_id
    desk.filer().file(second)
    finished = [each for each in desk.books.reports() if each.end is End.FINISHED]
    assert sorted(file.md5 for each in finished for file in each.files.values()) == sorted(
        desk.files_of(case_id).values()
    )
    number = finished[0].report_id
    assert f"<priorCTReports>{number}</priorCTReports>".encode() in finished[1].xml


# ------------------------------------------------------------------------------------------------- what a person does


def test_a_report_is_taken_back_and_is_a_draft_again(desk: Desk) -> None:
    case_id = desk.decided()
    report_id = desk.begin(case_id)
    desk.double.faults.add(Fault("finish", FaultKind.FAULT_1000))
    filer = desk.filer()
    filer.file(report_id)
    outcome = filer.withdraw(report_id)
    assert outcome is not None
    assert outcome.state is ReportState.DRAFT
    assert [each.end for each in desk.books.reports()] == [End.RETRACTED]
    with pytest.raises(Conflict):
        filer.withdraw(report_id)
    filer.file(desk.begin(case_id))
    assert desk.state(report_id) is FILED


def test_it_is_too_late_to_take_back_what_was_finished(desk: Desk) -> None:
    report_id = desk.begin(desk.decided())
    desk.double.faults.add(Fault("finish", FaultKind.DROP_AFTER))
    filer = desk.filer()
    filer.file(report_id)
    outcome = filer.withdraw(report_id)
    assert outcome is not None
    assert outcome.state is FILED


def test_a_draft_is_completed_and_only_whole_ones_are_filed(desk: Desk) -> None:
    case_id = desk.decided()
    row = desk.report(case_id)
    with desk.database.transaction() as session:
        made = draft.opened(session, desk.vault, session.get_one(ReportRow, row.id))
        empty = draft.read_draft(made.to_json().replace("web_page_incident", "chat_im_incident"))
        assert acts.complete(session, desk.vault, row.id, empty, SOMEBODY) == []
    with desk.database.transaction() as session:
        without = draft.Draft(made.report, {})
        with pytest.raises(ReportInvalid, match="files of these items"):
            acts.complete(session, desk.vault, row.id, without, SOMEBODY)
    with desk.database.transaction() as session:
        placeless = draft.Draft(replace(made.report, internet_details=()), made.files)
        assert acts.complete(session, desk.vault, row.id, placeless, SOMEBODY) != []
    with pytest.raises(ReportInvalid, match="internetDetails is missing"):
        desk.begin(case_id)
    with desk.database.transaction() as session:
        acts.complete(session, desk.vault, row.id, empty, SOMEBODY)
    desk.filer().file(desk.begin(case_id))
    assert b"<chatImIncident>" in desk.books.reports()[0].xml


def test_words_and_numbers_are_asked_for(desk: Desk) -> None:
    report_id = desk.report(desk.decided()).id
    with pytest.raises(BadInput), desk.database.transaction() as session:
        acts.resolve(session, desk.vault, desk.settings, report_id, Resolution.SET_ASIDE, " ", SOMEBODY)
    with pytest.raises(BadInput):
        desk.resolve(report_id, Resolution.FILED)
    with pytest.raises(BadInput):
        desk.resolve(report_id, Resolution.SET_ASIDE, 7)
    with pytest.raises(Conflict):
        desk.resolve(report_id, Resolution.NOT_OPENED)
    desk.resolve(report_id, Resolution.FILED, 4_564_699)
    assert desk.state(report_id) is FILED


def test_what_was_set_aside_is_not_drafted_again(desk: Desk) -> None:
    case_id = desk.decided()
    report_id = desk.report(case_id).id
    desk.resolve(report_id, Resolution.SET_ASIDE)
    with desk.database.transaction() as session:
        assert drafting.draft(session, desk.vault, desk.settings, case_id) is None


def test_test_data_never_goes_to_the_production_system(desk: Desk) -> None:
    case_id = desk.decided()
    production = desk.settings.model_copy(update={"cybertip_url": None, "cybertip_production": True})
    with pytest.raises(Conflict, match="Test data"), desk.database.transaction() as session:
        acts.file(session, desk.vault, production, desk.report(case_id).id, SOMEBODY)


# ------------------------------------------------------------------------------------- only what is on record is said


def looked(desk: Desk, case_id: int, stage: str, *, shown: bool = True) -> None:
    with desk.database.transaction() as session:
        person = session.scalar(select(User).limit(1))
        if person is None:
            person = User(name="test reviewer", password_hash="x", roles=[Role.REVIEWER.value])
            session.add(person)
            session.flush()
        evidence = session.scalars(select(Evidence).where(Evidence.case_id == case_id)).first()
        assert evidence is not None
        session.add(
            Reveal(
                evidence_id=evidence.id,
                user_id=person.id,
                stage=stage,
                token_hash=f"{case_id}{stage}{shown}".encode(),
                expires_at=now(),
                shown_at=now() if shown else None,
            )
        )


def said_of_the_file(desk: Desk, case_id: int) -> tuple[str | None, str | None]:
    desk.filer().file(desk.begin(case_id))
    (file,) = desk.books.reports()[-1].files.values()
    details = etree.fromstring(file.details or b"")
    return details.findtext("fileViewedByEsp"), details.findtext("exifViewedByEsp")


@pytest.mark.parametrize(
    ("stage", "shown", "said"),
    [("blurred", True, "false"), ("grey", True, "true"), ("colour", True, "true"), ("colour", False, "false")],
)
def test_a_file_is_called_viewed_only_by_a_reveal_on_record(desk: Desk, stage: str, shown: bool, said: str) -> None:
    case_id = desk.decided()
    looked(desk, case_id, stage, shown=shown)
    assert said_of_the_file(desk, case_id) == (said, "false")


def test_nobody_can_write_that_a_file_was_viewed(desk: Desk) -> None:
    case_id = desk.decided()
    with desk.database.transaction() as session:
        row = session.get_one(ReportRow, desk.report(case_id).id)
        made = draft.opened(session, desk.vault, row).to_json()
        claimed = draft.read_draft(made.replace('viewed_by_esp": false', 'viewed_by_esp": true'))
        assert any(file.file_viewed_by_esp for file in claimed.files.values())
        acts.complete(session, desk.vault, row.id, claimed, SOMEBODY)
    assert said_of_the_file(desk, case_id) == ("false", "false")


@pytest.mark.parametrize("media", ["video/mp4", "animation"])
def test_one_frame_is_not_the_whole_file(desk: Desk, media: str) -> None:
    case_id = desk.decided()
    looked(desk, case_id, "colour")
    with desk.database.transaction() as session:
        if media == "animation":
            session.execute(update(Content).values(frames=[{"number": 0, "pdq": ""}, {"number": 1, "pdq": ""}]))
        else:
            session.execute(update(Evidence).values(media_type=media))
    assert said_of_the_file(desk, case_id) == ("false", "false")


def test_without_filing_configured_nothing_is_drafted(desk: Desk) -> None:
    plain = Settings(home=desk.settings.home)
    case_id = desk.confirm("test-account-plain", draft=False)
    with desk.database.transaction() as session:
        assert drafting.draft(session, desk.vault, plain, case_id) is None
        assert session.scalar(select(ReportRow).limit(1)) is None
