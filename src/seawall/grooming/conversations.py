"""Conversations from files, with what is known of them: whether somebody was luring, and who."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


class Role(enum.StrEnum):
    """What somebody was in a conversation, as a label says."""

    OFFENDER = "offender"
    CHILD = "child"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Said:
    """One message of a file."""

    author: str
    text: str = field(repr=False)
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation, its messages in order. `predatory` is None where nobody labelled it."""

    name: str
    messages: tuple[Said, ...]
    predatory: bool | None = None
    roles: Mapping[str, Role] = field(default_factory=dict)

    @property
    def offenders(self) -> frozenset[str]:
        """Who was luring."""
        return frozenset(author for author, role in self.roles.items() if role is Role.OFFENDER)


@dataclass(frozen=True, slots=True)
class BadPart:
    """A line that was not taken, and why."""

    line: int
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Corpus:
    """What a file holds. `bad` are the first lines that were not taken, `bad_lines` how many there were; `cut` how
    many messages were left out of conversations that are too long."""

    conversations: tuple[Conversation, ...]
    bad: tuple[BadPart, ...] = ()
    bad_lines: int = 0
    cut: int = 0
