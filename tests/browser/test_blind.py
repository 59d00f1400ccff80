"""A blind review: the second person sees what was found, and nothing of the first."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect
from sqlalchemy import select

from seawall import flow
from seawall.access.permissions import ALLOWED, Act
from seawall.cases import blind
from seawall.database.tables import CaseItem
from seawall.records import Outcome, Role
from tests.browser.conftest import ARTIFACTS, Watched
from tests.browser.looking import held
from tests.browser.stand import Stand
from tests.integration.second.pairs import somebody

Window = Callable[..., Watched]


def test_the_second_person_sees_nothing_of_the_first(stand: Stand, window: Window) -> None:
    stand.case(1, "content-of-the-test", "account-of-the-test")
    first = somebody(stand.runtime.database, "first-person", Role.REVIEWER)
    stand.person("reviewer-1", Role.REVIEWER)
    with stand.runtime.database.transaction() as session:
        item = session.scalars(select(CaseItem.id)).one()
    flow.decide_item(stand.runtime.rooms, first, item, Outcome.CONFIRM, "The words of the first")
    with stand.runtime.database.transaction() as session:
        blind.draw(session, item, lambda _class: 100.0, lambda words: bytes(32), ALLOWED[Act.DECIDE])
    watched = window()
    watched.log_in("reviewer-1")
    watched.open("blind")
    page = watched.page
    page.get_by_role("button", name="Take the next one").click()
    expect(page.get_by_role("heading", name="Review 1")).to_be_visible()
    watched.ready()
    told = page.content()
    for secret in ("first-person", "The words of the first", "content-of-the-test", "account-of-the-test", "cases/1"):
        assert secret not in told
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=ARTIFACTS / "blind.png", full_page=True)
    with held(page):
        page.screenshot(path=ARTIFACTS / "blind-held.png")
    page.get_by_role("radio", name="Confirm").check()
    page.get_by_label("Why").fill("The listed picture")
    page.get_by_role("button", name="Record").click()
    expect(page.locator("#notice")).to_contain_text("Recorded")
    expect(page.get_by_role("heading", name="Nothing waits for you")).to_be_visible()
    assert stand.acts()[-1] == "item.review_blindly"
    assert watched.complaints == []
