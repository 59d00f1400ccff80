"""Speed of hand: many at once with a look before and time to take it back, and any case by one key."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from playwright.sync_api import expect
from sqlalchemy import func, update

from seawall import bulk
from seawall.database.tables import Bulk
from seawall.records import Role
from tests.browser.conftest import Watched
from tests.browser.stand import Stand, picture
from tests.browser.test_case import events

Window = Callable[..., Watched]


def test_many_are_decided_at_once_by_keyboard_and_taken_back(stand: Stand, window: Window) -> None:
    for number in (1, 2, 3):
        stand.case(number, f"content-{number}", f"account-{number}")
    stand.one_person_is_enough()
    stand.person("reviewer-1", Role.REVIEWER)
    watched = window()
    page, keys = watched.page, watched.page.keyboard
    watched.log_in("reviewer-1")
    expect(page.get_by_role("heading", name="Queue")).to_be_visible()
    watched.ready()
    for key in ("j", "x", "j", "x"):
        keys.press(key)
    with page.expect_response(lambda answer: "hx-request" in answer.request.headers):
        pass  # the queue follows new cases by itself
    expect(page.get_by_role("checkbox", name="Mark case #2")).to_be_checked()
    keys.press("p")
    expect(page.locator("#notice")).to_contain_text("2 items put in your workspace.")
    watched.ready()
    watched.open("cases/3")
    watched.ready()
    keys.press("p")
    expect(page.locator("#notice")).to_contain_text("1 item put in your workspace.")
    watched.ready()
    keys.press("j")
    keys.press("x")  # the first is left out
    keys.press("n")
    expect(page.get_by_role("radio", name="Not a match")).to_be_checked()
    page.get_by_label("Why", exact=True).fill("Harmless test pictures")
    page.get_by_role("button", name="See what would happen").click()
    expect(page.get_by_role("heading", name="Not a match: 2 items")).to_be_focused()
    told = events(stand)
    page.get_by_role("button", name="Decide 2 items").click()
    expect(page.locator("#bulks")).to_contain_text("held back for")
    bulk.carry_out(stand.runtime.rooms)
    assert events(stand) == told
    keys.press("u")
    expect(page.locator("#notice")).to_contain_text("Taken back.")
    assert events(stand) == told
    expect(page.get_by_role("checkbox")).to_have_count(3)

    page.get_by_role("checkbox", name="content-1").uncheck()
    page.get_by_role("radio", name="Confirm").check()
    page.get_by_label("Why", exact=True).fill("Harmless test pictures")
    page.get_by_role("button", name="See what would happen").click()
    page.get_by_role("button", name="Decide 2 items").click()
    expect(page.get_by_role("button", name="Take back")).to_be_visible()
    with stand.runtime.database.transaction() as session:
        session.execute(update(Bulk).values(due_at=func.now()))
    bulk.carry_out(stand.runtime.rooms)
    expect(page.locator("#bulks")).to_contain_text("carried out")
    expect(page.locator("#bulks")).to_contain_text("2 decided")
    assert events(stand) == [*told, "content.remove", "content.remove"]
    assert stand.acts().count("item.confirm") == 2
    assert [act for act in stand.acts() if act.startswith("bulk.")] == [
        "bulk.ask",
        "bulk.undo",
        "bulk.ask",
        "bulk.end",
    ]
    assert watched.pictures() == []


def test_any_case_is_one_key_away(stand: Stand, window: Window) -> None:
    stand.case(1, "content-1", "account-1")
    stand.case(2, "content-2", "account-2")
    stand.person("reviewer-1", Role.REVIEWER)
    watched = window()
    page, keys = watched.page, watched.page.keyboard
    watched.log_in("reviewer-1")
    expect(page.get_by_role("heading", name="Queue")).to_be_visible()
    watched.ready()
    wanted = hashlib.sha256(picture(2)).hexdigest()
    for words, found in ((wanted, "#2"), ("content-1", "#1"), ("account-2", "#2"), ("1", "#1")):
        keys.press("Control+k")
        palette = page.get_by_role("dialog", name="Find a case")
        expect(palette.get_by_role("searchbox")).to_be_focused()
        keys.type(words)
        keys.press("Enter")
        expect(palette.locator("[data-hit]")).to_be_focused()
        expect(palette.locator("[data-hit]")).to_contain_text(found)
        keys.press("Enter")
        expect(page.get_by_role("heading", name=f"Case {found}")).to_be_visible()
        watched.ready()
    keys.press("Control+k")
    keys.type("not-there")
    keys.press("Enter")
    expect(page.locator("#found")).to_contain_text("No case has that")
    assert stand.acts().count("case.look_up") == 5
    assert not [request for request in watched.requests if wanted in request.url]
