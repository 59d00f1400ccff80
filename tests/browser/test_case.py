"""A case from the queue to the decision: nothing is shown before it is asked for, and everything is on record."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select, text

from seawall.database.tables import Decision, OutboxMessage
from seawall.records import Role
from tests.browser.conftest import Watched
from tests.browser.looking import let_go, look
from tests.browser.stand import Stand, picture

Window = Callable[..., Watched]


@pytest.fixture
def at_case(stand: Stand, window: Window) -> Watched:
    """A reviewer who looks at a case about one listed picture."""
    stand.case()
    stand.person("reviewer-1", Role.REVIEWER, Role.AUDITOR)
    watched = window()
    watched.log_in("reviewer-1")
    watched.page.get_by_role("link", name="#1").click()
    expect(watched.page.get_by_role("heading", name="Case #1")).to_be_visible()
    return watched


def decide(page: Page, outcome: str, why: str) -> None:
    """Fills the form in and sends it."""
    page.get_by_role("radio", name=outcome, exact=False).first.check()
    page.get_by_role("radio", name=why).check()
    page.get_by_role("button", name="Record decision").click()


def events(stand: Stand) -> list[str]:
    with stand.runtime.database.transaction() as session:
        return list(session.scalars(select(OutboxMessage.event).order_by(OutboxMessage.created_at)))


def decision(stand: Stand) -> Decision:
    with stand.runtime.database.transaction() as session:
        return session.scalars(select(Decision)).one()


def test_no_picture_is_asked_for_before_a_person_asks(at_case: Watched) -> None:
    at_case.page.wait_for_load_state("networkidle")
    assert at_case.pictures() == []
    assert at_case.page.locator("main img").count() == 0
    expect(at_case.page.get_by_text("Nothing is fetched until you ask.")).to_be_visible()


def test_a_confirmed_item_is_removed_and_on_record(stand: Stand, at_case: Watched) -> None:
    page = at_case.page
    look(page)
    page.get_by_role("radio", name="Confirm").check()
    page.get_by_role("radio", name="Same picture as the listed one").check()
    page.get_by_role("checkbox", name="Also ask the platform to restrict the account").check()
    page.get_by_role("button", name="Record decision").click()
    expect(page.locator("#notice").get_by_text("Item 1 of case #1 is confirmed.")).to_be_visible()
    expect(page.locator("#notice")).to_contain_text("told to remove it, and to restrict the account")
    expect(page.locator("#item-1")).to_contain_text("After looking at it")
    assert page.get_by_role("button", name="Record decision").count() == 0
    assert events(stand) == ["content.block", "content.remove", "account.restrict"]
    made = decision(stand)
    assert (made.outcome, made.reason, made.viewed) == ("confirm", "Same picture as the listed one", True)
    page.get_by_role("link", name="Audit").click()
    expect(page.get_by_role("cell", name="item.confirm")).to_be_visible()
    expect(page.get_by_role("cell", name="user:reviewer-1").first).to_be_visible()
    page.get_by_role("button", name="Verify the chain").click()
    expect(page.get_by_text("The hashes of the chain hold")).to_be_visible()


def test_what_is_not_a_match_is_released_without_viewing(stand: Stand, at_case: Watched) -> None:
    stand.one_person_is_enough()
    decide(at_case.page, "Not a match", "A different picture")
    expect(at_case.page.locator("#notice")).to_contain_text("Item 1 of case #1 is not a match.")
    assert events(stand) == ["content.block", "content.release"]
    assert decision(stand).viewed is False
    expect(at_case.page.locator("#item-1")).to_contain_text("Without viewing")
    expect(at_case.page.locator("#item-1")).to_contain_text("Second person: switched off: A team of one.")
    assert at_case.pictures() == []


def test_an_escalated_item_stays_to_be_decided(stand: Stand, at_case: Watched) -> None:
    decide(at_case.page, "Escalate", "Not sure; someone else should look")
    expect(at_case.page.locator("#notice")).to_contain_text("Case #1 is escalated.")
    assert events(stand) == ["content.block"]
    at_case.open()
    expect(at_case.page.get_by_role("row", name="#1")).to_contain_text("Escalated")
    at_case.open("cases/1")
    expect(at_case.page.get_by_role("button", name="Hold to look")).to_be_visible()
    expect(at_case.page.get_by_role("radio", name="Confirm")).to_be_visible()


def test_a_decision_needs_a_reason(stand: Stand, at_case: Watched) -> None:
    stand.one_person_is_enough()
    page = at_case.page
    page.get_by_role("radio", name="Not a match").check()
    page.get_by_role("button", name="Record decision").click()
    expect(page.locator("#notice")).to_contain_text("A decision needs a reason.")
    assert events(stand) == ["content.block"]
    page.get_by_label("In your own words").fill("It is a photo of my own garden.")
    page.get_by_role("button", name="Record decision").click()
    expect(page.locator("#notice")).to_contain_text("is not a match")
    assert decision(stand).reason == "It is a photo of my own garden."


def lapse_claims(stand: Stand) -> None:
    """As if everybody's page had been closed for minutes."""
    with stand.runtime.database.transaction() as session:
        session.execute(text("UPDATE claims SET expires_at = now() - interval '1 second'"))


def test_whoever_decides_second_is_told_so(stand: Stand, at_case: Watched, window: Window) -> None:
    stand.person("reviewer-2", Role.REVIEWER)
    other = window()
    other.log_in("reviewer-2")
    lapse_claims(stand)
    other.open("cases/1")
    expect(other.page.get_by_role("radio", name="Not a match")).to_be_visible()
    # The page has said that it is open: later that would renew the claim which is to lapse here.
    other.ready()
    other.page.wait_for_load_state("networkidle")
    lapse_claims(stand)
    decide(at_case.page, "Confirm", "Same picture as the listed one")
    expect(at_case.page.locator("#notice")).to_contain_text("is confirmed")
    decide(other.page, "Not a match", "A different picture")
    expect(other.page.locator("#notice")).to_contain_text("was decided already")
    expect(other.page.locator("#item-1")).to_contain_text("by reviewer-1")
    assert events(stand) == ["content.block", "content.remove"]


def test_the_next_item_and_then_the_next_case_are_one_press_away(stand: Stand, window: Window) -> None:
    stand.case(1, "first")
    stand.case(2, "second")
    stand.case(3, "third", "another-account")
    stand.person("reviewer-1", Role.REVIEWER)
    watched = window()
    watched.log_in("reviewer-1")
    page = watched.page
    watched.open("cases/1")
    first, second = page.locator("[data-item]").all()
    first.get_by_role("radio", name="Confirm").check()
    first.get_by_role("radio", name="Same picture").check()
    first.get_by_role("button", name="Record decision").click()
    expect(page.get_by_role("link", name="Next item")).to_be_focused()
    page.keyboard.press("Enter")
    second.get_by_role("radio", name="Confirm").check()
    second.get_by_role("radio", name="Same picture").check()
    second.get_by_role("button", name="Record decision").click()
    expect(page.get_by_role("link", name="Next case: #2")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Case #2")).to_be_visible()


def test_a_file_that_cannot_be_read_is_a_case_all_the_same(stand: Stand, window: Window) -> None:
    stand.upload(picture()[:2000], "broken")
    stand.person("reviewer-1", Role.REVIEWER)
    watched = window()
    watched.log_in("reviewer-1")
    watched.open("cases/1")
    with watched.page.expect_response(lambda answer: "/reveals/" in answer.url) as answered:
        watched.page.get_by_role("button", name="Hold to look").hover()
        watched.page.mouse.down()
    assert answered.value.status == 422
    assert "cannot be shown" in answered.value.text()
    let_go(watched.page)
    decide(watched.page, "Not a match", "Too plain to tell pictures apart")
    expect(watched.page.locator("#notice")).to_contain_text("is not a match")
