"""Bytes in, numbered lines of text out, in bounded memory whatever the file is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from seawall.records import BadLine

CHUNK_BYTES = 1 << 18
LONGEST_LINE_BYTES = 1 << 20
BOM = b"\xef\xbb\xbf"


class ByteSource(Protocol):
    """All that the formats ask of a file."""

    def read(self, size: int, /) -> bytes:
        """At most ``size`` bytes; empty at the end."""
        ...


def numbered_lines(source: ByteSource) -> Iterator[tuple[int, str] | BadLine]:
    """Every line that is not blank with its number from 1, without its ending; bad lines as what is wrong."""
    for number, raw in enumerate(_raw_lines(source), start=1):
        if raw is None:
            yield BadLine(number, "line_too_long", f"The line is longer than {LONGEST_LINE_BYTES} bytes.")
            continue
        if b"\0" in raw:
            yield BadLine(number, "nul_byte", "The line holds a NUL byte.")
            continue
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            yield BadLine(number, "not_utf8", "The line is not UTF-8.")
            continue
        if text and not text.isspace():
            yield number, text


def _raw_lines(source: ByteSource) -> Iterator[bytes | None]:
    """Lines without their endings; None for one that is too long, which is skipped rather than kept."""
    rest, skipping, first = b"", False, True
    while chunk := source.read(CHUNK_BYTES):
        if first:
            chunk, first = chunk.removeprefix(BOM), False
        pieces = (rest + chunk).split(b"\n")
        rest = pieces.pop()
        for piece in pieces:
            yield None if skipping or len(piece) > LONGEST_LINE_BYTES else piece.removesuffix(b"\r")
            skipping = False
        if len(rest) > LONGEST_LINE_BYTES:
            rest, skipping = b"", True
    if skipping or rest:
        yield None if skipping else rest.removesuffix(b"\r")
