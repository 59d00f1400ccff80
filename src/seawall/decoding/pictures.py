"""Opening a picture of a sniffed kind: limits, frames, orientation. Runs only in a decoder child."""

from __future__ import annotations

import contextlib
import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import AvifImagePlugin, ExifTags, GifImagePlugin, IcoImagePlugin, Image, ImageCms, PngImagePlugin

from seawall.decoding.colours import Pixels, ways_seen
from seawall.decoding.heic import read_heic
from seawall.decoding.jpeg import read_jpeg, reduction
from seawall.decoding.jxl import read_jxl
from seawall.decoding.limits import Limits
from seawall.decoding.png import bend
from seawall.decoding.sniff import Kind, sniff
from seawall.errors import MediaCorrupt, MediaTooLarge, MediaUnsupported

MIB = 1024 * 1024
# What Pillow, and the libraries beneath it, raise on bytes that they do not like.
_REFUSALS = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    LookupError,
    ArithmeticError,
    TypeError,
    AttributeError,
    RuntimeError,
    AssertionError,
    NotImplementedError,
    struct.error,
    zlib.error,
    ImageCms.PyCMSError,
)
_BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)
# Kinds whose frames are counted by going to each: the count is not written anywhere, or need not be true.
_COUNTED = frozenset({"GIF", "TIFF"})
_WITH_FRAMES = frozenset({"GIF", "TIFF", "PNG", "WEBP", "AVIF"})


@dataclass(frozen=True, slots=True)
class View:
    """One way in which one frame is seen, upright: (height, width, 3) or (height, width). `reduced_by` is how many
    pixels of a side each of these stands for, and `size` height and width of the whole picture."""

    number: int
    pixels: Pixels
    size: tuple[int, int]
    reduced_by: int = 1

    @classmethod
    def whole(cls, number: int, pixels: Pixels) -> View:
        """All pixels there are."""
        return cls(number, pixels, (pixels.shape[0], pixels.shape[1]))


def prepare(limits: Limits) -> None:
    """Sets Pillow's own limits in this process: the same as ours, so that the first to notice refuses."""
    Image.MAX_IMAGE_PIXELS = limits.max_pixels
    warnings.simplefilter("ignore")
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    # Colour profiles and notes of honest pictures reach a few MiB.
    PngImagePlugin.MAX_TEXT_CHUNK = 8 * MIB
    GifImagePlugin.LOADING_STRATEGY = GifImagePlugin.LoadingStrategy.RGB_ALWAYS
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1


@contextlib.contextmanager
def _refusals_named() -> Iterator[None]:
    """Turns whatever the decoders raise into this room's errors."""
    try:
        yield
    except _BOMBS as problem:
        raise MediaTooLarge("The picture has more pixels than the limit.") from problem
    except MemoryError as problem:
        raise MediaTooLarge("The picture needs more memory than a decoder may use.") from problem
    except _REFUSALS as problem:
        if isinstance(problem, ValueError) and "too large" in str(problem).lower():
            raise MediaTooLarge(f"A part of the picture is too large: {problem}.") from problem
        raise MediaCorrupt(f"The picture cannot be read: {type(problem).__name__}: {problem}.") from problem


def _check_size(picture: Image.Image, limits: Limits) -> None:
    width, height = picture.size
    if width < 1 or height < 1:
        raise MediaCorrupt("The picture has no pixels.")
    if width * height > limits.max_pixels:
        raise MediaTooLarge(f"{width} x {height} pixels are more than the limit of {limits.max_pixels}.")


def _open(data: bytes, kind: Kind, limits: Limits) -> Image.Image:
    """The picture's header, read by the one opener of its kind and by no other."""
    if kind.demuxer is not None:
        raise MediaUnsupported(f"{kind.name} is recognised, but the extra `video` that reads it is not installed.")
    if kind.opener is None:
        raise MediaUnsupported(f"{kind.name} is recognised but cannot be decoded here.")
    if kind.opener == "AVIF" and not AvifImagePlugin.SUPPORTED:
        raise MediaUnsupported("AVIF is recognised, but this build of Pillow cannot decode it.")
    with _refusals_named():
        picture = Image.open(io.BytesIO(data), formats=[kind.opener])
    _check_size(picture, limits)
    return picture


def _frames(picture: Image.Image, kind: Kind, limits: Limits) -> Iterator[tuple[int, Image.Image]]:
    """Each frame in turn, its header read and its size checked. One object, moved on: use it before asking again."""
    yield 0, picture
    if kind.opener not in _WITH_FRAMES:
        return
    declared = None if kind.opener in _COUNTED else int(getattr(picture, "n_frames", 1))
    if declared is not None and declared > limits.max_frames:
        raise MediaTooLarge(f"{declared} frames are more than the limit of {limits.max_frames}.")
    number = 1
    while declared is None or number < declared:
        try:
            with _refusals_named():
                picture.seek(number)
        except MediaCorrupt as problem:
            if declared is None and isinstance(problem.__cause__, EOFError):
                return
            raise
        if number >= limits.max_frames:
            raise MediaTooLarge(f"There are more frames than the limit of {limits.max_frames}.")
        _check_size(picture, limits)
        yield number, picture
        number += 1


def _orientation(picture: Image.Image) -> int:
    """The EXIF orientation, 1 to 8. Broken EXIF means 1, as it does to viewers."""
    if picture.format == "TIFF":
        return 1  # Pillow has turned it while loading
    try:
        value = picture.getexif().get(ExifTags.Base.Orientation, 1)
    except _REFUSALS:
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _upright(pixels: Pixels, orientation: int) -> Pixels:
    """The pixels turned as EXIF says they are to be shown."""
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    if orientation in {3, 4, 7, 8}:
        pixels = pixels[::-1]
    if orientation in {2, 3, 6, 7}:
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def _jpeg_views(data: bytes, header: Image.Image, reduced: bool) -> Iterator[View]:
    orientation = _orientation(header)
    width, height = header.size
    size = (width, height) if orientation >= 5 else (height, width)
    reduced_by = reduction(header, turned=orientation != 1) if reduced else 1
    pixels = read_jpeg(data, header, reduced_by)
    profile = header.info.get("icc_profile")
    if profile is None and header.mode != "CMYK":
        yield View(0, _upright(pixels, orientation), size, reduced_by)
        return
    picture = Image.fromarray(pixels, mode="CMYK") if header.mode == "CMYK" else Image.fromarray(pixels)
    for seen in ways_seen(picture, profile):
        yield View(0, _upright(seen, orientation), size, reduced_by)


def _frame_views(data: bytes, picture: Image.Image, kind: Kind, limits: Limits) -> Iterator[View]:
    bent_by = bend(data) if kind.opener == "PNG" else None
    for number, frame in _frames(picture, kind, limits):
        with _refusals_named():
            frame.load()
        _check_size(frame, limits)
        orientation = _orientation(frame)
        for seen in ways_seen(frame, frame.info.get("icc_profile"), bent_by):
            yield View.whole(number, _upright(seen, orientation))


def _icon_views(data: bytes, picture: Image.Image, limits: Limits) -> Iterator[View]:
    """Every picture of an icon, the largest first: which one is shown is for each viewer to choose."""
    assert isinstance(picture, IcoImagePlugin.IcoImageFile)
    entries = picture.ico.entry
    if len(entries) > limits.max_frames:
        raise MediaTooLarge(f"{len(entries)} pictures are more than the limit of {limits.max_frames}.")
    for number, entry in enumerate(entries):
        frame = picture.ico.frame(number)
        _check_size(frame, limits)
        frame.load()
        bent_by = bend(data[entry.offset : entry.offset + entry.size]) if frame.format == "PNG" else None
        for seen in ways_seen(frame, frame.info.get("icc_profile"), bent_by):
            yield View.whole(number, seen)


def _jxl_views(data: bytes, limits: Limits) -> Iterator[View]:
    picture, profile = read_jxl(data, limits)
    for seen in ways_seen(picture, profile):
        yield View.whole(0, seen)


def _heic_views(data: bytes, limits: Limits) -> Iterator[View]:
    for shown in read_heic(data, limits):
        for seen in ways_seen(shown.picture, shown.profile):
            yield View.whole(shown.number, seen)


def views(data: bytes, limits: Limits, *, reduced: bool = False) -> tuple[Kind, Iterator[View]]:
    """The kind of the bytes, and every way in which every frame of them is seen, decoded one at a time.

    Of a JPEG with further pictures in it (depth, gain map, stereo) only the one that is shown is read.

    Args:
        reduced: whether fewer pixels are enough, where they can be had for less: all that hashes need is there.

    Raises (also while iterating):
        NotMedia: no picture or video.
        MediaUnsupported: recognised, not decoded here.
        MediaCorrupt: damaged, or ends early.
        MediaTooLarge: over a limit, or out of memory.
    """
    kind = sniff(data)
    if kind.opener == "JXL":
        return kind, _named(_jxl_views(data, limits))
    if kind.opener == "HEIC":
        return kind, _named(_heic_views(data, limits))
    picture = _open(data, kind, limits)
    if kind.opener == "JPEG":
        return kind, _named(_jpeg_views(data, picture, reduced))
    if kind.opener == "ICO":
        return kind, _named(_icon_views(data, picture, limits))
    return kind, _named(_frame_views(data, picture, kind, limits))


def _named(found: Iterator[View]) -> Iterator[View]:
    with _refusals_named():
        yield from found
