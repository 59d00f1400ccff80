"""Videos made from generated pictures."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from fractions import Fraction
from typing import cast

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.stream import VideoStream
from PIL import Image

from tests.vectors.files import scene

RATE = 25


def panning(seconds: float = 2.0, seed: int = 5, width: int = 320, height: int = 240) -> list[Image.Image]:
    """A landscape that slowly moves by, at the usual rate."""
    pixels = np.asarray(scene(seed, height, width))
    return [Image.fromarray(np.roll(pixels, number, axis=1)) for number in range(round(seconds * RATE))]


def still(picture: Image.Image, seconds: float) -> list[Image.Image]:
    """One picture for so long."""
    return [picture] * round(seconds * RATE)


def video(
    frames: Sequence[Image.Image],
    container: str = "mp4",
    codec: str = "libx264",
    *,
    times: Sequence[int] = (),
    second: Sequence[Image.Image] = (),
    sound: bool = False,
) -> bytes:
    """The frames as a video.

    Args:
        times: when each is shown, in thousandths of a second; usually one comes every 40.
        second: the frames of another track.
        sound: whether there is a track of silence.
    """
    target = io.BytesIO()
    with av.open(target, "w", format=container) as output:
        tracks = [(_track(output, codec, track[0]), track) for track in (frames, second) if track]
        quiet = cast(AudioStream, output.add_stream("pcm_s16le", rate=8000, layout="mono")) if sound else None
        for stream, track in tracks:
            moments = times or range(0, 1000 * len(track), 1000)
            for moment, picture in zip(moments, track, strict=True):
                frame = av.VideoFrame.from_ndarray(np.asarray(picture), format="rgb24")
                frame.time_base = Fraction(1, 1000 if times else 1000 * RATE)
                frame.pts = moment
                output.mux(stream.encode(frame))
            output.mux(stream.encode(None))
        if quiet is not None:
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), format="s16", layout="mono")
            silence.rate = 8000
            silence.pts = 0
            output.mux(quiet.encode(silence))
            output.mux(quiet.encode(None))
    return target.getvalue()


def _track(output: OutputContainer, codec: str, first: Image.Image) -> VideoStream:
    options = {"libx264": {"preset": "ultrafast"}, "libx265": {"x265-params": "log-level=none:pools=1"}}
    stream = cast(VideoStream, output.add_stream(codec, rate=RATE, options=options.get(codec, {})))
    stream.width, stream.height = first.size
    stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    stream.bit_rate = 2_000_000
    stream.thread_count = 1
    return stream


def boxes(data: bytes) -> dict[bytes, bytes]:
    """The outermost boxes of an MP4 or MOV, by name, in their order."""
    found, at = {}, 0
    while at < len(data):
        length = int.from_bytes(data[at : at + 4])
        found[data[at + 4 : at + 8]] = data[at : at + length]
        at += length
    return found


def index_first(data: bytes) -> bytes:
    """An MP4 or MOV of one track whose index comes before its data, as it is for the web."""
    parts = boxes(data)
    index = bytearray(parts.pop(b"moov"))
    at = index.index(b"stco") + 8
    for place in range(at + 4, at + 4 + 4 * int.from_bytes(index[at : at + 4]), 4):
        index[place : place + 4] = (int.from_bytes(index[place : place + 4]) + len(index)).to_bytes(4)
    first = parts.pop(b"ftyp")
    return first + bytes(index) + b"".join(parts.values())


def turned(data: bytes, degrees: int) -> bytes:
    """An MP4 or MOV that says of itself that it is to be shown turned clockwise."""
    cosine, sine = {0: (1, 0), 90: (0, 1), 180: (-1, 0), 270: (0, -1)}[degrees]
    matrix = struct.pack(">9i", cosine * 65536, sine * 65536, 0, -sine * 65536, cosine * 65536, 0, 0, 0, 0x40000000)
    at = data.index(b"tkhd") + 44
    return data[:at] + matrix + data[at + len(matrix) :]


SMALL = panning(0.4, width=96, height=64)


def with_subtitles(data: bytes) -> bytes:
    """A Flash video with a word to be read beside its pictures, which makes a track of subtitles of it."""
    text = b"\x02\x00\x0aonTextData\x08\x00\x00\x00\x01\x00\x04text\x02\x00\x03sea\x00\x00\x09"
    tag = b"\x12" + len(text).to_bytes(3) + bytes(7) + text
    return data[:13] + tag + len(tag).to_bytes(4) + data[13:]


def small_videos() -> dict[str, bytes]:
    """A small video of each container and codec that is read, by name."""
    return {
        "mp4": video(SMALL),
        "mp4-mpeg4": video(SMALL, "mp4", "mpeg4"),
        "mov": video(SMALL, "mov"),
        "webm": video(SMALL, "webm", "libvpx"),
        "mkv": video(SMALL, "matroska"),
        "avi": video(SMALL, "avi", "mpeg4"),
        "ts": video(SMALL, "mpegts", "mpeg2video"),
        "flv": video(SMALL, "flv", "flv"),
        "flv-subtitles": with_subtitles(video(SMALL, "flv", "flv")),
    }
