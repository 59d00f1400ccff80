"""Settings of how people work together at the desk: a part of the one settings class."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_settings import BaseSettings

from seawall.told import readable_hours


class DeskSettings(BaseSettings):
    """Clocks, claims, bulk decisions, second persons and appeals."""

    decide_within: Annotated[
        str,
        Field(
            description="Hours within which a case ought to be decided, for urgent ones and for each harm class, as "
            "kind=hours. They count from when it was opened. What is not decided by then is marked overdue."
        ),
        AfterValidator(readable_hours),
    ] = "urgent=1, csam=24, terrorism=24, ncii=48, other=72"
    claim_minutes: Annotated[
        float,
        Field(
            gt=0,
            le=240,
            description="Minutes for which a case stays with whoever works on it. An open page goes on by itself; "
            "after a closed one the case is free again.",
        ),
    ] = 5.0
    assignment_hours: Annotated[
        float,
        Field(gt=0, le=168, description="Hours for which a case that was handed to somebody waits for them alone."),
    ] = 12.0
    bulk_undo_seconds: Annotated[int, Field(ge=0, le=3600, description="Seconds to take a bulk decision back.")] = 30
    second_person_days: Annotated[
        float,
        Field(
            gt=0,
            le=90,
            description="Days after which a request that no second person has answered lapses, and nothing is done.",
        ),
    ] = 7.0

    appeal_text_days: Annotated[
        float,
        Field(
            gt=0,
            le=3650,
            description="Days after an appeal is settled until what was written in it is forgotten. Until then it is "
            "kept sealed with the master key.",
        ),
    ] = 90.0
