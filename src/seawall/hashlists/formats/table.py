"""Tables of separated values with column names, read record by record. CSV and ICSE share it."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator

from seawall.errors import ListFormatInvalid
from seawall.hashlists.formats.fields import Reading, field_name
from seawall.hashlists.formats.lines import LONGEST_LINE_BYTES, ByteSource, numbered_lines
from seawall.hashlists.formats.said import Said
from seawall.records import BadLine, EntryDraft, HashKind

DELIMITERS = ",;\t"
# A quoted cell may hold line breaks. A quote that nobody closes must not swallow the file.
LONGEST_RECORD_LINES = 64
HASH_COLUMNS = frozenset({"md5", "sha1", "sha256", "pdq", "vpdq", "hash_value"})

Columns = tuple[tuple[int, str], ...]
Numbered = tuple[int, str]


def cells_of(text: str, delimiter: str) -> list[str] | None:
    """The cells of one record; None while a quote is open.

    Raises:
        csv.Error: quotes stand where none may.
    """
    if '"' not in text:
        return text.split(delimiter)
    if text.count('"') % 2:
        return None
    return next(csv.reader([text], delimiter=delimiter, strict=True))


def delimiter_of(header: str) -> str:
    """The separator that occurs most often in the first line."""
    return max(DELIMITERS, key=header.count)


def named_columns(header: list[str]) -> Columns:
    """Position and our name of every column that we know; empty when none holds a hash."""
    named = ((position, field_name(cell)) for position, cell in enumerate(header))
    columns = tuple((position, name) for position, name in named if name is not None)
    return columns if any(name in HASH_COLUMNS for _position, name in columns) else ()


def columns_by_content(cells: list[str]) -> Columns:
    """For a table without names: which columns hold a digest, told by length. 64 characters are taken as SHA-256."""
    lengths = {2 * kind.length: kind.value for kind in (HashKind.MD5, HashKind.SHA1, HashKind.SHA256)}
    columns: dict[str, int] = {}
    for position, cell in enumerate(cells):
        text = cell.strip()
        name = lengths.get(len(text))
        if name is not None and all(character in "0123456789abcdefABCDEF" for character in text):
            columns.setdefault(name, position)
    return tuple((position, name) for name, position in columns.items())


def read_table(
    source: ByteSource,
    reading: Reading,
    *,
    delimiter: str | None = None,
    scheme: str | None = None,
    names_may_lack: bool = False,
) -> Iterator[EntryDraft | BadLine]:
    """Entries of a table; the number of a record is that of its first line.

    Args:
        delimiter: of the cells; None to take it from the first line.
        scheme: the classification scheme where the file names none.
        names_may_lack: whether the first line may already be a record.

    Raises:
        ListFormatInvalid: no column holds a hash.
    """
    columns: Columns = ()
    width = 0
    for record in _records(source, delimiter):
        if isinstance(record, BadLine):
            yield record
            continue
        number, cells = record
        if not columns:
            if cells[0].lstrip().startswith("#"):
                continue
            columns, width = named_columns(cells), len(cells)
            if columns:
                continue
            columns = columns_by_content(cells) if names_may_lack else ()
            if not columns:
                raise ListFormatInvalid(
                    f"Line {number} names no column that holds a hash.",
                    hint="Name the columns in the first line, for instance: id,md5,sha1,sha256,pdq,pdq_quality.",
                )
        if len(cells) > width and any(cell.strip() for cell in cells[width:]):
            yield BadLine(number, "column_count", f"The line has {len(cells)} cells instead of {width}.")
            continue
        yield from _said(cells, columns, scheme).entries(number, reading)


def _said(cells: list[str], columns: Columns, scheme: str | None) -> Said:
    said = Said({name: cells[position] for position, name in columns if position < len(cells)})
    if len(said.fields) < len(columns):  # a name is there twice, or the line is short
        said = Said()
        for position, name in columns:
            if position < len(cells):
                said.add(name, cells[position])
    if scheme is not None:
        said.fields.setdefault("scheme", scheme)
    return said


def _records(source: ByteSource, delimiter: str | None) -> Iterator[tuple[int, list[str]] | BadLine]:
    lines = numbered_lines(source)
    waiting: deque[Numbered | BadLine] = deque()
    while (item := waiting.popleft() if waiting else next(lines, None)) is not None:
        if isinstance(item, BadLine):
            yield item
            continue
        number, text = item
        if delimiter is None:
            delimiter = delimiter_of(text)
        try:
            cells = cells_of(text, delimiter)
            if cells is None:
                cells = _closed(text, delimiter, lines, waiting)
        except csv.Error:
            yield BadLine(number, "quotes", "Quotes stand where none may.")
            continue
        if cells is None:
            yield BadLine(number, "quote_open", "A quote is opened and not closed.")
            continue
        yield number, cells


def _closed(
    text: str, delimiter: str, lines: Iterator[Numbered | BadLine], waiting: deque[Numbered | BadLine]
) -> list[str] | None:
    """The cells of a record that goes on over the next lines, which are taken off `waiting` only if it does."""
    parts, size = [text], len(text)
    for taken in range(1, LONGEST_RECORD_LINES):
        if taken > len(waiting):
            following = next(lines, None)
            if following is None:
                return None
            waiting.append(following)
        item = waiting[taken - 1]
        if isinstance(item, BadLine):
            return None
        parts.append(item[1])
        size += len(item[1])
        if size > LONGEST_LINE_BYTES:
            return None
        if item[1].count('"') % 2:
            cells = cells_of("\n".join(parts), delimiter)
            for _ in range(taken):
                waiting.popleft()
            return cells
    return None
