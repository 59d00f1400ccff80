"""Which format a file is in, told by its first bytes."""

from __future__ import annotations

import json
import re

from seawall.errors import ListFormatInvalid
from seawall.hashlists.formats import vpdq
from seawall.hashlists.formats.lines import BOM, ByteSource
from seawall.hashlists.formats.table import columns_by_content, delimiter_of, named_columns
from seawall.hashlists.formats.type_value import kind_of

HEAD_BYTES = 1 << 16
HINT = "See docs/reference/list-formats.md, or name the format."
WRONG_BEGINNINGS = (
    (b"\x1f\x8b", "compressed with gzip; unpack it first"),
    (b"PK\x03\x04", "a zip or a spreadsheet; unpack it, or save it as CSV"),
    (b"7z\xbc\xaf", "compressed with 7-Zip; unpack it first"),
    (b"\xff\xfe", "in UTF-16; save it as UTF-8"),
    (b"\xfe\xff", "in UTF-16; save it as UTF-8"),
)


class Headed:
    """A stream whose first bytes have been looked at and are handed out again."""

    def __init__(self, stream: ByteSource) -> None:
        self._stream = stream
        parts, size = [], 0
        while size < HEAD_BYTES and (part := stream.read(HEAD_BYTES - size)):
            parts.append(part)
            size += len(part)
        self.head = b"".join(parts)
        self._rest = self.head

    def read(self, size: int, /) -> bytes:
        """At most ``size`` bytes; empty at the end."""
        if self._rest:
            part, self._rest = self._rest[:size], self._rest[size:]
            return part
        return self._stream.read(size)


def detect(head: bytes, filename: str | None) -> str:
    """The name of the format.

    Raises:
        ListFormatInvalid: it is none that is known.
    """
    for beginning, what in WRONG_BEGINNINGS:
        if head.startswith(beginning):
            raise ListFormatInvalid(f"The file is {what}.", hint=HINT)
    text = head.removeprefix(BOM).decode(errors="replace").lstrip()
    if not text:
        raise ListFormatInvalid("The file is empty.", hint=HINT)
    name = _json_format(text) if text[0] in "{[" else _line_format(text, filename)
    if name is None:
        raise ListFormatInvalid("The file is of no format that is known.", hint=HINT)
    return name


def _json_format(text: str) -> str | None:
    if re.search(r'"@?odata\.(context|metadata)"\s*:', text) or re.match(r'\{\s*"value"\s*:\s*\[', text):
        return "vics"
    if vpdq.ELEMENT.match(text):
        return "vpdq"
    first_line = text.split("\n", 1)[0]
    try:
        return "jsonl" if isinstance(json.loads(first_line), dict) else None
    except (ValueError, RecursionError):
        # A broken first line is a bad line, where it is one line of many.
        return "jsonl" if re.search(r"\}\s*\n\s*\{", text) else None


def _line_format(text: str, filename: str | None) -> str | None:
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if not lines:
        return None
    if all(vpdq.LINE.fullmatch(line) for line in lines[:3]):
        return "vpdq"
    delimiter = delimiter_of(lines[0])
    cells = [cell.strip().strip('"') for cell in lines[0].split(delimiter)]
    called_icse = "icse" in (filename or "").casefold() or "icse" in lines[0].casefold()
    if delimiter == ";" and called_icse:
        return "icse"
    if named_columns(cells):
        return "csv"
    # One odd line at the top does not hide what the file is.
    if any(len(words := line.split()) in (2, 3) and kind_of(words[0]) for line in lines[:20]):
        return "lines"
    return "icse" if delimiter == ";" and len(cells) > 1 and columns_by_content(cells) else None
