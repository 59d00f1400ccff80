"""One JSON object a line, with the same names as the columns of CSV."""

from __future__ import annotations

import json
from collections.abc import Iterator

from seawall.hashlists.formats.fields import Reading, Refused, field_name
from seawall.hashlists.formats.lines import ByteSource, numbered_lines
from seawall.hashlists.formats.said import Said
from seawall.hashlists.formats.video_frames import frames_of
from seawall.records import BadLine, EntryDraft


def read(source: ByteSource, reading: Reading) -> Iterator[EntryDraft | BadLine]:
    """Entries of a file of JSON lines."""
    for item in numbered_lines(source):
        if isinstance(item, BadLine):
            yield item
            continue
        number, text = item
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            yield BadLine(number, "not_json", "The line is not JSON.")
            continue
        if not isinstance(document, dict):
            yield BadLine(number, "not_a_record", "The line is JSON, but no object.")
            continue
        try:
            said = _said(document)
        except Refused as refusal:
            yield BadLine(number, refusal.code, refusal.reason)
            continue
        yield from said.entries(number, reading)


def _said(document: dict[str, object]) -> Said:
    said = Said()
    for key, value in document.items():
        name = field_name(key)
        if name is None or value is None:
            continue
        if name == "vpdq" and not isinstance(value, str):
            said.frames += frames_of(value)
        elif name == "code" and isinstance(value, dict):
            _take(said, "scheme", value.get("scheme"))
            _take(said, "code", value.get("code"))
        else:
            _take(said, name, value)
    return said


def _take(said: Said, name: str, value: object) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Refused("not_a_text", f"{name} is neither text nor number.")
    try:
        said.add(name, str(value))
    except ValueError:  # an integer of thousands of digits
        raise Refused("not_a_text", f"{name} is too long a number.") from None
