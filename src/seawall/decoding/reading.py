"""One file with all that lies in it: its own views first, then those of what it carries. Only in a decoder child.

What cannot be read of the file itself is an error, as nothing else is known of it; what cannot be read of what lies
in it is owed, beside what could be.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

from seawall.decoding.carried import Baggage, baggage
from seawall.decoding.colours import Pixels
from seawall.decoding.faces import further_faces
from seawall.decoding.limits import Limits
from seawall.decoding.pictures import views
from seawall.decoding.sniff import Kind, sniff
from seawall.decoding.videos import AVAILABLE, Video
from seawall.errors import DecoderTimeout, DecodingFailed, MediaCorrupt, MediaTooLarge, MediaUnsupported

# An honest photo carries one to five. Each is cut out of the file, so that their number costs.
_MOST_CARRIED = 64


class TakesLong(Exception):
    """There is something to read that may take the time of a video, and that was not allowed."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One way in which one frame is seen. `number` counts through everything that lies in the file; `moving` is a
    frame of a video; `carried` lies within a picture's file and is not what viewers show of it."""

    number: int
    pixels: Pixels
    moving: bool = False
    carried: bool = False


class Reading:
    """Reads one file. `owed` tells, once :meth:`views` has ended, what was not read."""

    def __init__(self, data: bytes, limits: Limits, *, may_take_long: bool = True) -> None:
        """Raises NotMedia where the bytes are none."""
        self.kind = sniff(data)
        self.owed: dict[str, str] = {}
        self._data = data
        self._limits = limits
        self._may_take_long = may_take_long
        self._deadline = time.monotonic() + limits.video_timeout_s
        self._next = 0

    def owe(self, what: DecodingFailed) -> None:
        """Notes that a part was not read, and why."""
        self.owed.setdefault(what.code, what.message)

    def views(self) -> Iterator[Seen]:
        """Every way in which everything in the file is seen, decoded one at a time.

        Raises (also while iterating):
            MediaUnsupported, MediaCorrupt, MediaTooLarge: as :func:`seawall.decoding.pictures.views` and
                :meth:`seawall.decoding.videos.Video.views`, for the file itself.
            TakesLong: it holds a video, and that was not allowed.
        """
        yield from self._read(self._data, self.kind, 0)

    def _read(self, data: bytes, kind: Kind, depth: int, *, carried: bool = False) -> Iterator[Seen]:
        self._check_time(kind)
        if kind.demuxer is not None and AVAILABLE:
            yield from self._moving(data, kind, carried)
            return
        found = baggage(data, kind, _MOST_CARRIED)
        for piece, _place, _behind in found.pieces:
            self._check_time(piece)
        yield from self._still(data, carried)
        for face in further_faces(data, kind, self._limits.max_frames):
            yield from self._still(face, carried)
        yield from self._carried(data, found, depth)

    def _check_time(self, kind: Kind) -> None:
        if kind.demuxer is not None and AVAILABLE and not self._may_take_long:
            raise TakesLong

    def _still(self, data: bytes, carried: bool) -> Iterator[Seen]:
        base = self._next
        for view in views(data, self._limits)[1]:
            self._next = base + view.number + 1
            yield Seen(base + view.number, view.pixels, carried=carried)

    def _moving(self, data: bytes, kind: Kind, carried: bool) -> Iterator[Seen]:
        base = self._next
        left_s = max(0.0, self._deadline - time.monotonic())
        video = Video(data, kind, replace(self._limits, video_timeout_s=left_s))
        try:
            for view in video.views():
                self._next = base + view.number + 1
                yield Seen(base + view.number, view.pixels, moving=True, carried=carried)
        finally:
            self.owed = {**video.owed, **self.owed}

    def _carried(self, data: bytes, found: Baggage, depth: int) -> Iterator[Seen]:
        """What a picture's file carries. What is broken in its metadata is nothing to anybody: many programs cut
        thumbnails off when they rewrite them."""
        if len(found.pieces) > _MOST_CARRIED:
            self.owe(MediaTooLarge(f"The file carries more than {_MOST_CARRIED} other pictures or videos."))
        for kind, (start, end), behind in found.pieces[:_MOST_CARRIED]:
            if depth >= self._limits.max_nesting:
                self.owe(MediaTooLarge(f"Files lie in files deeper than {self._limits.max_nesting} levels."))
                return
            if time.monotonic() > self._deadline:
                self.owe(DecoderTimeout("There was no time for all that lies in the file."))
                return
            try:
                yield from self._read(data[start:end], kind, depth + 1, carried=True)
            except (MediaCorrupt, MediaUnsupported) as problem:
                if behind:
                    self.owe(problem)
            except DecodingFailed as problem:
                self.owe(problem)
