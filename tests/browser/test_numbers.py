"""The page of numbers, and its tables as files."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from playwright.sync_api import Page, expect
from sqlalchemy import text

from seawall.cases import store
from seawall.records import Outcome, Role
from tests.browser.conftest import Watched
from tests.browser.stand import Stand

Window = Callable[..., Watched]


def taken(page: Page, title: str) -> list[list[str]]:
    """The rows of a table that a click brings."""
    with page.expect_download() as coming:
        page.get_by_role("link", name=title, exact=True).click()
    return list(csv.reader(Path(coming.value.path()).read_text().splitlines()))


def test_numbers_are_drawn_said_and_taken_along(stand: Stand, window: Window) -> None:
    for number in range(6):
        stand.case(number + 1, f"content-{number}", f"=account-{number}")
    stand.person("auditor-1", Role.AUDITOR)
    stand.person("reviewer-1", Role.REVIEWER)
    with stand.runtime.database.transaction() as session:
        reviewer_id = session.execute(text("SELECT id FROM users WHERE name = 'reviewer-1'")).scalar_one()
        for item, outcome in ((1, Outcome.CONFIRM), (2, Outcome.NOT_A_MATCH)):
            store.decide(session, item_id=item, user_id=reviewer_id, outcome=outcome, reason="Looked at it")
        for days in range(0, 60, 7):
            session.execute(
                text("UPDATE cases SET opened_at = opened_at - :back WHERE id % 9 = :some"),
                {"back": timedelta(days=days), "some": days // 7},
            )
    watched = window()
    watched.log_in("auditor-1")
    watched.ready()
    watched.page.keyboard.press("g")
    watched.page.keyboard.press("n")
    page = watched.page
    expect(page.get_by_role("heading", name="Numbers", exact=True)).to_be_visible()
    expect(page.get_by_role("region", name="Cases that wait")).to_contain_text("4 cases now")
    expect(page.get_by_role("img", name="Cases opened and closed by day")).to_be_visible()
    expect(page.get_by_role("row", name="Test list")).to_contain_text("50.0%")
    days = taken(page, "Cases and looks by day")
    assert days[0][:3] == ["day", "cases_opened", "cases_closed"]
    assert sum(int(row[1]) for row in days[1:]) == 6
    decisions = taken(page, "Decisions")
    assert [row[5] for row in decisions[1:]] == ["confirm", "not_a_match"]
    assert taken(page, "Audit chain")[-1][3] == "table.export"
    # An auditor sees no case, nor may take the cases along.
    expect(page.get_by_role("link", name="Cases", exact=True)).to_have_count(0)
    assert page.request.get(f"{stand.console}tables/cases.csv").status == 403
    reviewer = window()
    reviewer.log_in("reviewer-1")
    reviewer.ready()
    answer = reviewer.page.request.get(f"{stand.console}tables/cases.csv")
    rows = list(csv.reader(answer.text().splitlines()))
    assert len(rows) == 7
    assert rows[1][1] == "account:=account-0"
    assert reviewer.page.request.get(f"{stand.console}numbers").status == 403
