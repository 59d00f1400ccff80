"""What a decoder child can be asked to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from PIL import Image

from seawall.decoding.asking import MOST_SIGNATURES, Keypoints
from seawall.decoding.keypoints import Described, describe
from seawall.decoding.limits import Limits
from seawall.decoding.reading import Reading, Seen
from seawall.decoding.regions import Box, regions
from seawall.decoding.strips import make_still, make_strip
from seawall.decoding.thumbnails import jpeg, make_thumbnail, staged
from seawall.errors import MediaTooLarge
from seawall.fingerprints.pdq import PdqResult, hash_picture
from seawall.records import FARTHEST_DISTANCE, RevealStage

# A frame of a video that is so near to the last kept is not kept: it would be looked up, and stored, for nothing.
_SAME_SCENE = 4
_GOOD_QUALITY = 50
# Of a picture that was reduced. Wood, weaves and stripes have twenty and more, photographs and drawings about three.
_MOST_DOUBTFUL = 8


def fingerprint(
    data: bytes, limits: Limits, *, may_take_long: bool = True, keypoints: Keypoints = Keypoints.NONE
) -> dict[str, Any]:
    """Sniffs, decodes and hashes every distinct view of every frame; a :class:`seawall.records.DecodedMedia` as JSON.

    Args:
        data: the whole file.
        limits: what it may cost.
        may_take_long: whether it may take the time of a video.
        keypoints: of the first pictures in it, but not of videos.

    Raises:
        NotMedia, MediaUnsupported, MediaCorrupt, MediaTooLarge, TakesLong: as
            :meth:`seawall.decoding.reading.Reading.views`.
    """
    reading = Reading(data, limits, may_take_long=may_take_long, reduced=True)
    kept, signed = _Kept(), _Signed(keypoints)
    width = height = 0
    for seen in reading.views():
        if not kept.frames:
            height, width = seen.size
        result = hashed(seen)
        if kept.is_new(seen, result):
            if kept.wholes >= limits.max_video_frames:
                many = f"Only the first {kept.wholes} frames that differ were read."
                reading.allowance.owe(MediaTooLarge(many))
                break
            kept.add(seen.number, result)
            signed.add(seen, result)
            for box, part in _parts(seen, limits.max_regions):
                kept.add(seen.number, part, is_part=True)
                signed.add_part(seen, box, part)
    return {
        "media_type": reading.kind.media_type,
        "width": width,
        "height": height,
        "frames": [
            {
                "number": number,
                "quality": result.quality,
                "hashes": b"".join(result.orientations).hex(),
                "is_part": is_part,
                "low_information": result.low_information,
            }
            for number, result, is_part in kept.frames
        ],
        "owed": reading.allowance.owed,
        "parts": [*reading.parts],
        "noted": reading.allowance.noted,
        "signatures": signed.signatures,
    }


def hashed(seen: Seen) -> PdqResult:
    """The hashes; from all pixels where fewer leave too many bits in doubt."""
    result = hash_picture(seen.pixels, seen.size, seen.reduced_by)
    if seen.whole is not None and result.doubtful > _MOST_DOUBTFUL:
        return hash_picture(seen.whole())
    return result


def _cut_out(seen: Seen, part: Box) -> Seen:
    """The part as if it were all that is seen."""
    by, whole = seen.reduced_by, seen.whole
    top, left, bottom, right = part
    return replace(
        seen,
        pixels=seen.pixels[top:bottom, left:right],
        size=((bottom - top) * by, (right - left) * by),
        whole=None if whole is None else lambda: whole()[top * by : bottom * by, left * by : right * by],
    )


def _parts(seen: Seen, most: int) -> Iterator[tuple[Box, PdqResult]]:
    """Those parts of a picture that may be pictures of their own and are good enough to be one, and their hashes."""
    # Of a film the likeliest alone: it has many frames, and what frames it seldom changes.
    for part in regions(seen.pixels, min(most, 1) if seen.moving else most):
        result = hashed(_cut_out(seen, part))
        if result.quality >= _GOOD_QUALITY:
            yield part, result


class _Signed:
    """The keypoints of the first pictures that differ. What tells too little, as text and lattices do, has none: its
    corners look like those of any other."""

    def __init__(self, wanted: Keypoints) -> None:
        self.signatures: list[dict[str, Any]] = []
        self._wanted = wanted
        self._with_part: set[int] = set()

    def add(self, seen: Seen, result: PdqResult) -> None:
        """Takes those of a whole picture."""
        to_keep = self._wanted is Keypoints.TO_KEEP
        if not self._takes(seen, result) or (to_keep and (seen.carried or not _telling(result))):
            return
        self._put(seen, describe(seen.pixels))
        if to_keep:
            self._put(seen, describe(seen.pixels, mirrored=True), mirrored=True)

    def add_part(self, seen: Seen, box: Box, result: PdqResult) -> None:
        """Takes those of the likeliest part of a picture."""
        if self._wanted is Keypoints.ARRIVING and seen.number not in self._with_part and self._takes(seen, result):
            self._with_part.add(seen.number)
            top, left, bottom, right = box
            self._put(seen, describe(seen.pixels[top:bottom, left:right]), is_part=True)

    def _takes(self, seen: Seen, result: PdqResult) -> bool:
        full = len(self.signatures) >= MOST_SIGNATURES
        return not (self._wanted is Keypoints.NONE or seen.moving or full or result.low_information)

    def _put(self, seen: Seen, found: Described | None, *, mirrored: bool = False, is_part: bool = False) -> None:
        if found is not None and len(self.signatures) < MOST_SIGNATURES:
            told = {"number": seen.number, "mirrored": mirrored, "is_part": is_part}
            size = {"width": found.width, "height": found.height}
            places = {"points": found.points.hex(), "descriptors": found.descriptors.hex()}
            self.signatures.append({**told, **size, **places})


class _Kept:
    """The frames that are looked up, each once."""

    def __init__(self) -> None:
        self.frames: list[tuple[int, PdqResult, bool]] = []
        self.wholes = 0
        self._stills: set[tuple[bytes, ...]] = set()
        self._last_moving: PdqResult | None = None

    def add(self, number: int, result: PdqResult, *, is_part: bool = False) -> None:
        """Keeps one."""
        self.wholes += not is_part
        self.frames.append((number, result, is_part))

    def is_new(self, seen: Seen, result: PdqResult) -> bool:
        """Whether this tells something that those kept do not."""
        if seen.moving:
            if self._last_moving is not None and _same_scene(self._last_moving, result):
                return False
            self._last_moving = result
            return True
        if result.orientations in self._stills or (seen.carried and self._shows_the_same(result)):
            return False
        self._stills.add(result.orientations)
        return True

    def _shows_the_same(self, result: PdqResult) -> bool:
        """Whether something kept counts as the same picture, whichever way it is turned: thumbnails mostly do."""
        return any(
            _apart(turned, result.orientations[0]) <= FARTHEST_DISTANCE
            for _number, kept, _is_part in self.frames
            if _telling(kept) or not _telling(result)
            for turned in kept.orientations
        )


def _same_scene(last: PdqResult, result: PdqResult) -> bool:
    """Whether the later of two frames tells nothing new. One that is good enough to match is kept after one that is
    not."""
    if _telling(result) and not _telling(last):
        return False
    return _apart(last.orientations[0], result.orientations[0]) <= _SAME_SCENE


def _telling(result: PdqResult) -> bool:
    """Whether it is good enough to match by itself."""
    return result.quality >= _GOOD_QUALITY and not result.low_information


def _apart(one: bytes, other: bytes) -> int:
    return (int.from_bytes(one) ^ int.from_bytes(other)).bit_count()


def thumbnail(data: bytes, request: dict[str, Any], limits: Limits, *, may_take_long: bool = True) -> bytes:
    """A JPEG of one frame at one stage; of a film, with `at`, of what is seen at that millisecond.

    Raises:
        As :func:`fingerprint`; MediaCorrupt also where there is no such frame.
    """
    reading = Reading(data, limits, may_take_long=may_take_long)
    stage, longest_side = RevealStage(request["stage"]), request["longest_side"]
    if request.get("at") is not None:
        pixels = make_still(reading, data, limits, request["at"])
        return jpeg(staged(Image.fromarray(pixels), stage, longest_side))
    return make_thumbnail(reading, stage, longest_side, request["frame"])


def strip(
    data: bytes, request: dict[str, Any], limits: Limits, *, may_take_long: bool = True
) -> tuple[dict[str, Any], bytes]:
    """A sheet of small stills and their places; a :class:`seawall.strips.Strip` as JSON.

    Raises:
        As :func:`seawall.decoding.strips.make_strip`.
    """
    stage, start, step = RevealStage(request["stage"]), request["start"], request["step"]
    return make_strip(data, limits, stage, start, step, may_take_long=may_take_long)
