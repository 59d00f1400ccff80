"""What follows an attempt to deliver: done, tried again later, or given up. Pure; nothing here waits or sends."""

from __future__ import annotations

import enum
from dataclasses import dataclass

FIRST_PAUSE_S = 5.0
GROWTH = 3.0
LONGEST_PAUSE_S = 14 * 3600.0
# A pause is between 80 and 120 per cent of its length, so that a receiver that was down is not met by everything at
# the same moment when it comes back.
SPREAD = 0.2
GONE = 410


class MessageState(enum.StrEnum):
    """Where a message of the outbox stands. A failed one was given up, and can be replayed."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of one attempt. `status` is the receiver's HTTP status, or None where there was no answer, and then
    `error` says why. `retry_after_s` is the pause that the receiver asked for."""

    status: int | None
    error: str | None = None
    retry_after_s: float | None = None

    @property
    def delivered(self) -> bool:
        """Whether the receiver has taken the message."""
        return self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Next:
    """What follows. `pause_s` is set where the message stays pending."""

    state: MessageState
    pause_s: float | None = None
    disable_endpoint: bool = False


def after(attempt: Attempt, attempts: int, allowed: int, chance: float) -> Next:
    """What follows an attempt.

    Args:
        attempts: how many there were, with this one.
        allowed: how many there may be.
        chance: between 0 and 1, spreads the pauses.
    """
    if attempt.delivered:
        return Next(MessageState.DELIVERED)
    gone = attempt.status == GONE
    if attempts >= allowed:
        return Next(MessageState.FAILED, disable_endpoint=gone)
    return Next(MessageState.PENDING, _pause_s(attempts, attempt.retry_after_s, chance), disable_endpoint=gone)


def pause_s(attempts: int) -> float:
    """Seconds between this many attempts and the next, before they are spread. Sixteen attempts span four days."""
    # Beyond this the power is far over the longest pause, and would overflow one day.
    return min(LONGEST_PAUSE_S, FIRST_PAUSE_S * GROWTH ** min(attempts - 1, 30))


def _pause_s(attempts: int, asked_s: float | None, chance: float) -> float:
    spread = 1 - SPREAD + 2 * SPREAD * chance
    asked = 0.0 if asked_s is None else min(max(asked_s, 0.0), LONGEST_PAUSE_S)
    return max(pause_s(attempts) * spread, asked)
