"""What is in a request is found as its application finds it, or the request is refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seawall.client.uploads import MESSAGES, REFUSED, Malformed, Upload, parts_of

FORM = "multipart/form-data; boundary=AaB"


def form(*parts: bytes, more: bytes = b"") -> bytes:
    begin = b'--AaB\r\nContent-Disposition: form-data; name="f"; filename="a.png"\r\n' + more + b"\r\n"
    return b"".join(begin + part + b"\r\n" for part in parts) + b"--AaB--\r\n"


def test_a_body_that_is_no_form_is_itself() -> None:
    assert parts_of("image/png", b"abc") == [Upload(b"abc")]
    assert parts_of("", b"") == []


@given(st.lists(st.binary(max_size=60).filter(lambda part: b"\r\n--AaB" not in b"\r\n" + part), max_size=6))
def test_every_part_is_found_as_it_is(parts: list[bytes]) -> None:
    assert parts_of(FORM, form(*parts)) == [Upload(part, "a.png") for part in parts] or not parts


def test_a_quoted_boundary() -> None:
    assert parts_of('multipart/form-data; charset=utf-8; boundary="AaB"', form(b"one")) == [Upload(b"one", "a.png")]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", form(b"one")),
        ("multipart/form-data; boundary*=AaB", form(b"one")),
        (f"{FORM}; boundary=Aac", form(b"one")),
        (f"text/plain, {FORM}", form(b"one")),
        (FORM, b"no form"),
        (FORM, b""),
        (FORM, form(b"one")[:-8]),
        (FORM, form(b"one") + b"something behind it"),
        (FORM, b"something before it\r\n" + form(b"one")),
        (FORM, form(*[b"x"] * 300)),
        (FORM, form(b"b25l", more=b"Content-Transfer-Encoding: base64\r\n")),
        (FORM, form(b"one", more=b"Content-Encoding: gzip\r\n")),
        (FORM, form(b"one", more=b"Content-Type: multipart/mixed; boundary=x\r\n")),
        (FORM, form(b"one", more=b"Content-Type: a/b\r\nContent-Type: a/c\r\n")),
        (FORM, form(b"one", more=b"Content-Type: a/b;\r\n charset=x\r\n")),
        (FORM, b"--AaB\r\nno head--AaB--\r\n"),
    ],
)
def test_what_could_be_read_in_two_ways(content_type: str, body: bytes) -> None:
    with pytest.raises(Malformed):
        parts_of(content_type, body)


def test_a_refusal_says_nothing_of_what_was_found() -> None:
    assert json.loads(REFUSED.body)["error"] == {"code": "upload_refused", "message": MESSAGES["upload_refused"]}
