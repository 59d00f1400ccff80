"""What one upload may still cost, over all that lies in it; what was left unread for it, and what is unusual."""

from __future__ import annotations

import time

from seawall.decoding.limits import Limits
from seawall.errors import DecoderTimeout, DecodingFailed, MediaTooLarge
from seawall.records import NotedKind


class Allowance:
    """Files, bytes and seconds that are left. `owed` tells what was not read, by code."""

    def __init__(self, limits: Limits) -> None:
        self.owed: dict[str, str] = {}
        self.noted: dict[str, str] = {}
        self._limits = limits
        self._members = limits.max_members
        self._bytes = limits.max_expansion_bytes
        self._deadline = time.monotonic() + limits.video_timeout_s

    @property
    def left_s(self) -> float:
        """Seconds that are left, at least 0."""
        return max(0.0, self._deadline - time.monotonic())

    def owe(self, what: DecodingFailed) -> None:
        """Notes that a part was not read, and why."""
        self.owed.setdefault(what.code, what.message)

    def note(self, kind: NotedKind, what: str) -> None:
        """Notes something unusual that was read all the same."""
        self.noted.setdefault(kind.value, what)

    def has_time(self) -> bool:
        """Whether there is time for more; if not, that is owed."""
        if self.left_s > 0:
            return True
        self.owe(DecoderTimeout("There was no time for all that lies in the file."))
        return False

    def takes_depth(self, depth: int) -> bool:
        """Whether what lies so deep may be read; if not, that is owed."""
        if depth <= self._limits.max_nesting:
            return True
        self.owe(MediaTooLarge(f"Files lie in files deeper than {self._limits.max_nesting} levels."))
        return False

    def takes_member(self) -> bool:
        """Counts one file of an archive or document; False, and owed, where it is one too many or too late."""
        self._members -= 1
        if self._members < 0:
            self.owe(MediaTooLarge(f"Only the first {self._limits.max_members} files in it were read."))
            return False
        return self.has_time()

    def takes_bytes(self, number: int) -> bool:
        """Counts bytes that came out of an archive; False, and owed, where they are too many."""
        self._bytes -= number
        if self._bytes < 0:
            self.owe(MediaTooLarge(f"It unfolds to more than {self._limits.max_expansion_bytes} bytes."))
            return False
        return self.has_time()
