"""Applications of three kinds with their middleware, before a real Seawall: what is known never reaches a view."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import django
import flask
import httpx
import pytest
from django.conf import settings as django_settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from fastapi import FastAPI, Request, UploadFile

from seawall.client import Client
from seawall.client.asgi import SeawallMiddleware
from seawall.client.flask import guard
from seawall.database.tables import Content
from seawall.records import EntryDraft
from tests.integration.gateways.conftest import LIMIT, Api
from tests.integration.gateways.material import picture

KNOWN, CLEAN = picture(9301), picture(9302)
SEEN: list[list[bytes]] = []
Asked = Callable[..., httpx.Response]


@csrf_exempt
def django_view(request: HttpRequest) -> HttpResponse:
    files = [file.read() for _name, each in request.FILES.lists() for file in each]
    SEEN.append(files or [request.body])
    return HttpResponse("taken")


urlpatterns = [path("upload", django_view), path("free", django_view)]


def flask_app(client: Client) -> flask.Flask:
    app = flask.Flask(__name__)
    guard(app, client, paths=("/upload",), account_of=lambda: "account-1")

    def view() -> str:
        files = [file.read() for each in flask.request.files.listvalues() for file in each]
        SEEN.append(files or [flask.request.get_data()])
        return "taken"

    for name in ("upload", "free"):
        app.add_url_rule(f"/{name}", name, view, methods=["POST", "PUT"])
    return app


def asgi_app(client: Client) -> Any:
    app = FastAPI()

    async def view(request: Request) -> str:
        form = await request.form() if "multipart" in request.headers.get("content-type", "") else {}
        files = [await file.read() for file in form.values() if not isinstance(file, str)]
        SEEN.append(files or [await request.body()])
        return "taken"

    for name in ("upload", "free"):
        app.add_api_route(f"/{name}", view, methods=["POST", "PUT"])
    assert UploadFile
    return SeawallMiddleware(app, client, paths=("/upload",), most_bytes=2 * LIMIT, account_of=lambda _: "account-1")


@pytest.fixture(scope="module", params=["django", "flask", "asgi"])
def application(request: pytest.FixtureRequest, api: Api) -> Iterator[str]:
    api.put_on_list(EntryDraft(1, sha256=hashlib.sha256(KNOWN).digest()))
    return request.param


@pytest.fixture(scope="module")
def key(api: Api) -> str:
    return api.client.headers["Authorization"].removeprefix("Bearer ")


def opened(kind: str, url: str, key: str) -> httpx.Client:
    """A browser before the application, whose Seawall is there."""
    if kind == "asgi":
        from fastapi.testclient import TestClient

        return TestClient(asgi_app(Client(url, key, tries=1)))
    if kind == "flask":
        return httpx.Client(
            transport=httpx.WSGITransport(app=flask_app(Client(url, key, tries=1))), base_url="http://testserver"
        )
    if not django_settings.configured:
        django_settings.configure(
            ROOT_URLCONF=__name__,
            ALLOWED_HOSTS=["testserver"],
            SECRET_KEY="only for this test",
            MIDDLEWARE=["seawall.client.django.SeawallMiddleware"],
            DATA_UPLOAD_MAX_MEMORY_SIZE=2 * LIMIT,
        )
        django.setup()
    django_settings.SEAWALL = {"URL": url, "KEY": key, "PATHS": ("/upload",), "TIMEOUT_S": 60.0}
    return httpx.Client(transport=httpx.WSGITransport(app=get_wsgi_application()), base_url="http://testserver")


@pytest.fixture
def browser(application: str, api: Api, key: str) -> Iterator[httpx.Client]:
    SEEN.clear()
    with opened(application, api.url, key) as browser:
        yield browser


def files(*bodies: bytes) -> list[tuple[str, tuple[str, bytes]]]:
    return [("file", (f"{number}.png", body)) for number, body in enumerate(bodies)]


def test_a_clean_picture_is_taken_once_seen_whole(browser: httpx.Client, api: Api) -> None:
    before = api.count(Content)
    assert browser.post("/upload", files=files(CLEAN), data={"text": "words"}).status_code == 200
    assert browser.post("/upload", content=CLEAN, headers={"Content-Type": "image/png"}).status_code == 200
    assert SEEN == [[CLEAN], [CLEAN]]
    assert api.count(Content) <= before + 1


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_known_picture_never_reaches_the_view(browser: httpx.Client, method: str) -> None:
    for sent in (
        {"files": files(KNOWN)},
        {"files": files(CLEAN, KNOWN)},
        {"content": KNOWN, "headers": {"Content-Type": "image/png"}},
        {"content": KNOWN},
        {"content": KNOWN, "headers": {"Content-Type": "application/octet-stream"}},
    ):
        answer = browser.request(method, "/upload", **sent)  # type: ignore[arg-type]
        assert answer.status_code == 403
        assert answer.json()["error"]["code"] == "upload_refused"
    assert SEEN == []


def test_what_is_no_media_passes(browser: httpx.Client) -> None:
    assert browser.post("/upload", data={"text": "words"}).status_code == 200
    assert browser.post("/upload", files=files(b"a text")).status_code == 200
    assert browser.post("/upload", json={"text": "words"}).status_code == 200
    assert len(SEEN) == 3


def test_other_paths_are_not_asked_about(browser: httpx.Client) -> None:
    assert browser.post("/free", content=KNOWN).status_code == 200


def test_what_cannot_be_read_is_refused(browser: httpx.Client) -> None:
    headers = {"Content-Type": "multipart/mixed; boundary=a"}
    for content, more in ((b"no form", headers), (KNOWN, {"Content-Encoding": "gzip"})):
        answer = browser.post("/upload", content=content, headers=more)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "upload_malformed")
    assert SEEN == []


def test_more_than_seawall_takes_is_refused(browser: httpx.Client) -> None:
    for sent in ({"files": files(CLEAN + bytes(LIMIT))}, {"content": CLEAN + bytes(LIMIT)}):
        assert browser.post("/upload", **sent).status_code == 413  # type: ignore[arg-type]
    assert SEEN == []


def test_without_an_answer_nothing_is_taken(application: str, key: str, api: Api) -> None:
    SEEN.clear()
    for url, secret in (("http://127.0.0.1:9", key), (api.url, "swk_wrong")):
        with opened(application, url, secret) as browser:
            answer = browser.post("/upload", files=files(CLEAN))
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "upload_not_checked")
    assert SEEN == []
