"""The semicolon-separated files in which holders of Interpol's ICSE database hand on hashes.

Interpol publishes no description of them. Columns are known by name where the first line has names, else digests are
known by their length; the category is kept in the scheme ``interpol``.
"""

from __future__ import annotations

from collections.abc import Iterator

from seawall.hashlists.formats.fields import Reading
from seawall.hashlists.formats.lines import ByteSource
from seawall.hashlists.formats.table import read_table
from seawall.records import BadLine, EntryDraft

SCHEME = "interpol"


def read(source: ByteSource, reading: Reading) -> Iterator[EntryDraft | BadLine]:
    """Entries of an ICSE file."""
    return read_table(source, reading, delimiter=";", scheme=SCHEME, names_may_lack=True)
