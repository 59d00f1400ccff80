"""What every answer carries."""

from __future__ import annotations

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse
from fastapi.testclient import TestClient

from seawall.console import browser_files
from seawall.console.browser_files import FOREVER, edition
from seawall.console.guard import HEADERS, LARGEST_FORM, Guard
from seawall.errors import BodyTooLarge


@pytest.fixture
def client() -> TestClient:
    inner = FastAPI()

    @inner.post("/form")
    async def form(request: Request) -> PlainTextResponse:
        return PlainTextResponse(str(len(await request.body())))

    @inner.exception_handler(BodyTooLarge)
    async def too_large(_request: Request, error: Exception) -> PlainTextResponse:
        return PlainTextResponse(str(error), status_code=413)

    browser_files.mount(inner)
    inner.add_middleware(Guard)
    outer = FastAPI()
    outer.mount("/console", inner)
    return TestClient(outer)


@pytest.mark.parametrize("path", ["/console/form", "/console/nothing", "/console/static/console.css"])
def test_every_answer_carries_the_headers_errors_too(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS


def test_nothing_is_kept_but_what_is_the_same_for_everybody(client: TestClient) -> None:
    assert client.post("/console/form").headers["cache-control"] == "no-store"
    assert client.get("/console/elsewhere/static/console.css").headers["cache-control"] == "no-store"
    assert client.get("/console/static/console.css").headers["cache-control"] == "no-cache"


def test_files_of_this_edition_are_kept_for_good_but_not_their_absence(client: TestClient) -> None:
    found = client.get(f"/console/static/{edition()}/console.css")
    assert (found.status_code, found.headers["cache-control"]) == (200, FOREVER)
    missing = client.get(f"/console/static/{edition()}/nothing.css")
    assert (missing.status_code, missing.headers["cache-control"]) == (404, "no-store")
    elsewhere = client.get("/console/static/0123456789abcdef/console.css")
    assert (elsewhere.status_code, elsewhere.headers["cache-control"]) == (404, "no-store")


def test_nothing_may_run_but_our_own_files() -> None:
    policy = dict(part.split(" ", 1) for part in HEADERS["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert set(policy.values()) == {"'none'", "'self'"}


def test_a_body_that_is_no_form_is_refused_while_it_arrives(client: TestClient) -> None:
    assert client.post("/console/form", content=b"a" * LARGEST_FORM).text == str(LARGEST_FORM)
    assert client.post("/console/form", content=b"a" * (LARGEST_FORM + 1)).status_code == 413
