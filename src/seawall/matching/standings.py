"""The standings that one process remembers, so that showing a content costs no look into the database.

A standing that is remembered is as good as one that is read, because of three things. Every change is announced as
it commits, and forgotten here when it is heard. Whoever listens announces something itself again and again (a pulse)
and hears it: PostgreSQL announces in the order of the commits, so that a pulse which comes back proves that all that
was committed before it was heard. And what no pulse has confirmed for `TTL_S` seconds is not used. So a refusal
binds as soon as its notification is heard, and `TTL_S` after its commit at the latest, whatever is lost.
"""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from seawall.records import Standing

# The longest that a removed content could still be shown, when notifications are lost. Shorter would gain little over
# a connection that breaks and is noticed; longer would be seen by people.
TTL_S = 2.0
# What nothing announces (a ledger row that has expired, a warning that became an allowance) is noticed after this.
LONGEST_S = 60.0
# Some 40 MB, with ids of usual length.
CAPACITY = 100_000


@dataclass(frozen=True, slots=True)
class Reading:
    """A look into the database that has begun: when, and how much had been forgotten by then."""

    begun_at: float
    forgotten: int


class Standings:
    """Standings by content id, the longest unused of which goes first. Safe to use from many threads.

    What is not known is never kept: nobody announces a first upload, and unknown is no answer to rely on.

    Args:
        clock: seconds that never go backwards.
    """

    def __init__(
        self,
        *,
        ttl_s: float = TTL_S,
        longest_s: float = LONGEST_S,
        capacity: int = CAPACITY,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ttl_s = ttl_s
        self._longest_s = longest_s
        self._capacity = capacity
        self._clock = clock
        self._guard = threading.Lock()
        self._kept: OrderedDict[str, tuple[float, Standing]] = OrderedDict()
        self._forgotten = 0
        self._confirmed_at = -math.inf

    def remembered(self, content_id: str) -> Standing | None:
        """Where it stands, if that is remembered and can be relied on."""
        with self._guard:
            kept = self._kept.get(content_id)
            if kept is None:
                return None
            begun_at, standing = kept
            now = self._clock()
            if now - max(begun_at, self._confirmed_at) >= self._ttl_s or now - begun_at >= self._longest_s:
                del self._kept[content_id]
                return None
            self._kept.move_to_end(content_id)
            return standing

    def begin(self) -> Reading:
        """To be called before the database is read; what is read then is given to `keep` with this."""
        with self._guard:
            return Reading(self._clock(), self._forgotten)

    def keep(self, reading: Reading, standing: Standing) -> None:
        """Remembers what was read, unless something was forgotten meanwhile: it may have been just this."""
        with self._guard:
            if reading.forgotten != self._forgotten:
                return
            kept = self._kept.get(standing.content_id)
            if kept is not None and kept[0] > reading.begun_at:
                return
            self._kept[standing.content_id] = (reading.begun_at, standing)
            self._kept.move_to_end(standing.content_id)
            while len(self._kept) > self._capacity:
                self._kept.popitem(last=False)

    def forget(self, content_id: str) -> None:
        """It stands elsewhere now."""
        with self._guard:
            self._forgotten += 1
            self._kept.pop(content_id, None)

    def forget_all(self) -> None:
        """Something was announced that nobody heard."""
        with self._guard:
            self._forgotten += 1
            self._kept.clear()
            self._confirmed_at = -math.inf

    def confirm(self, at: float) -> None:
        """Everything that was committed before then has been heard, and forgotten where it was to be."""
        with self._guard:
            self._confirmed_at = max(self._confirmed_at, at)

    def __len__(self) -> int:
        """How many are kept, those included that are too old to be used."""
        return len(self._kept)
