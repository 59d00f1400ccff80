"""Media that a picture's file carries: thumbnails in its metadata, further pictures, and what was put behind its end.

They are found by how they begin, not by what the file says of them: there are many ways to say it, and what nobody
declared is there all the same. Only what is no pixels is searched, so that chance hardly ever makes a beginning.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from seawall.decoding.outline import Outline, Range, outline
from seawall.decoding.sniff import LOOKED_AT, Kind, begins_a_box, begins_a_jpeg, sniff
from seawall.errors import NotMedia

# Beginnings that are long enough to be no chance, with how far before them the file begins.
_BEGINNINGS = (
    (b"\xff\xd8\xff", 0),
    (b"\x89PNG\r\n\x1a\n", 0),
    (b"GIF87a", 0),
    (b"GIF89a", 0),
    (b"WEBPVP8", -8),
    (b"ftyp", -4),
    (b"\x1aE\xdf\xa3", 0),
    (b"%PDF-1.", 0),
    (b"%PDF-2.", 0),
    (b"PK\x03\x04", 0),
    (b"Rar!\x1a\x07", 0),
    (b"7z\xbc\xaf\x27\x1c", 0),
)
_READ_FROM_THE_END = frozenset({"zip", "pdf"})


@dataclass(frozen=True, slots=True)
class Baggage:
    """What one picture's file carries, as places in it; `unknown` are bytes behind its end that begin as no media and
    are more than filling."""

    pieces: tuple[tuple[Kind, Range, bool], ...]
    unknown: int


def baggage(data: bytes, kind: Kind, most: int) -> Baggage:
    """Looks for what the file of a picture carries, up to one piece more than `most`."""
    # Where no end is told, all of it is searched, but not for JPEG: a TIFF is made of pieces of it.
    found = outline(data, kind) or Outline(((16, len(data)),) if kind.opener else (), len(data))
    pieces: list[tuple[Kind, Range, bool]] = []
    for searched, behind in (*((each, False) for each in found.beside), ((found.end, len(data)), True)):
        for piece, place in _pieces(data, kind, searched, behind):
            pieces.append((piece, place, behind))
            if len(pieces) > most:
                return Baggage(tuple(pieces), 0)
    begun = min((place[0] for _kind, place, behind in pieces if behind), default=len(data))
    rest = data[found.end : begun].strip(b"\x00\xff \t\r\n")
    return Baggage(tuple(pieces), len(rest))


def _pieces(data: bytes, of: Kind, searched: Range, behind: bool) -> Iterator[tuple[Kind, Range]]:
    """Each piece of media in a part of the file, in its order. What lies within another piece is that one's own."""
    at, end = searched
    # Right behind the end the weaker beginnings count too. In metadata EXIF would be taken for a TIFF.
    first = _kind_at(data, at, end) if behind else None
    if first is not None:
        place = _extent(data, at, end, first)
        yield first, place
        at = place[1]
    # Where each beginning comes next, so that no byte is searched twice for the same one.
    beginnings = _BEGINNINGS[1:] if of.opener == "TIFF" else _BEGINNINGS
    following = {begins: data.find(begins, at, end) for begins, _ in beginnings}
    while True:
        for begins, before in beginnings:
            while 0 <= following[begins] < at - before:
                following[begins] = data.find(begins, following[begins] + 1, end)
        starts = [(following[begins] + before, begins) for begins, before in beginnings if following[begins] >= 0]
        if not starts:
            return
        start, begins = min(starts)
        kind = _kind_at(data, start, end)
        if kind is None:
            following[begins] = data.find(begins, following[begins] + 1, end)
            continue
        place = _extent(data, start, end, kind)
        yield kind, place
        at = place[1]


def _kind_at(data: bytes, at: int, end: int) -> Kind | None:
    """What begins exactly here."""
    if at < 0 or end - at < 16:
        return None
    try:
        kind = sniff(data[at : min(end, at + LOOKED_AT)])
    except NotMedia:
        return None
    return _confirmed(data, at, kind)


def _confirmed(data: bytes, at: int, kind: Kind) -> Kind | None:
    """The kind, unless chance may have made its beginning."""
    if kind.opener == "JPEG" and not begins_a_jpeg(data[at : at + 200_000]):
        return None
    if data[at + 4 : at + 8] == b"ftyp" and not begins_a_box(data[at : at + 4096]):
        return None
    if kind.container == "zip" and data.find(b"PK\x05\x06", at) < 0:
        return None
    return kind


def _extent(data: bytes, at: int, end: int, kind: Kind) -> Range:
    """From where to where a piece goes: to its end where its format tells, else to the end of the part. Those that
    are read from their end can begin in one part and go on beyond it."""
    end = len(data) if kind.container in _READ_FROM_THE_END else end
    piece = outline(data[at:end], kind)
    return (at, at + max(piece.end, 16)) if piece is not None else (at, end)
