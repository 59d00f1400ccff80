"""Damage to files, and what a decoder pool says of them."""

from __future__ import annotations

import random

from seawall.decoding.pool import DecoderPool
from seawall.errors import DecodingFailed, NotMedia
from seawall.records import DecodedMedia

# What no input may cost.
CRASHES = frozenset({"decoder_crashed", "decoder_timeout"})


def mutated(data: bytes, other: bytes, chance: random.Random) -> bytes:
    """The data with one to four things done to them: flips, cuts, insertions, copies, pieces of another kind."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(changed) + 1)
        length = chance.choice((1, 2, 4, 16, 200))
        match chance.randrange(7):
            case 0 if at < len(changed):
                changed[at] ^= 1 << chance.randrange(8)
            case 1:
                changed[at : at + length] = bytes(chance.randrange(256) for _ in range(length))
            case 2:
                del changed[at:]
            case 3:
                del changed[at : at + length]
            case 4:
                changed[at:at] = chance.randbytes(length)
            case 5:
                start = chance.randrange(len(other))
                changed[at:at] = other[start : start + chance.randint(1, 400)]
            case _:
                changed[at : at + 4] = chance.choice(
                    (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\0\0\0\1")
                )
        if not changed:
            break
    return bytes(changed)


def answered(pool: DecoderPool, data: bytes) -> DecodedMedia | DecodingFailed | NotMedia:
    """What the pool said. Anything but an answer or a named error fails the test."""
    try:
        media = pool.fingerprint(data)
    except (DecodingFailed, NotMedia) as refusal:
        error = refusal
    else:
        assert isinstance(media, DecodedMedia)
        return media
    assert "Too many open files" not in error.message
    assert error.message.isprintable()
    return error


def outcome(pool: DecoderPool, data: bytes) -> str:
    """What the pool said, in a word."""
    said = answered(pool, data)
    return "decoded" if isinstance(said, DecodedMedia) else said.code
