"""How commands write times in tables."""

from __future__ import annotations

from datetime import UTC, datetime


def moment(at: datetime | None, never: str = "") -> str:
    """A time in UTC to the minute."""
    return never if at is None else at.astimezone(UTC).strftime("%Y-%m-%d %H:%M")
