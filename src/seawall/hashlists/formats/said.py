"""What one record of a file says, in whatever format, on its way to entries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from seawall.hashlists.formats.fields import ABSENT, HASH_NAMES, Fields, Reading, Refused, entry_of, field_name
from seawall.hashlists.formats.video_frames import FrameSaid, frames_of, video_of
from seawall.records import BadLine, EntryDraft, HashKind

# A record with fewer PDQ hashes may mean one picture, turned or mirrored.
FEWEST_OF_A_VIDEO = 3


@dataclass(slots=True)
class Said:
    """What one record says, under our names. Of several values of one name the first that says something counts; a
    further hash of the same kind is not lost: `further` holds those, and each becomes an entry beside. `frames` are
    those of a video; so are several PDQ hashes of one record."""

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
        """The entry of the record, and of each further hash with the same id and classification."""
        value, kind = self.fields.pop("hash_value", None), self.fields.pop("hash_kind", "")
        if value is not None and (name := field_name(kind)) in HASH_NAMES and name is not None:
            self.add(name, value)
        try:
            self._take_for_video(value if field_name(kind) == "vpdq" else self.fields.pop("vpdq", None))
        except Refused as refusal:
            yield BadLine(line, refusal.code, refusal.reason)
            return
        yield from (
            video_of(line, self.fields, self.frames, reading) if self.frames else entry_of(line, self.fields, reading)
        )
        shared = {name: said for name, said in self.fields.items() if name in ("scheme", "code", "upstream_id")}
        for name, further in self.further:
            yield from entry_of(line, {**shared, name: further}, reading)

    def _take_for_video(self, vpdq: str | None) -> None:
        """Takes frames out of a text, and makes frames of so many PDQ hashes that they can only be those of a
        video."""
        if vpdq is not None and not _says_nothing(vpdq):
            self.frames += frames_of(vpdq)
        others = [value for name, value in self.further if name == HashKind.PDQ.value]
        if len(others) + 1 >= FEWEST_OF_A_VIDEO:
            self.frames += [FrameSaid(self.fields.pop("pdq")), *map(FrameSaid, others)]
            self.further = [each for each in self.further if each[0] != HashKind.PDQ.value]


def _says_nothing(value: str) -> bool:
    return _plain(value) in ABSENT


def _plain(value: str) -> str:
    return value.strip().casefold()
