"""By keyboard alone, without JavaScript, on a tablet, in the dark."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from playwright.sync_api import expect

from seawall.records import Role
from tests.browser.conftest import Watched
from tests.browser.stand import PASSWORD, Stand

Window = Callable[..., Watched]


def test_a_day_at_the_desk_by_keyboard_alone(stand: Stand, window: Window) -> None:
    stand.case(1, "first", "account-one")
    stand.case(2, "second", "account-two")
    stand.person("person-1")
    watched = window()
    page, keys = watched.page, watched.page.keyboard
    watched.open()
    keys.type("person-1")
    keys.press("Tab")
    keys.type(PASSWORD)
    keys.press("Enter")
    expect(page.get_by_role("heading", name="Queue")).to_be_visible()
    watched.ready()
    keys.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    keys.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    keys.press("j")
    expect(page.get_by_role("link", name="#1")).to_be_focused()
    keys.press("j")
    expect(page.get_by_role("link", name="#2")).to_be_focused()
    keys.press("k")
    keys.press("Enter")
    expect(page.get_by_role("heading", name="Case #1")).to_be_visible()
    watched.ready()
    assert watched.pictures() == []
    keys.down("b")
    expect(page.locator("figure.shown img")).to_be_visible()
    keys.up("b")
    expect(page.locator("figure.shown")).to_have_count(0)
    keys.press("c")
    expect(page.get_by_role("radio", name="Confirm")).to_be_checked()
    keys.press("2")
    expect(page.get_by_role("radio", name="Altered copy")).to_be_checked()
    keys.press("Enter")
    expect(page.locator("#notice")).to_contain_text("Item 1 of case #1 is confirmed.")
    expect(page.get_by_role("link", name="Next case: #2")).to_be_focused()
    keys.press("Enter")
    expect(page.get_by_role("heading", name="Case #2")).to_be_visible()
    watched.ready()
    keys.press("e")
    expect(page.get_by_role("radio", name="Escalate")).to_be_checked()
    keys.press("1")
    keys.press("Enter")
    expect(page.locator("#notice")).to_contain_text("Case #2 is escalated.")
    for key, title in (("l", "Hash lists"), ("w", "Webhooks"), ("a", "Audit"), ("q", "Queue")):
        keys.press("g")
        keys.press(key)
        expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()
        watched.ready()
    keys.press("/")
    keys.type("account-two")
    keys.press("Enter")
    expect(page.locator("[data-row]")).to_have_count(1)


def test_letters_typed_into_a_field_do_nothing_else(stand: Stand, window: Window) -> None:
    stand.case()
    stand.person("person-1")
    watched = window()
    watched.log_in("person-1")
    watched.open("cases/1")
    watched.ready()
    watched.page.keyboard.press("n")
    watched.page.get_by_label("In your own words").focus()
    watched.page.keyboard.type("because j k b c e ? / g q")
    expect(watched.page.get_by_label("In your own words")).to_have_value("because j k b c e ? / g q")
    expect(watched.page.get_by_role("radio", name="Not a match")).to_be_checked()
    assert watched.pictures() == []


def test_everything_works_without_javascript(stand: Stand, window: Window) -> None:
    stand.case(1, "first", "account-one")
    stand.case(2, "second", "account-two")
    stand.person("person-1")
    watched = window(java_script_enabled=False)
    page = watched.page
    watched.log_in("person-1")
    page.get_by_role("link", name="#1").click()
    assert watched.pictures() == []
    page.get_by_role("button", name="Show once").click()
    expect(page.locator("figure.shown img")).to_be_visible()
    page.get_by_text("Grey", exact=True).click()
    page.get_by_role("button", name="Show once").click()
    expect(page.get_by_text("Grey and small, not blurred.")).to_be_visible()
    assert len(watched.pictures()) == 2
    page.get_by_role("button", name="Cover it").click()
    expect(page.locator("figure.shown")).to_have_count(0)
    page.get_by_role("radio", name="Confirm").check()
    page.get_by_role("button", name="Record decision").click()
    expect(page.locator("#notice")).to_contain_text("A decision needs a reason.")
    expect(page.get_by_role("radio", name="Confirm")).to_be_checked()
    page.get_by_role("radio", name="Altered copy").check()
    page.get_by_role("button", name="Record decision").click()
    expect(page.locator("#notice")).to_contain_text("Item 1 of case #1 is confirmed.")
    page.get_by_role("link", name="Next case: #2").click()
    expect(page.get_by_role("heading", name="Case #2")).to_be_visible()
    page.get_by_role("link", name="Hash lists").click()
    listed = page.get_by_role("row").filter(has_text="Disable Test list")
    listed.locator("summary").click()
    listed.get_by_label("Why").fill("Too many wrong hits")
    listed.get_by_role("button", name="Disable the list").click()
    expect(page.get_by_text("The list Test list is disabled now.")).to_be_visible()
    page.get_by_role("link", name="Webhooks").click()
    page.get_by_role("button", name="Send again content.remove").click()
    expect(page.get_by_text("The message is on its way again.")).to_be_visible()
    page.get_by_role("link", name="Audit").click()
    page.get_by_role("button", name="Verify the chain").click()
    expect(page.get_by_text("The hashes of the chain hold")).to_be_visible()
    acts = stand.acts()
    assert {"list.disable", "webhook.replay", "item.confirm", "reveal.show", "user.login"} <= set(acts)
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()


def test_no_page_is_wider_than_its_window(stand: Stand, window: Window) -> None:
    stand.case(1, "content-" + "x" * 180, "account-" + "y" * 180)
    stand.person("person-1", *Role)
    watched = window()
    watched.log_in("person-1")
    for width, path in itertools.product((1280, 820, 600), ("", "cases/1", "lists", "webhooks", "audit", "nothing")):
        watched.page.set_viewport_size({"width": width, "height": 820})
        watched.open(path)
        wider = watched.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider <= 0, (width, path)


def test_a_page_tells_a_screen_reader_where_it_is(stand: Stand, window: Window) -> None:
    stand.case()
    stand.person("person-1", *Role)
    watched = window()
    watched.log_in("person-1")
    for path, title in (("", "Queue"), ("cases/1", "Case #1"), ("lists", "Hash lists"), ("audit", "Audit")):
        watched.open(path)
        page = watched.page
        assert page.title() == f"{title} · Seawall"
        expect(page.locator("h1")).to_have_count(1)
        expect(page.get_by_role("main")).to_have_count(1)
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        unnamed = page.locator("button, a, input:not([type=hidden]), select, textarea").evaluate_all(
            "all => all.filter(e => !(e.textContent.trim() || e.labels?.length || e.ariaLabel)).map(e => e.outerHTML)"
        )
        assert unnamed == []


def test_new_cases_come_by_themselves_and_leave_the_focus_where_it_is(stand: Stand, window: Window) -> None:
    stand.case(1, "first", "account-one")
    stand.person("person-1")
    watched = window()
    watched.log_in("person-1")
    watched.ready()
    watched.page.keyboard.press("j")
    expect(watched.page.get_by_role("link", name="#1")).to_be_focused()
    stand.case(2, "second", "account-two")
    expect(watched.page.get_by_role("link", name="#2")).to_be_visible()
    expect(watched.page.get_by_text("2 cases to decide")).to_be_visible()
    expect(watched.page.get_by_role("link", name="#1")).to_be_focused()
