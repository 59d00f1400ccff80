"""Several people at one desk: who works on what is seen, the next case comes by one key, filters are kept."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from seawall.records import Role
from tests.browser.conftest import ARTIFACTS, Watched
from tests.browser.stand import Stand

Window = Callable[..., Watched]


def test_a_claim_is_seen_by_a_second_reviewer_and_handed_over_by_a_senior(stand: Stand, window: Window) -> None:
    stand.case(1, "first", "account-one")
    stand.person("one", Role.REVIEWER)
    stand.person("two", Role.REVIEWER, Role.SENIOR)
    first, second = window(), window()
    first.log_in("one")
    first.page.get_by_role("link", name="#1").click()
    expect(first.page.get_by_text("You work on this case.")).to_be_visible()
    second.log_in("two")
    row = second.page.locator("[data-row]").filter(has_text="account-one")
    expect(row).to_contain_text("one works on it")
    row.get_by_role("link").click()
    expect(second.page.locator("#claim-state")).to_contain_text("one works on this case.")
    expect(second.page.get_by_role("button", name="Record decision")).to_have_count(0)
    second.page.get_by_text("Hand it to someone").click()
    second.page.get_by_label("Who decides it").select_option("two")
    second.page.get_by_role("button", name="Hand it over").click()
    expect(second.page.locator("#claim-state")).to_contain_text("You work on this case.")
    # Whoever lost the case meanwhile is told so, and nothing is decided.
    first.page.get_by_role("radio", name="Confirm").check()
    first.page.get_by_role("radio", name="Altered copy").check()
    first.page.get_by_role("button", name="Record decision").click()
    expect(first.page.locator("#notice")).to_contain_text("two works on case 1")
    assert [act for act in stand.acts() if act.startswith(("case.", "item."))] == ["case.claim", "case.reassign"]


def test_one_case_after_the_other_by_keyboard(stand: Stand, window: Window) -> None:
    """Of two people each gets a case of their own; what is left fits the filter that they came from."""
    for seed, account in ((1, "account-one"), (2, "account-two"), (3, "account-three")):
        stand.case(seed, f"content-{seed}", account)
    for name in ("one", "two"):
        stand.person(name, Role.REVIEWER)
    other, watched = window(), window()
    other.log_in("two")
    other.page.get_by_role("link", name="#2").click()
    expect(other.page.get_by_text("You work on this case.")).to_be_visible()
    page, keys = watched.page, watched.page.keyboard
    watched.log_in("one")
    watched.open("?urgent=yes")
    watched.ready()
    keys.press("t")
    expect(page.get_by_role("heading", name="Case #1")).to_be_visible()
    watched.ready()
    keys.press("c")
    keys.press("2")
    keys.press("Control+Enter")
    expect(page.get_by_role("heading", name="Case #3")).to_be_visible()
    expect(page.locator("#notice")).to_contain_text("Case #1 is done.")
    watched.ready()
    keys.press("c")
    keys.press("1")
    keys.press("Control+Enter")
    expect(page.locator("#notice")).to_contain_text("Case #3 is done. Nothing that is free fits this filter.")
    assert page.url.startswith(f"{stand.console}?urgent=yes&")
    assert watched.pictures() == []
    acts = [act for act in stand.acts() if act.startswith(("case.", "item."))]
    assert acts == ["case.claim", "case.claim", "item.confirm", "case.claim", "item.confirm"]


def test_the_terms_of_a_priority_are_shown_on_focus_and_filters_are_kept(stand: Stand, window: Window) -> None:
    stand.case(1, "first", "account-one")
    stand.person("senior", Role.SENIOR)
    stand.person("one", Role.REVIEWER)
    watched = window()
    page = watched.page
    watched.log_in("senior")
    watched.ready()
    points = page.get_by_role("button", name="Priority 1,181: urgent 1000")
    points.focus()
    expect(page.locator(".terms")).to_contain_text("trusted list")
    page.keyboard.press("Escape")
    expect(page.locator(".terms")).to_be_hidden()
    points.hover()
    expect(page.locator(".terms")).to_be_visible()
    page.get_by_label("Harm class", exact=True).select_option("csam")
    page.get_by_role("button", name="Filter").click()
    page.get_by_text("Save this filter").click()
    page.get_by_label("Name", exact=True).fill("CSAM alone")
    page.get_by_label("Show it to everybody at the desk").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("link", name="CSAM alone")).to_be_visible()
    reviewer = window(java_script_enabled=False)
    reviewer.log_in("one")
    reviewer.page.get_by_role("link", name="CSAM alone").click()
    expect(reviewer.page.locator("[data-row]")).to_have_count(1)
    expect(reviewer.page.get_by_label("Harm class", exact=True)).to_have_value("csam")
    reviewer.page.get_by_label("Harm class", exact=True).select_option("ncii")
    reviewer.page.get_by_role("button", name="Filter").click()
    expect(reviewer.page.get_by_role("heading", name="No case fits this filter")).to_be_visible()
    assert "filter.share" in stand.acts()


def test_where_a_child_may_be_in_danger_the_numbers_come_first(stand: Stand, window: Window) -> None:
    stand.case()
    stand.person("one", Role.REVIEWER)
    watched = window()
    watched.log_in("one")
    watched.open("cases/1")
    page = watched.page
    page.get_by_role("button", name="A child may be in danger now").click()
    expect(page.get_by_role("heading", name="A child may be in danger now")).to_be_visible()
    expect(page.get_by_role("link", name="999")).to_have_attribute("href", "tel:999")
    page.screenshot(path=ARTIFACTS / "danger.png", full_page=True)
    page.get_by_label("Whom you called").fill("Test emergency services")
    page.get_by_label("What they said, and their reference").fill("A test; reference TEST-1.")
    page.get_by_role("button", name="Write it down").click()
    expect(page.locator("#notes")).to_contain_text("Called Test emergency services: A test; reference TEST-1.")
    expect(page.get_by_role("link", name="Whom to call")).to_be_visible()
    assert stand.acts()[-2:] == ["case.at_risk", "case.called"]
