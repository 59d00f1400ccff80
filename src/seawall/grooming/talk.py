"""One conversation as it stands, message by message: the risk that gathers, and what has been done about it.

However many messages there are, the state keeps to a bounded size; nothing of what was said is in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from seawall.grooming.risk import ConversationRisk, Risk
from seawall.grooming.tactics import Catalogue, Noticed

# A child is not told the same again within so many messages.
QUIET_MESSAGES = 30
MOST_TOLD = 64


@dataclass(frozen=True, slots=True)
class Heard:
    """What a conversation comes to after one message. `number` is the message's, from 1; `tactics` are those that
    the message itself is a sign of."""

    number: int
    risk: Risk
    tactics: tuple[str, ...]


@dataclass(slots=True)
class Talk:
    """The state. `told` says at which message whom was told what, `cased` of whose messages a case was opened: with
    which intervention, and the newest reason that its reviewer had."""

    risk: ConversationRisk
    catalogue: Catalogue
    last_at: datetime | None = None
    told: dict[str, int] = field(default_factory=dict)
    cased: dict[str, list[Any]] = field(default_factory=dict)

    def take(self, author: str, noticed: Noticed, at: datetime) -> Heard:
        """Takes one message up, which was not there before. A late one counts when it comes: time never goes back."""
        if self.last_at is None or at > self.last_at:
            self.last_at = at
        risk = self.risk.add(author, noticed, at=self.last_at)
        assert risk is not None, "it has no id here"
        codes = (self.catalogue.codes[code] for code in noticed.codes)
        signs = dict.fromkeys(code.tactic for code in codes if code.tactic is not None)
        return Heard(self.risk.messages, risk, tuple(signs))

    def tell(self, toward: str, code: str) -> bool:
        """Whether somebody is to be told a text now, and not within a while of the last time; if so, they are."""
        number = self.risk.messages
        self.told = {key: at for key, at in self.told.items() if number - at < QUIET_MESSAGES}
        key = f"{code}:{toward}"
        if key in self.told:
            return False
        self.told[key] = number
        if len(self.told) > MOST_TOLD:  # the oldest goes: what is told now may be the graver
            self.told.pop(next(iter(self.told)))
        return True

    def needs_case(self, author: str, rank: int, newest_reason: int) -> bool:
        """Whether a person has to be told of an author: they have not been yet, or it is graver now, or there is a
        reason that they have not seen. If so, it is remembered."""
        before = self.cased.get(author)
        if before is not None and rank <= before[0] and newest_reason <= before[1]:
            return False
        known = before or [0, 0, None]
        self.cased[author] = [max(rank, known[0]), max(newest_reason, known[1]), known[2]]
        if len(self.cased) > MOST_TOLD:
            self.cased.pop(next(iter(self.cased)))
        return True

    def put_case(self, author: str, case_id: int) -> None:
        """Remembers which case it was."""
        if author in self.cased:
            self.cased[author][2] = case_id

    def case_of(self, author: str) -> int | None:
        """The case that an author's messages went into last."""
        case_id: int | None = self.cased[author][2] if author in self.cased else None
        return case_id

    def document(self) -> dict[str, Any]:
        """All of it but the times, as JSON can hold it."""
        return {"risk": self.risk.document(), "told": self.told, "cased": self.cased}

    @classmethod
    def from_document(cls, catalogue: Catalogue, kept: Mapping[str, Any], last_at: datetime | None) -> Talk:
        """The conversation as `document` gave it; one that begins, where that is empty."""
        if not kept:
            return cls(ConversationRisk(catalogue), catalogue)
        risk = ConversationRisk.from_document(catalogue, kept["risk"])
        return cls(risk, catalogue, last_at, dict(kept["told"]), dict(kept["cased"]))
