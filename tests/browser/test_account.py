"""One's own account, other people's, and showing again that it is you."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from playwright.sync_api import expect
from sqlalchemy import update

from seawall.access.permissions import ALLOWED
from seawall.console.wording import capitalised
from seawall.database.tables import ConsoleSession, now
from seawall.records import Role
from tests.browser.conftest import ARTIFACTS, Watched
from tests.browser.looking import look
from tests.browser.stand import PASSWORD, Stand

Window = Callable[..., Watched]


def lie_unused(stand: Stand, minutes: int) -> None:
    """As if nobody had used the console for that long."""
    with stand.runtime.database.transaction() as session:
        session.execute(update(ConsoleSession).values(seen_at=now() - timedelta(minutes=minutes)))


def test_after_a_pause_a_look_asks_who_is_there_and_comes_back(stand: Stand, window: Window) -> None:
    case_id = stand.case()
    stand.person("reviewer-1", Role.REVIEWER)
    watched = window()
    watched.log_in("reviewer-1")
    watched.open(f"cases/{case_id}")
    watched.ready()
    page = watched.page
    lie_unused(stand, 31)
    page.get_by_role("button", name="Hold to look").hover()
    page.mouse.down()
    expect(page.get_by_role("heading", name="Is it you, reviewer-1?")).to_be_visible()
    page.mouse.up()
    assert "reveal.ask" not in stand.acts()
    assert watched.pictures() == []
    page.get_by_label("Password").fill("not the password at all")
    page.get_by_role("button", name="It is me").click()
    expect(page.get_by_text("This is not your password.")).to_be_visible()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="It is me").click()
    page.wait_for_url(f"{stand.console}cases/{case_id}")
    watched.ready()
    look(page)
    assert [each.method for each in watched.pictures()].count("GET") == 1
    assert "user.prove" in stand.acts()


def test_sessions_are_ended_by_oneself_and_by_an_administrator(stand: Stand, window: Window) -> None:
    stand.person("reviewer-1", Role.REVIEWER)
    stand.person("boss", Role.ADMIN)
    here, there, boss = window(), window(), window()
    for watched, name in ((here, "reviewer-1"), (there, "reviewer-1"), (boss, "boss")):
        watched.log_in(name)
        expect(watched.page.get_by_role("link", name="People", exact=True)).to_be_visible()
    here.page.get_by_role("link", name="your account").click()
    expect(here.page.get_by_role("row", name="Chrome on Linux")).to_have_count(2)
    here.page.get_by_role("button", name="End all others").click()
    expect(here.page.get_by_text("1 session ended.")).to_be_visible()
    there.open()
    expect(there.page.get_by_role("heading", name="Log in")).to_be_visible()
    boss.open("people")
    boss.page.get_by_role("link", name="reviewer-1").click()
    boss.page.get_by_role("button", name="End", exact=False).last.click()
    expect(boss.page.get_by_text("1 session of reviewer-1 ended.")).to_be_visible()
    expect(boss.page.get_by_role("heading", name="Nowhere")).to_be_visible()
    here.open("me")
    expect(here.page.get_by_role("heading", name="Log in")).to_be_visible()
    assert stand.acts().count("user.session_end") == 2


def test_an_administrator_changes_roles_and_shows_first_that_it_is_them(stand: Stand, window: Window) -> None:
    stand.person("reviewer-1", Role.REVIEWER)
    stand.person("boss", Role.ADMIN)
    watched = window()
    watched.log_in("boss")
    watched.open("people/reviewer-1")
    page = watched.page
    with stand.runtime.database.transaction() as session:
        session.execute(update(ConsoleSession).values(proven_at=None))
    page.get_by_role("checkbox", name="Senior reviewer").check()
    page.get_by_role("button", name="Change roles").click()
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="reviewer-1")).to_be_visible()
    page.get_by_role("checkbox", name="Senior reviewer").check()
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=ARTIFACTS / "person.png", full_page=True)
    page.get_by_role("button", name="Change roles").click()
    expect(page.locator("#notice")).to_contain_text("The roles of reviewer-1 are changed")
    expect(page.get_by_role("checkbox", name="Senior reviewer")).to_be_checked()
    watched.open("people/boss")
    page.get_by_role("checkbox", name="Admin").uncheck()
    page.get_by_role("checkbox", name="Reviewer", exact=True).check()
    page.get_by_role("button", name="Change roles").click()
    expect(page.locator("#notice")).to_contain_text("Nobody would be left who may manage people")
    assert stand.acts().count("user.roles") == 1


def test_the_permission_page_says_what_holds(stand: Stand, window: Window) -> None:
    stand.person("reviewer-1", Role.REVIEWER)
    stand.person("custodian-1", Role.EVIDENCE_CUSTODIAN)
    watched = window()
    watched.log_in("reviewer-1")
    watched.open("people")
    table = watched.page.get_by_role("table", name="What each role may do, and who holds it")
    for act, roles in ALLOWED.items():
        row = table.get_by_role("row").filter(
            has=watched.page.get_by_role("rowheader", name=capitalised(act.value), exact=True)
        )
        cells = row.get_by_role("cell")
        expect(cells).to_have_count(len(Role))
        assert [("yes" in cells.nth(n).inner_text()) for n in range(len(Role))] == [role in roles for role in Role]
    held = table.get_by_role("row", name="Held by")
    expect(held).to_contain_text("custodian-1")
    # Who may not manage people is shown no way to do it.
    expect(watched.page.get_by_role("link", name="custodian-1")).to_have_count(0)
    assert watched.page.goto(f"{stand.console}people/custodian-1").status == 403
