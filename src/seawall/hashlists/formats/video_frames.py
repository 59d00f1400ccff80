"""A video of a list: the PDQ hashes of its frames in the forms in which files have them, and the entries they become.

vPDQ is Meta's ("The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm", 2019; reference code in
ThreatExchange, where its signal is a JSON array of texts ``hash,quality,seconds``). An older form is an object of
frame numbers with ``hash`` and ``quality``; `vpdq` itself writes lines of frame number, quality, hash and seconds.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from seawall.hashlists.formats.fields import (
    Fields,
    Outcome,
    Reading,
    Refused,
    checked,
    classification_of,
    decoded,
    pdq_trouble,
    plain_text,
    quality_of,
)
from seawall.records import BadLine, EntryDraft, HashKind

MOST_FRAMES = 20_000
HASH = re.compile(r"[0-9A-Fa-f]{64}")
HASH_KEYS, QUALITY_KEYS = ("hash", "pdq", "pdq_hex", "hex"), ("quality", "pdq_quality")


@dataclass(frozen=True, slots=True)
class FrameSaid:
    """One frame of a video as a file has it: PDQ in hex, and its quality."""

    pdq: str
    quality: str | None = None


def frames_of(value: object) -> list[FrameSaid]:
    """The frames of one video: JSON in a text, or what came of it.

    Raises:
        Refused: it is of none of the forms.
    """
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise Refused("not_vpdq", "vpdq is no JSON.") from None
    frames = list(value.values()) if isinstance(value, Mapping) else value
    if not isinstance(frames, list):
        raise Refused("not_vpdq", "vpdq is neither an array nor an object of frames.")
    if len(frames) > MOST_FRAMES:
        raise Refused("too_many_frames", f"The video has more than {MOST_FRAMES} frames.")
    return [_frame(frame) for frame in frames]


def _frame(frame: object) -> FrameSaid:
    if isinstance(frame, str):
        return _from_line(frame)
    if isinstance(frame, Mapping):
        value = next((frame[key] for key in HASH_KEYS if isinstance(frame.get(key), str)), None)
        quality = next((frame[key] for key in QUALITY_KEYS if frame.get(key) is not None), None)
        if value is not None:
            return FrameSaid(value, None if quality is None else str(quality)[:20])
    raise Refused("not_vpdq", "A frame of vpdq is neither a text nor an object with a hash.")


def _from_line(line: str) -> FrameSaid:
    """Hash, quality and seconds; or with the number of the frame before them, and the first two in either order."""
    parts = [part.strip() for part in line.split(",")]
    places = [place for place, part in enumerate(parts) if HASH.fullmatch(part)]
    if len(places) != 1 or len(parts) not in (1, 2, 3, 4):
        raise Refused("not_vpdq", "A frame of vpdq is not written as hash, quality and seconds.")
    place = places[0]
    others = parts[:place] + parts[place + 1 :]
    if len(parts) == 4:
        others = others[1:]  # the frame's number
    return FrameSaid(parts[place], others[0] if others else None)


def video_of(line: int, fields: Fields, frames: Iterable[FrameSaid], reading: Reading) -> Outcome:
    """Checks one record of a video: an entry of its other hashes, if it has any, and one for each frame that differs.

    A malformed hash refuses the record. Frames that cannot be used (flat, of low quality) are left out, since most
    videos have some; where none is left, that is said.
    """
    try:
        usable = _usable(frames, reading)
        has_hash = any(decoded(kind, fields.get(kind.value)) is not None for kind in HashKind)
        whole = checked(line, fields, reading) if has_hash else ()
        video = _video_id(fields, usable)
        classification, upstream_id = (
            classification_of(fields, reading),
            plain_text(fields.get("upstream_id"), "the id"),
        )
    except Refused as refusal:
        return (BadLine(line, refusal.code, refusal.reason),)
    if not usable:
        also = " The entry went in without them." if whole else ""
        return (BadLine(line, "no_frame", f"No frame of the video can be used.{also}"), *whole)
    of_frames = (
        EntryDraft(line, None, None, None, pdq, quality, classification, upstream_id, video)
        for pdq, quality in usable.items()
    )
    return (*(replace(each, video=video) if isinstance(each, EntryDraft) else each for each in whole), *of_frames)


def _usable(frames: Iterable[FrameSaid], reading: Reading) -> dict[bytes, int | None]:
    """The PDQ hashes that can be used, each once, with their qualities."""
    usable: dict[bytes, int | None] = {}
    for frame in frames:
        pdq, quality = decoded(HashKind.PDQ, frame.pdq), quality_of(frame.quality)
        if pdq is not None and pdq_trouble(pdq, quality, reading) is None:
            usable.setdefault(pdq, quality)
    return usable


def _video_id(fields: Fields, frames: Iterable[bytes]) -> str:
    """What the frames of one video have in common: its upstream id, a digest, or all of them."""
    if (upstream_id := plain_text(fields.get("upstream_id"), "the id")) is not None:
        return f"id:{upstream_id}"
    for kind in (HashKind.SHA256, HashKind.SHA1, HashKind.MD5):
        if (digest := decoded(kind, fields.get(kind.value))) is not None:
            return f"{kind.value}:{digest.hex()}"
    return f"frames:{hashlib.sha256(b''.join(sorted(frames))).hexdigest()[:32]}"
