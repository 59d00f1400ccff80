"""CSV whose first line names the columns."""

from __future__ import annotations

from collections.abc import Iterator

from seawall.hashlists.formats.fields import Reading
from seawall.hashlists.formats.lines import ByteSource
from seawall.hashlists.formats.table import read_table
from seawall.records import BadLine, EntryDraft


def read(source: ByteSource, reading: Reading) -> Iterator[EntryDraft | BadLine]:
    """Entries of a CSV file separated by comma, semicolon or tab."""
    return read_table(source, reading)
