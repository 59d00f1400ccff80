"""What can be noticed in a message: codes, each of a tactic or of a context."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

CONTEXTS = ("minor", "adult", "family", "classmates")
AGE_GAP = "age-gap"


@dataclass(frozen=True, slots=True)
class Tactic:
    """One way of luring. `most` is what it can count for in all, `says` how people call it."""

    name: str
    most: float
    says: str


@dataclass(frozen=True, slots=True)
class Code:
    """A reason code. Either `tactic` names what it is a sign of, or `context` what it says of the speaker."""

    code: str
    weight: float
    says: str
    tactic: str | None = None
    context: str | None = None


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All tactics and codes, by their names."""

    tactics: Mapping[str, Tactic]
    codes: Mapping[str, Code]


@dataclass(frozen=True, slots=True)
class Noticed:
    """What one message says: the codes that were met, each once; the age that its author claims, in years; whether
    it asks something; how many words it has; and whether it was too long to be read whole."""

    codes: tuple[str, ...]
    age: int | None = None
    bare_number: int | None = None
    asks: bool = False
    words: int = 0
    clipped: bool = False
