"""axe-core finds nothing against WCAG 2.2 AA on any page of the console, in light and dark, wide and on a tablet."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute
from playwright.sync_api import Page, expect

from seawall.console.app import ROUTERS
from seawall.records import Role
from tests.browser.conftest import ARTIFACTS, Watched
from tests.browser.stand import Stand, picture
from tests.browser.talking import say

Window = Callable[..., Watched]

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
STANDARD = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PARTS = {"token": "not-a-token", "message_id": "00000000-0000-4000-8000-000000000000"}
DESK = {"width": 1280, "height": 820}
TABLET = {"width": 820, "height": 1180}


def pages() -> list[str]:
    """Every address below /console/ that a browser can go to."""
    found = []
    for router in ROUTERS:
        for route in router.routes:
            if isinstance(route, APIRoute) and "GET" in route.methods:
                address = re.sub(r"\{(\w+)(?::\w+)?\}", lambda part: PARTS.get(part[1], "1"), route.path)
                found.append(address.removeprefix("/"))
    return sorted(set(found))


def broken(page: Page) -> list[str]:
    """What axe-core finds, one line a place."""
    run = "tags => axe.run(document, { runOnly: tags, rules: { 'target-size': { enabled: true } } })"
    result: Any = page.evaluate(run, STANDARD)
    return [
        f"{rule['id']}: {node['target']} {node['failureSummary']}"
        for rule in result["violations"]
        for node in rule["nodes"]
    ]


def is_page(watched: Watched, path: str) -> bool:
    """Whether it answers with a whole page, and not with a part of one, a file, or a way to another page."""
    answer = watched.context.request.get(watched.stand.console + path, max_redirects=0)
    return answer.headers.get("content-type", "").startswith("text/html") and "<html" in answer.text()


@pytest.fixture
def busy(stand: Stand) -> Stand:
    """A console with something to see on most pages."""
    for number in (1, 2, 3):
        stand.case(number, f"content-{number}", "account-1")
    stand.upload(picture(1), "the same file", "account-2")
    stand.upload(picture(4)[:2000], "broken", None)
    stand.person("person-1", *Role)
    return stand


def test_axe_finds_nothing_on_any_page(busy: Stand, window: Window) -> None:
    watched = window()
    page = watched.page
    assert AXE.exists(), "axe-core is not there: run make setup-dev"
    script = AXE.read_text("utf-8")
    wrong: list[str] = []

    def look(name: str) -> None:
        ARTIFACTS.mkdir(parents=True, exist_ok=True)
        page.evaluate(script)
        file = re.sub(r"\W+", "-", name)
        for scheme in ("dark", "light"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
            wrong.extend(f"{name}, {scheme}: {found}" for found in broken(page))
            page.screenshot(path=ARTIFACTS / f"page-{file}-{scheme}.png", full_page=True)

    watched.open("login")
    look("login")
    watched.log_in("person-1")
    expect(page.get_by_role("heading", name="Queue")).to_be_visible()
    flow_through(busy, page)
    looked = 0
    for path in (path for path in pages() if is_page(watched, path)):
        watched.open(path)
        look(path or "queue")
        looked += 1
        page.set_viewport_size(TABLET)  # type: ignore[arg-type]
        if page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") > 0:
            wrong.append(f"{path}: wider than a tablet")
        page.set_viewport_size(DESK)  # type: ignore[arg-type]
    assert looked >= 8

    watched.open("cases/1")
    watched.ready()
    page.keyboard.press("?")
    look("help")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.keyboard.type("account-1")
    page.keyboard.press("Enter")
    expect(page.locator("[data-hit]").first).to_be_focused()
    look("palette")
    page.keyboard.press("Escape")
    page.locator("[data-item]:has([data-outcome])").first.get_by_role("radio", name="Confirm").check()
    page.set_viewport_size(TABLET)  # type: ignore[arg-type]
    look("case on a tablet")
    watched.open("workspace")
    look("workspace on a tablet")
    watched.open(f"cases/{say(busy)}")
    watched.ready()
    look("case of a conversation on a tablet")
    page.get_by_role("button", name="Read what was said").click()
    expect(page.get_by_role("heading", name="What was said")).to_be_visible()
    look("conversation on a tablet")
    if page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") > 0:
        wrong.append("conversation: wider than a tablet")
    page.set_viewport_size(DESK)  # type: ignore[arg-type]
    look("conversation")
    assert not wrong, "\n".join(wrong)


def flow_through(stand: Stand, page: Page) -> None:
    """Something decided, noted, put together and held back."""
    page.goto(stand.console + "cases/1")
    page.get_by_label("Add a note").fill("Seen before.")
    page.get_by_role("button", name="Add note").click()
    expect(page.locator("#notes")).to_contain_text("Seen before.")
    page.get_by_role("button", name="Put in workspace").click()
    expect(page.locator("#notice")).to_contain_text("put in your workspace")
    page.get_by_role("checkbox", name="content-1").uncheck()
    page.get_by_role("radio", name="Confirm").check()
    page.get_by_label("Why", exact=True).fill("Harmless test pictures")
    page.get_by_role("button", name="See what would happen").click()
    page.get_by_role("button", name="Decide 2 items").click()
    expect(page.locator("#bulks")).to_contain_text("Confirmed: 2 items")
