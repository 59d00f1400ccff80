"""Who may reach whom, by what the platform says of contacts: no message is read.

An adult who seeks out children leaves a trace before the first word: many requests to children who do not know them,
many of which are refused, blocked or reported. Each sign is capped and says in words what it is, so that a person can
follow the sum. The sum decides which conversations are worth a closer look; it accuses nobody.

The signs are those that research on offenders' contacts and the safety defaults of Ofcom's codes speak of: fan-out to
children, refusals, age gaps, ages that contradict each other, and new accounts (Ofcom, "Illegal content Codes of
Practice for user-to-user services", measures ICU F1 and F2, December 2024).
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from seawall.conversation_records import AgeBand
from seawall.intervals import wilson

# What is counted reaches back so far.
WINDOW_DAYS = 7
NEW_ACCOUNT = timedelta(days=14)
# At this sum a contact is worth a closer look: `make bench-contacts` shows how much of all contacts that is.
LOOK_AT = 1.0
# And at this one a platform does well to slow the account down.
FRICTION_AT = 3.0


class AgeSource(enum.StrEnum):
    """How a platform knows an age."""

    DECLARED = "declared"
    ESTIMATED = "estimated"
    VERIFIED = "verified"


class ContactAct(enum.StrEnum):
    """What somebody does toward somebody else. A request is theirs; the others answer what the other did."""

    REQUEST = "request"
    ACCEPT = "accept"
    DECLINE = "decline"
    BLOCK = "block"
    REPORT = "report"
    MUTE = "mute"


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What a platform chose to tell of an account. `said_band` is an age that the account gives itself elsewhere,
    such as in its profile; None where nothing is known."""

    account_id: str
    age_band: AgeBand = AgeBand.UNKNOWN
    age_source: AgeSource | None = None
    said_band: AgeBand | None = None
    opened_at: datetime | None = None
    region: str | None = None


@dataclass(frozen=True, slots=True)
class ContactEvent:
    """One thing that `account_id` did toward `other_id`. `mutuals` is how many connections both have."""

    act: ContactAct
    account_id: str
    other_id: str
    at: datetime
    mutuals: int | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """What an account did in the last days, and what others did about it: people whom it reached first, of them the
    children it had no connection with, and how many of those whom it reached accepted, refused, muted, blocked or
    reported it."""

    reached: int = 0
    reached_children: int = 0
    accepted: int = 0
    declined: int = 0
    muted: int = 0
    blocked: int = 0
    reported: int = 0


@dataclass(frozen=True, slots=True)
class Sign:
    """One summand: its stable code, what it adds, and what it is in words."""

    code: str
    points: float
    says: str


@dataclass(frozen=True, slots=True)
class ContactRisk:
    """What the signs of one contact come to. `look` says that what is said there is worth a closer look, `friction`
    that the account is better slowed down."""

    points: float
    signs: tuple[Sign, ...]

    @property
    def look(self) -> bool:
        """Whether the conversation is worth a closer look."""
        return self.points >= LOOK_AT

    @property
    def friction(self) -> bool:
        """Whether the account is better slowed down."""
        return self.points >= FRICTION_AT


NO_RISK = ContactRisk(0.0, ())


def contact_risk(
    actor: AccountFacts, other: AccountFacts, window: Window, *, mutuals: int | None, at: datetime
) -> ContactRisk:
    """The risk of what `actor` does toward `other`. Where the other is no child there is none; among children of like
    age, signs of their own refusals remain, and nothing is made of their age."""
    if other.age_band is AgeBand.ADULT:
        return NO_RISK
    signs = [sign for sign in _signs(actor, other, window, mutuals, at) if sign.points > 0]
    points = sum(sign.points for sign in signs)
    if other.age_band is AgeBand.UNKNOWN:
        points *= 0.5
    if actor.age_band.is_child and actor.age_source is AgeSource.VERIFIED:
        points *= 0.5
    signs.sort(key=lambda sign: -sign.points)
    return ContactRisk(round(points, 3), tuple(signs))


def _signs(actor: AccountFacts, other: AccountFacts, window: Window, mutuals: int | None, at: datetime) -> list[Sign]:
    return [
        *_age_gap(actor, other, mutuals),
        *_fan_out(actor, window),
        *_answers(window),
        *_ages_that_contradict(actor),
        *_new(actor, at),
        *_elsewhere(actor, other, mutuals),
    ]


def _age_gap(actor: AccountFacts, other: AccountFacts, mutuals: int | None) -> list[Sign]:
    """An adult and a child who have nobody in common."""
    if not other.age_band.is_child or mutuals:
        return []
    if actor.age_band is AgeBand.ADULT:
        young = other.age_band is not AgeBand.FROM_16_TO_17
        return [Sign("adult_to_child", 1.6 if young else 1.2, "An adult and a child without a common connection")]
    if actor.age_band is AgeBand.UNKNOWN:
        return [Sign("unknown_to_child", 0.8, "Somebody of unknown age and a child without a common connection")]
    gap = abs(_BANDS.index(actor.age_band) - _BANDS.index(other.age_band))
    return [Sign("older_to_child", 0.4, "An older child and a much younger one")] if gap > 1 else []


def _fan_out(actor: AccountFacts, window: Window) -> list[Sign]:
    """The fourth child within days is noticed, and each doubling adds the same, up to a cap. Children reach many
    children: that weighs little."""
    if window.reached_children <= 3:
        return []
    share = window.reached_children / max(window.reached, window.reached_children)
    weight = 0.25 if actor.age_band.is_child else 1.0
    points = min(3.0, 0.9 * math.log2(window.reached_children / 3)) * weight * (0.5 + 0.5 * share)
    says = f"Contacted {window.reached_children} unconnected children within {WINDOW_DAYS} days"
    return [Sign("fan_out", round(points, 3), says)]


def _answers(window: Window) -> list[Sign]:
    """What those who were reached did. Reports weigh more than blocks, and blocks more than refusals; few say
    little."""
    refused = window.declined + window.muted + window.blocked
    answered = window.accepted + refused
    signs = []
    if answered >= 4:
        low, _high = wilson(refused, answered)
        says = f"{refused} of {answered} who answered refused, muted or blocked"
        signs.append(Sign("refused", round(min(1.5, 3 * max(0.0, low - 0.2)), 3), says))
    if window.blocked:
        times = _times(window.blocked)
        signs.append(Sign("blocked", round(min(1.5, 0.5 * math.log2(1 + window.blocked)), 3), f"Blocked {times}"))
    if window.reported:
        times = _times(window.reported)
        signs.append(Sign("reported", round(min(2.5, 1.2 * math.log2(1 + window.reported)), 3), f"Reported {times}"))
    return signs


def _ages_that_contradict(actor: AccountFacts) -> list[Sign]:
    if actor.said_band is None or AgeBand.UNKNOWN in (actor.said_band, actor.age_band):
        return []
    if actor.said_band.is_child and actor.age_band is AgeBand.ADULT:
        return [Sign("claims_to_be_a_child", 1.5, "Is taken for an adult and says to be a child")]
    return []


def _new(actor: AccountFacts, at: datetime) -> list[Sign]:
    if actor.opened_at is None or at - actor.opened_at >= NEW_ACCOUNT:
        return []
    return [Sign("new_account", 0.5, f"The account is younger than {NEW_ACCOUNT.days} days")]


def _elsewhere(actor: AccountFacts, other: AccountFacts, mutuals: int | None) -> list[Sign]:
    """Far apart and nobody in common, as far as both are known."""
    if actor.region is None or other.region is None or mutuals is None or mutuals > 0:
        return []
    return [Sign("other_region", 0.4, "Of another region")] if actor.region != other.region else []


_BANDS = (AgeBand.UNDER_13, AgeBand.FROM_13_TO_15, AgeBand.FROM_16_TO_17)


def _times(number: int) -> str:
    return f"by {number} {'person' if number == 1 else 'people'} within {WINDOW_DAYS} days"
