"""Secrets are long, random and kept as digests."""

from __future__ import annotations

import base64

from seawall.access.keys import SHAPE
from seawall.access.secrets import RANDOM_BYTES, digest_of, new_secret


def test_a_secret_has_256_random_bits() -> None:
    secret = new_secret("swk_")
    assert SHAPE.fullmatch(secret)
    assert len(base64.urlsafe_b64decode(secret.removeprefix("swk_") + "=")) == RANDOM_BYTES == 32
    assert len({new_secret() for _ in range(1000)}) == 1000


def test_any_text_has_a_digest() -> None:
    assert len(digest_of("\ud800\x00")) == 32
    assert digest_of("a") != digest_of("b")
