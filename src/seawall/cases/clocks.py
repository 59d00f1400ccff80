"""The clocks: by when a case ought to be decided. They begin when it is opened; how long they are is a matter of its
harm class, and an urgent case has one of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from seawall.records import HarmClass

URGENT = "urgent"


@dataclass(frozen=True, slots=True)
class Clocks:
    """How long each kind of case may wait: `urgent`, or else its harm class."""

    hours: Mapping[str, float]

    def lasts(self, urgent: bool, harm_class: HarmClass) -> timedelta:
        """How long a case may wait."""
        return timedelta(hours=self.hours[URGENT if urgent else harm_class.value])

    def due_at(self, urgent: bool, harm_class: HarmClass, opened_at: datetime) -> datetime:
        """By when it ought to be decided."""
        return opened_at + self.lasts(urgent, harm_class)

    def each(self) -> Iterator[tuple[bool, HarmClass, timedelta]]:
        """Every kind of case: urgent or not, its harm class, and how long it may wait."""
        for urgent in (True, False):
            for harm_class in HarmClass:
                yield urgent, harm_class, self.lasts(urgent, harm_class)
