"""Errors as pages, also when nothing behind the console works any more."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from seawall.console.app import PATH, console
from seawall.console.guard import HEADERS, Guard
from seawall.console.visitor import SESSION_COOKIE
from seawall.database.sessions import Database
from seawall.errors import AuditChainBroken
from seawall.runtime import Runtime
from seawall.settings import Settings

NOBODY_LISTENS = "postgresql://127.0.0.1:9/seawall?connect_timeout=2"


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    """A console whose database is gone. The rooms are not reached."""
    runtime = SimpleNamespace(settings=Settings(home=tmp_path), database=Database(NOBODY_LISTENS), rooms=None)
    pages = console(cast("Runtime", runtime))

    @pages.get("/surprise")
    def surprise() -> None:
        raise ZeroDivisionError("a secret that no page may show")

    @pages.get("/broken")
    def broken() -> None:
        raise AuditChainBroken("Event 7 was changed.")

    app = FastAPI()
    app.mount(PATH, Guard(pages))
    return TestClient(app, raise_server_exceptions=False)


def test_a_database_that_is_gone_is_said_calmly(client: TestClient) -> None:
    client.cookies.set(SESSION_COOKIE, "a-session-that-cannot-be-looked-up")
    answer = client.get("/console/")
    assert answer.status_code == 503
    assert "database_unavailable" in answer.text
    assert "Try again" in answer.text


def test_the_login_page_needs_no_database(client: TestClient) -> None:
    assert client.get("/console/login").status_code == 200


def test_an_error_shows_its_code_and_what_to_do(client: TestClient) -> None:
    answer = client.get("/console/broken")
    assert answer.status_code == 500
    assert "Event 7 was changed." in answer.text
    assert "audit_chain_broken" in answer.text
    assert "compare with a backup" in answer.text


def test_a_surprise_shows_nothing_of_its_inside_and_is_guarded_too(client: TestClient) -> None:
    answer = client.get("/console/surprise")
    assert answer.status_code == 500
    assert "Something went wrong on our side." in answer.text
    assert "secret" not in answer.text
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert answer.headers["cache-control"] == "no-store"


def test_to_htmx_an_error_is_a_message_in_its_place(client: TestClient) -> None:
    answer = client.get("/console/broken", headers={"HX-Request": "true"})
    assert answer.headers["hx-retarget"] == "#notice"
    assert "<html" not in answer.text
    assert "Event 7 was changed." in answer.text


def test_to_htmx_a_session_that_has_ended_leads_to_the_login(client: TestClient) -> None:
    answer = client.get("/console/", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/console/login")


def test_a_page_that_was_asked_for_is_kept_for_after_the_login(client: TestClient) -> None:
    answer = client.get("/console/audit?before=7", follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/console/login?next=%2Fconsole%2Faudit%3Fbefore%3D7"


def test_the_way_in_that_does_not_exist_is_said_so(client: TestClient) -> None:
    assert client.get("/console/no-such-page").status_code == 404
    assert client.put("/console/login").status_code == 405


@pytest.mark.parametrize("path", ["lists/", "login/", "audit/", "webhooks/", "static"])
def test_no_address_leads_to_a_host_that_the_request_made_up(client: TestClient, path: str) -> None:
    answer = client.get(f"{PATH}/{path}", headers={"Host": "elsewhere.test"}, follow_redirects=False)
    assert answer.status_code == 404
    assert "location" not in answer.headers
    assert "elsewhere" not in answer.text
