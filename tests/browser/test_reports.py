"""The pages of reports: where each stands and why, and what a person does about it."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect
from sqlalchemy import update

from seawall.database.tables import Case
from seawall.records import Role
from seawall.reporting.double.books import Books
from seawall.reporting.double.faults import Fault, FaultKind
from seawall.reporting.double.server import serving
from seawall.reporting.nca import drafting as nca
from seawall.settings import Settings
from tests.browser.conftest import ARTIFACTS, Watched
from tests.browser.stand import Stand
from tests.integration.reporting.desk import REPORTER_FILE, SOMEBODY, Clock, Desk
from tests.integration.reporting.test_nca import completed

Window = Callable[..., Watched]


def test_a_report_that_stands_still_says_why_and_is_settled(stand: Stand, window: Window) -> None:
    stand.person("custodian-1", Role.EVIDENCE_CUSTODIAN)
    stand.person("auditor-1", Role.AUDITOR)
    reporter = stand.runtime.settings.home / "reporter.toml"
    reporter.write_text(REPORTER_FILE, "utf-8")
    with serving(Books(None, Clock())) as double:
        settings = Settings(
            home=stand.runtime.settings.home,
            cybertip_reporter_file=reporter,
            cybertip_username="test",
            cybertip_password="test",
            cybertip_url=double.address,
        )
        desk = Desk(stand.runtime.database, settings, stand.runtime.rooms.vault, double, Clock())
        desk.decided()
        filed = desk.begin(desk.decided(files=2))
        desk.filer().file(filed)
        double.faults.add(Fault("submit", FaultKind.DROP_AFTER))
        unknown = desk.begin(desk.decided())
        desk.filer().file(unknown)
        desk.close()

    watched = window()
    watched.log_in("custodian-1")
    page = watched.page
    watched.open("reports")
    page.screenshot(path=ARTIFACTS / "reports.png", full_page=True)
    expect(page.get_by_role("row").nth(1)).to_contain_text("Reconcile by hand")
    page.get_by_role("link", name=f"#{unknown}").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=f"Report #{unknown}")).to_be_visible()
    expect(page.get_by_text("Only the authority knows whether it has opened the report")).to_be_visible()
    expect(page.get_by_role("cell", name="No answer")).to_be_visible()
    page.screenshot(path=ARTIFACTS / "report.png", full_page=True)
    page.get_by_label("The authority has nothing of it").check()
    page.get_by_label("What it rests on").fill("Asked the authority; a test.")
    page.get_by_role("button", name="Settle").click()
    expect(page.get_by_text("Settled. It is in the audit chain with your words.")).to_be_visible()
    expect(page.get_by_text("To be sent")).to_be_visible()

    reader = window()
    reader.log_in("auditor-1")
    reader.open(f"reports/{filed}")
    expect(reader.page.get_by_text("Filed", exact=True).first).to_be_visible()
    expect(reader.page.get_by_role("button", name="Settle")).to_have_count(0)
    assert "test.png" not in reader.page.content()
    assert watched.complaints == []


def test_a_report_to_the_nca_is_on_record_under_its_reference(stand: Stand, window: Window) -> None:
    stand.person("custodian-1", Role.EVIDENCE_CUSTODIAN)
    rooms = stand.runtime.rooms
    desk = Desk(stand.runtime.database, stand.runtime.settings, rooms.vault, None, Clock())  # type: ignore[arg-type]
    case_id = desk.decided()
    with stand.runtime.database.transaction() as session:
        session.execute(update(Case).where(Case.id == case_id).values(is_test=False))
        report = nca.draft(session, rooms.vault, desk.settings, case_id, SOMEBODY)
    watched = window()
    watched.log_in("custodian-1")
    page = watched.page
    watched.open(f"reports/{report}")
    expect(page.get_by_text("fields.billing: say whether it is held")).to_be_visible()
    expect(page.get_by_label("The reference of its receipt")).to_have_count(0)
    expect(page.get_by_role("button", name="File", exact=True)).to_have_count(0)
    with stand.runtime.database.transaction() as session:
        form = nca.read(session, rooms.vault, report, SOMEBODY)
        nca.complete(session, rooms.vault, report, completed(form), SOMEBODY)
    watched.open(f"reports/{report}")
    page.screenshot(path=ARTIFACTS / "report-nca.png", full_page=True)
    page.get_by_label("The reference of its receipt").fill("TEST-REF-9")
    page.get_by_role("button", name="Record").click()
    expect(page.get_by_text("The report is filed, under that reference.")).to_be_visible()
    watched.open("reports")
    expect(page.get_by_role("row").nth(1)).to_contain_text("TEST-REF-9")
