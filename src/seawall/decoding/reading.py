"""One file with all that lies in it: its own views first, then those of what it carries. Only in a decoder child.

What cannot be read of a picture itself is an error, as nothing else is known of it; what cannot be read of what lies
in a file is owed, beside what could be.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice

from PIL import Image

from seawall.decoding import documents, drawings
from seawall.decoding.allowance import Allowance
from seawall.decoding.archives import members
from seawall.decoding.carried import Baggage, baggage
from seawall.decoding.colours import Pixels, ways_seen
from seawall.decoding.faces import further_faces
from seawall.decoding.heif_items import has_sequence
from seawall.decoding.limits import Limits
from seawall.decoding.pictures import views
from seawall.decoding.sniff import Kind, sniff
from seawall.decoding.videos import AVAILABLE, Video
from seawall.errors import DecodingFailed, MediaCorrupt, MediaTooLarge, MediaUnsupported, NotMedia
from seawall.records import NotedKind

# Less is filling or a slip of some program.
_LEAST_UNKNOWN = 32
# An honest photo carries one to five. Each is cut out of the file, so that their number costs.
_MOST_CARRIED = 64


class TakesLong(Exception):
    """There is something to read that may take the time of a video, and that was not allowed."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One way in which one frame is seen. `number` counts through everything that lies in the file; `moving` is a
    frame of a video; `carried` lies within a picture's file and is not what viewers show of it; `size` and
    `reduced_by` are those of :class:`seawall.decoding.pictures.View`; `whole` decodes it once more, not reduced."""

    number: int
    pixels: Pixels
    size: tuple[int, int]
    reduced_by: int = 1
    moving: bool = False
    carried: bool = False
    whole: Callable[[], Pixels] | None = None


class Reading:
    """Reads one file. What is not read of it is owed in `allowance`, and what is unusual noted there; `parts` are the
    digests of the files in it, as hexadecimal MD5, SHA-1 and SHA-256."""

    def __init__(self, data: bytes, limits: Limits, *, may_take_long: bool = True, reduced: bool = False) -> None:
        """Raises NotMedia where the bytes are none. `reduced` is that of :func:`seawall.decoding.pictures.views`."""
        self.kind = sniff(data)
        self.allowance = Allowance(limits)
        self.parts: dict[tuple[str, str, str], None] = {}
        self._data = data
        self._limits = limits
        self._may_take_long = may_take_long
        self._reduced = reduced
        self._next = 0

    def views(self) -> Iterator[Seen]:
        """Every way in which everything in the file is seen, decoded one at a time.

        Raises (also while iterating):
            NotMedia: an archive that holds no media, and nothing that could not be read.
            MediaUnsupported, MediaCorrupt, MediaTooLarge: as :func:`seawall.decoding.pictures.views` and
                :meth:`seawall.decoding.videos.Video.views`, for a picture or video itself.
            TakesLong: it is, or holds, a video or an archive, and that was not allowed.
        """
        yield from self._read(self._data, self.kind, 0)
        if self.kind.container is not None and not self._next and not self.parts and not self.allowance.owed:
            raise NotMedia("There is no picture or video in it.")

    def _read(self, data: bytes, kind: Kind, depth: int, *, carried: bool = False) -> Iterator[Seen]:
        self._check_time(kind)
        if kind.demuxer is not None and AVAILABLE:
            yield from self._moving(data, kind, carried)
            return
        found = baggage(data, kind, _MOST_CARRIED)
        self._note(kind, found)
        for piece, _place, _behind in found.pieces:
            self._check_time(piece)
        if kind.container is not None:
            yield from self._held(data, kind, depth)
        else:
            if kind.opener == "HEIC" and has_sequence(data):
                self.allowance.owe(MediaUnsupported("A HEIC sequence is recognised, but cannot be read here."))
            yield from self._still(data, carried)
            for face in further_faces(data, kind, self._limits.max_frames):
                yield from self._still(face, carried)
        yield from self._carried(data, found, depth)

    def check_time(self) -> None:
        """Raises TakesLong where reading the file itself may take the time of a video, and that was not allowed."""
        self._check_time(self.kind)

    def _check_time(self, kind: Kind) -> None:
        takes_long = kind.container is not None or (kind.demuxer is not None and AVAILABLE)
        if takes_long and not self._may_take_long:
            raise TakesLong

    def _note(self, kind: Kind, found: Baggage) -> None:
        """What is unusual about the file. Phones put pictures and videos behind a JPEG: that is not."""
        if found.unknown >= _LEAST_UNKNOWN:
            what = f"There are {found.unknown} bytes of no known kind behind the end of the {kind.name}"
            self.allowance.note(NotedKind.TRAILING_DATA, what)
        for piece, _place, behind in found.pieces:
            usual = kind.opener == "JPEG" and (piece.opener == "JPEG" or piece.demuxer is not None)
            if (behind or piece.container is not None) and not usual:
                self.allowance.note(NotedKind.POLYGLOT, f"The file is {kind.name} and {piece.name} at once")

    def _still(self, data: bytes, carried: bool) -> Iterator[Seen]:
        base = self._next
        for place, view in enumerate(views(data, self._limits, reduced=self._reduced)[1]):
            self._next = base + view.number + 1
            whole = None if view.reduced_by == 1 else partial(self._whole, data, place)
            yield Seen(base + view.number, view.pixels, view.size, view.reduced_by, carried=carried, whole=whole)

    def _whole(self, data: bytes, place: int) -> Pixels:
        return next(islice(views(data, self._limits)[1], place, None)).pixels

    def _moving(self, data: bytes, kind: Kind, carried: bool) -> Iterator[Seen]:
        base = self._next
        video = Video(data, kind, replace(self._limits, video_timeout_s=self.allowance.left_s))
        try:
            for view in video.views():
                self._next = base + view.number + 1
                yield Seen(base + view.number, view.pixels, view.size, moving=True, carried=carried)
        finally:
            for code, message in video.owed.items():
                self.allowance.owed.setdefault(code, message)

    def _held(self, data: bytes, kind: Kind, depth: int) -> Iterator[Seen]:
        """What an archive or a document holds: files, and pages or pictures that are decoded already."""
        for found in self._look_through(data, kind):
            if isinstance(found, Image.Image):
                yield from self._drawn(found)
            else:
                yield from self._within(found[1], found[0], depth + 1)

    def _look_through(self, data: bytes, kind: Kind) -> Iterator[Image.Image | tuple[Kind, bytes]]:
        if kind.container == "pdf":
            return documents.look_through(data, self._limits, self.allowance)
        if kind.container == "svg":
            return drawings.look_through(data, self._limits, self.allowance)
        return members(data, kind, self.allowance)

    def _drawn(self, picture: Image.Image) -> Iterator[Seen]:
        for pixels in ways_seen(picture, None):
            yield Seen(self._next, pixels, (pixels.shape[0], pixels.shape[1]))
        self._next += 1

    def _within(self, data: bytes, kind: Kind, depth: int, *, carried: bool = False) -> Iterator[Seen]:
        """A file that lies in another."""
        self._note_digests(data)
        if not self.allowance.takes_depth(depth) or not self.allowance.has_time():
            return
        try:
            yield from self._read(data, kind, depth, carried=carried)
        except DecodingFailed as problem:
            self.allowance.owe(problem)

    def _note_digests(self, data: bytes) -> None:
        digests = [hashlib.new(name, data, usedforsecurity=False).hexdigest() for name in ("md5", "sha1", "sha256")]
        self.parts[(digests[0], digests[1], digests[2])] = None

    def _carried(self, data: bytes, found: Baggage, depth: int) -> Iterator[Seen]:
        """What a picture's file carries. What is broken in its metadata is nothing to anybody: many programs cut
        thumbnails off when they rewrite them."""
        if len(found.pieces) > _MOST_CARRIED:
            self.allowance.owe(MediaTooLarge(f"The file carries more than {_MOST_CARRIED} other files."))
        for kind, (start, end), behind in found.pieces[:_MOST_CARRIED]:
            if behind:
                yield from self._within(data[start:end], kind, depth + 1, carried=True)
            else:
                yield from self._tucked_in(data[start:end], kind, depth + 1)

    def _tucked_in(self, data: bytes, kind: Kind, depth: int) -> Iterator[Seen]:
        before = dict(self.allowance.owed)
        yield from self._within(data, kind, depth, carried=True)
        for code in (MediaCorrupt.code, MediaUnsupported.code):
            if code not in before:
                self.allowance.owed.pop(code, None)
