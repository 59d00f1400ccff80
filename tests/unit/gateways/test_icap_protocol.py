"""ICAP without a socket: heads, sections, chunks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seawall.errors import BodyMalformed
from seawall.gateways.icap import protocol
from seawall.gateways.icap.protocol import chunk_of, chunked, request_of

# The shape of RFC 3507, 4.8.3, example 2.
POST = (
    b"REQMOD icap://icap-server.net/server?arg=87 ICAP/1.0\r\n"
    b"Host: icap-server.net\r\nPreview: 1024\r\nAllow: 200, 204\r\nEncapsulated: req-hdr=0, req-body=147\r\n\r\n"
)


def test_a_head() -> None:
    request = request_of(POST)
    assert (request.method, request.path) == ("REQMOD", "/server")
    assert request.sections == (("req-hdr", 0), ("req-body", 147))
    assert (request.heads_bytes, request.has_body, request.preview) == (147, True, 1024)
    assert request.allows_204
    assert not request.closes


def test_an_answer_has_two_heads() -> None:
    request = request_of(b"RESPMOD /r ICAP/1.0\r\nEncapsulated: req-hdr=0, res-hdr=3, res-body=7\r\n\r\n")
    assert request.head("req-hdr", b"abcdefg") == b"abc"
    assert request.head("res-hdr", b"abcdefg") == b"defg"
    assert request.head("opt-hdr", b"abcdefg") == b""
    assert not request.allows_204
    assert request.preview is None


def test_nothing_encapsulated() -> None:
    request = request_of(b"OPTIONS icap://h/reqmod ICAP/1.0\r\nConnection: close\r\n\r\n")
    assert (request.heads_bytes, request.has_body, request.closes) == (0, False, True)
    assert not request_of(b"REQMOD /r ICAP/1.0\r\nEncapsulated: req-hdr=0, null-body=90\r\n\r\n").has_body


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"REQMOD /r ICAP/1.0\r\nNo colon\r\n\r\n",
        b"REQMOD /r ICAP/1.0\r\nHost: a\r\nhost: b\r\n\r\n",
        b"REQMOD /r ICAP/1.0\r\n Folded: a\r\n\r\n",
        b"REQMOD /r ICAP/1.0\r\nEncapsulated: req-hdr=0\r\n\r\n",
        b"REQMOD /r ICAP/1.0\r\nEncapsulated: req-hdr=5, req-body=9\r\n\r\n",
        b"REQMOD /r ICAP/1.0\r\nEncapsulated: req-hdr=0, req-body=-1\r\n\r\n",
        b"REQMOD /r ICAP/1.0\r\nEncapsulated: req-body=0, req-hdr=9\r\n\r\n",
        b"REQMOD /r ICAP/1.0\r\nEncapsulated: req-hdr=0, res-hdr=9, req-body=4\r\n\r\n",
        b"REQMOD /r ICAP/1.0\r\nEncapsulated: req-hdr=0, req-body=99999999\r\n\r\n",
        b"REQMOD /r ICAP/1.0\r\nEncapsulated: nonsense\r\n\r\n",
        b"\xff\xfe\r\n\r\n",
    ],
)
def test_what_is_no_head(head: bytes) -> None:
    with pytest.raises(BodyMalformed):
        request_of(head)


@given(st.binary(max_size=400))
def test_any_head_is_read_or_refused(text: bytes) -> None:
    for begin in (b"", b"REQMOD /r ICAP/1.0\r\n", b"REQMOD /r ICAP/1.0\r\nEncapsulated: "):
        try:
            request = request_of(begin + text + b"\r\n\r\n")
        except BodyMalformed:
            continue
        assert 0 <= request.heads_bytes <= protocol.LONGEST_HTTP_HEADS


def test_chunks() -> None:
    assert chunk_of(b"1a\r\n") == (26, False)
    assert chunk_of(b"0; ieof\r\n") == (0, True)
    assert chunk_of(b"0 ;x=y\r\n") == (0, False)
    assert chunked(b"") == b"0\r\n\r\n"
    assert chunked(b"abc") == b"3\r\nabc\r\n0\r\n\r\n"
    for line in (b"\r\n", b"-1\r\n", b"0x1\r\n", b"123456789\r\n", b"1\n", b"g\r\n"):
        with pytest.raises(BodyMalformed):
            chunk_of(line)


def test_the_page_says_nothing_of_what_was_found() -> None:
    head, body = protocol.refusal("Not let through.", "block")
    assert head.startswith(b"HTTP/1.1 403 ")
    assert f"Content-Length: {len(body)}".encode() in head
    assert b"no-store" in head
