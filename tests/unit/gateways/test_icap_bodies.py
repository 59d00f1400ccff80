"""What is uploaded inside an HTTP body."""

from __future__ import annotations

import gzip
import zlib

import pytest

from seawall.errors import BodyMalformed, BodyTooLarge
from seawall.gateways.icap.bodies import headers_of, uploads_of

MOST = 10_000
FORM = {"content-type": "multipart/form-data; boundary=AaB"}


def form(*parts: bytes) -> bytes:
    """A multipart body."""
    heads = (b'--AaB\r\nContent-Disposition: form-data; name="f"\r\n\r\n' + part + b"\r\n" for part in parts)
    return b"".join(heads) + b"--AaB--\r\n"


def test_headers() -> None:
    assert headers_of(b"POST / HTTP/1.1\r\nContent-Type: image/png\r\nX: y\r\n\r\n") == {
        "content-type": "image/png",
        "x": "y",
    }
    assert headers_of(b"") == {}
    with pytest.raises(BodyMalformed):
        headers_of(b"POST / HTTP/1.1\r\n" + b"".join(b"h%d: x\r\n" % n for n in range(500)) + b"\r\n")


def test_a_plain_body_is_itself() -> None:
    assert uploads_of({"content-type": "image/png"}, b"abc", MOST) == [b"abc"]
    assert uploads_of({}, b"", MOST) == []


def test_every_part_of_a_form_counts() -> None:
    assert uploads_of(FORM, form(b"one", b"", b"two\r\nlines"), MOST) == [b"one", b"two\r\nlines"]


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"content-type": "multipart/form-data"}, form(b"one")),
        (FORM, b"no form"),
        (FORM, form(b"one")[:-8]),
        (FORM, form(*[b"x"] * 300)),
        ({"content-encoding": "br"}, b"abc"),
        ({"content-encoding": "gzip"}, b"no gzip"),
        ({"content-encoding": "gzip"}, gzip.compress(b"abc", mtime=0)[:-3]),
        ({"content-encoding": "gzip"}, gzip.compress(b"abc", mtime=0) + gzip.compress(b"hidden", mtime=0)),
    ],
)
def test_what_cannot_be_taken_apart(headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(BodyMalformed):
        uploads_of(headers, body, MOST)


def test_compressed_bodies() -> None:
    assert uploads_of({"content-encoding": "gzip"}, gzip.compress(b"abc"), MOST) == [b"abc"]
    assert uploads_of({"content-encoding": "deflate"}, zlib.compress(b"abc"), MOST) == [b"abc"]
    both = {"content-encoding": "deflate, gzip"}
    assert uploads_of(both, gzip.compress(zlib.compress(b"abc")), MOST) == [b"abc"]


def test_a_bomb_is_not_unpacked() -> None:
    assert uploads_of({"content-encoding": "gzip"}, gzip.compress(bytes(MOST)), MOST) == [bytes(MOST)]
    with pytest.raises(BodyTooLarge):
        uploads_of({"content-encoding": "gzip"}, gzip.compress(bytes(MOST + 1)), MOST)
    with pytest.raises(BodyTooLarge):
        uploads_of({"content-encoding": "gzip"}, gzip.compress(bytes(50_000_000)), MOST)
