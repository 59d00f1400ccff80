"""How many judgements a key may ask for: a token bucket per key, within one process.

A bucket holds one minute's worth and refills evenly, so a key may use its whole minute at once and then goes on at
its rate. Over any span of t seconds it gets at most ``rate * (1 + t / 60)``. Each process of a larger installation
has buckets of its own.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from seawall.errors import BadInput, RateLimited

FULL_AFTER_S = 60.0


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class RateLimiter:
    """Counts what keys ask for. Safe to call from many threads.

    Args:
        clock: seconds that never go backwards.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._guard = threading.Lock()
        self._buckets: OrderedDict[int, _Bucket] = OrderedDict()

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
        with self._guard:
            now = self._clock()
            self._forget_full(now)
            bucket = self._refilled(key_id, rate_per_minute, now)
            missing = cost - bucket.tokens
            if missing <= 0:
                bucket.tokens -= cost
        if missing > 0:
            raise RateLimited(
                f"This key may ask {rate_per_minute} times a minute.",
                retry_after_s=missing * 60.0 / rate_per_minute,
            )

    def __len__(self) -> int:
        """How many buckets are kept."""
        return len(self._buckets)

    def _refilled(self, key_id: int, rate: int, now: float) -> _Bucket:
        bucket = self._buckets.get(key_id)
        if bucket is None:
            bucket = self._buckets[key_id] = _Bucket(float(rate), now)
        else:
            bucket.tokens = min(float(rate), bucket.tokens + (now - bucket.at) * rate / 60.0)
            bucket.at = now
        self._buckets.move_to_end(key_id)
        return bucket

    def _forget_full(self, now: float) -> None:
        """A bucket left alone for a minute is full, and a full bucket is as good as none: memory holds only the keys
        of the last minute, and forgetting never gives anyone more."""
        while self._buckets:
            key_id, bucket = next(iter(self._buckets.items()))
            if now - bucket.at < FULL_AFTER_S:
                return
            del self._buckets[key_id]
