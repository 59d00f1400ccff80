"""Keypoint signatures: what a crop of a picture, or one with something over it, has in common with the whole.

They are made in decoder children (:mod:`seawall.decoding.keypoints`) and compared in :mod:`seawall.matching`.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

# Keypoints of one picture at most, how long its longer side is where they are looked for, in pixels, and in how many
# steps of a pixel their places are told.
MOST_KEYPOINTS = 25 * 45
LONGEST_SIDE = 768
STEPS = 32
POINT_BYTES, DESCRIPTOR_BYTES = 4, 32

_HEAD = struct.Struct("<BIBHHH")
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class KeypointSignature:
    """The keypoints of one still picture, or of its mirror image.

    Args:
        number: that of its frame; is_part: as of :class:`seawall.records.Frame`.
        width, height: pixels of the picture as it was looked at, at most LONGEST_SIDE.
        points: for each keypoint how far across and down it lies, two whole numbers of 16 bits, least byte first, in
            steps of which a pixel has STEPS.
        descriptors: for each keypoint the 32 bytes of ORB.

    Raises:
        ValueError: it is not of this shape.
    """

    number: int
    mirrored: bool
    is_part: bool
    width: int
    height: int
    points: bytes = field(repr=False)
    descriptors: bytes = field(repr=False)

    def __post_init__(self) -> None:
        count, rest = divmod(len(self.points), POINT_BYTES)
        if rest or not 1 <= count <= MOST_KEYPOINTS or len(self.descriptors) != count * DESCRIPTOR_BYTES:
            raise ValueError("not a place and a descriptor for each keypoint")
        if not (1 <= self.width <= LONGEST_SIDE and 1 <= self.height <= LONGEST_SIDE):
            raise ValueError("not the size of a picture as it is looked at")

    def packed(self) -> bytes:
        """All of it, at most 41 KB, as :meth:`unpacked` reads it."""
        count = len(self.points) // POINT_BYTES
        marks = self.mirrored | self.is_part << 1
        head = _HEAD.pack(_FORMAT, self.number, marks, self.width, self.height, count)
        return head + self.points + self.descriptors

    @classmethod
    def unpacked(cls, packed: bytes) -> KeypointSignature:
        """What :meth:`packed` has written.

        Raises:
            ValueError: it is nothing of that kind.
        """
        if len(packed) < _HEAD.size or packed[0] != _FORMAT:
            raise ValueError("not a keypoint signature")
        _format, number, marks, width, height, count = _HEAD.unpack_from(packed)
        end = _HEAD.size + count * POINT_BYTES
        points, descriptors = packed[_HEAD.size : end], packed[end:]
        return cls(number, bool(marks & 1), bool(marks & 2), width, height, points, descriptors)
