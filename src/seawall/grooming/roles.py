"""Who is luring, and who is being lured: what one of two people has more of than the other.

A model of whole conversations flags the child as readily as the adult. So what each of the two says is counted apart,
and the difference is judged: of the two people the one with more tactics, more questions, more of the initiative and
an adult's age is the likelier offender.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from seawall.grooming.features import Ids, Vector
from seawall.grooming.model import Model
from seawall.grooming.risk import ADULT
from seawall.grooming.tactics import Catalogue, Noticed

TACTICS = (
    *(
        "profiling",
        "flattery",
        "gifts",
        "alone",
        "secrecy",
        "caution",
        "moving",
        "relationship",
        "pictures",
        "meeting",
    ),
    *("threats", "payment"),
)
FACTS = (*TACTICS, "minor", "asks", "share", "words", "first", "adult", "child", "short")
# Without a model: what each fact counts for. Tactics by their own weights.
JUDGED = {"minor": -0.6, "asks": 0.8, "share": 0.5, "first": 0.3, "adult": 3.0, "child": -3.0}
MOST_MESSAGES = 400


@dataclass(slots=True)
class Side:
    """What one person said, counted."""

    messages: int = 0
    words: int = 0
    asks: int = 0
    first: bool = False
    short: int = 0
    age: int | None = None
    strengths: dict[str, float] = field(default_factory=dict)
    minor: float = 0.0
    ids: list[Ids] = field(default_factory=list)


class Sides:
    """Everybody in one conversation."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self.sides: dict[str, Side] = {}
        self._asked: str | None = None

    def add(self, author: str, noticed: Noticed, ids: Ids | None = None) -> None:
        """Counts one message."""
        side = self.sides.get(author)
        if side is None:
            side = self.sides[author] = Side(first=not self.sides)
        side.messages += 1
        side.words += noticed.words
        side.asks += noticed.asks
        side.short += noticed.words <= 2
        age = noticed.age
        if age is None and self._asked not in (None, author):
            age = noticed.bare_number
        side.age = age if age is not None else side.age
        if "asks-age" in noticed.codes or "asks-asl" in noticed.codes:
            self._asked = author
        elif self._asked != author:
            self._asked = None
        for name in noticed.codes:
            code = self._catalogue.codes[name]
            if code.tactic is not None:
                side.strengths[code.tactic] = side.strengths.get(code.tactic, 0.0) + code.weight
            elif code.context == "minor":
                side.minor += code.weight
        if ids is not None and len(side.ids) < MOST_MESSAGES:
            side.ids.append(ids)

    def pair(self) -> tuple[str, str] | None:
        """The two who say most."""
        ordered = sorted(self.sides, key=lambda author: -self.sides[author].messages)
        return (ordered[0], ordered[1]) if len(ordered) > 1 else None

    def facts(self, author: str) -> NDArray[np.float64]:
        """(facts,) of one person, in the order of FACTS."""
        side, total = self.sides[author], sum(one.messages for one in self.sides.values())
        told = [math.log1p(side.strengths.get(tactic, 0.0)) for tactic in TACTICS]
        told += [
            math.log1p(side.minor),
            side.asks / side.messages,
            side.messages / total,
            math.log1p(side.words / side.messages),
            float(side.first),
            float(side.age is not None and side.age >= ADULT),
            float(side.age is not None and side.age < ADULT),
            side.short / side.messages,
        ]
        return np.array(told)


def difference(one: Vector, other: Vector, size: int) -> NDArray[np.float64]:
    """(size,) what one has more of than the other."""
    dense = np.zeros(size)
    dense[one.ids] += one.values
    dense[other.ids] -= other.values
    return dense


def log_odds(sides: Sides, one: str, other: str, model: Model | None) -> float:
    """How likely it is that `one` is luring `other`, rather than the other way round, as log odds."""
    facts = sides.facts(one) - sides.facts(other)
    if model is None:
        weights = np.array([1.0 if fact in TACTICS else JUDGED.get(fact, 0.0) for fact in FACTS])
        return float(weights @ facts)
    total = float(model.roles.facts @ facts)
    for author, sign in ((one, 1.0), (other, -1.0)):
        vector = model.vocabulary.vector(_of(sides, author))
        total += sign * float(model.roles.words[vector.ids] @ vector.values)
    return total


def _of(sides: Sides, author: str) -> Sequence[Ids]:
    return sides.sides[author].ids


def luring(sides: Sides, model: Model | None = None) -> str | None:
    """Who of the two who say most is the likelier offender; None where nothing tells."""
    pair = sides.pair()
    if pair is None:
        return None
    odds = log_odds(sides, *pair, model)
    return pair[0] if odds > 0 else pair[1] if odds < 0 else None
