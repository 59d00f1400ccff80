"""Every kind of bad input: a clear 4xx in the one shape, nothing stored, and the service stays up."""

from __future__ import annotations

import gzip
import json
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from seawall.database.tables import Case, CaseItem, Content, Entry, Evidence, OutboxMessage
from tests.integration.gateways.conftest import LIMIT, Api
from tests.integration.gateways.material import picture, refused
from tests.vectors.files import zipped

GOOD = picture(1)
BOUNDARY = "xYzZY"


@pytest.fixture(autouse=True)
def nothing_is_stored(api: Api) -> Iterator[None]:
    """Counts everything before and after each test, then sees that the service still judges."""
    tables = (Content, Case, CaseItem, Evidence, OutboxMessage, Entry)
    objects = api.runtime.settings.objects_folder

    def everything() -> tuple[list[int], int]:
        files = sum(path.is_file() for path in objects.rglob("*")) if objects.exists() else 0
        return [api.count(table) for table in tables], files

    before = everything()
    yield
    assert everything() == before
    assert api.client.get("/readyz").status_code == 200


def send(api: Api, body: bytes = GOOD, query: str = "content_id=c1", **headers: str) -> httpx.Response:
    return api.client.post(f"/v1/media?{query}", content=body, headers=headers)


def form(*parts: tuple[str, bytes], end: bytes = b"--xYzZY--\r\n") -> bytes:
    """A multipart body from parts, each its headers and its bytes."""
    body = b""
    for head, data in parts:
        body += b"--xYzZY\r\n" + head.encode() + b"\r\n\r\n" + data + b"\r\n"
    return body + end


def send_form(api: Api, body: bytes, kind: str = f"multipart/form-data; boundary={BOUNDARY}") -> httpx.Response:
    return api.client.post("/v1/media", content=body, headers={"Content-Type": kind})


FILE = 'Content-Disposition: form-data; name="file"; filename="a.png"'
CONTENT_ID = ('Content-Disposition: form-data; name="content_id"', b"c1")


# Bodies


def test_an_empty_body(api: Api) -> None:
    refused(send(api, b""), 400, "body_empty")
    refused(send_form(api, form((FILE, b""), CONTENT_ID)), 400, "body_empty")
    refused(api.client.post("/v1/hashes", content=b""), 400, "body_empty")


def test_an_oversized_body(api: Api) -> None:
    refused(send(api, GOOD + bytes(LIMIT)), 413, "body_too_large")
    refused(send_form(api, form((FILE, GOOD + bytes(LIMIT)), CONTENT_ID)), 413, "body_too_large")
    refused(api.client.post("/v1/hashes", content=b" " * (4 * 1024 * 1024 + 1)), 413, "body_too_large")


def test_a_declared_length_over_the_limit_is_refused_before_a_byte_comes(api: Api) -> None:
    address = urlsplit(api.url)
    with socket.create_connection((address.hostname, address.port), timeout=120) as connection:
        head = (
            "POST /v1/media?content_id=c1 HTTP/1.1\r\nHost: test\r\n"
            f"Authorization: {api.client.headers['authorization']}\r\nContent-Length: 99999999999\r\n\r\n"
        )
        connection.sendall(head.encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    "body",
    [
        b"just some text",
        b"<!doctype html><p>words",
        zipped({"note.txt": b"The sea is calm."}),
        b"\x7fELF" + bytes(60),
        bytes(100),
        b"\xff",
    ],
    ids=["text", "page", "archive", "program", "zeros", "one byte"],
)
def test_what_is_no_media(api: Api, body: bytes) -> None:
    refused(send(api, body, **{"Content-Type": "image/png"}), 415, "not_media")


def test_a_compressed_body_is_not_taken_for_no_media(api: Api) -> None:
    refused(send(api, gzip.compress(GOOD), **{"Content-Encoding": "gzip"}), 400, "body_malformed")


# Multipart


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--",
        b"not multipart at all",
        form((FILE, GOOD), CONTENT_ID, end=b""),
        form((FILE, GOOD), CONTENT_ID)[:-5],
        form((FILE, GOOD))[:-40],
        form(("Content-Type: image/png", GOOD), CONTENT_ID),
        form(('Content-Disposition: attachment; name="file"', GOOD), CONTENT_ID),
        form(("Content-Disposition: form-data", GOOD), CONTENT_ID),
        form((f"{FILE}\r\nContent-Transfer-Encoding: base64", GOOD), CONTENT_ID),
        b"--xYzZY\r\n\x00\xff: what\r\n\r\nx\r\n--xYzZY--\r\n",
        b"--xYzZY\r\n" + FILE.encode() + b"\r\nX: " + b"y" * 200_000 + b"\r\n\r\nx\r\n--xYzZY--\r\n",
    ],
)
def test_a_broken_multipart(api: Api, body: bytes) -> None:
    refused(send_form(api, body), 400, "body_malformed")


@pytest.mark.parametrize(
    "kind",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=" + "x" * 1000,
        "multipart/mixed; boundary=xYzZY",
    ],
)
def test_a_multipart_that_cannot_be_told_apart(api: Api, kind: str) -> None:
    refused(send_form(api, form((FILE, GOOD), CONTENT_ID), kind), 400, "body_malformed")


def test_a_multipart_with_the_wrong_parts(api: Api) -> None:
    assert "no file" in refused(send_form(api, form(CONTENT_ID)), 422, "bad_input")
    assert "two files" in refused(send_form(api, form((FILE, GOOD), (FILE, GOOD), CONTENT_ID)), 422, "bad_input")
    assert "content_id is missing" in refused(send_form(api, form((FILE, GOOD))), 422, "bad_input")
    assert "twice" in refused(send_form(api, form((FILE, GOOD), CONTENT_ID, CONTENT_ID)), 422, "bad_input")
    other = ('Content-Disposition: form-data; name="acount_id"', b"account-1")
    assert "acount_id" in refused(send_form(api, form((FILE, GOOD), CONTENT_ID, other)), 422, "bad_input")
    assert "parts" in refused(send_form(api, form((FILE, GOOD), *[CONTENT_ID] * 20)), 422, "bad_input")
    latin = ('Content-Disposition: form-data; name="account_id"', "é".encode("latin-1"))
    assert "UTF-8" in refused(send_form(api, form((FILE, GOOD), CONTENT_ID, latin)), 422, "bad_input")


def test_a_field_in_query_and_form_at_once(api: Api) -> None:
    kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    assert "twice" in refused(send(api, form((FILE, GOOD), CONTENT_ID), **kind), 422, "bad_input")


# Fields


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", "content_id"),
        ("content_id=", "content_id"),
        ("content_id=c1&account_id=", "account_id"),
        ("content_id=c1&content_id=c2", "content_id"),
        ("content_id=c1&acount_id=account-1", "acount_id"),
        ("content_id=c1&verdict=allow", "verdict"),
        ("content_id=c1%00", "content_id"),
        ("content_id=c1%0A", "content_id"),
        ("content_id=%FF%FE", "query"),
        ("content_id=c1&%FF=x", "query"),
        ("&".join(f"p{number}=1" for number in range(100)), "query"),
        (f"content_id={'x' * 513}", "content_id"),
        (f"content_id=c1&account_id={'x' * 513}", "account_id"),
        (f"content_id=c1&filename={'x' * 513}", "filename"),
        (f"content_id=c1&surface={'x' * 65}", "surface"),
        ("content_id=c1&surface=a%20b", "surface"),
        ("content_id=c1&uploader_ip=localhost", "uploader_ip"),
        ("content_id=c1&uploader_ip=1.2.3.4.5", "uploader_ip"),
        ("content_id=c1&uploader_ip=192.0.2.7:80", "uploader_ip"),
        ("content_id=c1&uploader_ip=fe80::1%25eth0", "uploader_ip"),
        ("content_id=c1&uploaded_at=yesterday", "uploaded_at"),
        ("content_id=c1&uploaded_at=2026-03-01", "uploaded_at"),
        ("content_id=c1&uploaded_at=2026-03-01T12:00:00", "uploaded_at"),
        ("content_id=c1&uploaded_at=2026-03-01T12:00:00+01:00", "uploaded_at"),
        ("content_id=c1&uploaded_at=0001-01-01T00:00:00Z", "uploaded_at"),
        ("content_id=c1&uploaded_at=9999-12-31T23:59:59Z", "uploaded_at"),
        ("content_id=c1&uploaded_at=9990-12-31T23:59:59-23:59", "uploaded_at"),
        ("content_id=c1&uploaded_at=2026-13-01T12:00:00Z", "uploaded_at"),
        ("content_id=c1&url=", "url"),
        ("content_id=c1&url=photos/1.jpg", "url"),
        ("content_id=c1&url=ftp://example.org/", "url"),
        ("content_id=c1&url=https://user:word@example.org/", "url"),
        (f"content_id=c1&url=https://example.org/{'x' * 2048}", "url"),
    ],
)
def test_a_field_that_cannot_be_used_is_named(api: Api, query: str, names: str) -> None:
    assert names in refused(send(api, query=query), 422, "bad_input")


def test_a_query_in_bytes_that_are_no_text(api: Api) -> None:
    address = urlsplit(api.url)
    with socket.create_connection((address.hostname, address.port), timeout=120) as connection:
        head = b"POST /v1/media?content_id=\xff\xfe HTTP/1.1\r\nHost: test\r\nContent-Length: 1\r\n"
        head += f"Authorization: {api.client.headers['authorization']}\r\n\r\nx".encode()
        connection.sendall(head)
        assert b" 4" in connection.recv(20)


# Hashes


def hashes(api: Api, document: object) -> httpx.Response:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return api.client.post("/v1/hashes", content=body)


@pytest.mark.parametrize(
    "body",
    [
        b'{"items": [{"content_id": "c1", "pdq_quality": Infinity}]}',
        b'{"content_id": "c1", "pdq_quality": -Infinity}',
        b"{",
        b"[]",
        b'"text"',
        b"null",
        b"\xff\xfe",
        b'{"content_id": "c1", "content_id": "c2"}',
        b'{"pdq_quality": NaN}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"9" * 5000,
        "{}".encode("utf-16"),
    ],
    ids=range(13),
)
def test_what_is_no_json_object(api: Api, body: bytes) -> None:
    refused(hashes(api, body), 400, "body_malformed")


MD5, PDQ = "a" * 32, "b" * 64


@pytest.mark.parametrize(
    ("document", "code", "names"),
    [
        ({}, "bad_input", "content_id"),
        ({"content_id": "c1"}, "bad_input", "hash"),
        ({"content_id": "c1", "md5": None}, "bad_input", "hash"),
        ({"content_id": 7, "md5": MD5}, "bad_input", "content_id"),
        ({"content_id": ["c1"], "md5": MD5}, "bad_input", "content_id"),
        ({"content_id": "c1\ud800", "md5": MD5}, "bad_input", "content_id"),
        ({"content_id": "c1", "md5": MD5, "sha-256": "x"}, "bad_input", "sha-256"),
        ({"content_id": "c1", "md5": MD5, "url": 7}, "bad_input", "url"),
        ({"content_id": "c1", "md5": MD5[1:]}, "hash_invalid", "md5"),
        ({"content_id": "c1", "md5": "g" * 32}, "hash_invalid", "md5"),
        ({"content_id": "c1", "md5": 5}, "hash_invalid", "md5"),
        ({"content_id": "c1", "md5": "٣" * 32}, "hash_invalid", "md5"),
        ({"content_id": "c1", "sha1": MD5}, "hash_invalid", "sha1"),
        ({"content_id": "c1", "sha256": MD5}, "hash_invalid", "sha256"),
        ({"content_id": "c1", "pdq": ""}, "hash_invalid", "pdq"),
        ({"content_id": "c1", "pdq": PDQ, "pdq_quality": 101}, "bad_input", "pdq_quality"),
        ({"content_id": "c1", "pdq": PDQ, "pdq_quality": True}, "bad_input", "pdq_quality"),
        ({"content_id": "c1", "pdq": PDQ, "pdq_quality": 50.5}, "bad_input", "pdq_quality"),
        ({"content_id": "c1", "md5": MD5, "pdq_quality": 50}, "bad_input", "pdq_quality"),
        ({"items": []}, "bad_input", "items"),
        ({"items": {}}, "bad_input", "items"),
        ({"items": None}, "bad_input", "items"),
        ({"items": ["c1"]}, "bad_input", "items[0]"),
        ({"items": [{"content_id": "c1", "md5": MD5}] * 1001}, "bad_input", "1000"),
        ({"items": [{"content_id": "c1", "md5": MD5}], "more": 1}, "bad_input", "more"),
        ({"items": [{"content_id": "c1", "md5": MD5}, {"content_id": "c2"}]}, "bad_input", "items[1]"),
        (
            {"items": [{"content_id": "c1", "md5": MD5}, {"content_id": "c2", "md5": "x"}]},
            "hash_invalid",
            "items[1].md5",
        ),
    ],
)
def test_hashes_that_cannot_be_used_are_named(api: Api, document: object, code: str, names: str) -> None:
    assert names in refused(hashes(api, document), 422, code)


def test_a_million_hashes_in_one_call(api: Api) -> None:
    """Refused by their number where they are short, and else by their bytes; none is judged."""
    short = b'{"items": [' + b"0," * 999_999 + b"0]}"
    assert "1000" in refused(hashes(api, short), 422, "bad_input")
    item = b'{"content_id": "c1", "md5": "' + MD5.encode() + b'"},'
    long = b'{"items": [' + item * 999_999 + item[:-1] + b"]}"
    refused(hashes(api, long), 413, "body_too_large")


def shares(api: Api, document: object) -> httpx.Response:
    body = document if isinstance(document, bytes) else json.dumps(document, separators=(",", ":")).encode()
    return api.client.post("/v1/shares", content=body)


def contents(api: Api, document: object) -> httpx.Response:
    body = document if isinstance(document, bytes) else json.dumps(document, separators=(",", ":")).encode()
    return api.client.post("/v1/content", content=body)


@pytest.mark.parametrize(
    ("document", "code", "names"),
    [
        ({}, "bad_input", "names nothing"),
        ({"account_id": "account-1"}, "bad_input", "names nothing"),
        ({"content_id": None, "url": None, "md5": None}, "bad_input", "names nothing"),
        ({"content_id": ""}, "bad_input", "content_id"),
        ({"content_id": "c1\0"}, "bad_input", "content_id"),
        ({"content_id": "c1\ud800"}, "bad_input", "content_id"),
        ({"content_id": "x" * 513}, "bad_input", "content_id"),
        ({"content_id": 7}, "bad_input", "content_id"),
        ({"content_id": "c1", "url": "https://a/"}, "bad_input", "url"),
        ({"md5": MD5, "url": "https://a/"}, "bad_input", "url"),
        ({"url": "a"}, "bad_input", "url"),
        ({"url": ["https://a/"]}, "bad_input", "url"),
        ({"url": "https://user:word@a/"}, "bad_input", "url"),
        ({"url": "https://\u202e/"}, "bad_input", "url"),
        ({"content_id": "c1", "filename": "a.jpg"}, "bad_input", "filename"),
        ({"content_id": "c1", "surface": "a b"}, "bad_input", "surface"),
        ({"md5": MD5[1:]}, "hash_invalid", "md5"),
        ({"sha256": "g" * 64}, "hash_invalid", "sha256"),
        ({"pdq": PDQ, "pdq_quality": 101}, "bad_input", "pdq_quality"),
        ({"md5": MD5, "pdq_quality": 50}, "bad_input", "pdq_quality"),
        ({"items": []}, "bad_input", "items"),
        ({"items": "c1"}, "bad_input", "items"),
        ({"items": [{"content_id": "c1"}], "content_id": "c1"}, "bad_input", "content_id"),
        ({"items": [{"content_id": "c1"}, {}]}, "bad_input", "items[1]"),
        ({"items": [{"content_id": "c1"}, "c2"]}, "bad_input", "items[1]"),
        ({"items": [{"content_id": "c1"}, {"md5": "x"}]}, "hash_invalid", "items[1].md5"),
        ({"items": [{}] * 1_000_000}, "bad_input", "1000"),
    ],
    ids=range(27),
)
def test_shares_that_cannot_be_used_are_named(api: Api, document: object, code: str, names: str) -> None:
    assert names in refused(shares(api, document), 422, code)


@pytest.mark.parametrize(
    ("document", "names"),
    [
        ({}, "content_ids"),
        ({"content_ids": None}, "content_ids"),
        ({"content_ids": "c1"}, "content_ids"),
        ({"content_ids": []}, "content_ids"),
        ({"content_ids": ["c1", None]}, "content_ids[1]"),
        ({"content_ids": ["c1", 7]}, "content_ids[1]"),
        ({"content_ids": ["c1", ""]}, "content_ids[1]"),
        ({"content_ids": ["c1\n"]}, "content_ids[0]"),
        ({"content_ids": ["\udfff"]}, "content_ids[0]"),
        ({"content_ids": ["c1"], "more": 1}, "more"),
        ({"content_ids": ["a"] * 1_000_000}, "1000"),
    ],
    ids=range(11),
)
def test_content_ids_that_cannot_be_used_are_named(api: Api, document: object, names: str) -> None:
    assert names in refused(contents(api, document), 422, "bad_input")


@pytest.mark.parametrize("path", ["/v1/shares", "/v1/content"])
def test_bodies_that_are_none(api: Api, path: str) -> None:
    refused(api.client.post(path, content=b""), 400, "body_empty")
    refused(api.client.post(path, content=b"{"), 400, "body_malformed")
    refused(api.client.post(path, content=b'{"content_id":"a","content_id":"b"}'), 400, "body_malformed")
    refused(api.client.post(path, content=b" " * (4 * 1024 * 1024 + 1)), 413, "body_too_large")
    refused(api.client.post(f"{path}?content_id=c1", content=b"{}"), 422, "bad_input")


def test_parameters_where_none_belong(api: Api) -> None:
    refused(api.client.post("/v1/hashes?content_id=c1", content=b"{}"), 422, "bad_input")


# Addresses and methods


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/", "/v1/media/", "/v2/media", "/favicon.ico", "/%00", "/docs/x", "/docs/..%2fapp.py"]
)
def test_an_address_where_nothing_is(api: Api, path: str) -> None:
    refused(api.client.get(path), 404, "not_found")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_a_method_that_is_not_taken(api: Api, method: str) -> None:
    response = api.client.request(method, "/v1/media")
    refused(response, 405, "method_not_allowed")
    assert response.headers["allow"] == "POST"


@pytest.mark.parametrize("number", ["0", "-1", "x", "1.5", "9" * 30, "%00"])
def test_a_case_of_no_possible_number(api: Api, number: str) -> None:
    assert "case_id" in refused(api.client.get(f"/v1/cases/{number}"), 422, "bad_input")


def test_a_request_that_is_no_http_does_not_stop_the_service(api: Api) -> None:
    address = urlsplit(api.url)
    for noise in (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET\r\n\r\n",
        b"POST / HTTP/9.9\r\n\r\n",
        bytes(1000),
    ):
        with socket.create_connection((address.hostname, address.port), timeout=120) as connection:
            connection.sendall(noise)
            connection.shutdown(socket.SHUT_WR)
            answer = connection.recv(1000)
            assert not answer or b" 4" in answer[:20]
