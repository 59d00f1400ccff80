"""Beside a case's items: notes, what happened, linked cases, the policy's text, and why something cannot be done."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from seawall.records import Role
from tests.browser.conftest import Watched
from tests.browser.stand import Stand, picture

Window = Callable[..., Watched]


def test_a_case_is_shown_with_all_that_is_known_of_it(stand: Stand, window: Window) -> None:
    stand.case(1, "first", "account-one")
    stand.case(2, "second", "account-one")
    stand.upload(picture(1), "the same again", None)
    stand.person("reviewer-1", Role.REVIEWER)
    watched = window()
    page = watched.page
    watched.log_in("reviewer-1")
    watched.open("cases/1")
    watched.ready()
    timeline, linked, notes = page.locator("#timeline"), page.locator("#related"), page.locator("#notes")
    expect(timeline).to_contain_text("The case was opened")
    expect(linked.get_by_role("link", name="#2")).to_be_visible()
    expect(linked).to_contain_text("The same file, the same list entry")
    expect(page.locator("#item-1 .rules")).to_contain_text("known-to-a-trusted-list When there is an exact match")

    page.get_by_label("Add a note").fill("Seen before\nin <b>another</b> case. j k ?")
    page.get_by_role("button", name="Add note").click()
    expect(notes.locator(".words")).to_have_text("Seen before\nin <b>another</b> case. j k ?")
    expect(page.get_by_label("Add a note")).to_have_value("")
    page.get_by_label("Add a note").fill("   ")
    page.get_by_role("button", name="Add note").click()
    expect(notes).to_contain_text("The note is empty.")
    assert "case.note" in stand.acts()

    second = page.locator("#item-2")
    second.get_by_role("radio", name="Confirm").check()
    second.get_by_role("radio", name="Same picture").check()
    second.get_by_role("button", name="Record decision").click()
    expect(timeline).to_contain_text("Item 2 was confirmed by reviewer-1, without viewing")
    page.reload()
    expect(page.locator("[data-item] h2").first).to_have_text("Item 2 of 2")
    assert watched.pictures() == []

    watched.open("cases/2")
    page.get_by_role("radio", name="Confirm").check()
    expect(page.get_by_text("The platform named no account.")).to_be_visible()
