"""HEIC pictures, as phones keep them: HEVC in a HEIF file, alone or in tiles. Runs only in a decoder child.

The decoder is the one for videos (Seawall's extra `video`), on one thread. What the file says of sizes is checked
before anything is decoded, and what was decoded is checked against it. The picture that is shown comes first, then
every other that is neither a part nor an aid (alpha, depth, gain map) of another. Metadata does not turn a HEIC: its
own properties do (ISO/IEC 23008-12, 6.5), in the order in which the item has them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from seawall.decoding.heif_items import Item, Items, Property, read_items
from seawall.decoding.limits import Limits
from seawall.errors import MediaCorrupt, MediaTooLarge, MediaUnsupported

try:
    import av
    from av.video.reformatter import ColorRange, Colorspace
except ImportError:
    AVAILABLE = False
else:
    AVAILABLE = True

if TYPE_CHECKING:
    from av import VideoFrame
    from av.video.codeccontext import VideoCodecContext

Pixels = NDArray[np.uint8]

# Items that are no pictures, and one that says how to brighten another one.
_NO_PICTURES = frozenset({b"Exif", b"mime", b"uri ", b"tmap", b""})
_ALPHA = (b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha", b"urn:mpeg:hevc:2015:auxid:1")
_MOST_TILES = 16_384
# A grid that shows less than this of its tiles is looked at uncut too. Phones show nine tenths.
_MOSTLY_SEEN = 0.5
_TURNS = frozenset({b"irot", b"imir", b"clap"})
# How often a picture may be another one with other properties, before it is a joke.
_MOST_DERIVED = 4


@dataclass(frozen=True, slots=True)
class Shown:
    """One picture in one of the ways in which it is shown, upright, with its colour profile; of which picture."""

    number: int
    picture: Image.Image
    profile: bytes | None


def read_heic(data: bytes, limits: Limits) -> Iterator[Shown]:
    """The pictures of a HEIC file.

    Raises (also while iterating):
        MediaUnsupported: the extra is not installed, or a picture is of a kind that is not read here.
        MediaTooLarge: over the limit of pixels, pictures or tiles.
        MediaCorrupt: it cannot be read.
    """
    if not AVAILABLE:
        raise MediaUnsupported("HEIC is recognised, but the extra `video` that reads it is not installed.")
    items = read_items(data)
    numbers = _pictures(items)
    if len(numbers) > limits.max_frames:
        raise MediaTooLarge(f"{len(numbers)} pictures are more than the limit of {limits.max_frames}.")
    reader = _Reader(items, limits)
    for place, number in enumerate(numbers):
        item = items.by_number[number]
        profile = next((each.content[4:] for each in item.properties if _is_profile(each)), None)
        for pixels in reader.shown(number):
            yield Shown(place, Image.fromarray(pixels), profile)


def _pictures(items: Items) -> list[int]:
    """The numbers of the pictures, the one that is shown first."""
    known = items.by_number
    if items.primary not in known:
        raise MediaCorrupt("The HEIC file does not say which picture it shows.")
    tiles = {tile for item in known.values() if item.kind == b"grid" for tile in item.refers.get(b"dimg", ())}
    others = [
        number
        for number, item in sorted(known.items())
        if number != items.primary
        and item.kind not in _NO_PICTURES
        and not _is_aid(item)
        # What says of itself that it is a part may be shown all the same, unless it is a tile.
        and not (number in tiles and item.kind == b"hvc1")
    ]
    return [items.primary, *others]


def _is_aid(item: Item) -> bool:
    """Whether it says what kind of an aid of another picture it is; without that, it is shown."""
    return b"auxl" in item.refers and any(each.name == b"auxC" for each in item.properties)


def _is_profile(one: Property) -> bool:
    return one.name == b"colr" and one.content[:4] in {b"prof", b"rICC"}


def _turns(item: Item) -> list[Property]:
    """What turns, mirrors or crops it."""
    return [each for each in item.properties if each.name in _TURNS]


class _Reader:
    """Decodes the items of one file. Tiles that share their settings share a decoder."""

    def __init__(self, items: Items, limits: Limits) -> None:
        self._items = items
        self._limits = limits
        self._codecs: dict[bytes, VideoCodecContext] = {}
        self._uncut: Pixels | None = None

    def shown(self, number: int) -> Iterator[Pixels]:
        """The picture as it is shown; where it is cropped, which not every viewer minds, the whole of it too."""
        item = self._items.by_number[number]
        self._uncut = None
        pixels = self._with_alpha(number, self._stored(number, 0))
        yield _turned(pixels, item, crop=True)
        if self._uncut is not None:
            yield _turned(self._uncut, item, crop=False)
        if any(each.name == b"clap" for each in item.properties):
            yield _turned(pixels, item, crop=False)

    def _stored(self, number: int, derived: int) -> Pixels:
        """The picture before its item's own properties turn or crop it: (height, width, 3)."""
        item = self._items.by_number.get(number)
        if item is None:
            raise MediaCorrupt("A part of a picture of the HEIC file is not there.")
        self._check_said(item)
        if item.kind == b"hvc1":
            return self._decoded(item)
        sources = item.refers.get(b"dimg", [])
        if item.kind == b"grid" and derived < _MOST_DERIVED:
            return self._joined(item, sources)
        if item.kind == b"iden" and derived < _MOST_DERIVED and len(sources) == 1:
            under = self._items.by_number.get(sources[0], Item())
            return _turned(self._stored(sources[0], derived + 1), under, crop=True)
        name = item.kind.decode("ascii", "replace")
        raise MediaUnsupported(f"A picture of the HEIC file is of a kind that is not read here ({name!r}).")

    def _check_said(self, item: Item) -> None:
        for each in item.properties:
            if each.name == b"ispe":
                self._check_size(int.from_bytes(each.content[4:8]), int.from_bytes(each.content[8:12]))

    def _check_size(self, width: int, height: int) -> None:
        if width < 1 or height < 1:
            raise MediaCorrupt("A picture of the HEIC file has no pixels.")
        if width * height > self._limits.max_pixels:
            raise MediaTooLarge(f"{width} x {height} pixels are more than the limit of {self._limits.max_pixels}.")

    def _joined(self, item: Item, sources: list[int]) -> Pixels:
        """A grid: its tiles in rows, cut to the size that it says (ISO/IEC 23008-12, 6.6.2.3). Tiles are coded ones:
        a grid of grids multiplies work, and nobody writes it."""
        said = self._items.bytes_of(item)
        wide = 4 if said[1:2] and said[1] & 1 else 2
        if len(said) < 4 + 2 * wide:
            raise MediaCorrupt("A grid of the HEIC file cannot be read.")
        rows, columns = said[2] + 1, said[3] + 1
        width, height = int.from_bytes(said[4 : 4 + wide]), int.from_bytes(said[4 + wide : 4 + 2 * wide])
        self._check_size(width, height)
        if len(sources) != rows * columns:
            raise MediaCorrupt("A grid of the HEIC file has not as many tiles as it says.")
        if len(sources) > _MOST_TILES:
            raise MediaTooLarge(f"{len(sources)} tiles are more than {_MOST_TILES}.")
        canvas = self._tiled(sources, rows, columns, (height, width))
        if height * width < _MOSTLY_SEEN * canvas.shape[0] * canvas.shape[1]:
            self._uncut = canvas
        return canvas[:height, :width]

    def _tiled(self, sources: list[int], rows: int, columns: int, seen: tuple[int, int]) -> Pixels:
        """All tiles of a grid side by side; `seen` are the height and width that are shown of them."""
        canvas = np.zeros((0, 0, 3), np.uint8)
        tall = across = 0
        for place, source in enumerate(sources):
            if _turns(self._items.by_number.get(source, Item())):
                raise MediaUnsupported("A tile of the HEIC file is turned or cropped by itself.")
            tile = self._stored(source, _MOST_DERIVED)
            if not place:
                tall, across = tile.shape[:2]
                if tall * (rows - 1) >= seen[0] or across * (columns - 1) >= seen[1]:
                    raise MediaCorrupt("A grid of the HEIC file has tiles that nobody sees.")
                self._check_size(across * columns, tall * rows)
                canvas = np.zeros((tall * rows, across * columns, 3), np.uint8)
            if tile.shape[:2] != (tall, across) or canvas.shape[0] < seen[0] or canvas.shape[1] < seen[1]:
                raise MediaCorrupt("The tiles of a grid of the HEIC file do not fit.")
            top, left = place // columns * tall, place % columns * across
            canvas[top : top + tall, left : left + across] = tile
        return canvas

    def _decoded(self, item: Item) -> Pixels:
        return _coloured(self._frame(item), item)

    def _frame(self, item: Item) -> VideoFrame:
        """The one frame of a coded item."""
        settings = next((each.content for each in item.properties if each.name == b"hvcC"), None)
        if settings is None:
            raise MediaCorrupt("A picture of the HEIC file has no settings for its decoder.")
        codec = self._codec(settings)
        try:
            frames = codec.decode(av.Packet(self._items.bytes_of(item)))
            frames += codec.decode(None)
            codec.flush_buffers()
        except av.FFmpegError as problem:
            raise MediaCorrupt(f"A picture of the HEIC file cannot be read: {type(problem).__name__}.") from problem
        if not frames:
            raise MediaCorrupt("A picture of the HEIC file has no frame.")
        self._check_size(frames[0].width, frames[0].height)
        return frames[0]

    def _codec(self, settings: bytes) -> VideoCodecContext:
        if settings not in self._codecs:
            made: Any = av.CodecContext.create("hevc", "r")
            made.extradata = settings
            made.thread_count = 1
            # A damaged slice is no picture, and nothing larger than the limit is given memory.
            made.options = {"max_pixels": str(self._limits.max_pixels), "err_detect": "explode"}
            self._codecs[settings] = made
        return self._codecs[settings]

    def _with_alpha(self, number: int, pixels: Pixels) -> Pixels:
        """Joined by what says how transparent it is, where there is such a picture: it may be all that is seen."""
        for item in self._items.by_number.values():
            if number not in item.refers.get(b"auxl", ()):
                continue
            if any(each.name == b"auxC" and each.content[4:].split(b"\0")[0] in _ALPHA for each in item.properties):
                if item.kind != b"hvc1" or _turns(item) not in ([], _turns(self._items.by_number[number])):
                    raise MediaUnsupported("The transparency of a HEIC picture is of a kind that is not read here.")
                self._check_said(item)
                alpha = self._frame(item).reformat(format="gray", threads=1).to_ndarray()
                if alpha.shape != pixels.shape[:2]:
                    raise MediaUnsupported("The transparency of a HEIC picture has another size.")
                return np.dstack((pixels, alpha))
        return pixels


def _coloured(frame: VideoFrame, item: Item) -> Pixels:
    """Red, green and blue; by the file's own words on its colours where it has some, else by the stream's."""
    said: dict[str, int] = {}
    for each in item.properties:
        if each.name == b"colr" and each.content[:4] == b"nclx" and len(each.content) >= 11:
            matrix = int.from_bytes(each.content[8:10])
            # The numbers are those of ISO/IEC 23091-2.
            known = {1: Colorspace.ITU709, 5: Colorspace.ITU601, 6: Colorspace.ITU601, 9: Colorspace.BT2020}
            if matrix in known:
                said["src_colorspace"] = known[matrix]
            said["src_color_range"] = ColorRange.JPEG if each.content[10] & 0x80 else ColorRange.MPEG
    plain = frame.reformat(format="rgb24", threads=1, **said)
    return np.asarray(plain.to_ndarray(), np.uint8)


def _turned(pixels: Pixels, item: Item, *, crop: bool) -> Pixels:
    """Turned, mirrored and cropped as the item's properties say, in their order."""
    for each in item.properties:
        if each.name == b"irot" and each.content:
            pixels = np.rot90(pixels, each.content[0] & 3)
        elif each.name == b"imir" and each.content:
            pixels = pixels[:, ::-1] if each.content[0] & 1 else pixels[::-1]
        elif each.name == b"clap" and crop:
            pixels = _cropped(pixels, each.content)
    return np.ascontiguousarray(pixels)


def _cropped(pixels: Pixels, said: bytes) -> Pixels:
    """The clean aperture (ISO/IEC 14496-12, 12.1.4): its size, and how far its middle is from that of the picture."""
    numbers = [int.from_bytes(said[at : at + 4], signed=at in {16, 24}) for at in range(0, 32, 4)]
    if len(said) < 32 or 0 in numbers[1::2]:
        raise MediaCorrupt("A picture of the HEIC file is cropped to nothing.")
    width, height, aside, down = (numbers[at] / numbers[at + 1] for at in range(0, 8, 2))
    top, left = (pixels.shape[0] - height) / 2 + down, (pixels.shape[1] - width) / 2 + aside
    rows = slice(max(0, round(top)), max(0, round(top + height)))
    found = pixels[rows, max(0, round(left)) : max(0, round(left + width))]
    if not found.size:
        raise MediaCorrupt("A picture of the HEIC file is cropped to nothing.")
    return found
