"""The file formats of hash lists: which one a file is in, and its entries one by one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from seawall.errors import ListFormatInvalid
from seawall.hashlists.formats import csv_named, detection, icse, json_lines, type_value, vics, vpdq
from seawall.hashlists.formats.detection import Headed
from seawall.hashlists.formats.fields import Reading
from seawall.hashlists.formats.lines import ByteSource
from seawall.records import BadLine, EntryDraft

__all__ = ["FORMATS", "Format", "Reading", "read_entries"]


@dataclass(frozen=True, slots=True)
class Format:
    """One file format: what people call it, and its reader."""

    title: str
    read: Callable[[ByteSource, Reading], Iterator[EntryDraft | BadLine]]


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "csv": Format("CSV with column names", csv_named.read),
        "jsonl": Format("JSON lines", json_lines.read),
        "vics": Format("Project VIC VICS 1.3 or 2.0 (JSON)", vics.read),
        "icse": Format("Interpol ICSE (CSV with semicolons)", icse.read),
        "lines": Format("lines of `type value`", type_value.read),
        "vpdq": Format("vPDQ of one video", vpdq.read),
    }
)
ALSO_CALLED = MappingProxyType(
    {
        "jsonlines": "jsonl",
        "ndjson": "jsonl",
        "vics13": "vics",
        "vics20": "vics",
        "projectvic": "vics",
        "typevalue": "lines",
        "txt": "lines",
    }
)


def read_entries(
    stream: ByteSource, format: str | None = None, filename: str | None = None, reading: Reading | None = None
) -> Iterator[EntryDraft | BadLine]:
    """The entries of a hash list file, streamed, with every bad line as a `BadLine` at its place.

    Args:
        stream: the file, opened for bytes. It need not be seekable.
        format: a key of `FORMATS`; None to find out from the content.
        filename: only ever used to tell ICSE files from other CSV.
        reading: country and least PDQ quality.

    Raises:
        ListFormatInvalid: the format is unknown, at once; or, while reading, the file cannot be read on.
    """
    headed = Headed(stream)
    name = detection.detect(headed.head, filename) if format is None else _known(format)
    return FORMATS[name].read(headed, reading or Reading())


def _known(format: str) -> str:
    name = re.sub(r"[^a-z0-9]", "", format.casefold())
    name = ALSO_CALLED.get(name, name)
    if name not in FORMATS:
        raise ListFormatInvalid(
            f"There is no list format of the name {format!r}.", hint=f"Known are {', '.join(FORMATS)}."
        )
    return name
