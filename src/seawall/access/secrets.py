"""Random secrets, and the digests by which they are kept.

Keys, session tokens and one-time links carry 256 random bits. One SHA-256 is enough to keep such a secret: nobody can
search 2**256 candidates, so a slow hash would only make every request slow. Passwords come from people and are
another matter: see :mod:`seawall.access.passwords`.
"""

from __future__ import annotations

import hashlib
import secrets

RANDOM_BYTES = 32


def new_secret(prefix: str = "") -> str:
    """A fresh secret of 256 random bits in URL-safe letters, after the prefix."""
    return prefix + secrets.token_urlsafe(RANDOM_BYTES)


def digest_of(secret: str) -> bytes:
    """The 32 bytes by which a secret is kept. Any text has one, also what is no UTF-8 at all."""
    return hashlib.sha256(as_bytes(secret)).digest()


def as_bytes(text: str) -> bytes:
    """The text's bytes, also where a request smuggled in what is no valid UTF-8."""
    return text.encode("utf-8", "surrogatepass")
