"""An SVG, as a viewer draws it, and the pictures in it. Runs only in a decoder child.

resvg draws (MIT or Apache 2, in the package resvg-py): no scripts, no network, and files only by name, of which a
confined child can open none. What an SVG shows beyond what is drawn here (what it fetches, what moves, pages in
it) is owed: a browser would show it. There are no letters, since fonts are files.
"""

from __future__ import annotations

import base64
import binascii
import io
import math
import re
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes
from xml.parsers import expat

import resvg_py
from PIL import Image

from seawall.decoding.allowance import Allowance
from seawall.decoding.limits import Limits
from seawall.decoding.markup import encoding_of
from seawall.decoding.sniff import LOOKED_AT, Kind, sniff
from seawall.errors import MediaCorrupt, MediaUnsupported, NotMedia

_LONGEST_SIDE = 1024
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
_LARGEST_SIDE = 1_000_000
_DOTS_PER_INCH = 96
_MOST_CHARACTERS = 32 * 1024 * 1024
# Elements that show, in a browser, what is not drawn here.
_NOT_DRAWN = frozenset({
    "foreignobject", "script", "animate", "animatemotion", "animatetransform", "set", "discard", "iframe", "video",
    "audio", "canvas", "handler", "object", "embed",
})  # fmt: skip
_REFERENCE = re.compile(r"url\(\s*['\"]?\s*([^'\")\s]*)", re.IGNORECASE)
_MOVING_STYLE = re.compile(r"@import|@keyframes|animation|transition", re.IGNORECASE)

Member = tuple[Kind, bytes]


def look_through(data: bytes, limits: Limits, allowance: Allowance) -> Iterator[Image.Image | Member]:
    """The drawing, and behind it the pictures that it embeds, as the files that they are. What cannot be read, or
    would be shown and is not drawn, is owed."""
    side = min(_LONGEST_SIDE, math.isqrt(limits.max_pixels))
    try:
        text = _text(data)
        embedded = _Survey(allowance).of(text)
        drawn = resvg_py.svg_to_bytes(
            svg_string=text, skip_system_fonts=True, width=side, height=side, dpi=_DOTS_PER_INCH
        )
    except (expat.ExpatError, ValueError, LookupError) as problem:
        allowance.owe(MediaCorrupt(f"The SVG cannot be drawn: {type(problem).__name__}."))
        return
    yield Image.open(io.BytesIO(bytes(drawn)), formats=["PNG"])
    for found in embedded:
        if not allowance.takes_member() or not allowance.takes_bytes(len(found)):
            return
        try:
            yield sniff(found[:LOOKED_AT]), found
        except NotMedia:
            allowance.owe(MediaUnsupported("The SVG embeds something of an unknown kind."))


def _text(data: bytes) -> str:
    """The characters, as the first bytes say that they are written.

    Raises:
        ValueError: in no encoding that is read here, or too many.
    """
    if len(data) > _MOST_CHARACTERS:
        raise ValueError("too long")
    return data.decode(encoding_of(data))


class _Survey:
    """Goes once through the elements: what is embedded, and what a browser would show and is not drawn here."""

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance
        self._embedded: list[bytes] = []
        self._in_style = False
        self._begun = False

    def of(self, text: str) -> list[bytes]:
        """The embedded files.

        Raises:
            ExpatError: this is no XML.
        """
        # Namespaces are left in the names: a prefix that is declared nowhere is no reason to see less.
        parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.StartElementHandler = self._begin
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.EntityDeclHandler = self._entity
        parser.ProcessingInstructionHandler = self._instruction
        parser.Parse(re.sub(r"^(<\?xml[^>]*?)\sencoding\s*=\s*(\"[^\"]*\"|'[^']*')", r"\1", text).encode(), True)
        return self._embedded

    def _owe(self, what: str) -> None:
        self._allowance.owe(MediaUnsupported(f"The SVG {what}, which is not drawn here."))

    def _entity(self, *_: object) -> None:
        raise ValueError("an SVG with entities of its own")

    def _instruction(self, target: str, _data: str) -> None:
        if target.lower() == "xml-stylesheet":
            self._owe("names a style sheet")

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(":")[2].lower()
        if not self._begun:
            self._begun = True
            self._check_size(attributes)
        self._in_style = local == "style"
        if local in _NOT_DRAWN:
            self._owe(f"has an element {local}")
        for attribute, value in attributes.items():
            key = attribute.rpartition(":")[2].lower()
            if key in {"href", "src"} and local != "a":
                self._refers(value.strip())
            elif key.startswith("on") and len(key) > 2:
                self._owe("has a script")
            elif "(" in value or key == "style":
                self._style(value)

    def _check_size(self, attributes: dict[str, str]) -> None:
        """A browser shows a drawing of any size as large as its page wants; here so small or large a one is blank."""
        box = re.split(r"[\s,]+", attributes.get("viewBox", "").strip())[2:]
        for length in (attributes.get("width", ""), attributes.get("height", ""), *box):
            number = _NUMBER.match(length.strip())
            if number and not length.strip().endswith("%") and not 1 <= float(number[0]) <= _LARGEST_SIDE:
                self._owe("has a size of its own kind")

    def _end(self, _name: str) -> None:
        self._in_style = False

    def _characters(self, text: str) -> None:
        if self._in_style:
            self._style(text)

    def _style(self, text: str) -> None:
        if _MOVING_STYLE.search(text) or "\\" in text:
            self._owe("has a style that fetches or moves")
        for reference in _REFERENCE.findall(text):
            self._refers(reference)

    def _refers(self, to: str) -> None:
        if to.startswith("#") or not to:
            return
        head, comma, content = to.partition(",")
        if head[:5].lower() != "data:" or not comma:
            self._owe("shows something that is not in the file")
            return
        raw = unquote_to_bytes(content)
        try:
            self._embedded.append(base64.b64decode(raw) if head.lower().endswith(";base64") else raw)
        except binascii.Error:
            self._owe("embeds something that cannot be read")
