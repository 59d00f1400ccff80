"""What parent and child say to each other over two pipes: a JSON header and a body, each with its length before it.

JSON and plain bytes, because the child is not trusted: it has read what a stranger sent.
"""

from __future__ import annotations

import json
import os
import select
import struct
import time
from typing import Any, BinaryIO

_LENGTHS = struct.Struct(">II")
_CHUNK_BYTES = 1024 * 1024
# Replies: hashes of some thousand views, or one thumbnail.
LARGEST_REPLY_HEADER = 16 * 1024 * 1024
LARGEST_REPLY_BODY = 64 * 1024 * 1024


class WireBroken(Exception):
    """The other side is gone, or what it says is not of the agreed form."""


def _framed(header: dict[str, Any], body: bytes) -> list[bytes]:
    encoded = json.dumps(header, separators=(",", ":")).encode()
    return [_LENGTHS.pack(len(encoded), len(body)) + encoded, body]


def write_message(pipe: BinaryIO, header: dict[str, Any], body: bytes = b"") -> None:
    """The child's side: writes a message and waits for as long as it takes."""
    for piece in _framed(header, body):
        pipe.write(piece)
    pipe.flush()


def read_message(pipe: BinaryIO) -> tuple[dict[str, Any], bytes] | None:
    """The child's side: the next message, or None when the parent has closed the pipe or is gone."""
    prefix = pipe.read(_LENGTHS.size)
    if len(prefix) < _LENGTHS.size:
        return None
    header_length, body_length = _LENGTHS.unpack(prefix)
    encoded, body = pipe.read(header_length), pipe.read(body_length)
    if len(encoded) < header_length or len(body) < body_length:
        return None
    header: dict[str, Any] = json.loads(encoded)
    return header, body


class ParentWire:
    """The parent's side: every wait ends at a deadline (of `time.monotonic`)."""

    def __init__(self, to_child: int, from_child: int) -> None:
        self._to_child = to_child
        self._from_child = from_child
        os.set_blocking(to_child, False)
        os.set_blocking(from_child, False)

    def send(self, header: dict[str, Any], body: bytes, deadline: float) -> None:
        """Writes a message.

        Raises:
            WireBroken: the child is gone.
            TimeoutError: the child does not read it before the deadline.
        """
        for piece in _framed(header, body):
            rest = memoryview(piece)
            while rest:
                self._wait(self._to_child, select.POLLOUT, deadline)
                try:
                    rest = rest[os.write(self._to_child, rest[:_CHUNK_BYTES]) :]
                except BlockingIOError:
                    continue
                except BrokenPipeError as problem:
                    raise WireBroken("The child has closed its input.") from problem

    def receive(self, deadline: float) -> tuple[dict[str, Any], bytes]:
        """The next message.

        Raises:
            WireBroken: the child is gone, or what it says makes no sense.
            TimeoutError: it is not there before the deadline.
        """
        header_length, body_length = _LENGTHS.unpack(self._read(_LENGTHS.size, deadline))
        if header_length > LARGEST_REPLY_HEADER or body_length > LARGEST_REPLY_BODY:
            raise WireBroken("The child announces more than it may say.")
        encoded = self._read(header_length, deadline)
        body = self._read(body_length, deadline)
        try:
            header = json.loads(encoded)
        except (ValueError, RecursionError) as problem:
            raise WireBroken("The child's answer is no JSON.") from problem
        if not isinstance(header, dict):
            raise WireBroken("The child's answer is no object.")
        return header, body

    def _read(self, length: int, deadline: float) -> bytes:
        pieces = bytearray()
        while len(pieces) < length:
            self._wait(self._from_child, select.POLLIN, deadline)
            try:
                piece = os.read(self._from_child, min(length - len(pieces), _CHUNK_BYTES))
            except BlockingIOError:
                continue
            if not piece:
                raise WireBroken("The child has ended.")
            pieces += piece
        return bytes(pieces)

    @staticmethod
    def _wait(pipe: int, event: int, deadline: float) -> None:
        poll = select.poll()
        poll.register(pipe, event)
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            raise TimeoutError
