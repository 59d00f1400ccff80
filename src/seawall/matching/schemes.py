"""How a segment finds near hashes without looking at all: multi-index hashing (Norouzi, Punjani, Fleet, 2012).

A hash of 256 bits is cut into chunks. Of two hashes within distance 31, at least one chunk differs in no more bits
than its radius, whenever the radii plus one sum to 32 or more: were all chunks farther apart than their radius, the
distance would be the sum of the radii plus one, at least. So it is enough to look, chunk by chunk, into the buckets
of all values within the radius, and to compare what lies there.

The bits of a PDQ hash stand for 16 x 16 frequencies, and neighbours go together: in pictures that share a motif, far
more hashes have nearly the same value in twenty-four bits that lie side by side than chance would give. So the bits
of a chunk lie apart: it takes those whose place fits its own point of a lattice over the square.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, product
from math import comb

import numpy as np
from numpy.typing import NDArray

HASH_BITS = 256
# A PDQ hash stands for so many frequencies along each side.
SIDE = 16
# records.FARTHEST_DISTANCE; a test holds the two together.
FAR = 31
# Buckets that a chunk's value counts into; more bits would be more memory than they save time.
WIDEST_CHUNK = 26

# From how many hashes on which chunks are quickest: (how many chunks, their bits, their radius). Fewer and wider
# chunks have more and smaller buckets: more to look into, and less in them to compare. Below the last, comparing all
# takes no longer, and there is nothing to build.
QUICKEST = (
    (4_000_000, ((6, 24, 2), (4, 23, 2), (1, 20, 1))),
    (2_000_000, ((4, 23, 2), (4, 22, 2), (4, 19, 1))),
    (1_000_000, ((4, 21, 2), (2, 18, 1), (8, 17, 1))),
    (5_000, ((16, 16, 1),)),
)


@dataclass(frozen=True, slots=True)
class Scheme:
    """The chunks of a hash.

    Args:
        widths: bits of each chunk; they sum to 256.
        radii: how many bits of each are flipped to look for what is near; the radii plus one sum to 32 at least.

    Raises:
        ValueError: something could escape, or the numbers make no sense.
    """

    widths: tuple[int, ...]
    radii: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.widths) != len(self.radii) or sum(self.widths) != HASH_BITS:
            raise ValueError("The chunks do not make up a hash.")
        if not all(1 <= width <= WIDEST_CHUNK for width in self.widths) or min(self.radii) < 0:
            raise ValueError("A chunk is too wide, or a radius negative.")
        if sum(radius + 1 for radius in self.radii) <= FAR:
            raise ValueError(f"A hash within distance {FAR} could escape.")

    @property
    def starts(self) -> tuple[int, ...]:
        """Where the bits of each chunk begin in `order`."""
        return tuple(sum(self.widths[:place]) for place in range(len(self.widths)))

    @property
    def order(self) -> NDArray[np.uint8]:
        """(256,) the bits of a hash, chunk after chunk, each chunk's lowest first."""
        chunks, step = len(self.widths), _step(len(self.widths))

        def place(bit: int) -> tuple[int, int]:
            # The bytes of a hash begin with the highest frequencies, the bits of each with its lowest.
            row, column = divmod(bit ^ (HASH_BITS - 8), SIDE)
            return (step * row + column) % chunks, bit

        return np.array(sorted(range(HASH_BITS), key=place), dtype=np.uint8)

    @property
    def chunk_of(self) -> NDArray[np.uint8]:
        """(256,) the chunk of each bit of a hash."""
        chunk_of = np.empty(HASH_BITS, dtype=np.uint8)
        chunk_of[self.order] = np.repeat(np.arange(len(self.widths), dtype=np.uint8), self.widths)
        return chunk_of

    @property
    def bucket_starts(self) -> tuple[int, ...]:
        """Where the bounds of each chunk's buckets begin among those of all; a chunk has 2 ** width + 1 bounds."""
        sizes = [(1 << width) + 1 for width in self.widths]
        return tuple(sum(sizes[:place]) for place in range(len(sizes) + 1))

    def radii_within(self, farthest: int) -> tuple[int, ...]:
        """The radii that are enough for a shorter distance, -1 for a chunk that need not be looked at.

        The probes that cost most are left out first.
        """
        radii = list(self.radii)
        for _ in range(sum(radius + 1 for radius in radii) - (farthest + 1)):
            costs = [
                comb(width, radius) if radius >= 0 else 0 for width, radius in zip(self.widths, radii, strict=True)
            ]
            radii[costs.index(max(costs))] -= 1
        return tuple(radii)

    def plan(self, farthest: int) -> Plan:
        """What the compiled search follows for distances up to that."""
        masks = [
            masks_of(width, radius) for width, radius in zip(self.widths, self.radii_within(farthest), strict=True)
        ]
        ends = np.cumsum([len(part) for part in masks])
        columns = (self.starts, self.widths, self.radii_within(farthest), self.bucket_starts[:-1], ends)
        chunks = np.array(columns, dtype=np.int64).T.copy()
        return Plan(chunks, np.concatenate(masks), self.order, self.chunk_of)


@dataclass(frozen=True, slots=True)
class Plan:
    """A scheme as compiled code reads it.

    Args:
        chunks: (chunks, 5) int64: where its bits begin, width, radius, where its buckets begin, where its masks end.
        masks: (k,) uint32, what to flip in the chunk's value, chunk after chunk.
        order: (256,) uint8, the bits of a hash, chunk after chunk; chunk_of: (256,) uint8, the chunk of each bit.
    """

    chunks: NDArray[np.int64]
    masks: NDArray[np.uint32]
    order: NDArray[np.uint8]
    chunk_of: NDArray[np.uint8]


def _step(chunks: int) -> int:
    """The lattice of so many points whose nearest two are farthest apart: a bit's place in it is step times its row
    plus its column, modulo the points."""

    def nearest(step: int) -> int:
        apart = product(range(SIDE), range(-SIDE, SIDE))
        same = ((row, column) for row, column in apart if (step * row + column) % chunks == 0 and (row or column))
        return min(row * row + column * column for row, column in same)

    return max(range(chunks), key=nearest)


def masks_of(width: int, radius: int) -> NDArray[np.uint32]:
    """Every way to flip up to `radius` of `width` bits; none for -1.

    Ascending, so that buckets which lie side by side are looked at one after the other.
    """
    masks = [
        sum(1 << bit for bit in bits) for flips in range(radius + 1) for bits in combinations(range(width), flips)
    ]
    return np.array(sorted(masks), dtype=np.uint32)


def scheme_for(hashes: int) -> Scheme | None:
    """The quickest scheme for that many hashes, as measured; none where comparing all is as quick. See docs/why."""
    parts = next((parts for fewest, parts in QUICKEST if hashes >= fewest), None)
    if parts is None:
        return None
    chunks = [(width, radius) for count, width, radius in parts for _ in range(count)]
    return Scheme(tuple(width for width, _ in chunks), tuple(radius for _, radius in chunks))
