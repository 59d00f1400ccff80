"""HEIC files made here: pictures coded as HEVC by PyAV, in boxes that these few lines write."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass, field
from typing import Any

import av
import numpy as np
from PIL import Image

from tests.vectors.files import scene

NCLX_FULL = b"colr", b"nclx" + struct.pack(">HHH", 1, 13, 6) + b"\x80"


def box(name: bytes, *parts: bytes) -> bytes:
    content = b"".join(parts)
    return struct.pack(">I", len(content) + 8) + name + content


def full(name: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    return box(name, bytes([version]), flags.to_bytes(3), *parts)


@dataclass
class Made:
    """One item to be written."""

    kind: bytes
    content: bytes
    properties: list[tuple[bytes, bytes]] = field(default_factory=list)
    refers: list[tuple[bytes, list[int]]] = field(default_factory=list)
    inline: bool = False


def size(width: int, height: int) -> tuple[bytes, bytes]:
    return b"ispe", struct.pack(">III", 0, width, height)


def coded(picture: Image.Image, *more: tuple[bytes, bytes], quality: int = 4) -> Made:
    """A picture as one HEVC frame; `quality` is x265's quantiser, lower is better."""
    target = io.BytesIO()
    with av.open(target, "w", format="mp4") as output:
        stream: Any = output.add_stream("libx265", rate=1)
        stream.width, stream.height = picture.size
        stream.pix_fmt = "yuvj420p"
        stream.options = {"x265-params": f"log-level=none:qp={quality}:keyint=1:pools=none:frame-threads=1"}
        frame = av.VideoFrame.from_ndarray(np.asarray(picture.convert("RGB")), format="rgb24")
        frame = frame.reformat(format="yuvj420p", dst_colorspace="ITU601", dst_color_range="JPEG")
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    with av.open(io.BytesIO(target.getvalue())) as back:
        settings = bytes(back.streams.video[0].codec_context.extradata or b"")
        content = b"".join(bytes(packet) for packet in back.demux(video=0) if packet.size)
    return Made(b"hvc1", content, [(b"hvcC", settings), size(*picture.size), NCLX_FULL, *more])


def grid(picture: Image.Image, tile: int, *more: tuple[bytes, bytes]) -> list[Made]:
    """A picture cut into tiles, the grid first. Numbers of tiles begin at 2: put the grid first of all."""
    width, height = picture.size
    columns, rows = -(-width // tile), -(-height // tile)
    padded = Image.fromarray(
        np.pad(np.asarray(picture), ((0, rows * tile - height), (0, columns * tile - width), (0, 0)), mode="edge")
    )
    places = [(left * tile, top * tile) for top in range(rows) for left in range(columns)]
    tiles = [coded(padded.crop((left, top, left + tile, top + tile))) for left, top in places]
    said = bytes([0, 0, rows - 1, columns - 1]) + struct.pack(">HH", width, height)
    numbers = list(range(2, 2 + len(tiles)))
    return [Made(b"grid", said, [size(width, height), *more], [(b"dimg", numbers)], inline=True), *tiles]


def heic(items: list[Made], primary: int = 1, brand: bytes = b"heic", tail: bytes = b"", more: bytes = b"") -> bytes:
    """The file. Items are numbered from 1 on; `more` stands among the boxes that tell of them."""
    shared: list[bytes] = []
    links = b""
    for number, item in enumerate(items, 1):
        indices = []
        for name, content in item.properties:
            written = box(name, content)
            if written not in shared:
                shared.append(written)
            indices.append(shared.index(written) + 1)
        links += struct.pack(">HB", number, len(indices)) + bytes(indices)
    refers = b"".join(
        box(name, struct.pack(">HH", number, len(to)), struct.pack(f">{len(to)}H", *to))
        for number, item in enumerate(items, 1)
        for name, to in item.refers
    )
    inline = b"".join(item.content for item in items if item.inline)
    kinds = b"".join(
        full(b"infe", 2, 0, struct.pack(">HH", number, 0), item.kind, b"\0") for number, item in enumerate(items, 1)
    )

    def meta(begins: int) -> bytes:
        places, at, inner = b"", begins, 0
        for number, item in enumerate(items, 1):
            start = inner if item.inline else at
            places += struct.pack(">HHHHII", number, int(item.inline), 0, 1, start, len(item.content))
            inner, at = (inner + len(item.content), at) if item.inline else (inner, at + len(item.content))
        return full(
            b"meta", 0, 0,
            full(b"hdlr", 0, 0, bytes(4), b"pict", bytes(13)),
            full(b"pitm", 0, 0, struct.pack(">H", primary)),
            full(b"iloc", 1, 0, b"\x44\x00", struct.pack(">H", len(items)), places),
            more,
            full(b"iinf", 0, 0, struct.pack(">H", len(items)), kinds),
            full(b"iref", 0, 0, refers),
            box(b"iprp", box(b"ipco", *shared), full(b"ipma", 0, 0, struct.pack(">I", len(items)), links)),
            box(b"idat", inline),
        )  # fmt: skip

    head = box(b"ftyp", brand, bytes(4), b"mif1", b"heic")
    begins = len(head) + len(meta(0)) + 8
    return head + meta(begins) + box(b"mdat", *(item.content for item in items if not item.inline)) + tail


def heic_files() -> dict[str, bytes]:
    """One small file in one piece and one in tiles, by name."""
    small = scene(7, 60, 80).convert("RGB")
    return {"heic": heic([coded(small, (b"irot", b"\1"))]), "heic-tiles": heic(grid(small, 64))}
