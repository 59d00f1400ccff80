"""The program of one decoder process: `python -m seawall.decoding.child OPTIONS`.

It says when it is ready, then answers one message after another until its input ends. It trusts its parent and
nothing else; what it reads may take it over, so it holds no secret, and what it answers is checked by the parent.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

from seawall.decoding import confinement
from seawall.decoding.limits import Limits
from seawall.decoding.wire import read_message, write_message
from seawall.errors import MediaTooLarge, SeawallError

_LONGEST_MESSAGE = 300


@dataclass(frozen=True, slots=True)
class Options:
    """What the parent wants of this child."""

    memory_bytes: int
    parent: int
    limits: Limits


def _take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Input and output, taken out of the reach of libraries that print or ask."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.close(nothing)
    return requests, replies


def _silence() -> None:
    """Ends the error output: from now on it would repeat what libraries say about untrusted bytes."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    os.close(nothing)


def _printable(message: str) -> str:
    """A message that may quote the bytes, made harmless for logs and terminals."""
    return "".join(letter if letter.isprintable() else "?" for letter in message)[:_LONGEST_MESSAGE]


def _answer(header: dict[str, Any], body: bytes, limits: Limits) -> tuple[dict[str, Any], bytes]:
    """The reply to one message. What takes long is begun only when the parent has said that it may."""
    from seawall.decoding.asking import Keypoints
    from seawall.decoding.operations import fingerprint, strip, thumbnail
    from seawall.decoding.reading import TakesLong

    may_take_long = bool(header["may_take_long"])
    try:
        if header["operation"] == "fingerprint":
            limits = replace(limits, max_regions=header["regions"])
            keypoints = Keypoints(header["keypoints"])
            return {"media": fingerprint(body, limits, may_take_long=may_take_long, keypoints=keypoints)}, b""
        if header["operation"] == "strip":
            told, sheet = strip(body, header, limits, may_take_long=may_take_long)
            return {"strip": told}, sheet
        return {}, thumbnail(body, header, limits, may_take_long=may_take_long)
    except TakesLong:
        return {"takes_long": True}, b""
    except SeawallError as problem:
        # After running out of memory much of it may stay torn into pieces: better a fresh process.
        last = isinstance(problem.__cause__, MemoryError)
        return {"error": problem.code, "message": _printable(problem.message), "last": last}, b""
    except MemoryError:
        message = "The picture needs more memory than a decoder may use."
        return {"error": MediaTooLarge.code, "message": message, "last": True}, b""


def _serve(requests: BinaryIO, replies: BinaryIO, options: Options) -> None:
    while (message := read_message(requests)) is not None:
        asked, data = message
        limits, memory_bytes = options.limits, options.memory_bytes
        if asked["strictly"]:
            limits, memory_bytes = replace(limits, video_timeout_s=limits.video_timeout_s / 2), memory_bytes // 2
        with confinement.less_memory(memory_bytes):
            header, body = _answer(asked, data, limits)
        write_message(replies, header, body)
        if header.get("last"):
            return


def main() -> None:
    """Warms up, confines itself, serves."""
    told = json.loads(sys.argv[1])
    options = Options(told["memory_bytes"], told["parent"], Limits(**told["limits"]))
    confinement.die_with_parent(options.parent)
    requests, replies = _take_pipes()
    from seawall.decoding.warm_up import warm_up

    warm_up(options.limits)
    _silence()
    confined = confinement.confine(options.memory_bytes, options.parent)
    write_message(replies, {"ready": True, "confined": confined})
    _serve(requests, replies, options)


if __name__ == "__main__":
    main()
