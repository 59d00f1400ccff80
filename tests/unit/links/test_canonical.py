"""Addresses in their one form: the examples of the RFCs, what is refused, and that the form of a form is itself."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seawall.errors import BadInput
from seawall.links.canonical import LONGEST, canonical, url_hash

SAME = [
    # RFC 3986, section 6.2.2 and 6.2.3
    ("HTTP://www.EXAMPLE.com/", "http://www.example.com/"),
    ("http://example.com/a/./b/../b/%63/%7bfoo%7d", "http://example.com/a/b/c/%7Bfoo%7D"),
    ("http://example.com/%7Esmith/", "http://example.com/~smith/"),
    ("http://example.com", "http://example.com/"),
    ("http://example.com:/", "http://example.com/"),
    ("http://example.com:80/", "http://example.com/"),
    ("https://example.com:443", "https://example.com/"),
    ("https://example.com:80/", "https://example.com:80/"),
    ("http://example.com:0080/", "http://example.com/"),
    ("http://example.com:8080/", "http://example.com:8080/"),
    # section 5.4.2
    ("http://a/b/c/../../../g", "http://a/g"),
    ("http://a/b/c/../../../../g", "http://a/g"),
    ("http://a/./g", "http://a/g"),
    ("http://a/b/c/g.", "http://a/b/c/g."),
    ("http://a/b/c/..g", "http://a/b/c/..g"),
    ("http://a/b/c/g/.", "http://a/b/c/g/"),
    ("http://a/b/c/..", "http://a/b/"),
    ("http://a/b/c/g?y/./x", "http://a/b/c/g?y/./x"),
    ("http://a/b/c/g#s/../x", "http://a/b/c/g"),
    ("http://a/..", "http://a/"),
    ("http://a/b/%2E%2e/c", "http://a/c"),
    ("http://a//b//../c", "http://a//b/c"),
    # what stays
    ("http://a/?", "http://a/?"),
    ("http://a?b=c", "http://a/?b=c"),
    ("http://a/?b=2&a=1", "http://a/?b=2&a=1"),
    ("http://a/b%2Fc", "http://a/b%2Fc"),
    ("http://a/b%2fc", "http://a/b%2Fc"),
    ("http://a/x;y=1,2/(z)!*'@:$&+", "http://a/x;y=1,2/(z)!*'@:$&+"),
    # what is not ASCII, and what needs encoding
    ("http://a/Größe ✓", "http://a/Gr%C3%B6%C3%9Fe%20%E2%9C%93"),
    ("http://a/100%", "http://a/100%25"),
    ("http://a/%zz%4", "http://a/%25zz%254"),
    ("http://a/b\\c", "http://a/b%5Cc"),
    ("http://a/\ud800", "http://a/%3F"),
    ("http://Bücher.example/", "http://xn--bcher-kva.example/"),
    ("http://b%C3%BCcher.example", "http://xn--bcher-kva.example/"),
    ("http://XN--BCHER-KVA.example/", "http://xn--bcher-kva.example/"),
    ("http://faß.example/", "http://xn--fa-hia.example/"),
    ("http://example\u3002com/", "http://example.com/"),
    ("http://my_host.example.", "http://my_host.example/"),
    ("http://192.0.2.7:80/a", "http://192.0.2.7/a"),
    ("http://[2001:DB8::0:1]:8080/", "http://[2001:db8::1]:8080/"),
]


@pytest.mark.parametrize(("address", "form"), SAME)
def test_an_address_has_one_form(address: str, form: str) -> None:
    assert canonical(address) == form
    assert canonical(form) == form


@pytest.mark.parametrize(
    "address",
    [
        *("", " ", "a", "/a", "//a/b", "http:/a", "http:a", "http://", "http:///a", "https://?x", "http://#"),
        *(
            "ftp://a/",
            "javascript:alert(1)",
            "data:,x",
            "file:///etc/passwd",
            "HTTPX://a/",
            " http://a/",
            "http://a/ ",
        ),
        *("http://user@a/", "http://user:word@a/", "http://@a/", "http://a@b@c/"),
        *(
            "http://a:b/",
            "http://a:65536/",
            "http://a:999999999/",
            "http://a:-1/",
            "http://a:1:2/",
            "http://a:\uff11/",
        ),
        *("http://[::1/", "http://::1/", "http://[::1]x/", "http://[fe80::1%25eth0]/", "http://[1.2.3.4]/"),
        *(
            "http://a..b/",
            "http://.a/",
            "http://a b/",
            "http://a%00b/",
            "http://%FF/",
            "http://a%2Fb/",
            "http://\u00ad/",
        ),
        *(f"http://{'a' * 64}.example/", f"http://{'a.' * 130}example/", "http://xn--\u00fc/"),
        *(f"http://a/{'x' * LONGEST}", f"http://a/{'ü' * 400}"),
    ],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(BadInput):
        canonical(address)


SEGMENTS = st.one_of(
    st.sampled_from(["", ".", "..", "a", "%2e", "%2E%2E", "%41", "%zz", "b;c", "ü", "%C3%BC", "%", "~", "?", "\\"]),
    st.text(max_size=6),
)
ADDRESSES = st.builds(
    "{}://{}{}/{}{}".format,
    st.sampled_from(["http", "https", "HTTP", "hTTps"]),
    st.sampled_from(["example.org", "EXAMPLE.org.", "bücher.example", "[::1]", "192.0.2.7", "a%2Eb", "x_y"])
    | st.text(max_size=8),
    st.sampled_from(["", ":", ":80", ":443", ":8420", ":0"]),
    st.lists(SEGMENTS, max_size=6).map("/".join),
    st.sampled_from(["", "?", "#f"]) | st.text(max_size=8).map(lambda text: f"?{text}"),
)


@given(ADDRESSES | st.text(max_size=30))
def test_the_form_of_a_form_is_itself(address: str) -> None:
    try:
        form = canonical(address)
    except BadInput:
        return
    assert canonical(form) == form
    assert form.isascii()
    assert form.isprintable()
    assert " " not in form
    assert url_hash(address) == url_hash(form) == hashlib.sha256(form.encode()).digest()


def without_dots(path: str) -> str:
    """RFC 3986, section 5.2.4, step by step, for a path that begins with a slash."""
    output = ""
    while path:
        if path.startswith("/./") or path == "/.":
            path = "/" + path[3:]
        elif path.startswith("/../") or path == "/..":
            path, output = "/" + path[4:], output.rpartition("/")[0]
        else:
            end = path.find("/", 1)
            output, path = output + (path if end < 0 else path[:end]), "" if end < 0 else path[end:]
    return output


@given(st.lists(st.sampled_from(["a", "b.", "..c", ".", "..", ""]), max_size=8))
def test_dot_segments_go_as_the_rfc_has_it(segments: list[str]) -> None:
    path = "/" + "/".join(segments)
    assert canonical(f"http://a{path}") == f"http://a{without_dots(path)}"


@given(st.text(alphabet="abcXYZ019-._~", max_size=20))
def test_encoding_what_needs_none_changes_nothing(text: str) -> None:
    encoded = "".join(f"%{ord(letter):02x}" for letter in text)
    assert canonical(f"http://a/_{encoded}?{encoded}") == canonical(f"http://a/_{text}?{text}")
