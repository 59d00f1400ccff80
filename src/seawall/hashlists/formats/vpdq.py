"""A file of one video: the PDQ hashes of its frames, in a form that `video_frames` knows, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator

from seawall.hashlists.formats.fields import Reading, Refused
from seawall.hashlists.formats.lines import CHUNK_BYTES, ByteSource
from seawall.hashlists.formats.said import Said
from seawall.hashlists.formats.video_frames import frames_of
from seawall.records import BadLine, EntryDraft

LARGEST_FILE_BYTES = 4 << 20
# A line as `vpdq` writes it, or an element of the JSON array: enough to know the format by.
LINE = re.compile(r"\d+\s*,\s*(?:\d+\s*,\s*[0-9A-Fa-f]{64}|[0-9A-Fa-f]{64}\s*,\s*\d+)\s*,\s*[0-9.]+\s*")
ELEMENT = re.compile(r'\[\s*"[0-9A-Fa-f]{64},\d+,[0-9.]+"')


def read(source: ByteSource, reading: Reading) -> Iterator[EntryDraft | BadLine]:
    """The one video of a file that holds nothing else."""
    said = Said()
    data = b""
    while len(data) <= LARGEST_FILE_BYTES and (chunk := source.read(CHUNK_BYTES)):
        data += chunk
    if len(data) > LARGEST_FILE_BYTES:
        yield BadLine(1, "too_many_frames", f"The file is larger than {LARGEST_FILE_BYTES} bytes.")
        return
    text = data.decode("utf-8-sig", errors="replace")
    try:
        said.frames = frames_of(text if text.lstrip()[:1] in ("[", "{") else [*filter(None, text.splitlines())])
    except Refused as refusal:
        yield BadLine(1, refusal.code, refusal.reason)
        return
    yield from said.entries(1, reading)
