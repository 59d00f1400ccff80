"""The steps of a look: blurred first, and each further step asked for on its own."""

from __future__ import annotations

from seawall.console import wording
from seawall.console.views import Shown, Step
from seawall.records import RevealStage

# Longest side in pixels of what is shown: enough to tell what it is, too small to be worth keeping.
LONGEST_SIDE = 480


def step(stage: RevealStage) -> Step:
    """The button that asks for a stage."""
    return Step(stage.value, wording.STAGES[stage][0])


FIRST_STEPS = (step(RevealStage.BLURRED),)


def look_at(item_id: int, token: str, stage: RevealStage) -> Shown:
    """The look that a token shows, with the one step that may be asked for after it."""
    stages = list(RevealStage)
    later = stages[stages.index(stage) + 1 :][:1]
    return Shown(
        item_id=item_id,
        address=f"/console/reveals/{token}",
        alt=f"The picture: {wording.STAGES[stage][1].lower()}",
        text=f"{wording.STAGES[stage][1]} This look is on record.",
        steps=tuple(step(each) for each in later),
    )
