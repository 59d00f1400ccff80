"""The risk that gathers in a conversation: who does what to whom, with the reasons.

Each cue adds to its tactic, and every tactic is capped, so that many different ones say more than one repeated. What
was said fades with the messages after it and with time. There are no stages: tactics may come in any order. What
people say of themselves counts too: their ages, and whether they talk as children, relatives or classmates do.

Memory is bounded: however long a conversation grows, its state keeps to some people, pairs, reasons and ids.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from seawall.grooming.tactics import AGE_GAP, Catalogue, Noticed

MOST_PEOPLE, MOST_PAIRS, MOST_REASONS, MOST_IDS = 32, 48, 16, 256
ADULT = 18

# What is half forgotten after so many messages, or so many seconds.
HALF_LIFE_MESSAGES, HALF_LIFE_SECONDS = 80, 21 * 86400
# The same code again within a pair counts less each time.
REPEATED = 0.55
# The middle of the scale: as much in all tactics together is a risk of one half; and how steep it is.
MIDDLE, STEEPNESS = 5.2, 1.1
# Each further tactic that is well seen.
DIVERSITY = 0.4
FINANCIAL = 0.97

# Whoever does these has no usual reasons for the rest: nobody buys trust by claiming an age or talking of homework.
_TELLING = ("secrecy", "caution", "threats")
# What peers, relatives and classmates ask each other all day.
_OF_PEERS = frozenset({"profiling", "flattery", "relationship", "meeting", "pictures", "moving", "gifts"})
_OF_FAMILY = frozenset({"profiling", "flattery", "relationship", "meeting", "pictures", "moving", "gifts", "alone"})
_OF_CLASSMATES = frozenset({"profiling", "meeting", "moving"})


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that was noticed: its code, in words, and the number of the message, from 1."""

    code: str
    says: str
    message: int

    def __str__(self) -> str:
        return f"{self.says}, message {self.message}"


@dataclass(frozen=True, slots=True)
class Risk:
    """What one person's messages to another come to. `score` is 0 to 1; `financial` says that it is extortion for
    money, which goes fast; `tactics` holds what each comes to now, the strongest first."""

    author: str
    toward: str
    score: float
    financial: bool
    tactics: tuple[tuple[str, float], ...]
    reasons: tuple[Reason, ...]

    def __str__(self) -> str:
        return "; ".join(map(str, self.reasons))


@dataclass(slots=True)
class Person:
    """What somebody said of themselves."""

    age: int | None = None
    age_message: int = 0
    minor: float = 0.0
    adult: float = 0.0
    family: float = 0.0
    classmates: float = 0.0
    messages: int = 0


@dataclass(slots=True)
class Pair:
    """What one did to another. `touched` is the number of the message up to which strengths have faded."""

    strengths: dict[str, float] = field(default_factory=dict)
    times: dict[str, int] = field(default_factory=dict)
    reasons: list[Reason] = field(default_factory=list)
    touched: int = 0
    touched_at: float | None = None


class ConversationRisk:
    """One conversation. Not for several threads at once."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self.messages = 0
        self.people: OrderedDict[str, Person] = OrderedDict()
        self.pairs: OrderedDict[tuple[str, str], Pair] = OrderedDict()
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._asked_age: str | None = None

    def add(
        self, author: str, noticed: Noticed, *, at: datetime | None = None, message_id: str | None = None
    ) -> Risk | None:
        """Takes one message up. Returns what its author's messages to the one they talk to come to now; None when the
        message is there already. Late messages count when they arrive."""
        if message_id is not None and self._known(message_id):
            return None
        self.messages += 1
        toward = self._toward(author)
        person = self._person(author)
        person.messages += 1
        self._learn(author, person, noticed)
        pair = self._pair(author, toward)
        self._fade(pair, at.timestamp() if at is not None else None)
        for name in noticed.codes:
            self._count(pair, person, name)
        self._ages(author, toward, pair)
        return self._risk(author, toward, pair)

    def risks(self) -> list[Risk]:
        """All pairs as they stand, the highest first."""
        found = [self._risk(author, toward, pair) for (author, toward), pair in self.pairs.items()]
        return sorted(found, key=lambda risk: -risk.score)

    # ------------------------------------------------------------------------------------------ who, and to whom

    def _known(self, message_id: str) -> bool:
        if message_id in self._ids:
            return True
        self._ids[message_id] = None
        if len(self._ids) > MOST_IDS:
            self._ids.popitem(last=False)
        return False

    def _person(self, author: str) -> Person:
        person = self.people.get(author)
        if person is None:
            person = self.people[author] = Person()
            if len(self.people) > MOST_PEOPLE:
                self.people.popitem(last=False)
        self.people.move_to_end(author)
        return person

    def _toward(self, author: str) -> str:
        """Who spoke last before, of the others; nobody yet is the empty name."""
        return next((other for other in reversed(self.people) if other != author), "")

    def _pair(self, author: str, toward: str) -> Pair:
        key = (author, toward)
        pair = self.pairs.get(key)
        if pair is None:
            # What was said before anyone else spoke was said to the first who did.
            pair = self.pairs.pop((author, ""), None) or Pair(touched=self.messages)
            self.pairs[key] = pair
            if len(self.pairs) > MOST_PAIRS:
                self.pairs.pop(min((one for one in self.pairs if one != key), key=self._strength))
        return pair

    def _strength(self, key: tuple[str, str]) -> float:
        """All that one did to another, as far as it has not faded with the messages since."""
        pair = self.pairs[key]
        return sum(pair.strengths.values()) * self._kept(pair)

    def _kept(self, pair: Pair) -> float:
        """What is left of a pair's strengths after the messages since it was touched."""
        return float(0.5 ** ((self.messages - pair.touched) / HALF_LIFE_MESSAGES))

    # -------------------------------------------------------------------------------------------------- what counts

    def _learn(self, author: str, person: Person, noticed: Noticed) -> None:
        age = noticed.age
        if age is None and self._asked_age is not None and self._asked_age != author:
            age = noticed.bare_number
        if age is not None:
            person.age, person.age_message = age, self.messages
        if "asks-age" in noticed.codes or "asks-asl" in noticed.codes:
            self._asked_age = author
        elif self._asked_age != author:
            self._asked_age = None

    def _fade(self, pair: Pair, at: float | None) -> None:
        halves = (self.messages - pair.touched) / HALF_LIFE_MESSAGES
        if at is not None and pair.touched_at is not None:
            halves += max(0.0, at - pair.touched_at) / HALF_LIFE_SECONDS
        if halves > 0 and pair.strengths:
            kept = 0.5**halves
            for tactic, strength in pair.strengths.items():
                pair.strengths[tactic] = strength * kept
        pair.touched = self.messages
        pair.touched_at = at if at is not None else pair.touched_at

    def _count(self, pair: Pair, person: Person, name: str) -> None:
        code = self._catalogue.codes[name]
        if code.context is not None:
            setattr(person, code.context, min(4.0, getattr(person, code.context) + code.weight))
            return
        assert code.tactic is not None
        times = pair.times.get(name, 0)
        pair.times[name] = min(times + 1, 8)
        strength = pair.strengths.get(code.tactic, 0.0) + code.weight * REPEATED**times
        pair.strengths[code.tactic] = min(strength, self._catalogue.tactics[code.tactic].most)
        if times < 2:
            self._note(pair, Reason(name, code.says, self.messages))

    def _note(self, pair: Pair, reason: Reason) -> None:
        pair.reasons.append(reason)
        if len(pair.reasons) > MOST_REASONS:
            # The lightest of the older ones goes.
            codes = self._catalogue.codes
            pair.reasons.remove(
                min(pair.reasons[:-1], key=lambda one: codes[one.code].weight if one.code in codes else 9)
            )

    def _ages(self, author: str, toward: str, pair: Pair) -> None:
        """An adult and a child, as both said themselves."""
        own, other = self.people[author], self.people.get(toward)
        if (
            other is None
            or (own.age is not None and own.age < ADULT)
            or (other.age is not None and other.age >= ADULT)
        ):
            return
        if own.age is None or other.age is None:
            self._seeming(own, other, pair)
            return
        gap = own.age - other.age
        most = self._catalogue.tactics["age_gap"].most
        pair.strengths["age_gap"] = min(most, 0.3 if gap < 4 else 1.2 + 0.06 * (gap - 4))
        if not any(reason.code == AGE_GAP for reason in pair.reasons):
            says = f"said to be {own.age} to somebody who said to be {other.age}"
            self._note(pair, Reason(AGE_GAP, says, max(own.age_message, other.age_message)))

    def _seeming(self, own: Person, other: Person, pair: Pair) -> None:
        """An adult and a child, as far as one can tell by what they talk of."""
        grown = 2.0 if own.age is not None else min(2.0, own.adult)
        young = 2.0 if other.age is not None else min(2.0, other.minor)
        if grown >= 0.5 and young >= 0.5:
            pair.strengths["age_gap"] = max(pair.strengths.get("age_gap", 0.0), 0.3 * grown * young)

    def _risk(self, author: str, toward: str, pair: Pair) -> Risk:
        own = self.people.get(author) or Person()
        other = self.people.get(toward) or Person()
        kept = self._kept(pair)
        guarded = sum(pair.strengths.get(tactic, 0.0) for tactic in _TELLING) * kept >= 1.0
        scaled = {
            tactic: strength * kept * (1.0 if guarded else _context(tactic, own, other))
            for tactic, strength in pair.strengths.items()
        }
        seen = sum(min(1.0, strength / 0.8) for strength in scaled.values())
        total = (sum(scaled.values()) + DIVERSITY * max(0.0, seen - 2)) * _child(own, other, guarded)
        financial = scaled.get("threats", 0.0) >= 1.0 and scaled.get("payment", 0.0) >= 0.9
        score = 1 / (1 + math.exp((MIDDLE - total) / STEEPNESS))
        ordered = sorted(scaled.items(), key=lambda one: -one[1])
        return Risk(
            author,
            toward,
            max(score, FINANCIAL) if financial else score,
            financial,
            tuple((tactic, round(strength, 3)) for tactic, strength in ordered if strength > 0.05),
            tuple(sorted(pair.reasons, key=lambda reason: reason.message)),
        )

    # ---------------------------------------------------------------------------------------------------- kept state

    def document(self) -> dict[str, Any]:
        """All of the state, as JSON can hold it."""
        return {
            "messages": self.messages,
            "asked_age": self._asked_age,
            "ids": list(self._ids),
            "people": [
                [name, one.age, one.age_message, one.minor, one.adult, one.family, one.classmates, one.messages]
                for name, one in self.people.items()
            ],
            "pairs": [
                {
                    "author": author,
                    "toward": toward,
                    "strengths": pair.strengths,
                    "times": pair.times,
                    "reasons": [[reason.code, reason.says, reason.message] for reason in pair.reasons],
                    "touched": pair.touched,
                    "touched_at": pair.touched_at,
                }
                for (author, toward), pair in self.pairs.items()
            ],
        }

    @classmethod
    def from_document(cls, catalogue: Catalogue, kept: Mapping[str, Any]) -> ConversationRisk:
        """The conversation as `document` gave it. Codes that are no longer known are left out."""
        conversation = cls(catalogue)
        conversation.messages = kept["messages"]
        conversation._asked_age = kept["asked_age"]
        conversation._ids = OrderedDict.fromkeys(kept["ids"])
        for name, *told in kept["people"]:
            conversation.people[name] = Person(*told)
        for one in kept["pairs"]:
            strengths = {tactic: value for tactic, value in one["strengths"].items() if tactic in catalogue.tactics}
            reasons = [Reason(*told) for told in one["reasons"]]
            pair = Pair(strengths, dict(one["times"]), reasons, one["touched"], one["touched_at"])
            conversation.pairs[one["author"], one["toward"]] = pair
        return conversation


def _child(own: Person, other: Person, guarded: bool) -> float:
    """What is said to a child weighs more, and what a child says less."""
    factor = 1.0
    if other.age is not None:
        factor *= 1.35 if other.age < ADULT else 0.8
    else:
        factor *= 0.9 + 0.2 * min(2.0, other.minor)
    if own.age is not None and own.age < ADULT and not guarded:
        factor *= 0.75
    return factor


def _context(tactic: str, own: Person, other: Person) -> float:
    """How far what is usual among peers, relatives and classmates is discounted."""
    factor = 1.0
    if tactic in _OF_PEERS and own.age is not None and other.age is not None:
        if own.age < ADULT and other.age < ADULT and abs(own.age - other.age) <= 2:
            factor *= 0.4
        elif own.age >= ADULT and other.age >= ADULT:
            factor *= 0.5
    if tactic in _OF_FAMILY:
        factor *= 1 - 0.25 * min(2.4, own.family + other.family)
    if tactic in _OF_CLASSMATES:
        factor *= 1 - 0.2 * min(2.0, own.classmates + other.classmates)
    return factor
