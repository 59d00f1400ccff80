"""How an item's picture can be looked at: the stages, which are open, and the look that was just asked for."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from seawall.access.people import PersonSession
from seawall.cases import floors, stages
from seawall.cases.reveals import LONGEST_LOOK
from seawall.cases.stages import Floor
from seawall.cases.store import CaseView, ItemView
from seawall.console import wording
from seawall.records import RevealStage
from seawall.settings import Settings

# Longest side in pixels of what is shown small: enough to tell what it is, too little to be worth keeping.
LONGEST_SIDE = 480


@dataclass(frozen=True, slots=True)
class Step:
    """One stage that can be chosen; `why_not` says why it cannot be yet."""

    stage: str
    label: str
    chosen: bool
    why_not: str


@dataclass(frozen=True, slots=True)
class Shown:
    """The look that was just asked for: where its picture is, once, and where to say that it is covered again."""

    item_id: int
    stage: str
    address: str
    alt: str
    text: str
    lasts_s: int

    @property
    def over(self) -> str:
        """Where it is said that the look is over."""
        return f"{self.address}/close"


@dataclass(frozen=True, slots=True)
class Panel:
    """The stages of one item's picture, mildest first; those beyond the floor are left out. `bound` says so."""

    steps: tuple[Step, ...]
    bound: str


def look_at(item_id: int, token: str, stage: RevealStage) -> Shown:
    """The look that a token shows."""
    return Shown(
        item_id=item_id,
        stage=stage.value,
        address=f"/console/reveals/{token}",
        alt=f"The picture: {wording.STAGES[stage][1].lower()}",
        text=f"{wording.STAGES[stage][1]} This look is on record.",
        lasts_s=int(LONGEST_LOOK.total_seconds()),
    )


def panels(
    session: Session, settings: Settings, person: PersonSession, case: CaseView, chosen: RevealStage | None = None
) -> dict[int, Panel]:
    """The panel of each item of a case that has a picture."""
    bounds = floors.of_person(session, settings, person.user_id)
    return {
        item.id: panel(floors.of_findings(bounds, (*item.findings, *item.retracted)), seen_by(item, person), chosen)
        for item in case.items
        if item.evidence_id is not None
    }


def seen_by(item: ItemView, person: PersonSession) -> set[RevealStage]:
    """The stages in which this person was shown an item's picture."""
    return {look.stage for look in item.reveals if look.user == person.name and look.shown_at is not None}


def panel(floor: Floor, seen: set[RevealStage], chosen: RevealStage | None) -> Panel:
    """The stages within a floor. What is chosen stays chosen; at first it is the mildest."""
    reach = stages.open_to(floor, seen)
    allowed = stages.STAGES[: stages.rank(floor.clearest) + 1]
    marked = chosen if chosen in reach else reach[0]
    return Panel(
        tuple(
            Step(stage.value, wording.STAGES[stage][0], stage is marked, _why_not(stage, reach)) for stage in allowed
        ),
        "" if floor.clearest is stages.STAGES[-1] else f"Shown no clearer than {stages.WORDS[floor.clearest]}.",
    )


def _why_not(stage: RevealStage, reach: tuple[RevealStage, ...]) -> str:
    if stage in reach:
        return ""
    return f"First look at it {stages.WORDS[stages.STAGES[stages.rank(stage) - 1]]}"
