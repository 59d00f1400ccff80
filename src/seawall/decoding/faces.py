"""Further faces of one file: pictures that another reader takes for the one that is meant.

A TIFF keeps pictures under its pages (SubIFDs; in a DNG the photo itself is one, and the page is its thumbnail), and
an AVIF can hold a picture and a sequence at once, of which its first brand says which one is shown; not every viewer
listens. Each face is the same file with the pointer that decides changed, so that the one decoder reads it.
Sources: TIFF 6.0, TIFF technical note 1 (SubIFDs), the AVIF specification 6.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from seawall.decoding.sniff import Kind
from seawall.errors import MediaTooLarge

_SUB_IFDS = 330
# The types of a value that can point somewhere, with their sizes: LONG, IFD, LONG8, IFD8.
_POINTERS = {4: 4, 13: 4, 16: 8, 18: 8}
_MOST_ENTRIES = 4096


def further_faces(data: bytes, kind: Kind, most: int) -> Iterator[bytes]:
    """The other files that this one can be read as.

    Raises:
        MediaTooLarge: there are more than `most` of them.
    """
    found = _tiff_faces(data, most) if kind.opener == "TIFF" else _avif_faces(data) if kind.opener == "AVIF" else ()
    for number, face in enumerate(found):
        if number >= most:
            raise MediaTooLarge(f"There are more pictures under its pages than the limit of {most}.")
        yield face


@dataclass(frozen=True, slots=True)
class _Layout:
    """How this TIFF writes its numbers: classic (32 bits) or big (64 bits)."""

    order: Literal["little", "big"]
    big: bool

    @property
    def width(self) -> int:
        return 8 if self.big else 4

    def number(self, data: bytes, at: int, width: int) -> int:
        return int.from_bytes(data[at : at + width], self.order)


def _tiff_faces(data: bytes, most: int) -> Iterator[bytes]:
    layout = _Layout("little" if data[:2] == b"II" else "big", data[2:4] in {b"+\x00", b"\x00+"})
    pointer_at = 8 if layout.big else 4
    code = ("<" if layout.order == "little" else ">") + ("Q" if layout.big else "I")
    pages = _chain(data, layout.number(data, pointer_at, layout.width), layout, set(), most + 1)
    seen: set[int] = {at for at, _under in pages}
    waiting = [under for _at, each in pages for under in each]
    while waiting:
        at = waiting.pop(0)
        if at in seen or not 0 < at < len(data):
            continue
        # Pillow reads the chain that begins there, so what it leads to needs no face of its own.
        chain = _chain(data, at, layout, seen, most + 1)
        waiting += [under for _at, each in chain for under in each]
        yield data[:pointer_at] + struct.pack(code, at) + data[pointer_at + layout.width :]


def _chain(data: bytes, at: int, layout: _Layout, seen: set[int], most: int) -> list[tuple[int, list[int]]]:
    """The directories that follow each other from here, each with the places of those under it."""
    found: list[tuple[int, list[int]]] = []
    while at and at not in seen and at < len(data) and len(found) < most:
        seen.add(at)
        under, following = _directory(data, at, layout)
        found.append((at, under))
        at = following
    return found


def _directory(data: bytes, at: int, layout: _Layout) -> tuple[list[int], int]:
    """The places of the directories under the one that begins here, and of the one that follows it."""
    head, entry = (8, 20) if layout.big else (2, 12)
    entries = min(layout.number(data, at, head), _MOST_ENTRIES)
    under: list[int] = []
    for place in range(at + head, at + head + entry * entries, entry):
        if layout.number(data, place, 2) == _SUB_IFDS:
            under += _pointers(data, place, layout)
    return under, layout.number(data, at + head + entry * entries, layout.width)


def _pointers(data: bytes, place: int, layout: _Layout) -> list[int]:
    width = _POINTERS.get(layout.number(data, place + 2, 2), 0)
    count = min(layout.number(data, place + 4, layout.width), _MOST_ENTRIES)
    values_at = place + 4 + layout.width
    if width == 0:
        return []
    if width * count > layout.width:
        values_at = layout.number(data, values_at, layout.width)
    return [layout.number(data, values_at + width * each, width) for each in range(count)]


def _avif_faces(data: bytes) -> Iterator[bytes]:
    """The sequence where the picture is shown, and the other way round."""
    if {b"meta", b"moov"} <= set(_boxes(data)):
        yield data[:8] + (b"avif" if data[8:12] == b"avis" else b"avis") + data[12:]


def _boxes(data: bytes) -> Iterator[bytes]:
    at = 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4])
        yield data[at + 4 : at + 8]
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16])
        if size < 8:
            return
        at += size
