"""The pages of reports: where each stands and why, and what a person does about it."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from seawall.records import Role
from seawall.reporting.double.books import Books
from seawall.reporting.double.faults import Fault, FaultKind
from seawall.reporting.double.server import serving
from seawall.settings import Settings
from tests.browser.conftest import ARTIFACTS, Watched
from tests.browser.stand import Stand
from tests.integration.reporting.desk import REPORTER_FILE, Clock, Desk

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
