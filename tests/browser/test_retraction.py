"""What a reviewer sees of what a list took back."""

from __future__ import annotations

import os
from collections.abc import Callable

from playwright.sync_api import expect
from sqlalchemy import select

from seawall import retraction
from seawall.database.tables import Entry
from seawall.hashlists import store
from seawall.records import SYSTEM, Role
from tests.browser.conftest import Watched
from tests.browser.stand import Stand
from tests.browser.test_case import decide

Window = Callable[..., Watched]


def take_back(stand: Stand) -> None:
    with stand.runtime.database.transaction() as session:
        # That of the test list; what was confirmed has one of its own.
        entry = session.scalars(select(Entry.id).where(Entry.content_row.is_(None))).one()
    with stand.runtime.database.transaction() as session:
        store.remove_entry(session, entry, SYSTEM)
    assert retraction.look_back(stand.runtime.rooms) == 1


def test_an_item_that_nothing_holds_asks_for_no_decision(stand: Stand, window: Window) -> None:
    stand.case()
    take_back(stand)
    stand.person("reviewer-1", Role.REVIEWER)
    watched = window()
    watched.log_in("reviewer-1")
    page = watched.page
    expect(page.get_by_role("link", name="#1")).to_have_count(0)
    page.goto(f"{stand.console}cases/1")
    expect(page.get_by_text("No decision needed.")).to_be_visible()
    expect(page.get_by_text("No longer listed")).to_be_visible()
    expect(page.get_by_text("Published", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Record decision")).to_have_count(0)
    if folder := os.environ.get("SEAWALL_TEST_SCREENSHOTS"):
        page.screenshot(path=f"{folder}/retracted.png", full_page=True)


def test_what_was_confirmed_comes_back_and_says_why(stand: Stand, window: Window) -> None:
    stand.case()
    stand.person("reviewer-1", Role.REVIEWER)
    watched = window()
    watched.log_in("reviewer-1")
    page = watched.page
    page.get_by_role("link", name="#1").click()
    decide(page, "Confirm", "Same picture as the listed one")
    expect(page.get_by_text("Item 1 of case #1 is confirmed.")).to_be_visible()
    take_back(stand)
    page.goto(stand.console)
    expect(page.get_by_text("Met an entry that its list took back")).to_be_visible()
    page.get_by_role("link", name="#2").click()
    expect(page.get_by_text("It stays removed until someone decides.")).to_be_visible()
    expect(page.get_by_text("No longer listed")).to_be_visible()
    expect(page.get_by_text("Same picture as the listed one").first).to_be_visible()
    # The evidence is that of the first case.
    expect(page.get_by_role("button", name="Hold to look")).to_be_visible()
    if folder := os.environ.get("SEAWALL_TEST_SCREENSHOTS"):
        page.screenshot(path=f"{folder}/again.png", full_page=True)
    decide(page, "Not a match", "The list entry looks wrong")
    expect(page.get_by_text("Item 1 of case #2 is not a match.")).to_be_visible()
