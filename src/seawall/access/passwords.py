"""Passwords of people: what may be one, and how it is kept."""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from seawall.errors import BadInput, RateLimited

SHORTEST = 12
LONGEST = 256
FEWEST_DIFFERENT = 5
TRY_AGAIN_S = 5.0


class Passwords:
    """Hashes and checks passwords with Argon2id.

    One check takes 64 MiB of memory, and anyone may knock at the login page; so only a few run at once, a few more
    wait their turn, and the rest is sent away: whoever knocks without end must not take every thread there is.

    Args:
        hasher: the parameters; a hash made with others is still good, and made anew at the next login.
        at_once: how many checks may run at the same time.
        waiting: how many more may wait for that at the door.
    """

    def __init__(self, hasher: PasswordHasher | None = None, at_once: int = 2, waiting: int = 10) -> None:
        self._hasher = hasher or PasswordHasher()
        self._turn = threading.BoundedSemaphore(at_once)
        self._places = threading.BoundedSemaphore(at_once + waiting)
        # What an unknown name is checked against, so that it takes as long as a known one.
        self._nobody = self._hasher.hash("nobody has this password")

    @contextmanager
    def place(self) -> Iterator[None]:
        """A place at the door, for as long as the block lasts.

        Raises:
            RateLimited: all are taken.
        """
        if not self._places.acquire(blocking=False):
            raise RateLimited(
                "Too many people are logging in at this moment.", retry_after_s=TRY_AGAIN_S, hint="Try again soon."
            )
        try:
            yield
        finally:
            self._places.release()

    def hash(self, password: str) -> str:
        """The text by which a password is kept."""
        with self._turn:
            return self._hasher.hash(_normal(password))

    def check(self, kept: str | None, password: str) -> bool:
        """Whether the password is the kept one. Takes the same time where nothing is kept."""
        with self._turn:
            try:
                self._hasher.verify(kept or self._nobody, _normal(password))
            except (VerificationError, InvalidHashError):
                return False
        return kept is not None

    def is_outdated(self, kept: str) -> bool:
        """Whether the kept hash was made with other parameters than those of today."""
        return self._hasher.check_needs_rehash(kept)


def refuse_weak(password: str, name: str) -> None:
    """Raises BadInput for a password that is short, the person's own name, or of hardly any different letters."""
    given = _normal(password)
    if len(given) < SHORTEST:
        raise BadInput(f"A password has at least {SHORTEST} characters.", hint="A few random words are a good one.")
    if len(given) > LONGEST:
        raise BadInput(f"A password has at most {LONGEST} characters.", hint="Choose a shorter one.")
    if not given.casefold().replace(_normal(name).casefold(), "").strip():
        raise BadInput("The password is the name.", hint="A few random words are a good one.")
    if len(set(given)) < FEWEST_DIFFERENT:
        raise BadInput("The password repeats itself.", hint="A few random words are a good one.")


def _normal(text: str) -> str:
    """The same letters however a keyboard composed them; cut to a length that costs nothing to hash, and also what is
    no valid text (lone surrogates) becomes something that can be hashed."""
    composed = unicodedata.normalize("NFKC", text[: LONGEST * 4])
    return composed.encode("utf-8", "replace").decode("utf-8")
