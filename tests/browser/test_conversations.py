"""A conversation in a case: nothing of it is shown before somebody asks, and asking is on record."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from playwright.sync_api import expect

from seawall import flow
from seawall.conversation_records import MessageArrival
from seawall.records import Role
from tests.browser.conftest import ARTIFACTS, Watched
from tests.browser.stand import Stand

Window = Callable[..., Watched]
SAID = (
    ("test-a", "hi, how old are you?"),
    ("test-b", "im 13 <b>bold</b>"),
    ("test-a", "you are so mature for your age"),
    ("test-a", "are your parents home?"),
    ("test-a", "keep it our secret, don't tell your mum"),
    ("test-a", "add me on snapchat, what is your snap?"),
)


def say(stand: Stand) -> int:
    """A made-up conversation that comes to a person; the case."""
    at = datetime.now(UTC)
    messages = [
        MessageArrival("test-talk", str(number), author, text, at, private=False)
        for number, (author, text) in enumerate(SAID)
    ]
    case_id = flow.judge_messages(stand.runtime.rooms, messages)[-1].case_id
    assert case_id is not None
    return case_id


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
