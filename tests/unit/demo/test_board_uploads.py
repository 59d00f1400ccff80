"""An upload is published after a verdict that lets it, and never otherwise."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx
import pytest

from tests.unit.demo.conftest import PICTURE, BoardUnderTest, answer


def unreachable(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


def too_slow(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("too slow", request=request)


@pytest.mark.parametrize(
    ("verdict", "state", "status"),
    [("allow", "published", 201), ("warn", "published", 201), ("hold", "held", 202), ("block", "blocked", 422)],
)
def test_a_verdict_decides(board: BoardUnderTest, verdict: str, state: str, status: int) -> None:
    board.seawall.reply = lambda _request: answer(verdict, case_id=7)
    response = board.upload()
    told = response.json()
    assert response.status_code == status
    assert told["state"] == state
    assert told["seawall"]["verdict"] == verdict
    assert (told["content_id"] in board.feed()) is (state == "published")
    picture = board.client.get(f"/pictures/{told['content_id']}")
    assert picture.status_code == (200 if state == "published" else 404)


def test_seawall_is_asked_as_its_api_wants(board: BoardUnderTest) -> None:
    told = board.upload(account="test-otter").json()
    (request,) = board.seawall.requests
    assert request.url.path == "/v1/media"
    assert request.headers["authorization"] == "Bearer swk_test"
    assert request.content == PICTURE
    about = dict(request.url.params)
    assert about["content_id"] == told["content_id"]
    assert about["account_id"] == "test-otter"
    assert about["surface"] == "upload"
    assert about["filename"] == "stone.jpg"
    assert about["uploaded_at"].endswith("+00:00")


@pytest.mark.parametrize(
    "reply",
    [
        unreachable,
        too_slow,
        lambda _request: httpx.Response(500, text="oops"),
        lambda _request: httpx.Response(503, json={"error": {"code": "unavailable", "message": "", "hint": ""}}),
        lambda _request: httpx.Response(401, json={"error": {"code": "unauthenticated", "message": "", "hint": ""}}),
        lambda _request: httpx.Response(429, json={"error": {"code": "rate_limited", "message": "", "hint": ""}}),
        lambda _request: httpx.Response(200, text="no json"),
        lambda _request: httpx.Response(200, json=["allow"]),
        lambda _request: httpx.Response(200, json={}),
        lambda _request: answer("certainly"),
        lambda _request: httpx.Response(302, headers={"location": "http://elsewhere.test/"}),
    ],
)
def test_without_an_answer_nothing_is_published(
    board: BoardUnderTest, reply: Callable[[httpx.Request], httpx.Response]
) -> None:
    board.seawall.reply = reply
    response = board.upload()
    told = response.json()
    assert response.status_code == 202
    assert told["state"] == "waiting"
    assert told["problem"]
    assert board.feed() == []
    assert board.client.get(f"/pictures/{told['content_id']}").status_code == 404


def test_a_waiting_picture_is_asked_about_again_until_there_is_an_answer(board: BoardUnderTest) -> None:
    board.seawall.reply = unreachable
    content_id = board.upload().json()["content_id"]
    board.seawall.reply = lambda _request: answer("allow")
    _until(lambda: board.state(content_id) == "published")
    assert board.feed() == [content_id]


@pytest.mark.parametrize("status", [400, 413, 415, 422])
def test_what_is_no_picture_is_refused_and_not_kept(board: BoardUnderTest, status: int) -> None:
    refusal = {"error": {"code": "not_media", "message": "These bytes are no picture.", "hint": ""}}
    board.seawall.reply = lambda _request: httpx.Response(status, json=refusal)
    response = board.upload(b"only text")
    told = response.json()
    assert response.status_code == 422
    assert told["state"] == "refused"
    assert told["problem"] == "not_media: These bytes are no picture."
    assert board.feed() == []


def test_the_board_has_limits_of_its_own(board: BoardUnderTest) -> None:
    assert board.upload(b"x" * 200_000).status_code == 413
    assert board.upload(account="Not A Test Name").status_code == 400
    assert board.client.post("/upload", data={"account": "test-heron"}).status_code == 400
    assert board.upload(origin="http://elsewhere.test").status_code == 403
    assert board.client.get("/", headers={"host": "elsewhere.test"}).status_code == 400
    assert board.seawall.requests == []


def test_pages_say_that_all_is_test_data_and_run_no_inline_script(board: BoardUnderTest) -> None:
    content_id = board.upload().json()["content_id"]
    for path in ("/", "/upload", "/mine", f"/uploads/{content_id}", "/posts/1", "/nothing-here"):
        page = board.client.get(path, headers={"accept": "text/html"})
        assert "Demo: test data only" in page.text
        assert "<script>" not in page.text
        assert " style=" not in page.text
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert "unsafe" not in page.headers["content-security-policy"]


def test_a_person_is_led_to_the_result(board: BoardUnderTest) -> None:
    reason = {
        "code": "perceptual",
        "rule": "r",
        "list": "Demo list (TEST DATA)",
        "kind": "perceptual",
        "distance": 4,
        "orientation": "mirrored",
        "explanation": "It <resembles> an entry.",
    }
    board.seawall.reply = lambda _request: answer("hold", reasons=[reason], case_id=3)
    board.client.post("/account", data={"account": "test-finch"})
    response = board.client.post("/upload", files={"picture": ("<b>.jpg", PICTURE)})
    assert response.status_code == 303
    page = board.client.get(response.headers["location"])
    assert "Waiting for review" in page.text
    assert "It &lt;resembles&gt; an entry." in page.text
    assert "distance 4" in page.text
    mine = board.client.get("/mine").text
    assert "waiting for review" in mine
    assert "<b>.jpg" not in mine


def test_bytes_are_served_as_what_seawall_saw(board: BoardUnderTest) -> None:
    board.seawall.reply = lambda _request: answer("allow", media_type="image/svg+xml")
    content_id = board.upload().json()["content_id"]
    picture = board.client.get(f"/pictures/{content_id}")
    assert picture.headers["content-type"] == "application/octet-stream"
    assert picture.headers["content-disposition"] == "attachment"
    assert "sandbox" in picture.headers["content-security-policy"]


def test_accounts_change_only_to_paths_of_the_board(board: BoardUnderTest) -> None:
    response = board.client.post(
        "/account", data={"account": "test-finch"}, headers={"referer": "http://localhost//elsewhere.test/x"}
    )
    assert response.headers["location"] == "/elsewhere.test/x"


def _until(reached: Callable[[], bool], patience_s: float = 20.0) -> None:
    end = time.monotonic() + patience_s
    while not reached():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.02)
