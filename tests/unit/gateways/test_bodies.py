"""Bodies come in any pieces, cut anywhere and changed anywhere: they are read right, or refused."""

from __future__ import annotations

import asyncio
import itertools
import random

import pytest
from fastapi import Request
from hypothesis import given, settings
from hypothesis import strategies as st

from seawall.errors import BadInput, BodyMalformed, BodyTooLarge, Overloaded
from seawall.gateways.http.ballast import Ballast
from seawall.gateways.http.bodies import ROOM_FOR_FIELDS, Upload, query_pairs, read_upload

BOUNDARY = "xYzZY"
# Bytes that look like a boundary nearly to its end.
FILE = b"\r\n--xYzZ\r\n--xYzZX\r\r\n--" + bytes(range(256)) * 4
LIMIT = len(FILE)


def request(chunks: list[bytes], kind: str, query: bytes = b"") -> Request:
    """A request whose body comes in these chunks."""
    left = list(chunks)

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": left.pop(0) if left else b"", "more_body": bool(left)}

    headers = [(b"content-type", kind.encode("latin-1"))]
    scope = {"type": "http", "method": "POST", "path": "/", "headers": headers, "query_string": query}
    return Request(scope, receive)


def read(
    chunks: list[bytes], kind: str = f"multipart/form-data; boundary={BOUNDARY}", ballast: Ballast | None = None
) -> Upload:
    with (ballast or Ballast(LIMIT + ROOM_FOR_FIELDS)).load() as take:
        return asyncio.run(read_upload(request(chunks, kind), LIMIT, take))


def form() -> bytes:
    """A form as browsers write it, with a name in UTF-8."""
    parts = [
        b'Content-Disposition: form-data; name="content_id"\r\n\r\nphoto-1',
        'Content-Disposition: form-data; name="account_id"\r\n\r\naccount-1 ✓'.encode(),
        'Content-Disposition: form-data; name="file"; filename="hafen-ü.png"\r\n'.encode()
        + b"Content-Type: image/png\r\n\r\n"
        + FILE,
    ]
    return b"".join(b"--xYzZY\r\n" + part + b"\r\n" for part in parts) + b"--xYzZY--\r\n"


def pieces(body: bytes, cuts: list[int]) -> list[bytes]:
    """The body cut at these places."""
    places = sorted({0, len(body), *(cut % len(body) for cut in cuts)})
    return [body[start:end] for start, end in itertools.pairwise(places)]


@given(st.lists(st.integers(min_value=0), max_size=30))
@settings(deadline=None)
def test_how_it_comes_in_pieces_does_not_matter(cuts: list[int]) -> None:
    upload = read(pieces(form(), cuts))
    assert upload.body == FILE
    assert dict(upload.pairs) == {"content_id": "photo-1", "account_id": "account-1 ✓", "filename": "hafen-ü.png"}
    assert upload.media_type == "image/png"


def test_byte_by_byte() -> None:
    body = form()
    assert read([body[at : at + 1] for at in range(len(body))]).body == FILE


@pytest.mark.parametrize("at", range(0, len(form()) - 2, 7))
def test_cut_off_anywhere_it_is_broken(at: int) -> None:
    with pytest.raises(BodyMalformed):
        read([form()[:at]])


def test_changed_anywhere_it_is_read_or_refused() -> None:
    chance = random.Random(1)
    for _ in range(3000):
        body = bytearray(form())
        for _ in range(chance.randint(1, 6)):
            body[chance.randrange(len(body))] = chance.randrange(256)
        try:
            upload = read([bytes(body)])
        except BadInput:
            continue
        assert len(upload.body) <= LIMIT
        assert all(isinstance(name, str) and isinstance(value, str) for name, value in upload.pairs)


@given(st.binary(max_size=300))
@settings(deadline=None)
def test_any_bytes_at_all_are_refused_as_a_form(body: bytes) -> None:
    with pytest.raises(BadInput):
        read([body])


def test_a_file_may_be_as_large_as_the_limit_and_no_larger() -> None:
    assert len(read([FILE], "image/png").body) == LIMIT
    with pytest.raises(BodyTooLarge):
        read([FILE, b"x"], "image/png")
    with pytest.raises(BodyTooLarge):
        read([form().replace(FILE, FILE + b"x")])


def test_a_field_as_large_as_a_file_is_refused_before_it_is_whole() -> None:
    start = b'--xYzZY\r\nContent-Disposition: form-data; name="content_id"\r\n\r\n'
    with pytest.raises(BadInput, match="content_id is far too long"):
        asyncio.run(
            read_upload(
                request([start, b"a" * (ROOM_FOR_FIELDS + 1)], f"multipart/form-data; boundary={BOUNDARY}"),
                LIMIT * 100,
                lambda _size: None,
            )
        )


def test_all_bodies_together_have_a_limit() -> None:
    ballast = Ballast(2 * LIMIT)
    with ballast.load() as take:
        take(LIMIT)
        assert read([FILE], "image/png", ballast).body == FILE
        take(1)
        with pytest.raises(Overloaded):
            read([FILE], "image/png", ballast)
        assert ballast.held == LIMIT + 1
    assert ballast.held == 0
    assert read([FILE], "image/png", ballast).body == FILE


@pytest.mark.parametrize("said", [[b"gzip"], [b"identity", b"gzip"], [b"identity, gzip"], [b"", b"br"]])
def test_compressed_bodies_are_refused_however_that_is_said(said: list[bytes]) -> None:
    asked = request([FILE], "image/png")
    asked.scope["headers"].extend((b"content-encoding", coding) for coding in said)
    with pytest.raises(BodyMalformed):
        asyncio.run(read_upload(asked, LIMIT, lambda _size: None))


def test_the_part_with_a_file_is_the_file_whatever_it_is_called() -> None:
    assert read([form().replace(b'name="file"', b'name="picture"')]).body == FILE
    assert read([form().replace(b'; filename="hafen-\xc3\xbc.png"', b"")]).body == FILE


def test_a_field_filename_goes_before_the_parts_own() -> None:
    own = b'--xYzZY\r\nContent-Disposition: form-data; name="filename"\r\n\r\nharbour.png\r\n'
    assert dict(read([own + form()]).pairs)["filename"] == "harbour.png"


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("image/jpeg", "image/jpeg"),
        ("Image/JPEG; q=1", "image/jpeg"),
        ("application/octet-stream", None),
        ("application/x-www-form-urlencoded", None),
        ("", None),
        ("x" * 200, None),
    ],
)
def test_what_a_raw_body_is_said_to_be(kind: str, said: str | None) -> None:
    assert read([b"x"], kind).media_type == said


@given(st.binary(max_size=200))
def test_any_query_is_read_or_refused(query: bytes) -> None:
    try:
        pairs = query_pairs(request([], "", query))
    except BadInput:
        return
    assert all(isinstance(part, str) for pair in pairs for part in pair)
