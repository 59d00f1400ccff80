"""What a decoder child answers, as records, every part of it checked: the child may have been taken over."""

from __future__ import annotations

import re
from typing import Any

from seawall.decoding.asking import MOST_SIGNATURES
from seawall.decoding.limits import STRIP_STILLS
from seawall.errors import DecoderCrashed, DecoderTimeout, MediaCorrupt, MediaTooLarge, MediaUnsupported
from seawall.fingerprints.keypoints import LONGEST_SIDE, KeypointSignature
from seawall.records import (
    DecodedMedia,
    Digests,
    Frame,
    Noted,
    NotedKind,
    ScanOwed,
)
from seawall.strips import Strip

_OWED = frozenset(error.code for error in (MediaCorrupt, MediaUnsupported, MediaTooLarge, DecoderTimeout))
_HASHES_BYTES = 8 * 32
_LONGEST_MESSAGE = 300
# What the database keeps in a column of whole numbers.
_LARGEST_NUMBER = 2**31 - 1
_MEDIA_TYPE = re.compile(r"[a-z]{1,20}/[a-z0-9.+-]{1,60}")


def printable(said: object) -> str:
    """What a child says of its failure, which ends in logs, in the database and on pages."""
    text = said if isinstance(said, str) else "The bytes cannot be read."
    return "".join(letter if letter.isprintable() else "?" for letter in text[:_LONGEST_MESSAGE])


def decoded_media(reply: dict[str, Any]) -> DecodedMedia:
    """The child's answer as a record, every part of it checked: the child may have been taken over.

    Raises:
        DecoderCrashed: it is not of the agreed form.
    """
    try:
        media = reply["media"]
        frames = tuple(_frame(frame) for frame in media["frames"])
        decoded = DecodedMedia(
            _media_type(media["media_type"]),
            _side(media["width"]) if frames else None,
            _side(media["height"]) if frames else None,
            frames,
            tuple(_owed(code, message) for code, message in media["owed"].items()),
            tuple(_part(part) for part in media["parts"]),
            tuple(Noted(NotedKind(kind).value, printable(what)) for kind, what in media["noted"].items()),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as problem:
        raise DecoderCrashed("The decoder's answer is not of the agreed form.") from problem
    if not frames and not decoded.owed and not decoded.parts:
        raise DecoderCrashed("The decoder found no frame.")
    return decoded


def _owed(code: object, message: object) -> ScanOwed:
    if code not in _OWED:
        raise ValueError("not a reason for which a part may be owed")
    return ScanOwed(str(code), printable(message))


def _part(digests: list[str]) -> Digests:
    md5, sha1, sha256 = (bytes.fromhex(digest) for digest in digests)
    if (len(md5), len(sha1), len(sha256)) != (16, 20, 32):
        raise ValueError("not the digests of a file")
    return Digests(md5, sha1, sha256)


def _media_type(said: object) -> str:
    if not isinstance(said, str) or not _MEDIA_TYPE.fullmatch(said):
        raise ValueError("not a media type")
    return said


def _side(said: object) -> int:
    return _whole(said, 1, _LARGEST_NUMBER)


def _whole(said: object, least: int, most: int) -> int:
    if type(said) is not int or not least <= said <= most:
        raise ValueError("not a number of the agreed range")
    return said


def _frame(document: dict[str, Any]) -> Frame:
    hashes = bytes.fromhex(document["hashes"])
    if len(hashes) != _HASHES_BYTES:
        raise ValueError("not eight hashes")
    orientations = tuple(hashes[start : start + 32] for start in range(0, _HASHES_BYTES, 32))
    number, quality = _whole(document["number"], 0, _LARGEST_NUMBER), _whole(document["quality"], 0, 100)
    marks = (document["is_part"] is True, document["low_information"] is True)
    return Frame(number, orientations, quality, *marks)


def signatures(reply: dict[str, Any]) -> tuple[KeypointSignature, ...]:
    """The keypoints that the child tells of.

    Raises:
        DecoderCrashed: it is not of the agreed form.
    """
    try:
        told = reply["media"]["signatures"]
        if len(told) > MOST_SIGNATURES:
            raise ValueError("more than are asked for")
        return tuple(_signature(each) for each in told)
    except (AttributeError, KeyError, TypeError, ValueError) as problem:
        raise DecoderCrashed("The decoder's answer is not of the agreed form.") from problem


def _signature(told: dict[str, Any]) -> KeypointSignature:
    width, height = (_whole(told[side], 1, LONGEST_SIDE) for side in ("width", "height"))
    number, marks = _whole(told["number"], 0, _LARGEST_NUMBER), (told["mirrored"] is True, told["is_part"] is True)
    places = (bytes.fromhex(told["points"]), bytes.fromhex(told["descriptors"]))
    return KeypointSignature(number, *marks, width, height, *places)


def strip_told(reply: dict[str, Any]) -> Strip:
    """The places of the stills, every part checked: the child may have been taken over.

    Raises:
        DecoderCrashed: it is not of the agreed form.
    """
    try:
        told = reply["strip"]
        places = tuple(_whole(place, 0, _LARGEST_NUMBER) for place in told["places"])
        length = None if told["length"] is None else _whole(told["length"], 0, _LARGEST_NUMBER)
        if not 1 <= len(places) <= STRIP_STILLS:
            raise ValueError("not so many stills")
        return Strip(places, told["more"] is True, told["moving"] is True, length)
    except (KeyError, TypeError, ValueError) as problem:
        raise DecoderCrashed("The decoder's answer is not of the agreed form.") from problem
