"""The stages of a look as an order, and the floor that bounds them. Pure rules, without the database."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import reduce

from seawall.errors import Conflict, Forbidden
from seawall.records import RevealStage

STAGES = tuple(RevealStage)
WORDS = {
    RevealStage.BLURRED: "blurred",
    RevealStage.GREY: "in grey",
    RevealStage.COLOUR: "in colour",
    RevealStage.ORIGINAL: "in its original size",
}


def rank(stage: RevealStage) -> int:
    """0 for the mildest."""
    return STAGES.index(stage)


@dataclass(frozen=True, slots=True)
class Floor:
    """Where looks start (`first`) and how clear they may become (`clearest`, never milder than the first)."""

    first: RevealStage = RevealStage.BLURRED
    clearest: RevealStage = RevealStage.ORIGINAL

    def __post_init__(self) -> None:
        if rank(self.first) > rank(self.clearest):
            raise ValueError("looks would start clearer than they may become")

    def raised_by(self, other: Floor) -> Floor:
        """Both at once: of each bound the milder."""
        return Floor(min(self.first, other.first, key=rank), min(self.clearest, other.clearest, key=rank))

    def protects_as(self, other: Floor) -> bool:
        """Whether it shows at no point more than the other."""
        return self.raised_by(other) == self


def strictest(floors: Iterable[Floor]) -> Floor:
    """All of them at once. Without any: the usual way, blurred first and as clear as it is at last."""
    mildest = list(floors)
    return reduce(Floor.raised_by, mildest) if mildest else Floor()


def open_to(floor: Floor, seen: Collection[RevealStage]) -> tuple[RevealStage, ...]:
    """The stages that somebody may ask for who has seen these."""
    return tuple(stage for stage in STAGES if _allowed(stage, floor) and _reached(stage, floor, seen))


def check(stage: RevealStage, floor: Floor, seen: Collection[RevealStage]) -> None:
    """Refuses a stage that may not be asked for (yet).

    Raises:
        Forbidden: the floor is below it.
        Conflict: the stage before it was not looked at.
    """
    if not _allowed(stage, floor):
        raise Forbidden(
            f"This is shown no clearer than {WORDS[floor.clearest]} here.",
            hint="Your organisation or you yourself have set it so for this class of harm.",
        )
    if not _reached(stage, floor, seen):
        before = STAGES[rank(stage) - 1]
        raise Conflict(
            f"Before you see it {WORDS[stage]}, look at it {WORDS[before]}.",
            hint="Each stage opens the next one.",
        )


def _allowed(stage: RevealStage, floor: Floor) -> bool:
    return rank(stage) <= rank(floor.clearest)


def _reached(stage: RevealStage, floor: Floor, seen: Collection[RevealStage]) -> bool:
    """What was seen clearer may be seen milder again."""
    return rank(stage) <= max([rank(floor.first), *(rank(each) + 1 for each in seen)])
