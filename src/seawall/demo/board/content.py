"""What the board keeps: contents (the pictures) and posts (where they are shown)."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime
from typing import Any


class State(enum.StrEnum):
    """Where a picture stands. Only ``published`` is ever shown to anyone."""

    WAITING = "waiting"  # Seawall has not answered yet: not published
    PUBLISHED = "published"
    HELD = "held"  # a person at Seawall's console decides
    BLOCKED = "blocked"
    REFUSED = "refused"  # no picture at all, or one that Seawall does not take
    REMOVED = "removed"


SHOWN_AS = {
    State.WAITING: "waiting to be checked",
    State.PUBLISHED: "published",
    State.HELD: "waiting for review",
    State.BLOCKED: "refused",
    State.REFUSED: "refused",
    State.REMOVED: "removed",
}


@dataclass(frozen=True, slots=True)
class Content:
    """One uploaded picture. `answer` is what Seawall said, `problem` why there is no answer or no picture."""

    id: str
    account: str
    filename: str
    state: State
    created_at: datetime
    media_type: str | None = None
    answer: dict[str, Any] | None = None
    problem: str | None = None
    asked: int = 0

    @property
    def shown_as(self) -> str:
        """The state in the words of the pages."""
        return SHOWN_AS[self.state]


@dataclass(frozen=True, slots=True)
class Post:
    """One place in the feed. A share is a post of its own for the same content."""

    id: int
    content_id: str
    account: str
    by: str
    filename: str
    media_type: str | None
    created_at: datetime

    @property
    def is_share(self) -> bool:
        """Whether somebody other than the uploader posted it."""
        return self.account != self.by
