"""How many bytes of bodies one process holds at once: more are refused before they could end it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from seawall.errors import Overloaded

Take = Callable[[int], None]


class Ballast:
    """Counts what all bodies being read and judged weigh together. Used on the event loop alone.

    A body counts by what of it has come, so that a slow or lying client takes no room for what it has only announced.

    Args:
        most: bytes.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.held = 0

    @contextlib.contextmanager
    def load(self) -> Iterator[Take]:
        """Hands out what one request calls with the number of bytes before it keeps them; all is put down at the end.

        Raises:
            Overloaded: (what is handed out) there is no room for them.
        """
        mine = 0

        def take(more: int) -> None:
            nonlocal mine
            if self.held + more > self.most:
                raise Overloaded("Too many uploads are being judged at once.")
            mine += more
            self.held += more

        try:
            yield take
        finally:
            self.held -= mine
