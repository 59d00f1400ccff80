"""How commands write times, and text that others chose."""

from __future__ import annotations

from datetime import UTC, datetime


def moment(at: datetime | None, never: str = "") -> str:
    """A time in UTC to the minute."""
    return never if at is None else at.astimezone(UTC).strftime("%Y-%m-%d %H:%M")


def plain(text: str) -> str:
    """Text that others chose, such as the name of an uploaded file, without what a terminal would obey: control
    characters, bytes that are no text and marks that turn the direction of writing are shown as their numbers."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii") for letter in text
    )
