"""What is uploaded inside an HTTP body."""

from __future__ import annotations

import gzip
import random
import zlib

import pytest

from seawall.errors import BodyMalformed, BodyTooLarge
from seawall.gateways.icap.bodies import PIECE, size_of, uploads_of
from seawall.gateways.icap.heads import HttpHead, http_head

MOST = 10_000
FORM = "Content-Type: multipart/form-data; boundary=AaB"
GZIP = "Content-Encoding: gzip"


def head(*lines: str, first: str = "POST / HTTP/1.1") -> HttpHead:
    """A head with these fields."""
    return http_head("".join(f"{line}\r\n" for line in (first, *lines, "")).encode("latin-1"))


def form(*parts: bytes, more: bytes = b"") -> bytes:
    """A multipart body, whose parts have `more` in their heads."""
    begin = b'--AaB\r\nContent-Disposition: form-data; name="f"\r\n' + more + b"\r\n"
    return b"".join(begin + part + b"\r\n" for part in parts) + b"--AaB--\r\n"


def test_heads() -> None:
    read = http_head(b"POST / HTTP/1.1\r\nContent-Type:  image/png \r\nX:\r\nX: y\r\n\r\n")
    assert (read.one("content-type"), read.one("content-encoding")) == ("image/png", "")
    assert read.fields[1:] == (("x", ""), ("x", "y"))
    assert http_head(b"") == HttpHead("", ())


@pytest.mark.parametrize(
    "lines",
    [
        b"no colon",
        b": no name",
        b"a name: with a blank",
        b"name : with a blank",
        b"Content-Type: multipart/form-data;\r\n boundary=AaB",
        b"X: y\nContent-Type: multipart/form-data",
        b"X: y\rZ: y",
        b"X: \x00",
        b"X: y\r\n\r\nContent-Type: multipart/form-data; boundary=AaB",
        b"\r\n".join(b"h%d: x" % n for n in range(500)),
    ],
)
def test_heads_that_others_could_read_otherwise(lines: bytes) -> None:
    with pytest.raises(BodyMalformed):
        http_head(b"POST / HTTP/1.1\r\n" + lines + b"\r\n\r\n")


def test_a_plain_body_is_itself() -> None:
    assert uploads_of(head("Content-Type: image/png"), b"abc", MOST) == [b"abc"]
    assert uploads_of(head(), b"", MOST) == []


def test_every_part_of_a_form_counts() -> None:
    assert uploads_of(head(FORM), form(b"one", b"", b"two\r\nlines"), MOST) == [b"one", b"two\r\nlines"]


@pytest.mark.parametrize(
    ("lines", "body"),
    [
        (["Content-Type: multipart/form-data"], form(b"one")),
        (["Content-Type: multipart/form-data; boundary*=AaB"], form(b"one")),
        (["Content-Type: multipart/form-data; boundary=AaB; boundary=Aac"], form(b"one")),
        (["Content-Type: text/plain, multipart/form-data; boundary=AaB"], form(b"one")),
        (["Content-Type: image/png", FORM], form(b"one")),
        (["Content-Type: multipart/byteranges; boundary=AaB"], form(b"one")),
        ([FORM], b"no form"),
        ([FORM], form(b"one")[:-8]),
        ([FORM], form(b"one") + b"something behind it"),
        ([FORM], b"something before it\r\n" + form(b"one")),
        ([FORM], form(*[b"x"] * 300)),
        ([FORM], form(b"b25l", more=b"Content-Transfer-Encoding: base64\r\n")),
        ([FORM], form(b"one", more=b"Content-Transfer-Encoding: quoted-printable\r\n")),
        ([FORM], form(b"one", more=b"Content-Encoding: gzip\r\n")),
        ([FORM], form(b"one", more=b"Content-Type: multipart/mixed; boundary=x\r\n")),
        ([FORM], form(b"one", more=b"Content-Type: a/b\r\nContent-Type: a/c\r\n")),
        (["Content-Encoding: br"], b"abc"),
        (["Content-Encoding: gzip, gzip"], gzip.compress(gzip.compress(b"abc"))),
        ([GZIP, GZIP], gzip.compress(b"abc")),
        ([GZIP], b"no gzip"),
        ([GZIP], b""),
        ([GZIP], gzip.compress(b"abc", mtime=0)[:-3]),
        ([GZIP], gzip.compress(b"abc", mtime=0) + gzip.compress(b"hidden", mtime=0)),
        ([GZIP], gzip.compress(b"abc", mtime=0) + bytes(3 * PIECE)),
        (["Transfer-Encoding: gzip, chunked"], b"abc"),
        (["Content-Range: bytes 0-2/6"], b"abc"),
        (["Content-Range: bytes 3-5/6"], b"abc"),
        (["Content-Range: bytes 0-5/6"], b"abc"),
        (["Content-Range: bytes 0-2/*"], b"abc"),
    ],
)
def test_what_cannot_be_taken_apart(lines: list[str], body: bytes) -> None:
    with pytest.raises(BodyMalformed):
        uploads_of(head(*lines), body, MOST)


def test_a_part_of_an_answer_is_not_read() -> None:
    with pytest.raises(BodyMalformed):
        uploads_of(head(first="HTTP/1.1 206 Partial Content"), b"abc", MOST)
    whole = head("Content-Range: bytes 0-2/3", first="HTTP/1.1 206 Partial Content")
    assert uploads_of(whole, b"abc", MOST) == [b"abc"]


def test_parts_that_say_that_they_are_plain() -> None:
    assert uploads_of(head(FORM), form(b"one", more=b"Content-Transfer-Encoding: Binary\r\n"), MOST) == [b"one"]


@pytest.mark.parametrize("size", [0, 1, MOST, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE + 7])
def test_compressed_bodies(size: int) -> None:
    for plain in (bytes(size), random.Random(size).randbytes(size)):
        for coding, body in (("gzip", gzip.compress(plain)), ("deflate", zlib.compress(plain))):
            told = head(f"Content-Encoding: {coding}")
            assert uploads_of(told, body, size) == ([plain] if plain else [])
            assert size_of(told, body, size) == size


def test_a_bomb_is_not_unpacked() -> None:
    for plain in (bytes(MOST + 1), bytes(50_000_000)):
        for read in (uploads_of, size_of):
            with pytest.raises(BodyTooLarge):
                read(head(GZIP), gzip.compress(plain), MOST)
