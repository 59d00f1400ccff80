"""How many judgements a key may ask for: a token bucket per key, within one service.

A bucket holds one minute's worth and refills evenly, so a key may use its whole minute at once and then goes on at
its rate. Over any span of t seconds it gets at most ``rate * (1 + t / 60)``. The processes of one `seawall serve
--workers N` take from the same buckets, since a platform that keeps one connection open meets only one of them. Each
service of a larger installation has buckets of its own.
"""

from __future__ import annotations

import contextlib
import fcntl
import mmap
import os
import struct
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from seawall.errors import BadInput, RateLimited

FULL_AFTER_S = 60.0
# A bucket in the file: the key's number (0: none yet), its tokens, and when they were counted.
ROW = struct.Struct("<qdd")
ROWS = 8192
# How many rows are tried for one key.
PROBES = 32


class Buckets(Protocol):
    """Where buckets are kept. A bucket is its tokens and when they were counted, in seconds of one steady clock."""

    def held(self) -> AbstractContextManager[object]:
        """While it is held, nobody else reads or writes a bucket."""
        ...

    def read(self, key_id: int, now: float) -> tuple[float, float] | None:
        """The key's bucket; None when there is none, which is as good as a full one."""
        ...

    def write(self, key_id: int, tokens: float, now: float) -> None:
        """Keeps the key's bucket, until it is full at the least."""
        ...


class OwnBuckets:
    """Buckets in the memory of one process."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._buckets: OrderedDict[int, tuple[float, float]] = OrderedDict()

    def held(self) -> AbstractContextManager[object]:
        """Held by one thread at a time."""
        return self._guard

    def read(self, key_id: int, now: float) -> tuple[float, float] | None:
        """A bucket left alone for a minute is full, and a full bucket is as good as none: memory holds only the keys
        of the last minute, and forgetting never gives anyone more."""
        while self._buckets:
            oldest, (_, at) = next(iter(self._buckets.items()))
            if now - at < FULL_AFTER_S:
                break
            del self._buckets[oldest]
        return self._buckets.get(key_id)

    def write(self, key_id: int, tokens: float, now: float) -> None:
        """Keeps it until it is full."""
        self._buckets[key_id] = (tokens, now)
        self._buckets.move_to_end(key_id)

    def __len__(self) -> int:
        """How many buckets are kept."""
        return len(self._buckets)


class SharedBuckets:
    """Buckets in a memory-mapped file that several processes take from.

    The lock is the kernel's: it ends with the process that holds it. A row may be taken over once its bucket is full.
    Where more keys than there are rows near one place ask within the same minute, the one that was quiet for longest
    begins a new minute.

    Args:
        file: in a private folder; made by whoever is first. All its users read the same steady clock of the system.
    """

    def __init__(self, file: Path) -> None:
        self._guard = threading.Lock()
        self._file = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        os.ftruncate(self._file, ROWS * ROW.size)
        self._rows = mmap.mmap(self._file, ROWS * ROW.size)

    def held(self) -> AbstractContextManager[object]:
        """Held by one thread of one process at a time."""
        return _holding(self._guard, self._file)

    def read(self, key_id: int, now: float) -> tuple[float, float] | None:
        """The key's bucket, unless it is full by now."""
        for place in self._places(key_id):
            owner, tokens, at = ROW.unpack_from(self._rows, place)
            if owner == key_id:
                return (tokens, at) if now - at < FULL_AFTER_S else None
            if owner == 0:
                return None
        return None

    def write(self, key_id: int, tokens: float, now: float) -> None:
        """Keeps it where the key has a row, else in an empty row, else in that of the longest quiet key."""
        quietest, quiet_since = -1, now
        for place in self._places(key_id):
            owner, _, at = ROW.unpack_from(self._rows, place)
            if owner in (key_id, 0):
                quietest = place
                break
            if quietest < 0 or at < quiet_since:
                quietest, quiet_since = place, at
        ROW.pack_into(self._rows, quietest, key_id, tokens, now)

    def close(self) -> None:
        """Lets go of the file."""
        self._rows.close()
        os.close(self._file)

    def _places(self, key_id: int) -> Iterator[int]:
        return ((key_id + step) % ROWS * ROW.size for step in range(PROBES))


@contextlib.contextmanager
def _holding(guard: threading.Lock, file: int) -> Iterator[None]:
    with guard:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)


class RateLimiter:
    """Counts what keys ask for. Safe to call from many threads.

    Args:
        clock: seconds that never go backwards.
        buckets: where they are kept; in the memory of this process unless said.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, buckets: Buckets | None = None) -> None:
        self._clock = clock
        self._buckets: Buckets = OwnBuckets() if buckets is None else buckets

    def take(self, key_id: int, rate_per_minute: int, cost: int = 1) -> None:
        """Takes ``cost`` judgements (a batch of n hashes costs n) from the key's bucket, or nothing.

        Raises:
            RateLimited: the bucket holds less; `retry_after_s` says when it will hold enough.
            BadInput: the cost is more than a full bucket, so that waiting would not help.
        """
        if cost > rate_per_minute:
            raise BadInput(
                f"One request of {cost} hashes is more than this key may ask for in a minute ({rate_per_minute}).",
                hint="Send smaller batches, or raise the key's rate.",
            )
        full = float(rate_per_minute)
        with self._buckets.held():
            now = self._clock()
            tokens, at = self._buckets.read(key_id, now) or (full, now)
            tokens = min(full, tokens + (now - at) * full / 60.0)
            missing = cost - tokens
            self._buckets.write(key_id, tokens if missing > 0 else -missing, now)
        if missing > 0:
            raise RateLimited(
                f"This key may ask {rate_per_minute} times a minute.",
                retry_after_s=missing * 60.0 / rate_per_minute,
            )
