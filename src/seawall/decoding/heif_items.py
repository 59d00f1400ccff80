"""What a HEIF file (HEIC) says that is in it: its items, where their bytes lie, and how they belong together.

Nothing is decoded here. What a file says twice is refused, even where both say the same: one viewer believes the
first, another one the last, and a picture that only some of them show could pass for another one. Sources: ISO/IEC
14496-12 (boxes, `meta`, `iloc`, `iinf`, `iref`), ISO/IEC 23008-12 (`ipco`, `ipma`, `grid`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from seawall.errors import MediaCorrupt, MediaTooLarge

# In how many pieces the bytes of one item may lie.
_MOST_EXTENTS = 1024
# Phones write fewer than ten.
_MOST_PROPERTIES = 64
# What an item has once at most. Of colours it may have two: as a profile, and in numbers.
_ONCE = frozenset({b"hvcC", b"ispe", b"irot", b"imir", b"clap", b"auxC"})
# All items together have at most the file's bytes, and some may be read again: as a picture and as part of another.
_READ_AGAIN = 4
_WIDTHS = frozenset({0, 4, 8})


Said = TypeVar("Said")


class _Cursor:
    """Reads big-endian numbers one behind another."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data = data
        self.at = at

    def number(self, width: int) -> int:
        """Raises MediaCorrupt where the bytes end."""
        end = self.at + width
        if end > len(self.data):
            raise MediaCorrupt("A box of the HEIF file ends early.")
        value = int.from_bytes(self.data[self.at : end])
        self.at = end
        return value

    def full(self) -> tuple[int, int]:
        """Version and flags of a full box."""
        return self.number(1), self.number(3)


@dataclass(frozen=True, slots=True)
class Property:
    """A property of items: the name of its box, and what is in it."""

    name: bytes
    content: bytes


@dataclass(slots=True)
class Item:
    """One item. `refers` are the items that it refers to, by the name of the reference, in their order."""

    kind: bytes = b""
    extents: list[tuple[int, int, int]] = field(default_factory=list)
    properties: list[Property] = field(default_factory=list)
    refers: dict[bytes, list[int]] = field(default_factory=dict)


@dataclass(slots=True)
class Items:
    """The items of one file, by their numbers; `primary` is the one that is shown first."""

    data: bytes
    primary: int | None = None
    by_number: dict[int, Item] = field(default_factory=dict)
    inline: bytes = b""
    read: int = 0

    def bytes_of(self, item: Item) -> bytes:
        """What the item consists of.

        Raises:
            MediaCorrupt: it lies outside of the file, or nowhere.
            MediaTooLarge: the items say that they are much longer together than the file is.
        """
        pieces: list[bytes] = []
        for construction, offset, length in item.extents:
            source = self.inline if construction == 1 else self.data
            piece = source[offset : offset + length] if length else source[offset:]
            self.read += len(piece)
            if not piece or (length and len(piece) < length):
                raise MediaCorrupt("A picture of the HEIF file lies outside of it.")
            if self.read > _READ_AGAIN * len(self.data):
                raise MediaTooLarge("The pictures of the HEIF file lie in the same bytes.")
            pieces.append(piece)
        if not pieces:
            raise MediaCorrupt("A picture of the HEIF file lies nowhere in it.")
        return b"".join(pieces)


def boxes(data: bytes, at: int = 0) -> Iterator[tuple[bytes, bytes]]:
    """Name and content of each box of a row. What is cut off at the end is given as far as it is there."""
    while at + 8 <= len(data):
        size, name, head = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8], 8
        if size == 1:
            size, head = int.from_bytes(data[at + 8 : at + 16]), 16
        end = len(data) if size == 0 else at + size
        if end < at + head:
            return
        yield name, data[at + head : end]
        at = end


def has_sequence(data: bytes) -> bool:
    """Whether there is a film beside the pictures, or instead of them."""
    return any(name == b"moov" for name, _ in boxes(data))


def read_items(data: bytes) -> Items:
    """The items of the file's `meta`.

    Raises:
        MediaCorrupt: there is none, there are several, or it cannot be read.
    """
    metas = [content for name, content in boxes(data) if name == b"meta"]
    if len(metas) != 1:
        raise MediaCorrupt("The HEIF file has no list of its pictures, or several.")
    found = Items(data)
    said: set[bytes] = set()
    for name, content in boxes(metas[0], 4):
        if name == b"idat" or name in _READERS:
            _once(name, said)
        if name == b"idat":
            found.inline = content
        elif name in _READERS:
            _READERS[name](found, content)
    return found


def _once(what: Said, said: set[Said]) -> None:
    """Notes what the file says.

    Raises:
        MediaCorrupt: it has said so before.
    """
    if what in said:
        raise MediaCorrupt("The HEIF file says something twice.")
    said.add(what)


def _item(found: Items, number: int) -> Item:
    return found.by_number.setdefault(number, Item())


def _primary(found: Items, content: bytes) -> None:
    cursor = _Cursor(content)
    version, _ = cursor.full()
    found.primary = cursor.number(2 if version == 0 else 4)


def _kinds(found: Items, content: bytes) -> None:
    cursor = _Cursor(content)
    version, _ = cursor.full()
    cursor.number(2 if version == 0 else 4)
    said: set[int] = set()
    for name, entry in boxes(content, cursor.at):
        inner = _Cursor(entry)
        version, _ = inner.full()
        if name != b"infe" or version < 2:
            continue
        number = inner.number(2 if version == 2 else 4)
        _once(number, said)
        inner.number(2)
        _item(found, number).kind = entry[inner.at : inner.at + 4]


def _places(found: Items, content: bytes) -> None:
    cursor = _Cursor(content)
    version, _ = cursor.full()
    sizes, more = cursor.number(1), cursor.number(1)
    widths = (sizes >> 4, sizes & 15, more >> 4, (more & 15) if version else 0)
    if not _WIDTHS.issuperset(widths) or version > 2:
        raise MediaCorrupt("The HEIF file's list of places cannot be read.")
    said: set[int] = set()
    for _ in range(cursor.number(2 if version < 2 else 4)):
        number = cursor.number(2 if version < 2 else 4)
        _once(number, said)
        item = _item(found, number)
        construction = cursor.number(2) & 15 if version else 0
        elsewhere = cursor.number(2)
        base = cursor.number(widths[2])
        count = cursor.number(2)
        if elsewhere or construction > 1 or count > _MOST_EXTENTS:
            raise MediaCorrupt("The HEIF file says that a part of it lies where it cannot be read.")
        item.extents = []
        for _ in range(count):
            cursor.number(widths[3])
            offset, length = cursor.number(widths[0]), cursor.number(widths[1])
            item.extents.append((construction, base + offset, length))


def _properties(found: Items, content: bytes) -> None:
    """There may be several `ipma`, of other widths of their numbers, but each for items of its own."""
    parts = list(boxes(content))
    lists = [inner for name, inner in parts if name == b"ipco"]
    if len(lists) != 1:
        raise MediaCorrupt("The HEIF file has no list of properties, or several.")
    known = [Property(*each) for each in boxes(lists[0])]
    said: set[int] = set()
    for name, inner in parts:
        if name != b"ipma":
            continue
        cursor = _Cursor(inner)
        version, flags = cursor.full()
        for _ in range(cursor.number(4)):
            number = cursor.number(4 if version else 2)
            _once(number, said)
            indices = [cursor.number(2 if flags & 1 else 1) for _ in range(cursor.number(1))]
            mask = 0x7FFF if flags & 1 else 0x7F
            _item(found, number).properties = _chosen(known, [index & mask for index in indices])


def _chosen(known: list[Property], indices: list[int]) -> list[Property]:
    """The properties of one item, by their places in the list, from 1 on; 0 is none."""
    if len(indices) > _MOST_PROPERTIES:
        raise MediaCorrupt("A picture of the HEIF file has too many properties.")
    if max(indices, default=0) > len(known):
        raise MediaCorrupt("A picture of the HEIF file has a property that is not there.")
    chosen = [known[index - 1] for index in indices if index]
    said: set[bytes] = set()
    for each in chosen:
        if each.name in _ONCE:
            _once(each.name, said)
        elif each.name == b"colr":
            _once(b"nclx" if each.content[:4] == b"nclx" else b"colr", said)
    return chosen


def _references(found: Items, content: bytes) -> None:
    cursor = _Cursor(content)
    version, _ = cursor.full()
    width = 4 if version else 2
    said: set[tuple[bytes, int]] = set()
    for name, entry in boxes(content, cursor.at):
        inner = _Cursor(entry)
        number = inner.number(width)
        _once((name, number), said)
        _item(found, number).refers[name] = [inner.number(width) for _ in range(inner.number(2))]


_READERS = {
    b"pitm": _primary,
    b"iinf": _kinds,
    b"iloc": _places,
    b"iprp": _properties,
    b"iref": _references,
}
