"""Rules and a model together: what a conversation comes to, message by message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from seawall.grooming.model import Model, Window
from seawall.grooming.noticing import Noticer
from seawall.grooming.risk import ConversationRisk, Risk
from seawall.grooming.tactics import Noticed


@dataclass(frozen=True, slots=True)
class Seen:
    """What a conversation comes to after one message. `model` is the model's log odds, None without one; `score` is
    what counts, 0 to 1."""

    risk: Risk
    noticed: Noticed
    model: float | None
    score: float


class Detector:
    """All that reads messages; holds no conversation. One for each thread, since it remembers words."""

    def __init__(self, noticer: Noticer, model: Model | None = None) -> None:
        self.noticer = noticer
        self.catalogue = noticer.catalogue
        self.model = model

    def open(self) -> Watched:
        """A conversation that begins."""
        return Watched(self)


class Watched:
    """One conversation."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self.risk = ConversationRisk(detector.catalogue)
        self.window = Window(detector.model.vocabulary) if detector.model is not None else None

    def add(
        self, author: str, text: str, *, at: datetime | None = None, message_id: str | None = None
    ) -> Seen | None:
        """Takes one message up; None when it is there already."""
        noticed, words = self._detector.noticer.read(text)
        return self.take(author, noticed, words, at=at, message_id=message_id)

    def take(
        self,
        author: str,
        noticed: Noticed,
        words: Sequence[str],
        *,
        at: datetime | None = None,
        message_id: str | None = None,
    ) -> Seen | None:
        """The same, of a message that was read before."""
        risk = self.risk.add(author, noticed, at=at, message_id=message_id)
        if risk is None:
            return None
        model = self._detector.model
        if model is None or self.window is None:
            return Seen(risk, noticed, None, risk.score)
        self.window.add(words)
        odds = model.log_odds(self.window.messages)
        # The window is of both; who does what to whom only the risk of the pair says.
        score = model.together(risk.score, odds)
        return Seen(risk, noticed, odds, max(score, risk.score) if risk.financial else score)
