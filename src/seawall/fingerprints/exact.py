"""Exact digests: the same bytes, the same digests."""

from __future__ import annotations

import hashlib

from seawall.records import Digests

# Small enough to stay in the processor's cache, so that the three digests read memory once between them.
_BLOCK_BYTES = 64 * 1024


def digest(data: bytes) -> Digests:
    """MD5, SHA-1 and SHA-256 of the bytes, in one pass.

    MD5 and SHA-1 are here because hash lists hold them, not because they are secure.
    """
    md5 = hashlib.md5(usedforsecurity=False)
    sha1 = hashlib.sha1(usedforsecurity=False)
    sha256 = hashlib.sha256()
    view = memoryview(data)
    for start in range(0, len(view), _BLOCK_BYTES):
        block = view[start : start + _BLOCK_BYTES]
        md5.update(block)
        sha1.update(block)
        sha256.update(block)
    return Digests(md5=md5.digest(), sha1=sha1.digest(), sha256=sha256.digest())


def identity(digests: Digests) -> bytes:
    """What bytes are known by in the ledger: their SHA-256 (32 bytes).

    Raises:
        ValueError: the digests are not those of bytes that were here.
    """
    if digests.sha256 is None:
        raise ValueError("digests of bytes always hold a SHA-256")
    return digests.sha256
