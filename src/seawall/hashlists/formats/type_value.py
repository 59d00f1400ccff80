"""Lines of `type value`, as in ``sha256 <hex>`` or ``pdq <hex> <quality>``; # begins a comment line."""

from __future__ import annotations

from collections.abc import Iterator

from seawall.hashlists.formats.fields import Reading, entry_of, field_name
from seawall.hashlists.formats.lines import ByteSource, numbered_lines
from seawall.records import BadLine, EntryDraft, HashKind

KINDS = frozenset(kind.value for kind in HashKind)


def read(source: ByteSource, reading: Reading) -> Iterator[EntryDraft | BadLine]:
    """Entries of a file of lines, one hash each."""
    for item in numbered_lines(source):
        if isinstance(item, BadLine):
            yield item
            continue
        number, text = item
        words = text.split()
        if words[0].startswith("#"):
            continue
        kind = kind_of(words[0])
        if kind is None:
            yield BadLine(number, "unknown_type", "The line does not begin with md5, sha1, sha256 or pdq.")
        elif len(words) not in (2, 3) or (len(words) == 3 and kind != "pdq"):
            yield BadLine(number, "column_count", "A line is a type and a hash; after a PDQ its quality may stand.")
        else:
            fields = {kind: words[1]}
            if len(words) == 3:
                fields["pdq_quality"] = words[2]
            yield from entry_of(number, fields, reading)


def kind_of(word: str) -> str | None:
    """The kind of hash that a word names, with or without a colon after it."""
    kind = field_name(word)
    return kind if kind in KINDS else None
