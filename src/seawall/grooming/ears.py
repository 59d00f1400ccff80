"""What reads messages, opened when the first one comes: compiling rules takes a moment that most processes spare."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from seawall.conversation_records import Level

if TYPE_CHECKING:
    from seawall.grooming.noticing import Noticer


@dataclass(frozen=True, slots=True)
class Ears:
    """The compiled rules and the thresholds that go with them. Safe to share between threads."""

    noticer: Noticer
    thresholds: Mapping[str, float]

    def level(self, score: float) -> Level:
        """The highest threshold that a score reaches."""
        if score >= self.thresholds["review"]:
            return Level.REVIEW
        return Level.WARN if score >= self.thresholds["warn"] else Level.NONE


class Listening:
    """Opens the ears once, for all threads.

    Args:
        thresholds: the operator's own, where they have some. They are read at once, so that a file that cannot be
            used is found at the start.

    Raises:
        ConfigurationError: they cannot be used.
    """

    def __init__(self, thresholds: Path | None) -> None:
        from seawall.grooming.thresholds import load_thresholds, shipped_thresholds

        self._thresholds = shipped_thresholds() if thresholds is None else load_thresholds(thresholds)
        self._opening = threading.Lock()
        self._ears: Ears | None = None

    def ears(self) -> Ears:
        """What reads messages."""
        with self._opening:
            if self._ears is None:
                from seawall.grooming.load import load_rules
                from seawall.grooming.noticing import Noticer

                self._ears = Ears(Noticer(load_rules()), self._thresholds)
            return self._ears
