"""The chain's events as bytes, read as fast as they can be: from the table, from an export.

A hundred thousand events a second leave ten microseconds for each. So PostgreSQL itself writes nearly all of an
event's canonical JSON, and of an export no line is parsed: what is hashed are the bytes that stand there.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Iterator
from typing import BinaryIO, NamedTuple

from sqlalchemy.orm import Session

from seawall.database.sessions import psycopg_connection
from seawall.evidence.events import CANONICAL, LONGEST_LINE, AuditLink, link_body

SIGN = "audit.sign"
END = b'{"end":'
BATCH = 1000


class RawEvent(NamedTuple):
    """One event. `before` and `after` are what is hashed, up to where an export has the hash and from there on;
    `previous` and `hash` are 64 hex digits. `signs`: whether it is one that signs the chain's head."""

    number: int
    previous: bytes
    hash: bytes
    before: bytes
    after: bytes
    signs: bool

    @property
    def line(self) -> bytes:
        """The event as an export has it."""
        return b'%b,"hash":"%b"%b\n' % (self.before, self.hash, self.after)


class Malformed(NamedTuple):
    """A place that holds no event in canonical form; `number` counts lines from 1."""

    number: int


# to_json() escapes in strings what canonical JSON escapes, in the same way. `details` is the one field that jsonb
# writes otherwise (it puts blanks between, and short keys first).
_SELECT = """
COPY (
    SELECT number, encode(previous, 'hex'), encode(hash, 'hex'),
        '{"act":' || to_json(act) || ',"actor":' || to_json(actor) || ',"at":"' ||
        to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || '"',
        details,
        '"subject":' || to_json(subject) || '}'
    FROM audit_events ORDER BY number
) TO STDOUT
"""
_SIGNS = b'{"act":"%b",' % SIGN.encode()


def raw_events(session: Session) -> Iterator[RawEvent]:
    """Streams the whole table as it is at one moment, in the order of its numbers.

    What cannot be an event's content (a time without end, a fraction that has no spelling) comes as other bytes than
    were hashed, so that it shows.
    """
    connection = psycopg_connection(session)
    connection.execute("SET LOCAL client_encoding = 'UTF8'")
    with connection.cursor() as cursor, cursor.copy(_SELECT) as rows:
        while batch := list(itertools.islice(rows, BATCH)):
            yield from _events([bytes(row) for row in batch])


def _events(rows: list[bytes]) -> Iterator[RawEvent]:
    """COPY writes a backslash twice; other than those, JSON text has nothing that it would write in its own way."""
    split = [(row.replace(b"\\\\", b"\\") if b"\\" in row else row)[:-1].split(b"\t") for row in rows]
    try:
        details = json.loads(b"[" + b",".join([parts[4] for parts in split]) + b"]")
    except (ValueError, RecursionError):
        details = [_loaded(parts[4]) for parts in split]
    encode = CANONICAL.encode
    for (number, previous, hash_, start, written, subject), read in zip(split, details, strict=True):
        canonical = written
        if read:
            try:
                canonical = encode(read).encode()
            except (ValueError, RecursionError):
                canonical = written
        before = b'%b,"details":%b' % (start, canonical)
        after = b',"number":%b,"previous":"%b",%b' % (number, previous, subject)
        yield RawEvent(int(number), previous, hash_, before, after, start.startswith(_SIGNS))


def _loaded(written: bytes) -> object:
    """What cannot be read is None, and then stands as it was written."""
    try:
        return json.loads(written)
    except (ValueError, RecursionError):
        return None


def raw_links(links: Iterable[AuditLink]) -> Iterator[RawEvent]:
    """Events that were read already."""
    for link in links:
        body, previous = link_body(link), link.previous.hex().encode()
        yield RawEvent(link.number, previous, link.hash.hex().encode(), body, b"", link.act == SIGN)


_STRING = rb'"[^"\\]*(?:\\.[^"\\]*)*"'
_START = re.compile(
    rb'\{"act":%b,"actor":%b,"at":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z","details":\{' % (_STRING, _STRING)
)
# Up to the subject, whose quotes are all escaped, the end of an event has fixed lengths but for the number.
_MIDDLE = re.compile(rb'\},"hash":"([0-9a-f]{64})",("number":([1-9]\d{0,17}),"previous":"([0-9a-f]{64})")\Z')
_SUBJECT = b',"subject":"'
_SUBJECT_AND_END = re.compile(_STRING + rb"\}\n")
_LONGEST_MIDDLE = 200


class RawExport:
    """The events of an export, line by line. `end` is its last line, once all were read, if that is a signed end."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.end: bytes | None = None

    def __iter__(self) -> Iterator[RawEvent | Malformed]:
        for number in itertools.count(1):
            line = self._stream.readline(LONGEST_LINE + 1)
            if not line:
                return
            if line.startswith(END):
                self.end = line
                if self._stream.read(1):
                    yield Malformed(number + 1)
                return
            event = _read(line)
            if event is None:
                yield Malformed(number)
                return
            yield event


def _read(line: bytes) -> RawEvent | None:
    place = line.rfind(_SUBJECT)
    if place < 0 or not _START.match(line) or not _SUBJECT_AND_END.fullmatch(line, place + len(_SUBJECT) - 1):
        return None
    start = max(0, place - _LONGEST_MIDDLE)
    middle = _MIDDLE.search(line, start, place)
    if middle is None:
        return None
    hash_, after, number, previous = middle.groups()
    before = line[: middle.start() + 1]
    return RawEvent(int(number), previous, hash_, before, b",%b%b" % (after, line[place:-1]), line.startswith(_SIGNS))
