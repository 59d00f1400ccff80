"""Rules and a model together: what a conversation comes to, message by message."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from pathlib import Path

from seawall.errors import ConfigurationError
from seawall.grooming.model import Model, Window
from seawall.grooming.noticing import Noticer
from seawall.grooming.risk import ConversationRisk, Risk
from seawall.grooming.tactics import Noticed

LEVELS = ("warn", "review")


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


def shipped_thresholds() -> Mapping[str, float]:
    """The thresholds that ship with the rules."""
    text = files("seawall.grooming").joinpath("thresholds.toml").read_text("utf-8")
    return parse_thresholds(text, "thresholds.toml")


def load_thresholds(path: Path) -> Mapping[str, float]:
    """Thresholds from a file, as `seawall grooming calibrate` writes it.

    Raises:
        ConfigurationError: it cannot be read, or says something else.
    """
    try:
        return parse_thresholds(path.read_text("utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"The thresholds {path} cannot be read ({type(error).__name__}).") from None


def parse_thresholds(text: str, origin: str) -> Mapping[str, float]:
    """``warn`` and ``review``, each a score above 0 and up to 1, and warn no higher than review."""
    try:
        told = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{origin} is not TOML: {error}.", hint="Write it anew with calibrate.") from None
    found = {level: told.get(level) for level in LEVELS}
    for level, value in found.items():
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value <= 1:
            raise ConfigurationError(f"{origin}: `{level}` is missing, or no number above 0 and up to 1.")
    thresholds = {level: float(value) for level, value in found.items() if value is not None}
    if thresholds["warn"] > thresholds["review"]:
        raise ConfigurationError(f"{origin}: `warn` is higher than `review`.", hint="Review is for the surer ones.")
    return thresholds
