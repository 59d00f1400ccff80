"""What protects the people at the desk: a day's budget, the panic key, their own floor, and totals without names."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect
from sqlalchemy import text, update

from seawall.cases import floors
from seawall.cases.stages import Floor
from seawall.database.tables import ConsoleSession
from seawall.records import HarmClass, RevealStage, Role
from tests.browser.conftest import Watched
from tests.browser.looking import look
from tests.browser.stand import PASSWORD, Stand

Window = Callable[..., Watched]

LOOKED = text("""
INSERT INTO reveals (evidence_id, user_id, stage, token_hash, expires_at, shown_at, closed_at)
SELECT 1, users.id, 'blurred', convert_to(users.name || ' ' || number, 'UTF8'), now(), now(), now() + interval '1 s'
FROM users CROSS JOIN generate_series(1, :times) AS number WHERE users.name = :name
ON CONFLICT DO NOTHING
""")


def has_looked(stand: Stand, name: str, times: int) -> None:
    """Puts so many short looks of today on record."""
    with stand.runtime.database.transaction() as session:
        session.execute(LOOKED, {"name": name, "times": times})


def at_case(stand: Stand, window: Window, name: str = "reviewer-1", *roles: Role) -> Watched:
    stand.person(name, *(roles or (Role.REVIEWER,)))
    watched = window()
    watched.log_in(name)
    expect(watched.page.get_by_role("button", name="Log out")).to_be_visible()
    watched.open("cases/1")
    watched.ready()
    return watched


def test_a_day_has_enough_and_then_an_end_and_a_senior_can_grant_more(stand: Stand, window: Window) -> None:
    stand.case()
    watched = at_case(stand, window)
    page = watched.page
    has_looked(stand, "reviewer-1", 99)
    look(page)
    expect(page.get_by_text("A pause would be good now.")).to_be_visible()
    has_looked(stand, "reviewer-1", 199)
    page.get_by_role("button", name="Hold to look").hover()
    page.mouse.down()
    expect(page.locator("#notice")).to_contain_text("That is enough for today")
    page.mouse.up()
    page.reload()
    expect(page.get_by_text("That is enough for today.")).to_be_visible()
    expect(page.get_by_role("button", name="Hold to look")).to_have_count(0)
    assert len([each for each in watched.pictures() if not each.url.endswith("/close")]) == 1
    watched.open("wellbeing")
    expect(page.get_by_text("Looks: 200 of 200")).to_be_visible()
    senior = at_case(stand, window, "senior-1", Role.SENIOR)
    senior.open("wellbeing/team")
    expect(senior.page.get_by_role("cell", name="Fewer than 3 people looked")).to_be_visible()
    assert "reviewer-1" not in senior.page.inner_text("body")
    senior.page.get_by_label("To whom").fill("reviewer-1")
    senior.page.get_by_label("Looks", exact=True).fill("5")
    senior.page.get_by_label("Why").fill("A child may be in danger")
    senior.page.get_by_role("button", name="Grant it").click()
    expect(senior.page.get_by_text("More is granted for today.")).to_be_visible()
    watched.open("cases/1")
    watched.ready()
    look(page)
    assert {"exposure.grant", "reveal.show"} <= set(stand.acts())


def test_the_panic_key_blanks_the_page_without_network_and_keeps_it_blank(stand: Stand, window: Window) -> None:
    stand.case()
    watched = at_case(stand, window)
    page, keys = watched.page, watched.page.keyboard
    keys.down("b")
    expect(page.locator("figure.shown img")).to_be_visible()
    watched.context.set_offline(True)
    keys.press("Escape")
    keys.press("Escape")
    expect(page.locator("figure.shown")).to_have_count(0)
    expect(page.get_by_role("heading", name="Case #1")).to_be_hidden()
    assert page.inner_text("body").strip() == "Show the page again"
    keys.up("b")
    for key in ("b", "c", "Escape", "?", "g", "q"):
        keys.press(key)
    assert page.inner_text("body").strip() == "Show the page again"
    watched.context.set_offline(False)
    page.get_by_role("button", name="Show the page again").press("Enter")
    expect(page.get_by_role("heading", name="Case #1")).to_be_visible()
    expect(page.locator("[name=outcome]:checked")).to_have_count(0)
    expect(page.locator("figure.shown")).to_have_count(0)


def test_a_person_can_choose_to_see_less(stand: Stand, window: Window) -> None:
    stand.case()
    watched = at_case(stand, window)
    page = watched.page
    watched.open("wellbeing")
    page.get_by_label("At most for CSAM").select_option("Grey")
    page.get_by_role("button", name="Set for CSAM").click()
    expect(page.get_by_text("Your floor is changed.")).to_be_visible()
    watched.open("cases/1")
    expect(page.get_by_text("Shown no clearer than in grey.").first).to_be_visible()
    expect(page.locator("[data-look] [name=stage]")).to_have_count(2)
    watched.open("wellbeing/team")
    expect(page.get_by_text("Your account may not see the team's totals.")).to_be_visible()
    assert "floor.own" in stand.acts()


def test_a_floor_of_all_is_lowered_once_somebody_else_agrees(stand: Stand, window: Window) -> None:
    settings = stand.runtime.settings
    with stand.runtime.database.transaction() as session:
        floors.raise_for_all(session, settings, HarmClass.CSAM, Floor(clearest=RevealStage.GREY))
    stand.person("person-1", *Role)
    stand.person("person-2", *Role)
    watched = window()
    watched.log_in("person-1")
    watched.open("wellbeing/team")
    page = watched.page
    page.get_by_text("Ask for a lower floor").click()
    lower = page.locator("form[action$='/floor/lower']").filter(has_text="CSAM")
    lower.get_by_label("At most for CSAM").select_option("Colour")
    lower.get_by_label("Why for CSAM").fill("Grey hides what tells these apart")
    lower.get_by_role("button", name="Ask for CSAM").click()
    expect(page.get_by_text("A lower floor is asked for.")).to_be_visible()
    second = window()
    second.log_in("person-2")
    second.open("second")
    with stand.runtime.database.transaction() as session:
        session.execute(update(ConsoleSession).values(proven_at=None))
    second.page.get_by_label("Your words").fill("Seen, and right")
    second.page.get_by_role("button", name="Approve").click()
    second.page.get_by_label("Password").fill(PASSWORD)
    second.page.keyboard.press("Enter")
    second.page.get_by_label("Your words").fill("Seen, and right")
    second.page.get_by_role("button", name="Approve").click()
    expect(second.page.locator("#notice")).to_be_visible()
    with stand.runtime.database.transaction() as session:
        assert floors.of_organisation(session, settings)[HarmClass.CSAM].clearest is RevealStage.COLOUR
    assert "floor.lower" in stand.acts()
