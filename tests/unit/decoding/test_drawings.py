"""An SVG is drawn and looked up; what a browser would show of it and is not drawn here is owed."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pytest
from PIL import Image

from seawall.decoding.operations import fingerprint
from seawall.decoding.pool import DecoderPool
from seawall.decoding.process import limits_of
from seawall.settings import Settings
from tests.unit.decoding.test_archives import codes, digests_of, nearest
from tests.vectors.files import drawing, embedded, scene, written, zipped

SCENE, OTHER = scene(), scene(77)
PNG = written(SCENE, "PNG")
SHOWN = f'<image width="320" height="240" href="{embedded(PNG)}"/>'


def test_a_picture_in_a_drawing(pool: DecoderPool) -> None:
    media = pool.fingerprint(drawing(SHOWN))
    assert media.media_type == "image/svg+xml"
    assert (media.width, media.height) == (1024, 768)
    assert nearest(media, SCENE) == 0
    assert media.parts == (digests_of(PNG),)
    assert not media.owed


def as_paths(picture: Image.Image) -> str:
    """The picture drawn point by point."""
    small = picture.resize((80, 60)).convert("RGB")
    points = ((x, y, small.getpixel((x, y))) for y in range(60) for x in range(80))
    return "".join(f'<rect x="{x}" y="{y}" width="1.1" height="1.1" fill="rgb{c}"/>' for x, y, c in points)


@pytest.mark.parametrize("wrap", [bytes, gzip.compress, lambda data: zipped({"a.svg": data})])
def test_a_picture_drawn_in_shapes(pool: DecoderPool, wrap: object) -> None:
    assert callable(wrap)
    media = pool.fingerprint(wrap(drawing(as_paths(SCENE), 'viewBox="0 0 80 60"')))
    assert nearest(media, SCENE) <= 20
    assert not media.owed


def test_what_is_transparent_is_seen_over_white_and_black(pool: DecoderPool) -> None:
    media = pool.fingerprint(drawing('<path d="M5 5L300 90L90 200Z" fill="#888"/><rect width="90" height="60"/>'))
    assert [frame.number for frame in media.frames] == [0, 0]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings(pool: DecoderPool, encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{encoding.removesuffix("-sig")}"?>{drawing(SHOWN).decode()}'
    assert nearest(pool.fingerprint(text.encode(encoding)), SCENE) == 0


def test_an_embedded_picture_that_is_covered_is_looked_up(pool: DecoderPool) -> None:
    covered = SHOWN + '<rect width="320" height="240" fill="red"/>'
    for mark in (covered, f'<style>rect {{ fill: url("{embedded(PNG)}") }}</style>', f"<defs>{SHOWN}</defs>"):
        assert nearest(pool.fingerprint(drawing(mark)), SCENE) == 0


OWED = {
    "another address": '<image width="9" height="9" href="https://example.org/a.png"/>',
    "the old way": '<image width="9" height="9" xlink:href="//example.org/a.png"/>',
    "a file": '<image width="9" height="9" href="file:///etc/hostname"/>',
    "a file beside": '<use href="other.svg#a"/>',
    "a page": '<foreignObject><div xmlns="http://www.w3.org/1999/xhtml">the sea</div></foreignObject>',
    "a script": "<script>1</script>",
    "a script in an attribute": '<rect onclick="1"/>',
    "movement": '<rect><animate attributeName="x"/></rect>',
    "a prefix": '<x:animate xmlns:x="http://www.w3.org/2000/svg"/>',
    "moving style": "<style>@keyframes a { }</style>",
    "a style sheet": "<style>@import url(https://example.org/a.css);</style>",
    "a style that fetches": '<rect style="fill: url(https://example.org/a.svg#b)"/>',
    "an attribute that fetches": "<rect fill=\"url( 'a.svg#b')\"/>",
    "broken letters": f'<image href="{embedded(PNG)[:-700]}!"/>',
    "something unknown": '<image href="data:image/png;base64,AAAA"/>',
}


@pytest.mark.parametrize("inside", OWED.values(), ids=OWED)
def test_what_a_browser_would_show_and_is_not_drawn_is_owed(pool: DecoderPool, inside: str) -> None:
    media = pool.fingerprint(drawing(inside + SHOWN))
    assert media.owed
    assert nearest(media, SCENE) == 0


@pytest.mark.parametrize("inside", ['<a href="https://example.org"><rect/></a>', '<use href="#a"/><g id="a"/>'])
def test_what_shows_nothing_more_is_not(pool: DecoderPool, inside: str) -> None:
    assert not pool.fingerprint(drawing(inside + SHOWN)).owed


BROKEN = {
    "no end": drawing(SHOWN)[:-7],
    "entities": b'<!DOCTYPE svg [<!ENTITY a "b">]>' + drawing("&a;"),
    "laughs": b'<!DOCTYPE svg [<!ENTITY a0 "ha">'
    + b"".join(b'<!ENTITY a%d "%b">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 10))
    + b"]>"
    + drawing("<text>&a9;</text>"),
    "no size": drawing("", 'width="0" height="0"'),
    "uses of uses": drawing(
        '<g id="g0"><rect width="5" height="5"/></g>'
        + "".join(f'<g id="g{n + 1}">' + f'<use href="#g{n}"/>' * 10 + "</g>" for n in range(8))
    ),
    "other letters": drawing("\N{LATIN SMALL LETTER A WITH DIAERESIS}").decode().encode("latin-1"),
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
def test_what_cannot_be_drawn_is_owed(pool: DecoderPool, data: bytes) -> None:
    (pid,) = pool.pids
    media = pool.fingerprint(data)
    assert "media_corrupt" in codes(media)
    assert pool.pids == (pid,)


@pytest.mark.parametrize("size", ["1000000", "0.001", "1e30"])
def test_any_size_is_drawn_small_or_owed(pool: DecoderPool, size: str) -> None:
    for attributes in (f'width="{size}" height="{size}" viewBox="0 0 80 60"', f'viewBox="0,0 {size},{size}"'):
        media = pool.fingerprint(drawing(as_paths(SCENE), attributes))
        assert size == "1000000" or codes(media) & {"media_unsupported"}
        assert media.width is None or media.width <= 1024


def test_sizes_in_any_unit(pool: DecoderPool) -> None:
    for attributes in ('width="4cm" height="3cm"', 'width="100%" height="100%"', 'width="400px" height="300px"'):
        media = pool.fingerprint(drawing(as_paths(SCENE), attributes + ' viewBox="0 0 80 60"'))
        assert nearest(media, SCENE) <= 24
        assert not media.owed


def test_no_drawing_is_larger_than_the_limit() -> None:
    found = fingerprint(drawing(as_paths(SCENE), 'viewBox="0 0 80 60"'), limits_of(Settings(max_pixels=10_000)))
    assert (found["width"], found["height"]) == (100, 75)
    assert not found["owed"]


def test_no_file_of_this_machine_is_drawn(pool: DecoderPool, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(written(OTHER, "PNG"))
    media = pool.fingerprint(drawing(f'<image width="320" height="240" href="{tmp_path / "a.png"}"/>'))
    assert codes(media) == {"media_unsupported"}
    assert nearest(media, OTHER) > 60
    assert Image.open(io.BytesIO((tmp_path / "a.png").read_bytes())).size == OTHER.size
