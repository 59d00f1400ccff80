"""How bytes are sealed: AES-256-GCM over segments of 1 MiB, so that a big file needs little memory.

The construction is STREAM (Hoang, Reyhanitabar, Rogaway and Vizár, 2015, "Online Authenticated-Encryption and its
Nonce-Reuse Misuse-Resistance"), as the age format uses it. A sealed object is

    "SWEV"  version 01  segment size as a power of two (14)  salt (16 bytes)  segment  segment  ...

Each object has a key of its own: HKDF-SHA256 of the case's key with the salt. A segment is AES-256-GCM under the
nonce ``counter (11 bytes, big-endian, from 0) | 01 for the last segment, else 00``; its associated data is the header
followed by the binding. So segments cannot be changed, reordered, dropped, cut off or moved to another object.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from seawall.errors import EvidenceTampered

MAGIC = b"SWEV\x01"
SEGMENT_POWER = 20
SEGMENT_BYTES = 1 << SEGMENT_POWER
SALT_BYTES = 16
TAG_BYTES = 16
HEADER_BYTES = len(MAGIC) + 1 + SALT_BYTES


def seal_stream(key: bytes, binding: bytes, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Header and sealed segments of what the chunks hold, whatever their sizes.

    Args:
        key: 32 bytes, the case's key.
        binding: what the object is; it opens only with the same binding.
    """
    header = MAGIC + bytes([SEGMENT_POWER]) + secrets.token_bytes(SALT_BYTES)
    cipher, associated = _cipher(key, header), header + binding
    yield header
    for counter, (segment, last) in enumerate(_segments(chunks, SEGMENT_BYTES)):
        yield cipher.encrypt(_nonce(counter, last), segment, associated)


def open_stream(key: bytes, binding: bytes, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The plaintext segments of a sealed object. Each was verified before it is handed out, but only reaching the end
    without an error proves that nothing was cut off.

    Raises:
        EvidenceTampered: a bit, the order, the end, the key or the binding is not what was sealed.
    """
    source = iter(chunks)
    start = b""
    while len(start) < HEADER_BYTES:
        chunk = next(source, None)
        if chunk is None:
            raise EvidenceTampered("The sealed object ends within its header.")
        start += chunk
    header, rest = start[:HEADER_BYTES], start[HEADER_BYTES:]
    if header[: len(MAGIC)] != MAGIC or header[len(MAGIC)] != SEGMENT_POWER:
        raise EvidenceTampered("The sealed object does not begin as one that Seawall has sealed.")
    cipher, associated = _cipher(key, header), header + binding
    for counter, (segment, last) in enumerate(_segments(_after(rest, source), SEGMENT_BYTES + TAG_BYTES)):
        try:
            yield cipher.decrypt(_nonce(counter, last), segment, associated)
        except InvalidTag:
            raise EvidenceTampered(f"Segment {counter} of the sealed object does not verify.") from None


def _cipher(key: bytes, header: bytes) -> AESGCM:
    salt = header[-SALT_BYTES:]
    return AESGCM(HKDF(SHA256(), 32, salt=salt, info=b"seawall/1/evidence-object").derive(key))


def _nonce(counter: int, last: bool) -> bytes:
    return counter.to_bytes(11) + (b"\x01" if last else b"\x00")


def _after(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _segments(chunks: Iterable[bytes], size: int) -> Iterator[tuple[memoryview, bool]]:
    """Cuts a stream into segments of `size` bytes and says of each whether it is the last. Only an empty stream has
    an empty segment."""
    waiting = memoryview(b"")
    for chunk in chunks:
        if not chunk:
            continue
        held = memoryview(bytes(waiting) + chunk) if waiting else memoryview(chunk)
        while len(held) > size:
            yield held[:size], False
            held = held[size:]
        waiting = held
    yield waiting, True
