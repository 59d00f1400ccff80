"""Uploads over real HTTP: verdicts, idempotency, both kinds of body, and clients that go away."""

from __future__ import annotations

import concurrent.futures
import hashlib
import random
import socket
import threading
import time
from io import BytesIO
from urllib.parse import urlsplit

import httpx
import pytest
from PIL import Image
from sqlalchemy import select

from seawall import flow
from seawall.access import trail
from seawall.database.tables import CaseItem, Content, Evidence, OutboxMessage
from seawall.errors import DatabaseUnavailable, ObjectStoreUnavailable
from seawall.gateways.http.answers import VerdictAnswer
from seawall.records import EntryDraft, Scope
from tests.integration.gateways.conftest import Api
from tests.integration.gateways.material import picture, refused
from tests.vectors.pictures import page_of_print
from tests.vectors.videos import panning, video

LISTED, OTHER = picture(1), picture(2)


@pytest.fixture(scope="module", autouse=True)
def listed(api: Api) -> None:
    api.put_on_list(EntryDraft(1, sha256=hashlib.sha256(LISTED).digest()))


def send(api: Api, body: bytes, content_id: str, **more: str) -> httpx.Response:
    return api.client.post("/v1/media", params={"content_id": content_id, **more}, content=body)


def test_the_address_under_which_it_is_served_is_kept_as_a_hash(api: Api) -> None:
    def kept(content_id: str) -> list[bytes | None]:
        with api.runtime.database.transaction() as session:
            return list(session.scalars(select(Content.url_hash).where(Content.content_id == content_id)))

    form = hashlib.sha256(b"https://example.org/photos/1.jpg?size=2").digest()
    assert send(api, OTHER, "served", url="HTTPS://Example.org:443/a/../photos/1.jpg?size=2#top").status_code == 200
    assert kept("served") == [form]
    assert send(api, OTHER, "served").status_code == 200
    assert kept("served") == [form]
    api.client.post("/v1/hashes", json={"content_id": "served-2", "md5": "0" * 31 + "1", "url": "https://a"})
    assert kept("served-2") == [hashlib.sha256(b"https://a/").digest()]


def test_what_is_on_no_list_is_allowed(api: Api) -> None:
    response = send(api, OTHER, "allowed", account_id="account-1", surface="avatar")
    answer = VerdictAnswer.model_validate_json(response.content)
    assert (response.status_code, answer.verdict, answer.reasons, answer.case_id) == (200, "allow", [], None)
    assert answer.media_type == "image/png"
    assert answer.fingerprints.md5 == hashlib.md5(OTHER).hexdigest()
    assert answer.fingerprints.sha1 == hashlib.sha1(OTHER).hexdigest()
    assert answer.fingerprints.sha256 == hashlib.sha256(OTHER).hexdigest()
    assert answer.fingerprints.quality is not None
    assert len(bytes.fromhex(answer.fingerprints.pdq or "")) == 32
    assert answer.elapsed_ms > 0


def test_what_is_listed_is_blocked_with_its_reasons(api: Api) -> None:
    answer = VerdictAnswer.model_validate_json(send(api, LISTED, "blocked", account_id="account-1").content)
    assert answer.verdict == "block"
    assert answer.case_id is not None
    assert (answer.reasons[0].code, answer.reasons[0].list, answer.reasons[0].distance) == (
        "exact_match",
        "Test list",
        0,
    )


def test_a_video_is_read(api: Api) -> None:
    answer = VerdictAnswer.model_validate_json(send(api, video(panning(1.0)), "video", surface="clip").content)
    assert (answer.verdict, answer.media_type) == ("allow", "video/mp4")
    assert answer.fingerprints.quality is not None


def test_a_damaged_video_is_a_verdict_and_never_a_failure(api: Api) -> None:
    data, chance = video(panning(0.4, width=96, height=64), "webm", "libvpx"), random.Random("seawall video")
    for number in range(25):
        at = chance.randrange(len(data))
        response = send(
            api, data[:at] + chance.randbytes(chance.randrange(1, 9)) + data[at + 4 :], f"damaged-{number}"
        )
        assert response.status_code in {200, 415}, response.text


def test_the_same_again_is_the_same_answer_and_no_second_case(api: Api) -> None:
    first, second = (send(api, LISTED, "twice", account_id="account-2").json() for _ in range(2))
    for answer in (first, second):
        answer.pop("elapsed_ms")
    assert first == second
    assert rows(api, "twice") == (1, 1, 1)


def test_the_same_from_many_at_once_is_one_case(api: Api) -> None:
    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: send(api, LISTED, "at-once", account_id="account-3").json(), range(16)))
    assert {answer["verdict"] for answer in answers} == {"block"}
    assert len({answer["case_id"] for answer in answers}) == 1
    assert rows(api, "at-once") == (1, 1, 1)


def rows(api: Api, content_id: str) -> tuple[int, int, int]:
    """Ledger rows, items and sealed evidences of a content."""
    with api.runtime.database.transaction() as session:
        content = session.scalars(select(Content.id).where(Content.content_id == content_id)).all()
        items = session.scalars(select(CaseItem.id).where(CaseItem.content_row.in_(content))).all()
        evidence = session.scalars(select(Evidence.id).where(Evidence.item_id.in_(items))).all()
    return len(content), len(items), len(evidence)


def test_what_the_platform_said_is_kept(api: Api) -> None:
    said = {
        "account_id": "account 1 ✓",
        "surface": "avatar",
        "filename": "harbour 🚢.png",
        "uploader_ip": "2001:DB8::7",
        "uploaded_at": "2026-03-01T13:30:00+01:00",
    }
    assert send(api, OTHER, "said", **said).status_code == 200
    with api.runtime.database.transaction() as session:
        row = session.scalars(select(Content).where(Content.content_id == "said")).one()
        assert (row.account_id, row.surface, row.filename) == ("account 1 ✓", "avatar", "harbour 🚢.png")
        assert str(row.uploader_ip) == "2001:db8::7"
        assert row.uploaded_at is not None
        assert row.uploaded_at.isoformat() == "2026-03-01T12:30:00+00:00"


def test_multipart_and_raw_mean_the_same(api: Api) -> None:
    files = {"file": ("harbour.png", OTHER, "image/png")}
    answer = api.client.post("/v1/media", data={"content_id": "form", "account_id": "account-1"}, files=files)
    assert answer.status_code == 200, answer.text
    raw = send(api, OTHER, "raw").json()
    assert answer.json()["fingerprints"] == raw["fingerprints"]
    with api.runtime.database.transaction() as session:
        row = session.scalars(select(Content).where(Content.content_id == "form")).one()
        assert (row.account_id, row.filename) == ("account-1", "harbour.png")


@pytest.mark.parametrize("kind", ["image/png", "application/octet-stream", "application/x-www-form-urlencoded", None])
def test_the_declared_type_of_a_raw_body_decides_nothing(api: Api, kind: str | None) -> None:
    headers = {} if kind is None else {"Content-Type": kind}
    response = api.client.post("/v1/media", params={"content_id": "typed"}, content=OTHER, headers=headers)
    assert (response.status_code, response.json()["media_type"]) == (200, "image/png")


def test_a_body_in_chunks_of_unknown_length(api: Api) -> None:
    parts = (OTHER[start : start + 1000] for start in range(0, len(OTHER), 1000))
    response = api.client.post("/v1/media", params={"content_id": "chunked"}, content=parts)
    assert response.json()["fingerprints"]["sha256"] == hashlib.sha256(OTHER).hexdigest()


def test_mislabelled_pictures_are_what_they_are(api: Api) -> None:
    headers = {"Content-Type": "image/gif"}
    response = api.client.post("/v1/media", params={"content_id": "gif"}, content=picture(3, "JPEG"), headers=headers)
    assert response.json()["media_type"] == "image/jpeg"


def test_a_picture_that_is_cut_off_is_held(api: Api) -> None:
    whole = picture(4, "JPEG")
    answer = send(api, whole[: len(whole) // 2], "cut").json()
    assert (answer["verdict"], answer["reasons"][0]["code"]) == ("hold", "media_corrupt")
    assert answer["case_id"] is not None


def test_a_picture_followed_by_something_else_is_still_judged(api: Api) -> None:
    """A polyglot: a picture with an archive behind it."""
    answer = send(api, picture(5, "JPEG") + b"PK\x03\x04 not a real archive" * 40, "polyglot").json()
    assert answer["verdict"] in ("allow", "hold")
    assert answer["media_type"] in ("image/jpeg", None)


def test_lookups_leave_a_trail(api: Api) -> None:
    secret = api.key("trailed", Scope.JUDGE)
    headers = {"Authorization": f"Bearer {secret}"}
    for number, body in enumerate([LISTED, OTHER, OTHER]):
        api.client.post("/v1/media", params={"content_id": f"trail-{number}"}, content=body, headers=headers)
    api.hall.trail.flush()
    with api.runtime.database.transaction() as session:
        hours = [hour for hour in trail.recent(session) if hour.key == "trailed"]
    assert (sum(hour.lookups for hour in hours), sum(hour.matches for hour in hours)) == (3, 1)


@pytest.mark.parametrize("error", [DatabaseUnavailable("It is away."), ObjectStoreUnavailable("The disk is full.")])
def test_what_cannot_be_kept_is_not_answered(api: Api, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(*_arguments: object) -> None:
        raise error

    content_id = f"not kept: {type(error).__name__}"
    before = api.count(OutboxMessage), api.count(Content)
    monkeypatch.setattr("seawall.steps.ledger.enter", fail)
    response = send(api, LISTED, content_id)
    refused(response, 503, error.code)  # type: ignore[attr-defined]
    assert "do not publish" in response.json()["error"]["hint"]
    assert int(response.headers["retry-after"]) >= 1
    monkeypatch.undo()
    assert (api.count(OutboxMessage), api.count(Content)) == before
    assert send(api, LISTED, content_id).json()["verdict"] == "block"


def test_what_nobody_foresaw_is_told_without_details(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object) -> None:
        raise RuntimeError("a secret detail")

    monkeypatch.setattr("seawall.steps.ledger.enter", fail)
    response = send(api, LISTED, "unforeseen")
    refused(response, 500, "internal_error")
    assert "secret" not in response.text
    assert response.headers["x-request-id"] in response.json()["error"]["message"]
    assert "do not publish" in response.json()["error"]["hint"]


def test_a_client_that_goes_away_does_not_stop_the_judgement(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    began, may_go_on = threading.Event(), threading.Event()
    original = flow.ledger.enter

    def slow(*arguments: object) -> object:
        began.set()
        assert may_go_on.wait(120)
        return original(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("seawall.steps.ledger.enter", slow)
    with socket.create_connection((urlsplit(api.url).hostname, urlsplit(api.url).port)) as connection:
        head = (
            "POST /v1/media?content_id=gone HTTP/1.1\r\nHost: test\r\n"
            f"Authorization: {api.client.headers['authorization']}\r\nContent-Length: {len(LISTED)}\r\n\r\n"
        )
        connection.sendall(head.encode() + LISTED)
        assert began.wait(120)
    may_go_on.set()
    limit = time.monotonic() + 30
    while rows(api, "gone") != (1, 1, 1):
        assert time.monotonic() < limit, "the judgement was left half-way"
        time.sleep(0.02)


def test_a_client_that_goes_away_while_it_sends_leaves_nothing(api: Api) -> None:
    with socket.create_connection((urlsplit(api.url).hostname, urlsplit(api.url).port)) as connection:
        head = (
            "POST /v1/media?content_id=half HTTP/1.1\r\nHost: test\r\n"
            f"Authorization: {api.client.headers['authorization']}\r\nContent-Length: {len(LISTED)}\r\n\r\n"
        )
        connection.sendall(head.encode() + LISTED[:1000])
    assert send(api, OTHER, "after half").status_code == 200
    assert rows(api, "half") == (0, 0, 0)


def test_an_upload_over_the_limit_is_refused_while_it_comes(api: Api) -> None:
    sent = 0

    def endless() -> object:
        nonlocal sent
        while sent < 3_000_000:
            sent += 50_000
            yield bytes(50_000)

    response = api.client.post("/v1/media", params={"content_id": "endless"}, content=endless())  # type: ignore[arg-type]
    refused(response, 413, "body_too_large")
    assert api.client.get("/healthz").status_code == 200


def page(quality: int) -> bytes:
    """A page of print."""
    out = BytesIO()
    Image.fromarray(page_of_print(1, 24)).save(out, "JPEG", quality=quality)
    return out.getvalue()


def test_what_is_like_a_listed_page_is_no_match_by_that_alone(api: Api) -> None:
    listed = api.runtime.rooms.decoders.fingerprint(page(70)).frames[0]
    api.put_on_list(EntryDraft(1, pdq=listed.pdq))
    api.put_on_list(EntryDraft(1, md5=hashlib.md5(page(50)).digest()))
    alone = send(api, page(60), "page").json()
    assert (alone["verdict"], [reason["code"] for reason in alone["reasons"]]) == ("hold", ["low_information"])
    beside = send(api, page(50), "page-2").json()
    assert beside["verdict"] == "block"
    assert {reason["code"] for reason in beside["reasons"]} == {"exact_match", "perceptual_match"}
