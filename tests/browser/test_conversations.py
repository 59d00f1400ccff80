"""A conversation in a case: nothing of it is shown before somebody asks, and asking is on record."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from seawall.records import Role
from tests.browser.conftest import ARTIFACTS, Watched
from tests.browser.stand import Stand
from tests.browser.talking import SAID, say

Window = Callable[..., Watched]


def test_what_was_said_is_read_on_purpose_and_on_record(stand: Stand, window: Window) -> None:
    case_id = say(stand)
    stand.person("reviewer-1", Role.REVIEWER)
    watched = window()
    page = watched.page
    watched.log_in("reviewer-1")
    watched.open(f"cases/{case_id}")
    watched.ready()
    item = page.locator("[data-item]")
    expect(item).to_contain_text("conversation:test-talk")
    expect(item).to_contain_text("asked to keep it secret, message 5")
    expect(item.locator(".rules")).to_contain_text("look-at-a-conversation")
    assert "keep it our secret" not in page.content()
    page.screenshot(path=ARTIFACTS / "conversation-case.png", full_page=True)

    item.get_by_role("button", name="Read what was said").click()
    talk = page.locator(".talk li")
    expect(talk).to_have_count(len(SAID))
    expect(talk.nth(1)).to_contain_text("im 13 <b>bold</b>")
    expect(talk.nth(4)).to_contain_text("asked to keep it secret")
    assert stand.acts().count("conversation.read") == 1
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.screenshot(path=ARTIFACTS / f"conversation-{scheme}.png", full_page=True)

    page.get_by_role("link", name=f"Back to case #{case_id}").click()
    expect(item).to_be_visible()
