"""Settings of how people work together at the desk: a part of the one settings class."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_settings import BaseSettings

from seawall.readable import known_timezone
from seawall.told import readable_hours, readable_percents


class DeskSettings(BaseSettings):
    """Clocks, claims, bulk decisions, second persons, how much a person looks at in a day, appeals, reviews."""

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
    timezone: Annotated[
        str,
        Field(description="The time zone (IANA) whose midnight begins a day of what people look at."),
        AfterValidator(known_timezone),
    ] = "UTC"
    exposure_enough_looks: Annotated[
        int, Field(ge=1, description="Looks of one person in a day from which on a pause is suggested.")
    ] = 100
    exposure_most_looks: Annotated[
        int, Field(ge=1, description="Looks of one person in a day at which looking stops until the next.")
    ] = 200
    exposure_enough_minutes: Annotated[
        float, Field(gt=0, le=1440, description="Minutes of looking in a day from which on a pause is suggested.")
    ] = 20.0
    exposure_most_minutes: Annotated[
        float, Field(gt=0, le=1440, description="Minutes of looking in a day at which it stops until the next.")
    ] = 40.0
    severe_in_a_row: Annotated[
        int,
        Field(
            ge=1,
            le=100,
            description="Severe items (CSAM, terrorism) that a person looks at and decides in a row before the next "
            "case is another one, where there is another; but for urgent cases.",
        ),
    ] = 5
    wellbeing_help: Annotated[
        str | None,
        Field(max_length=2000, description="Where reviewers find help, as text that their wellbeing page shows."),
    ] = None

    blind_review_percent: Annotated[
        str,
        Field(
            description="How many of a hundred decisions of each harm class are decided once more by somebody who "
            "does not see the first one, as class=percent. Where nobody else could, none is.",
        ),
        AfterValidator(readable_percents),
    ] = "csam=5, terrorism=5, ncii=5, other=5"
    noisy_entry_share: Annotated[
        float,
        Field(
            gt=0,
            le=1,
            description="Share of what an entry met that was no match after review, above which the entry is "
            "quarantined by itself: it then holds and no longer blocks. The lower end of the share's 95 % interval "
            "counts, so that few decisions prove little: with 0.5 four of four do, each of another account. "
            "1 never quarantines.",
        ),
    ] = 0.5
    noisy_list_share: Annotated[
        float,
        Field(
            gt=0,
            le=1,
            description="The same share for a whole list, over the last 90 days: with 0.7 nine of nine do.",
        ),
    ] = 0.7
    appeal_text_days: Annotated[
        float,
        Field(
            gt=0,
            le=3650,
            description="Days after an appeal is settled until what was written in it is forgotten. Until then it is "
            "kept sealed with the master key.",
        ),
    ] = 90.0
