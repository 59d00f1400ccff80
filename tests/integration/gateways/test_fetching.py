"""Uploads by their address, from a real server on loopback, where the operator has permitted that."""

from __future__ import annotations

import gzip
import hashlib
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from sqlalchemy import select

from seawall.database.tables import Case, CaseItem, Content
from seawall.gateways.http.answers import VerdictAnswer
from seawall.records import EntryDraft, Scope
from tests.integration.gateways.conftest import LIMIT, Api
from tests.integration.gateways.material import picture, refused

LISTED, OTHER = picture(1), picture(2)


class Store(ThreadingHTTPServer):
    """Hands out what lies at its paths: bytes, headers and a status. Counts how often it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Hand)
        self.things = dict[str, tuple[int, dict[str, str], bytes]]()
        self.asked = list[str]()
        self.enough = threading.Event()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    def put(self, path: str, body: bytes = b"", status: int = 200, **headers: str) -> str:
        """Lays something down, and returns its address."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.things[path] = (status, named, body)
        return f"http://127.0.0.1:{self.port}{path}"


class _Hand(BaseHTTPRequestHandler):
    server: Store

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        if self.path == "/slow":
            self.server.enough.wait(60)
            return
        status, headers, body = self.server.things.get(self.path, (404, {}, b"not here"))
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with Store() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.enough.set()
        server.shutdown()


@pytest.fixture(scope="module")
def more_settings(store: Store) -> dict[str, object]:
    return {
        "fetch_from": f"127.0.0.1:{store.port}, [::1]:{store.port}, localhost:{store.port}, 127.0.0.2:{store.port}",
        "fetch_networks": "127.0.0.1/32",
        "fetch_allow_http": True,
        "fetch_timeout_s": 3,
    }


@pytest.fixture(scope="module", autouse=True)
def listed(api: Api) -> None:
    api.put_on_list(EntryDraft(1, sha256=hashlib.sha256(LISTED).digest()))


def fetch(api: Api, url: str, content_id: str, **more: object) -> httpx.Response:
    return api.client.post("/v1/media:fetch", json={"url": url, "content_id": content_id, **more})


def test_what_lies_there_is_judged_as_if_it_had_been_uploaded(api: Api, store: Store) -> None:
    url = store.put("/other.png", OTHER, Content_Type="image/png")
    fetched = fetch(api, url, "fetched", account_id="account-1", surface="avatar", filename="other.png")
    answer = VerdictAnswer.model_validate_json(fetched.content)
    assert (fetched.status_code, answer.verdict, answer.media_type) == (200, "allow", "image/png")
    assert answer.fingerprints.sha256 == hashlib.sha256(OTHER).hexdigest()
    sent = api.client.post("/v1/media", params={"content_id": "sent"}, content=OTHER).json()
    same = ("verdict", "reasons", "fingerprints", "media_type", "policy_version")
    assert {name: fetched.json()[name] for name in same} == {name: sent[name] for name in same}


def test_a_share_does_not_pass_by_what_once_lay_at_its_address(api: Api, store: Store) -> None:
    url = store.put("/shared.png", OTHER)
    assert fetch(api, url, "shared").json()["verdict"] == "allow"
    with api.runtime.database.transaction() as session:
        assert session.scalar(select(Content.url_hash).where(Content.content_id == "shared")) is None
    assert api.client.post("/v1/shares", json={"url": url}).json()["verdict"] == "hold"


def test_what_is_listed_is_blocked_and_again_without_a_second_case(api: Api, store: Store) -> None:
    url = store.put("/listed.png", LISTED)
    before = api.count(CaseItem), api.count(Case)
    answers = [fetch(api, url, "listed", account_id="account-2").json() for _ in range(2)]
    sent = {"content_id": "listed", "account_id": "account-2"}
    answers.append(api.client.post("/v1/media", params=sent, content=LISTED).json())
    assert [answer["verdict"] for answer in answers] == ["block"] * 3
    assert len({answer["case_id"] for answer in answers}) == 1
    assert (api.count(CaseItem), api.count(Case)) == (before[0] + 1, before[1] + 1)
    # What the address now gives is judged, not what it gave before.
    store.put("/listed.png", OTHER)
    assert fetch(api, url, "changed").json()["verdict"] == "allow"


def test_a_redirect_is_followed(api: Api, store: Store) -> None:
    store.put("/there.png", OTHER)
    url = store.put("/here", status=302, Location="there.png")
    assert fetch(api, url, "redirected").json()["verdict"] == "allow"


@pytest.mark.parametrize(
    "location", ["http://127.0.0.2:{port}/there.png", "http://localhost:1/", "http://169.254.169.254/", "file:///x"]
)
def test_a_redirect_to_where_nobody_may_go_is_not_followed(api: Api, store: Store, location: str) -> None:
    url = store.put("/astray", status=302, Location=location.format(port=store.port))
    store.asked.clear()
    refused(fetch(api, url, "astray"), 424, "not_fetched")
    assert store.asked == ["/astray"]


def test_what_cannot_be_fetched_is_told_alike_and_leaves_nothing(api: Api, store: Store) -> None:
    before = api.count(Content)
    port = store.port
    answers = [
        fetch(api, store.put("/slow"), "c"),
        fetch(api, f"http://127.0.0.2:{port}/other.png", "c"),
        fetch(api, f"http://[::1]:{port}/other.png", "c"),
        fetch(api, f"http://2130706434:{port}/other.png", "c"),
        fetch(api, store.put("/cut", b"half", Content_Length="8"), "c"),
    ]
    for answer in answers:
        refused(answer, 424, "not_fetched")
        assert "do not publish" in answer.json()["error"]["hint"].lower()
    assert len({answer.text for answer in answers}) == 1
    assert api.count(Content) == before
    assert api.hall.ballast.held == 0


def test_what_else_can_be_wrong_is_told(api: Api, store: Store) -> None:
    for number, (url, status, code) in enumerate(
        [
            (store.put("/large", bytes(LIMIT + 1)), 413, "body_too_large"),
            (store.put("/lying", b"x", Content_Length=str(10**12)), 413, "body_too_large"),
            (store.put("/empty"), 400, "body_empty"),
            (store.put("/words.txt", b"words"), 415, "not_media"),
            (f"http://127.0.0.1:{store.port}/nothing", 424, "fetched_status"),
            (store.put("/part", OTHER[:100], 206, Content_Range="bytes 0-99/1000"), 424, "fetched_status"),
            (store.put("/zipped", gzip.compress(OTHER), Content_Encoding="gzip"), 424, "fetched_encoded"),
            ("https://elsewhere.example/", 422, "fetch_not_permitted"),
            (f"http://127.0.0.1:{store.port + 1}/", 422, "fetch_not_permitted"),
            (f"http://u:p@127.0.0.1:{store.port}/other.png", 422, "bad_input"),
            ("other.png", 422, "bad_input"),
            ("x" * 3000, 422, "bad_input"),
        ]
    ):
        refused(fetch(api, url, f"wrong-{number}"), status, code)
    assert api.hall.ballast.held == 0


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "body_empty"),
        (b"[]", 400, "body_malformed"),
        (b"\x89PNG", 400, "body_malformed"),
        (b'{"url": "https://a/", "url": "https://b/", "content_id": "c"}', 400, "body_malformed"),
        (b'{"content_id": "c"}', 422, "bad_input"),
        (b'{"url": null, "content_id": "c"}', 422, "bad_input"),
        (b'{"url": 7, "content_id": "c"}', 422, "bad_input"),
        (b'{"url": "https://a/"}', 422, "bad_input"),
        (b'{"url": "https://a/", "content_id": "c", "file": "x"}', 422, "bad_input"),
        (b'{"url": "https://a/", "content_id": "c", "surface": "a b"}', 422, "bad_input"),
        (b'{"url": "' + b"x" * 70_000 + b'", "content_id": "c"}', 413, "body_too_large"),
    ],
)
def test_a_question_that_cannot_be_read_asks_nobody(
    api: Api, store: Store, body: bytes, status: int, code: str
) -> None:
    store.asked.clear()
    refused(api.client.post("/v1/media:fetch", content=body), status, code)
    assert store.asked == []


def test_parameters_mean_nothing_here(api: Api) -> None:
    refused(api.client.post("/v1/media:fetch?content_id=c", json={}), 422, "bad_input")


def test_there_must_be_room_for_what_comes(api: Api, store: Store) -> None:
    url = store.put("/other.png", OTHER)
    with api.hall.ballast.load() as take:
        take(api.hall.ballast.most - 1000)
        response = fetch(api, url, "no-room")
        refused(response, 503, "overloaded")
        assert response.json()["error"]["hint"].startswith("Nothing was screened")
    assert fetch(api, url, "room").json()["verdict"] == "allow"


def test_a_fetch_costs_what_an_upload_costs(api: Api, store: Store) -> None:
    headers = {"Authorization": f"Bearer {api.key('fetches', Scope.JUDGE, rate=2)}"}
    body = {"url": store.put("/other.png", OTHER), "content_id": "rated"}
    answers = [httpx.post(f"{api.url}/v1/media:fetch", json=body, headers=headers, timeout=60) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]


def test_slow_servers_keep_nobody_else_waiting(api: Api, store: Store) -> None:
    """More of them than there are threads that judge."""
    slow, url = store.put("/slow"), store.put("/other.png", OTHER)
    many = int(api.hall.threads.total_tokens) * 2
    store.asked.clear()
    with ThreadPoolExecutor(many) as threads:
        waiting = [threads.submit(fetch, api, slow, f"slow-{number}") for number in range(many)]
        limit = time.monotonic() + 30
        while store.asked.count("/slow") < many and not any(each.done() for each in waiting):
            assert time.monotonic() < limit
            time.sleep(0.01)
        assert fetch(api, url, "meanwhile").json()["verdict"] == "allow"
        for each in waiting:
            refused(each.result(), 424, "not_fetched")
