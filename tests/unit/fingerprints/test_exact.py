"""Exact digests against hashlib's own, on bytes around the block size."""

from __future__ import annotations

import hashlib

import pytest

from seawall.fingerprints.exact import digest


@pytest.mark.parametrize("length", [0, 1, 65_535, 65_536, 65_537, 200_000])
def test_digests(length: int) -> None:
    data = bytes(number % 251 for number in range(length))
    digests = digest(data)
    assert digests.md5 == hashlib.md5(data, usedforsecurity=False).digest()
    assert digests.sha1 == hashlib.sha1(data, usedforsecurity=False).digest()
    assert digests.sha256 == hashlib.sha256(data).digest()


def test_known_answers() -> None:
    digests = digest(b"abc")
    assert digests.md5 is not None
    assert digests.sha1 is not None
    assert digests.sha256 is not None
    assert digests.md5.hex() == "900150983cd24fb0d6963f7d28e17f72"
    assert digests.sha1.hex() == "a9993e364706816aba3e25717850c26c9cd0d89d"
    assert digests.sha256.hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
