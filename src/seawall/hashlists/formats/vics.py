"""Project VIC's VICS data model 1.3 and 2.0 in JSON, streamed: files have gigabytes, memory stays constant.

A file is ``{"odata.metadata" | "@odata.context": ..., "value": [Media, ...]}``; a case export wraps the same Media in
``"value": [{"CaseID": ..., "Media": [Media, ...]}]``. Of a Media only MD5, SHA1, Category, MediaID and
AlternativeHashes are used (every hash of a kind that we know, also several of one kind; vPDQ as JSON), and in a case
export the CaseID, since cases number their Media alike; all else, such as the booleans that some tools write as
strings, is passed over. The line of an entry is the number of its record, since the whole file may be one line of
text.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import ijson

from seawall.errors import ListFormatInvalid
from seawall.hashlists.formats.fields import VICS, Outcome, Reading, field_name
from seawall.hashlists.formats.lines import BOM, CHUNK_BYTES, ByteSource
from seawall.hashlists.formats.said import Said
from seawall.records import BadLine, EntryDraft

RECORD = "value.item"
RECORD_IN_CASE = "value.item.Media.item"
HASH_OF_RECORD = "AlternativeHashes.item"
LONGEST_VALUE_BYTES = 4 << 20
DEEPEST = 64
# The frames of a video may be among them.
MOST_ALTERNATIVES = 2000
LONGEST_KEY = 100
KEYS = frozenset({"md5", "sha1", "sha256", "pdq", "pdq_quality", "vpdq", "code", "upstream_id"})
CASE_KEYS = frozenset({"CaseID", "CaseNumber"})
COUNTRY_KEYS = frozenset({"country", "countrycode", "@country"})


class BoundedSource:
    """Hands bytes to the JSON parser and gives up when it takes too many without getting anywhere.

    Bytes that are not UTF-8 become U+FFFD: in a hash they make it invalid, in a comment they do no harm. A parser
    keeps a string until its end, so that one endless string would fill the memory.
    """

    def __init__(self, source: ByteSource) -> None:
        self._source = source
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._start = True
        self.without_event = 0

    def read(self, size: int, /) -> bytes:
        """The next bytes; empty at the end."""
        if self.without_event > LONGEST_VALUE_BYTES:
            raise ListFormatInvalid(f"The file holds a value of more than {LONGEST_VALUE_BYTES} bytes.")
        while size and (chunk := self._source.read(min(size, CHUNK_BYTES))):
            if self._start:
                chunk, self._start = chunk.removeprefix(BOM), False
            self.without_event += len(chunk)
            if text := self._decoder.decode(chunk):
                return text.encode()
        return self._decoder.decode(b"", final=True).encode() if size else b""


@dataclass(slots=True)
class Record:
    """What has been read of the Media at hand."""

    prefix: str
    said: Said = field(default_factory=Said)
    alternatives: int = 0
    name: str = ""
    value: str = ""
    is_case: bool = False


def read(source: ByteSource, reading: Reading) -> Iterator[EntryDraft | BadLine]:
    """Entries of a VICS file.

    Raises:
        ListFormatInvalid: the JSON breaks off or breaks, nests too deep, or holds no list of Media. What came before
            has been handed on by then; an import undoes it.
    """
    bounded = BoundedSource(source)
    walk = _Walk(reading)
    try:
        # With use_float, a number too large for the machine is an error. Without, it is made into one of any length:
        # the parser then breaks the whole process on 100,000 digits, and raises no JSONError on a huge exponent.
        for event, value in ijson.basic_parse(bounded, buf_size=CHUNK_BYTES, use_float=True):
            bounded.without_event = 0
            yield from walk.step(event, value)
    except (ijson.JSONError, ValueError) as error:
        raise ListFormatInvalid(
            f"The JSON breaks after record {walk.number}.",
            hint="Fetch or export the file again; it is damaged or not complete.",
        ) from error
    if not walk.found:
        raise ListFormatInvalid('The file holds no "value" with a list of Media.')


class _Walk:
    """Follows the parser's events and keeps one record at a time.

    It knows where it is by a path such as ``value.item.MD5``, in which ``item`` stands for a place in an array. The
    path is made here and not by the parser, whose own grows without bound with the nesting.
    """

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.country = reading.country
        self.number = 0
        self.found = False
        self._paths: list[str] = []  # of the containers that are open; what is in them is below
        self._path = ""
        self._record: Record | None = None
        self._case: str | None = None

    def step(self, event: str, value: Any) -> Outcome:
        """Takes one event; gives back what it completes."""
        if event == "map_key":
            parent = self._paths[-1]
            self._path = f"{parent}.{value[:LONGEST_KEY]}" if parent else value[:LONGEST_KEY]
        elif event == "start_map":
            self._enter()
            self._open(self._paths[-1])
        elif event == "start_array":
            self._enter()
            path = self._paths[-1]
            self._path = f"{path}.item" if path else "item"
            return self._array(path)
        elif event == "end_map":
            return self._close(self._leave())
        elif event == "end_array":
            self._leave()
        else:
            return self._scalar(self._path, event, value)
        return ()

    def _enter(self) -> None:
        if len(self._paths) >= DEEPEST:
            raise ListFormatInvalid(f"The JSON nests deeper than {DEEPEST} levels.")
        self._paths.append(self._path)

    def _leave(self) -> str:
        """Back to the path at which the container stood."""
        self._path = self._paths.pop()
        return self._path

    def _open(self, prefix: str) -> None:
        record = self._record
        if prefix in (RECORD, RECORD_IN_CASE):
            self._record = Record(prefix)
            if prefix == RECORD:
                self._case = None
        elif record is not None and prefix == f"{record.prefix}.{HASH_OF_RECORD}":
            record.name = record.value = ""
            record.alternatives += 1

    def _array(self, prefix: str) -> Outcome:
        if prefix == "value":
            self.found = True
        elif prefix == f"{RECORD}.Media" and self._record is not None:
            self._record.is_case = True
        elif prefix in (RECORD, RECORD_IN_CASE):
            return self._stray()
        return ()

    def _stray(self) -> Outcome:
        self.number += 1
        return (BadLine(self.number, "not_a_record", "The record is no JSON object."),)

    def _scalar(self, prefix: str, event: str, value: Any) -> Outcome:
        record = self._record
        if prefix in (RECORD, RECORD_IN_CASE):
            return self._stray()
        if record is None or not prefix.startswith(record.prefix):
            if self.country is None and prefix.casefold() in COUNTRY_KEYS and _is_country(value):
                self.country = value
            return ()
        if event in ("null", "boolean"):
            return ()
        key = prefix[len(record.prefix) + 1 :]
        if key.startswith(HASH_OF_RECORD):
            self._alternative(record, key[len(HASH_OF_RECORD) + 1 :], str(value))
        elif key in CASE_KEYS and record.prefix == RECORD:
            self._case = str(value)
        elif (name := field_name(key)) in KEYS and name is not None:
            record.said.add(name, str(value))
        return ()

    def _alternative(self, record: Record, key: str, value: str) -> None:
        if key == "HashName":
            record.name = value
        elif key == "HashValue":
            record.value = value

    def _close(self, prefix: str) -> Outcome:
        record = self._record
        if record is None:
            return ()
        if prefix == f"{record.prefix}.{HASH_OF_RECORD}":
            _keep_alternative(record)
            return ()
        if prefix != record.prefix:
            return ()
        self._record = Record(RECORD, is_case=True) if prefix == RECORD_IN_CASE else None
        return () if record.is_case else self._finish(record)

    def _finish(self, record: Record) -> Outcome:
        self.number += 1
        fields = record.said.fields
        if fields.get("code", "").strip() in ("0", "0.0"):
            reason = "Category 0 says that nobody has categorised the item; it is no known material."
            return (BadLine(self.number, "not_categorised", reason),)
        if record.prefix == RECORD_IN_CASE and "upstream_id" in fields:
            # Cases number their media alike, from 1 on. Where no case is named the hash has to do.
            number_in_case = fields.pop("upstream_id")
            if self._case is not None:
                fields["upstream_id"] = f"{self._case}:{number_in_case}"
        fields["scheme"] = f"{VICS}-{self.country}" if self.country else VICS
        entries = tuple(record.said.entries(self.number, self.reading))
        if record.alternatives <= MOST_ALTERNATIVES:
            return entries
        reason = f"The record has more than {MOST_ALTERNATIVES} alternative hashes; the others are left out."
        return (BadLine(self.number, "too_many_hashes", reason), *entries)


def _keep_alternative(record: Record) -> None:
    """Keeps a hash of a kind that we use; PhotoDNA and others are passed over."""
    name = field_name(record.name)
    if name in KEYS and name is not None and record.value and record.alternatives <= MOST_ALTERNATIVES:
        record.said.add(name, record.value)


def _is_country(value: object) -> bool:
    return isinstance(value, str) and len(value) == 2 and value.isascii() and value.isalpha()
