"""Coming in: first start, log in, log out, and who is kept out."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import cast

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from playwright.sync_api import expect

from seawall.console.app import PATH, console
from seawall.records import Role
from seawall.runtime import Runtime
from tests.browser.conftest import Watched
from tests.browser.stand import PASSWORD, Stand

Window = Callable[..., Watched]
CHOSEN = "four brave puffins nest"


def test_the_first_link_leads_to_a_password_and_the_queue(stand: Stand, window: Window) -> None:
    link = stand.first_link()
    page = (watched := window()).page
    page.goto(link)
    expect(page.get_by_label("Name")).to_have_value("admin")
    page.get_by_label("New password").fill(CHOSEN)
    page.get_by_label("The same again").fill(CHOSEN)
    page.get_by_role("button", name="Set password").click()
    expect(page.get_by_text("Your password is set.")).to_be_visible()
    watched.log_in("admin", CHOSEN)
    expect(page.get_by_role("heading", name="Queue")).to_be_visible()
    expect(page.get_by_text("Nothing to decide").first).to_be_visible()
    assert page.goto(link).status == 404
    expect(page.get_by_text("This link was used")).to_be_visible()


def test_a_weak_or_mistyped_password_leaves_the_link_good(stand: Stand, window: Window) -> None:
    page = window().page
    page.goto(stand.first_link())
    for first, again, said in (
        (CHOSEN, CHOSEN + "!", "The two passwords differ."),
        ("aaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaa", "The password repeats itself."),
    ):
        page.get_by_label("New password").fill(first)
        page.get_by_label("The same again").fill(again)
        page.get_by_role("button", name="Set password").click()
        expect(page.get_by_text(said)).to_be_visible()
    page.get_by_label("New password").fill(CHOSEN)
    page.get_by_label("The same again").fill(CHOSEN)
    page.get_by_role("button", name="Set password").click()
    expect(page.get_by_text("Your password is set.")).to_be_visible()


def test_a_page_that_was_asked_for_comes_after_the_login(stand: Stand, window: Window) -> None:
    stand.person("person-1")
    page = window().page
    page.goto(f"{stand.console}audit?before=20")
    page.get_by_label("Name").fill("person-1")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"{stand.console}audit?before=20")


def test_guessing_passwords_is_slowed_down(stand: Stand, window: Window) -> None:
    stand.person("person-1")
    watched = window()
    for _ in range(stand.runtime.settings.login_attempts_per_minute * 2):
        watched.log_in("person-1", "a wrong guess at it")
        if watched.page.get_by_text("Too many wrong logins").is_visible():
            break
        expect(watched.page.get_by_text("do not go together")).to_be_visible()
    expect(watched.page.get_by_text("Too many wrong logins")).to_be_visible()
    assert "login" in watched.page.url


def test_logging_out_ends_the_session_on_the_server(stand: Stand, window: Window) -> None:
    stand.person("person-1")
    watched = window()
    watched.log_in("person-1")
    kept = watched.context.cookies()
    watched.page.get_by_role("button", name="Log out").click()
    watched.page.wait_for_url("**/console/login")
    watched.context.add_cookies(kept)
    watched.open()
    expect(watched.page.get_by_role("heading", name="Log in")).to_be_visible()


def test_the_session_cookie_is_out_of_reach_for_scripts(stand: Stand, window: Window) -> None:
    stand.person("person-1")
    watched = window()
    watched.log_in("person-1")
    (cookie,) = [each for each in watched.context.cookies() if each["name"] == "seawall_session"]
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Lax"
    assert watched.page.evaluate("document.cookie") == ""
    assert watched.kept() == set()


@pytest.mark.parametrize(
    ("role", "opens", "closed"),
    [
        (
            Role.REVIEWER,
            ["", "workspace", "appeals", "second", "people", "wellbeing"],
            ["lists", "webhooks", "audit"],
        ),
        (Role.EVIDENCE_CUSTODIAN, ["", "second", "reports", "people", "wellbeing"], ["lists", "webhooks", "audit"]),
        (Role.LIST_MANAGER, ["second", "lists", "people"], ["webhooks", "audit", "cases/1"]),
        (Role.AUDITOR, ["reports", "lists", "numbers", "webhooks", "audit", "people"], ["cases/1"]),
        (Role.ADMIN, ["second", "numbers", "webhooks", "people", "wellbeing/team"], ["lists", "audit", "cases/1"]),
    ],
)
def test_each_role_sees_its_own_pages(
    stand: Stand, window: Window, role: Role, opens: list[str], closed: list[str]
) -> None:
    stand.case()
    stand.person("person-1", role)
    watched = window()
    watched.log_in("person-1")
    expect(watched.page.get_by_role("navigation", name="Pages").get_by_role("link")).not_to_have_count(0)
    offered = [link.get_attribute("href") for link in watched.page.locator("header nav a").all()]
    assert [f"/console/{path}" for path in opens] == offered
    for path in closed:
        answer = watched.page.goto(stand.console + path)
        assert answer is not None
        assert answer.status == 403
        expect(watched.page.get_by_text("Your account may not")).to_be_visible()


def test_with_tls_the_cookies_are_bound_to_this_host(stand: Stand) -> None:
    stand.person("person-1")
    settings = stand.runtime.settings.model_copy(update={"public_url": "https://seawall.test"})
    secured = SimpleNamespace(settings=settings, database=stand.runtime.database, rooms=stand.runtime.rooms)
    app = FastAPI()
    app.mount(PATH, console(cast("Runtime", secured)))
    client = TestClient(app, base_url="https://seawall.test")
    page = client.get("/console/login")
    (token,) = set(re.findall(r'name="csrf" value="([^"]+)"', page.text))
    form = {"csrf": token, "name": "person-1", "password": PASSWORD}
    answer = client.post(
        "/console/login", data=form, headers={"Origin": "https://seawall.test"}, follow_redirects=False
    )
    given = [*page.headers.get_list("set-cookie"), *answer.headers.get_list("set-cookie")]
    assert answer.status_code == 303
    assert {cookie.split("=")[0] for cookie in given} == {"__Host-seawall_form", "__Host-seawall_session"}
    assert all("; Secure" in cookie and "; HttpOnly" in cookie and "; Path=/" in cookie for cookie in given)
    assert not any("domain" in cookie.lower() for cookie in given)
    assert client.get("/console/").status_code == 200
