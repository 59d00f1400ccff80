"""What one record of a file says, in whatever format, on its way to entries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from seawall.hashlists.formats.fields import ABSENT, HASH_NAMES, Fields, Reading, Refused, entry_of, field_name
from seawall.hashlists.formats.video_frames import FrameSaid, frames_of, video_of
from seawall.records import BadLine, EntryDraft


@dataclass(slots=True)
class Said:
    """What one record says, under our names. Of several values of one name the first that says something counts; a
    further hash of the same kind is not lost: `further` holds those, and each becomes an entry beside. `frames` are
    those of a video."""

    fields: Fields = field(default_factory=dict)
    further: list[tuple[str, str]] = field(default_factory=list)
    frames: list[FrameSaid] = field(default_factory=list)
    _known: set[tuple[str, str]] = field(default_factory=set)

    def add(self, name: str, value: str) -> None:
        """Takes one value."""
        before = self.fields.get(name)
        if before is None or _says_nothing(before):
            self.fields[name] = value
        elif name in HASH_NAMES and not _says_nothing(value):
            alike = (name, _plain(value))
            if _plain(value) != _plain(before) and alike not in self._known:
                self._known.add(alike)
                self.further.append((name, value))

    def entries(self, line: int, reading: Reading) -> Iterator[EntryDraft | BadLine]:
        """The entry of the record, those of its frames, and of each further hash with the same id and classification.
        It takes what was said: ask once."""
        value, kind = self.fields.pop("hash_value", None), self.fields.pop("hash_kind", "")
        if value is not None and (name := field_name(kind)) in HASH_NAMES and name is not None:
            self.add(name, value)
        vpdq = value if field_name(kind) == "vpdq" else self.fields.pop("vpdq", None)
        try:
            if vpdq is not None and not _says_nothing(vpdq):
                self.frames += frames_of(vpdq)
        except Refused as refusal:
            yield BadLine(line, refusal.code, refusal.reason)
            return
        yield from (
            video_of(line, self.fields, self.frames, reading) if self.frames else entry_of(line, self.fields, reading)
        )
        shared = {name: said for name, said in self.fields.items() if name in ("scheme", "code", "upstream_id")}
        for name, further in self.further:
            yield from entry_of(line, {**shared, name: further}, reading)


def _says_nothing(value: str) -> bool:
    return _plain(value) in ABSENT


def _plain(value: str) -> str:
    return value.strip().casefold()
