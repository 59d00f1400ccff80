"""How much people have looked today, and how much is enough: looks and the seconds for which they lasted.

A look counts for the day in which it was shown. It lasts until the browser says that it is covered, by the
database's clock, and `LONGEST_LOOK` at most; of a browser that says nothing the whole of that counts. A day begins at
midnight of `SEAWALL_TIMEZONE`. The audit events are the caller's.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, func, select, text
from sqlalchemy.orm import Session

from seawall.cases.reveals import LONGEST_LOOK
from seawall.database.tables import ExposureGrant, User, now
from seawall.errors import BadInput, ExposureSpent, Forbidden, NotFound
from seawall.settings import Settings

MOST_GRANTED_LOOKS = 200
MOST_GRANTED_MINUTES = 60
# Fewer people's total would say what a single one has seen.
FEWEST_OF_A_TEAM = 3

_BY_DAY = text("""
SELECT width_bucket(shown_at, CAST(:starts AS timestamptz[])) AS nth, count(*) AS looks,
       count(DISTINCT user_id) AS people,
       coalesce(sum(greatest(0, extract(epoch FROM
           least(coalesce(closed_at, :at), shown_at + :longest) - shown_at))), 0) AS seconds
FROM reveals
WHERE shown_at >= :first AND (CAST(:user_id AS bigint) IS NULL OR user_id = :user_id)
GROUP BY 1
""")


class Level(enum.Enum):
    """How far a day has come: well within, enough to suggest a pause, or spent."""

    WITHIN = "within"
    ENOUGH = "enough"
    SPENT = "spent"


@dataclass(frozen=True, slots=True)
class Seen:
    """What was looked at in a day. `people` is how many looked."""

    day: date
    looks: int = 0
    seconds: int = 0
    people: int = 0


@dataclass(frozen=True, slots=True)
class Budget:
    """From which number of looks, or seconds, a pause is suggested, and at which looking stops for the day."""

    enough_looks: int
    enough_s: int
    most_looks: int
    most_s: int

    def level(self, seen: Seen) -> Level:
        """How far that has come. Looks and seconds count each on its own."""
        if seen.looks >= self.most_looks or seen.seconds >= self.most_s:
            return Level.SPENT
        if seen.looks >= self.enough_looks or seen.seconds >= self.enough_s:
            return Level.ENOUGH
        return Level.WITHIN


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one person stands today."""

    seen: Seen
    budget: Budget

    @property
    def level(self) -> Level:
        """How far the day has come."""
        return self.budget.level(self.seen)


def day_starts(settings: Settings, days: int, at: datetime) -> list[datetime]:
    """When the last so many days began, the oldest first; the last of them is the day of `at`."""
    zone = ZoneInfo(settings.timezone)
    today = at.astimezone(zone).date()
    dates = [today - timedelta(days=back) for back in reversed(range(days))]
    return [datetime(each.year, each.month, each.day, tzinfo=zone).astimezone(UTC) for each in dates]


def by_day(
    session: Session, settings: Settings, user_id: int | None, days: int, at: datetime | None = None
) -> list[Seen]:
    """What a person (or, without one, everybody) has looked at in each of the last days, today last."""
    at = at or now()
    starts = day_starts(settings, days, at)
    values = {"starts": starts, "first": starts[0], "at": at, "longest": LONGEST_LOOK, "user_id": user_id}
    found: dict[int, Row[Any]] = {row.nth: row for row in session.execute(_BY_DAY, values)}
    zone = ZoneInfo(settings.timezone)
    return [
        Seen(day, row.looks, round(row.seconds), row.people) if (row := found.get(place)) else Seen(day)
        for place, day in enumerate((start.astimezone(zone).date() for start in starts), 1)
    ]


def standing(session: Session, settings: Settings, user_id: int, at: datetime | None = None) -> Standing:
    """What this person has looked at today, and what is theirs today with all that was granted."""
    at = at or now()
    (seen,) = by_day(session, settings, user_id, 1, at)
    granted = select(
        func.coalesce(func.sum(ExposureGrant.looks), 0), func.coalesce(func.sum(ExposureGrant.minutes), 0)
    ).where(ExposureGrant.user_id == user_id, ExposureGrant.granted_at >= day_starts(settings, 1, at)[0])
    looks, minutes = session.execute(granted).one()
    more_s = int(minutes) * 60
    return Standing(
        seen,
        Budget(
            settings.exposure_enough_looks + int(looks),
            round(settings.exposure_enough_minutes * 60) + more_s,
            settings.exposure_most_looks + int(looks),
            round(settings.exposure_most_minutes * 60) + more_s,
        ),
    )


def check(session: Session, settings: Settings, user_id: int) -> None:
    """Refuses a look to whose budget of today is spent.

    Raises:
        ExposureSpent: it is.
    """
    if standing(session, settings, user_id).level is Level.SPENT:
        raise ExposureSpent("That is enough for today: your looks of this day are used up.")


def check_alone(session: Session, settings: Settings, user_id: int) -> None:
    """The same, while no other look of this person is shown: so that many at once cannot go beyond it. It holds to
    the end of the transaction, in which the look is to be shown.

    Raises:
        ExposureSpent: it is spent.
    """
    session.execute(select(User.id).where(User.id == user_id).with_for_update(key_share=True))
    check(session, settings, user_id)


def grant(session: Session, by: int, name: str, looks: int, minutes: int, reason: str) -> None:
    """Adds to what a person may look at today.

    Raises:
        BadInput: nothing is granted, or more than may be at once, or no reason is given.
        NotFound: nobody has that name.
        Forbidden: it is one's own.
    """
    if not 0 <= looks <= MOST_GRANTED_LOOKS or not 0 <= minutes <= MOST_GRANTED_MINUTES or not looks + minutes:
        raise BadInput(
            f"Grant up to {MOST_GRANTED_LOOKS} looks and up to {MOST_GRANTED_MINUTES} minutes.",
            hint="At least one of them is more than none.",
        )
    if not reason.strip() or len(reason) > 500 or "\0" in reason:
        raise BadInput("Say in a few words why more is needed today.", hint="It goes on record.")
    user_id = session.scalar(select(User.id).where(User.name == name, User.disabled_at.is_(None)))
    if user_id is None:
        raise NotFound("Nobody has that name.", hint="Names are those that people log in with.")
    if user_id == by:
        raise Forbidden("Nobody grants more to themself.", hint="Ask another senior.")
    session.add(ExposureGrant(user_id=user_id, granted_by=by, looks=looks, minutes=minutes, reason=reason.strip()))
    session.flush()


def of_team(session: Session, settings: Settings, days: int) -> list[Seen | None]:
    """What all have looked at together by day, today last; None for a day on which too few people did."""
    return [
        seen if seen.people >= FEWEST_OF_A_TEAM or not seen.looks else None
        for seen in by_day(session, settings, None, days)
    ]
