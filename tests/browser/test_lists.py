"""The page of hash lists: its plots and the numbers behind them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from playwright.sync_api import expect
from sqlalchemy import text

from seawall.database.tables import now
from seawall.hashlists import quarantines, store
from seawall.hashlists.quarantines import Grounds, Why
from seawall.hashlists.store import ListDefinition
from seawall.records import Actor, Role
from tests.browser.conftest import ARTIFACTS, Watched
from tests.browser.stand import Stand

Window = Callable[..., Watched]
CLERK = Actor("cli", "test")


def fill(stand: Stand) -> None:
    """A list with a history, one of today alone, and one of which nothing is known."""
    with stand.runtime.database.transaction() as session:
        lists = {
            name: store.ensure_list(session, name, ListDefinition(is_test=True), CLERK).list_id
            for name in ("Test list with a history", "Test list of today", "Test list without numbers")
        }
        session.execute(text("TRUNCATE list_days"))
        today = now().date()
        old = [(120, 900, 0, 0), *((day, 900 + 40 * (80 - day), day % 9, day % 4) for day in range(80, -1, -5))]
        rows = [(lists["Test list with a history"], *row) for row in old]
        rows.append((lists["Test list of today"], 0, 12, 3, 0))
        for list_id, back, entries, matches, late in rows:
            session.execute(
                text("INSERT INTO list_days VALUES (:id, :day, :entries, :matches, :late)"),
                {
                    "id": list_id,
                    "day": today - timedelta(days=back),
                    "entries": entries,
                    "matches": matches,
                    "late": late,
                },
            )


def test_a_list_manager_lifts_what_was_quarantined_by_itself(stand: Stand, window: Window) -> None:
    stand.case(1)
    with stand.runtime.database.transaction() as session:
        known = store.get_list(session, "Test list").list_id
        quarantines.quarantine_entries(session, store.entries_named(session, known), Grounds(Why.REVIEW, 5, 6))
    stand.person("auditor-1", Role.AUDITOR)
    stand.person("manager-1", Role.LIST_MANAGER)
    auditor = window()
    auditor.log_in("auditor-1")
    auditor.open("lists")
    row = auditor.page.get_by_role("region", name="In quarantine").get_by_role("row", name="Test list")
    expect(row).to_contain_text("5 of 6 that were decided were no match")
    expect(row.get_by_role("button")).to_have_count(0)
    watched = window()
    watched.log_in("manager-1")
    watched.open("lists")
    page = watched.page
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=ARTIFACTS / "lists-quarantine.png", full_page=True)
    page.locator("section:has(#quarantine) summary").first.click()
    page.get_by_role("region", name="In quarantine").get_by_label("Why").first.fill(
        "The source says that it is right"
    )
    page.get_by_role("button", name="Let it act as before").click()
    expect(page.locator("#notice")).to_contain_text("The quarantine is lifted")
    expect(page.get_by_role("region", name="In quarantine")).to_have_count(0)
    assert stand.acts()[-1] == "entry.dispute"
    assert watched.complaints == []


def test_each_list_shows_how_it_grew_and_what_it_met(stand: Stand, window: Window) -> None:
    fill(stand)
    stand.person("manager-1", Role.LIST_MANAGER)
    watched = window()
    watched.log_in("manager-1")
    watched.open("lists")
    page = watched.page
    history = page.get_by_role("region", name="Test list with a history")
    expect(history.get_by_role("img", name="Entries of Test list with a history by day")).to_be_visible()
    expect(history).to_contain_text("4,100 entries, 3,200 more than 90 days ago")
    assert history.locator("rect.arrived").count() > 5
    assert history.locator("rect.late").count() > 5
    history.get_by_text("Numbers by day").click()
    expect(history.get_by_role("row").nth(1)).to_contain_text("4,100")
    today = page.get_by_role("region", name="Test list of today")
    expect(today).to_contain_text("12 entries; the list is younger than 90 days")
    expect(today.locator("rect")).to_have_count(1)
    none = page.get_by_role("region", name="Test list without numbers")
    expect(none).to_contain_text("No match in 90 days")
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=ARTIFACTS / "lists.png", full_page=True)
    assert watched.complaints == []
