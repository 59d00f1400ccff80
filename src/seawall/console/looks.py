"""How an item's picture can be looked at: the stages, which are open, and the look that was just asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from seawall.access.people import PersonSession
from seawall.cases import exposure, floors, reveals, stages
from seawall.cases.exposure import Level
from seawall.cases.reveals import FIRST, LONGEST_LOOK, STRIP_STAGES, Aim
from seawall.cases.stages import Floor
from seawall.cases.store import CaseView, ItemView, RevealView
from seawall.console import wording
from seawall.console.exposures import spent_words
from seawall.records import RevealStage
from seawall.settings import Settings
from seawall.strips import Strip

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
    large: bool
    address: str
    alt: str
    text: str
    lasts_s: int

    @property
    def over(self) -> str:
        """Where it is said that the look is over."""
        return f"{self.address}/close"


@dataclass(frozen=True, slots=True)
class Still:
    """A still that the last strip showed, to be chosen."""

    place: int
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Film:
    """How the stills of a film, or of all that a file holds, can be looked at: in which stage, from where on and how
    far apart; and those that the last look showed."""

    stage: str
    start: int
    step: int
    unit: str
    about: str
    later: int | None
    moving: bool
    stills: tuple[Still, ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """The stages of one item's picture, mildest first; those beyond the floor are left out, which `bound` says.
    `said` is what the person is told of their day, `spent` whether looking has ended for it."""

    steps: tuple[Step, ...]
    bound: str
    said: str = ""
    spent: bool = False
    aim: Aim = FIRST
    film: Film | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was chosen in the panel of one item: a stage, a still, and which stills to see next; and whether the page
    itself shows the picture in that stage, so that it has been seen when the next one is asked for."""

    item_id: int
    stage: RevealStage | None = None
    aim: Aim = FIRST
    start: int = 0
    step: int = 0
    shown: bool = False


def look_at(item_id: int, token: str, stage: RevealStage, aim: Aim = FIRST) -> Shown:
    """The look that a token shows."""
    what = wording.STAGES[stage][1]
    return Shown(
        item_id=item_id,
        stage=stage.value,
        large=aim.strip or stage is RevealStage.ORIGINAL,
        address=f"/console/reveals/{token}",
        alt=f"Stills: {what.lower()}" if aim.strip else f"The picture: {what.lower()}",
        text=f"{what} This look is on record.",
        lasts_s=int(LONGEST_LOOK.total_seconds()),
    )


def panels(
    session: Session, settings: Settings, person: PersonSession, case: CaseView, wanted: Wanted | None = None
) -> dict[int, Panel]:
    """The panel of each item of a case that has a picture."""
    bounds = floors.of_person(session, settings, person.user_id)
    today = exposure.standing(session, settings, person.user_id)
    said, spent = spent_words(today), today.level is Level.SPENT
    found = {}
    for item in case.items:
        if item.evidence_id is None:
            continue
        floor = floors.of_findings(bounds, (*item.findings, *item.retracted))
        mine = wanted if wanted is not None and wanted.item_id == item.id else Wanted(item.id)
        seen = seen_by(item, person)
        if mine.aim.place is not None:
            seen = reveals.seen(session, item.evidence_id, person.user_id, mine.aim)
        if mine.shown and mine.stage is not None:
            seen = seen | {mine.stage}
        found[item.id] = replace(
            panel(floor, seen, mine.stage),
            said=said,
            spent=spent,
            aim=mine.aim,
            film=_film(session, item, person, floor, mine),
        )
    return found


def seen_by(item: ItemView, person: PersonSession) -> set[RevealStage]:
    """The stages in which this person was shown an item's first picture."""
    return {look.stage for look in _looks_of(item, person) if look.first}


def _looks_of(item: ItemView, person: PersonSession) -> list[RevealView]:
    return [look for look in item.reveals if look.user == person.name and look.shown_at is not None]


def _film(session: Session, item: ItemView, person: PersonSession, floor: Floor, wanted: Wanted) -> Film | None:
    """None where one picture is all that there can be."""
    moving = (item.media_type or "").startswith("video/")
    if item.evidence_id is None or ((item.media_type or "").startswith("image/") and item.pictures < 2):
        return None
    looks = _looks_of(item, person)
    reach = stages.open_to(floor, {look.stage for look in looks})
    stage = [each for each in STRIP_STAGES if each in reach][-1]
    strip = None
    if any(look.strip for look in looks):
        strip = reveals.last_strip(session, item.evidence_id, person.user_id)
    return Film(
        stage=stage.value,
        start=wanted.start,
        step=wanted.step,
        unit="second" if moving else "picture",
        about=_about(strip, moving),
        later=_later(strip),
        moving=strip.moving if strip else moving,
        stills=_stills(strip, wanted.aim),
    )


def _stills(strip: Strip | None, aim: Aim) -> tuple[Still, ...]:
    if strip is None:
        return ()
    return tuple(
        Still(place, wording.clock(place) if strip.moving else f"no. {place + 1}", place == aim.place)
        for place in strip.places
    )


def _about(strip: Strip | None, moving: bool) -> str:
    if strip is not None and strip.length is not None:
        return f"The film lasts {wording.clock(strip.length)}. It has no sound here."
    return "It has no sound here." if moving else "The file holds more than one picture."


def _later(strip: Strip | None) -> int | None:
    """Where to go on after the last stills; None where there is nothing more."""
    if strip is None or not strip.more:
        return None
    return strip.places[-1] // 1000 + 1 if strip.moving else strip.places[-1] + 1


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
