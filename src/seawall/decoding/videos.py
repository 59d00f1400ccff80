"""Reading videos: from memory, by the one demuxer of the sniffed kind, on one thread. Runs only in a decoder child.

Seawall's extra `video` brings PyAV; without it videos are recognised and held. What could not be read (the rest of a
long video, damaged parts, a track of an unknown codec) is noted beside what could: that is looked up all the same.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import pkgutil
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from seawall.decoding.limits import Limits
from seawall.decoding.pictures import View
from seawall.decoding.sniff import Kind
from seawall.errors import DecoderTimeout, DecodingFailed, MediaCorrupt, MediaTooLarge, MediaUnsupported

try:
    import av
    from av.stream import Discard
except ImportError:
    AVAILABLE = False
else:
    from seawall.decoding.film import Track

    AVAILABLE = True

if TYPE_CHECKING:
    from av import Packet, VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

# What cameras, phones and browsers write, and the older kinds that are still about.
CODECS = (
    "h264", "hevc", "vp8", "vp9", "libdav1d", "mpeg4", "mpeg2video", "mpeg1video", "mjpeg", "h263", "flv", "vp6",
    "vp6f", "theora", "msmpeg4v2", "msmpeg4", "wmv1", "wmv2", "wmv3", "vc1", "prores", "png",
)  # fmt: skip
# A program, and a downloader of samples.
_NOT_LOADED = ("av.__main__", "av.datasets")
_MOST_TRACKS = 8
_SEEK_BEFORE_MS = 1000
# Four days: what claims to be longer is not believed.
_LONGEST_MS = 4 * 24 * 3600 * 1000
_LOOKED_AHEAD_BYTES = 5_000_000


def samples() -> Iterator[bytes]:
    """Short videos made here, in a container of either of the two families in use."""
    for container, codec in (("mp4", "mpeg4"), ("matroska", "mjpeg")):
        target = io.BytesIO()
        with av.open(target, "w", format=container) as output:
            stream = cast("VideoStream", output.add_stream(codec, rate=10))
            stream.width, stream.height = 64, 48
            stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
            stream.thread_count = 1
            for number in range(8):
                pixels = np.roll(np.arange(64 * 48 * 3, dtype=np.uint32) % 251, 29 * number).astype(np.uint8)
                output.mux(stream.encode(av.VideoFrame.from_ndarray(pixels.reshape(48, 64, 3), format="rgb24")))
            output.mux(stream.encode(None))
        yield target.getvalue()


def prepare() -> None:
    """Loads all of PyAV: it loads some of itself only when a file asks for it, as a track of subtitles does, and then
    nothing can be opened any more. Keeps the libraries from talking: what they say would repeat untrusted bytes."""
    if AVAILABLE:
        for module in pkgutil.walk_packages(av.__path__, "av."):
            if module.name not in _NOT_LOADED:
                with contextlib.suppress(ImportError):  # a build may lack some; what needs it is held
                    importlib.import_module(module.name)
        av.logging.set_level(None)
        av.logging.set_libav_level(av.logging.PANIC)


def _refuse_other_files(*_: object) -> object:
    raise PermissionError("A video may name no other file.")


def _boxes_of(data: bytes, name: bytes) -> int:
    """How many of the outermost boxes of an MP4 or MOV have this name. Sizes of 0 (to the end) and 1 (64 bits follow)
    are those of ISO/IEC 14496-12."""
    found = at = 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4])
        found += data[at + 4 : at + 8] == name
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16])
        if size < 8:
            break
        at += size
    return found


class Video:
    """One video. `owed` tells, once :meth:`views` has ended, what of it was not read."""

    def __init__(self, data: bytes, kind: Kind, limits: Limits) -> None:
        self._data = data
        self._kind = kind
        self._limits = limits
        self._deadline = time.monotonic() + limits.video_timeout_s
        self._decoded = 0
        self.owed: dict[str, str] = {}

    def views(self) -> Iterator[View]:
        """The frames worth hashing, upright, in the order of the file; `number` counts all decoded frames.

        Raises (also while iterating):
            MediaUnsupported: there is no track that can be read here.
            MediaCorrupt: not one frame can be read.
            MediaTooLarge: the first frame is over a limit already, or there is no memory for it.
        """
        found = False
        self._check_index()
        try:
            with self._opened() as container:
                for view in self._read(container):
                    found = True
                    yield view
        except MemoryError as problem:
            raise MediaTooLarge("The video needs more memory than a decoder may use.") from problem
        except (av.FFmpegError, OSError, ValueError, ArithmeticError, LookupError, TypeError) as problem:
            self.owe(MediaCorrupt(f"The video cannot be read: {type(problem).__name__}."))
        except DecodingFailed as problem:
            self.owe(problem)
        if not found:
            code, message = next(iter(self.owed.items()), (MediaCorrupt.code, "The video has no frame."))
            raise _BY_CODE[code](message)

    def length_ms(self) -> int | None:
        """How long the film says that it is; None where it does not, or says what cannot be.

        Raises:
            MediaCorrupt: it cannot be opened.
        """
        with self._refusing(), self._opened() as container:
            length = None if container.duration is None else container.duration // 1000
        return length if length is not None and 0 < length <= _LONGEST_MS else None

    def stills(self, wanted: list[int], *, exactly: bool) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        """What is seen of the first readable track at these milliseconds, upright, with the times at which it is.

        Args:
            wanted: ascending.
            exactly: whether to read on to each time; else what is quickly had before it will do.

        Raises (also while iterating):
            MediaUnsupported, MediaCorrupt, MediaTooLarge: as :meth:`views`.
        """
        with self._refusing(), self._opened() as container:
            tracks = self._tracks(container)
            stream = next(each for each in container.streams.video if each.index in tracks)
            track, last = tracks[stream.index], -1
            begun_at = float((stream.start_time or 0) * (stream.time_base or 0))
            frames: Iterator[VideoFrame] = iter(())
            for place, time_ms in enumerate(wanted):
                if place == 0 or not exactly:
                    # Some containers go to the next place that they know of instead of the one before.
                    back_ms = time_ms - (_SEEK_BEFORE_MS if exactly else 0)
                    if back_ms > 0 or place:
                        container.seek(int((begun_at + back_ms / 1000) * av.time_base), backward=True)
                    frames = self._frames_on(container, stream, track)
                for frame in frames:
                    at = 0 if frame.time is None else max(0, round((frame.time - begun_at) * 1000))
                    if at > last and (at >= time_ms or not exactly):
                        last = at
                        yield at, track.upright(frame)
                        break

    def _frames_on(self, container: InputContainer, stream: VideoStream, track: Track) -> Iterator[VideoFrame]:
        """The frames of one track from where the container stands."""
        for packet in self._packets(container, {stream.index: track}):
            for frame in self._frames(stream, packet):
                self._check(frame, track)
                yield frame
        for frame in self._frames(stream, None):
            self._check(frame, track)
            yield frame

    @contextlib.contextmanager
    def _refusing(self) -> Iterator[None]:
        """Turns whatever the libraries raise into this room's errors."""
        try:
            yield
        except MemoryError as problem:
            raise MediaTooLarge("The video needs more memory than a decoder may use.") from problem
        except (av.FFmpegError, OSError, ValueError, ArithmeticError, LookupError, TypeError) as problem:
            raise MediaCorrupt(f"The video cannot be read: {type(problem).__name__}.") from problem

    def owe(self, what: DecodingFailed) -> None:
        """Notes that a part was not read, and why."""
        self.owed.setdefault(what.code, what.message)

    def _check_index(self) -> None:
        """Of two indexes one player takes the first, another the last: then it is not clear what is shown."""
        if self._kind.demuxer == "mov" and _boxes_of(self._data, b"moov") > 1:
            self.owe(MediaCorrupt("The video has more than one index."))

    def _opened(self) -> InputContainer:
        """The container, its headers read. No file, address or playlist that it names is followed."""
        assert self._kind.demuxer is not None
        options = {
            "format_whitelist": av.ContainerFormat(self._kind.demuxer, "r").name,
            "codec_whitelist": ",".join(CODECS),
            "protocol_whitelist": "none",
            "probesize": str(_LOOKED_AHEAD_BYTES),
            "max_streams": "64",
        }
        if self._kind.demuxer == "mov":
            # Parts that an edit list leaves out are shown by some players: they are read too.
            options |= {"enable_drefs": "0", "use_absolute_path": "0", "ignore_editlist": "1"}
        return av.open(
            io.BytesIO(self._data),
            mode="r",
            format=self._kind.demuxer,
            container_options=options,
            metadata_errors="replace",
            buffer_size=1 << 16,
            io_open=_refuse_other_files,
        )

    def _tracks(self, container: InputContainer) -> dict[int, Track]:
        """Every track of pictures, ready to be read. Sound and all else is not even taken out of the container."""
        tracks: dict[int, Track] = {}
        for stream in container.streams:
            stream.discard = Discard.all
        for stream in container.streams.video:
            if self._is_readable(stream) and len(tracks) < _MOST_TRACKS:
                stream.discard = Discard.default
                tracks[stream.index] = Track()
            else:
                self.owe(MediaUnsupported("The video has a track that cannot be read here."))
        if not tracks:
            raise MediaUnsupported("There is no moving picture in it that can be read here.")
        return tracks

    def _is_readable(self, stream: VideoStream) -> bool:
        codec = stream.codec_context
        if codec is None or codec.codec.name not in CODECS:
            return False
        if codec.width * codec.height > self._limits.max_pixels:
            raise MediaTooLarge(f"{codec.width} x {codec.height} pixels are more than {self._limits.max_pixels}.")
        codec.thread_count = 1
        codec.thread_type = "NONE"
        codec.options = {"max_pixels": str(self._limits.max_pixels), "threads": "1"}
        return True

    def _read(self, container: InputContainer) -> Iterator[View]:
        tracks = self._tracks(container)
        counts = dict.fromkeys(tracks, 0)
        for packet in self._packets(container, tracks):
            counts[packet.stream.index] += 1
            yield from self._views_of(packet.stream, packet, tracks[packet.stream.index])
        for stream in container.streams.video:
            if stream.index not in tracks:
                continue
            yield from self._views_of(stream, None, tracks[stream.index])
            if counts[stream.index] < stream.frames:
                self.owe(MediaCorrupt("The video ends before its end."))

    def _packets(self, container: InputContainer, tracks: dict[int, Track]) -> Iterator[Packet[VideoStream]]:
        """The packets of these tracks, as long as there is time. A container that breaks off ends them."""
        try:
            for packet in container.demux(tuple(each for each in container.streams.video if each.index in tracks)):
                if time.monotonic() > self._deadline:
                    raise DecoderTimeout("There was no time for the rest of the video.")
                if packet.size:
                    yield packet
        except (av.FFmpegError, OSError, ValueError) as problem:
            if isinstance(problem, MemoryError):
                raise
            self.owe(MediaCorrupt("The video breaks off."))

    def _views_of(self, stream: VideoStream, packet: Packet[VideoStream] | None, track: Track) -> Iterator[View]:
        for frame in self._frames(stream, packet):
            self._check(frame, track)
            if track.takes(frame):
                yield View.whole(self._decoded - 1, track.upright(frame))

    def _frames(self, stream: VideoStream, packet: Packet[VideoStream] | None) -> Iterator[VideoFrame]:
        """What one packet (None: the end) brings to light. A damaged one is noted, and the next is tried: so do
        players."""
        if packet is not None and packet.is_corrupt:
            self.owe(MediaCorrupt("The video has damaged parts."))
        try:
            frames = stream.codec_context.decode(packet)
        except (av.FFmpegError, ValueError) as problem:
            if isinstance(problem, MemoryError):
                raise
            self.owe(MediaCorrupt("The video has damaged parts."))
            return
        for frame in frames:
            self._decoded += 1
            if frame.is_corrupt:
                self.owe(MediaCorrupt("The video has damaged parts."))
            yield frame

    def _check(self, frame: VideoFrame, track: Track) -> None:
        """The limits that bind while reading.

        Raises:
            MediaTooLarge: here the reading ends.
        """
        limits = self._limits
        if frame.width * frame.height > limits.max_pixels:
            raise MediaTooLarge(f"{frame.width} x {frame.height} pixels are more than {limits.max_pixels}.")
        if self._decoded > limits.max_video_decoded:
            raise MediaTooLarge(f"Only the first {limits.max_video_decoded} frames of the video were read.")
        if track.position(frame) > limits.max_video_s:
            raise MediaTooLarge(f"Only the first {limits.max_video_s:g} s of the video were read.")


_BY_CODE = {error.code: error for error in (MediaUnsupported, MediaCorrupt, MediaTooLarge, DecoderTimeout)}
