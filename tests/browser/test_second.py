"""Two people: one says that the very file of a trusted list is no match, another agrees."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect
from sqlalchemy import select

from seawall.database.tables import OutboxMessage
from seawall.records import Role
from tests.browser.conftest import Watched
from tests.browser.stand import Stand

Window = Callable[..., Watched]


def events(stand: Stand) -> list[str]:
    with stand.runtime.database.transaction() as session:
        return list(session.scalars(select(OutboxMessage.event).order_by(OutboxMessage.created_at)))


def test_it_takes_two_people_to_release_what_a_trusted_list_has(stand: Stand, window: Window) -> None:
    stand.case()
    stand.person("reviewer-1", Role.REVIEWER)
    stand.person("senior-1", Role.SENIOR)
    first, second = window(), window()
    first.log_in("reviewer-1")
    second.log_in("senior-1")
    first.open("cases/1")
    page = first.page
    page.get_by_role("radio", name="Not a match").check()
    page.get_by_role("radio", name="The list entry looks wrong").check()
    page.get_by_role("button", name="Record decision").click()
    expect(page.locator("#notice")).to_contain_text("Item 1 of case #1 waits for a second person.")
    expect(page.locator("#item-1")).to_contain_text("The platform is told nothing until then.")
    assert page.get_by_role("button", name="Record decision").count() == 0
    assert events(stand) == ["content.block"]

    page.locator("#item-1").get_by_role("link", name="Second look").click()
    expect(page.get_by_text("You asked for this yourself; a second person has to answer.")).to_be_visible()
    expect(page.get_by_role("button", name="Approve")).to_be_disabled()
    expect(page.get_by_role("button", name="Take back")).to_be_enabled()

    page = second.page
    page.get_by_role("navigation", name="Pages").get_by_role("link", name="Second look").click()
    expect(page.locator("#request-1")).to_contain_text("reviewer-1")
    expect(page.locator("#request-1")).to_contain_text("The list entry looks wrong")
    page.get_by_label("Your words").fill("I looked at both; another picture.")
    page.get_by_role("button", name="Approve").click()
    expect(page.locator("#notice")).to_contain_text("Request 1 is approved.")
    assert events(stand) == ["content.block", "content.release"]
    page.get_by_role("link", name="Case #1, item 1").click()
    expect(page.locator("#item-1")).to_contain_text("Not a match by reviewer-1")
    expect(page.locator("#item-1")).to_contain_text("Second person: senior-1")

    # Whoever still has the page before them is told that it is answered, and nothing happens twice.
    stale = first.page
    stale.get_by_role("button", name="Take back").click()
    expect(stale.locator("#notice")).to_contain_text("was answered already")
    assert events(stand) == ["content.block", "content.release"]
