"""The frozen types of messages and what is done about them, as they pass between rooms."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from datetime import datetime


class AgeBand(enum.StrEnum):
    """How old the platform takes somebody for."""

    UNDER_13 = "under_13"
    FROM_13_TO_15 = "13_to_15"
    FROM_16_TO_17 = "16_to_17"
    ADULT = "adult"
    UNKNOWN = "unknown"

    @property
    def is_child(self) -> bool:
        """Whether that is under 18."""
        return self in (AgeBand.UNDER_13, AgeBand.FROM_13_TO_15, AgeBand.FROM_16_TO_17)


class Level(enum.StrEnum):
    """How surely a conversation is a predatory one, by its thresholds."""

    NONE = "none"
    WARN = "warn"
    REVIEW = "review"

    @property
    def rank(self) -> int:
        """0 for none up to 2 for review."""
        return list(Level).index(self)


class LuringTactic(enum.StrEnum):
    """The tactics that policies can speak of: those of the catalogue of cues."""

    PROFILING = "profiling"
    FLATTERY = "flattery"
    GIFTS = "gifts"
    ALONE = "alone"
    SECRECY = "secrecy"
    CAUTION = "caution"
    MOVING = "moving"
    RELATIONSHIP = "relationship"
    PICTURES = "pictures"
    MEETING = "meeting"
    THREATS = "threats"
    PAYMENT = "payment"
    AGE_GAP = "age_gap"


class Intervention(enum.StrEnum):
    """What a platform is told to do about a conversation, mildest first."""

    NOTHING = "nothing"
    PROMPT = "prompt"
    FRICTION = "friction"
    MASK_HANDLE = "mask_handle"
    BLOCK_MEDIA = "block_media"
    RESTRICT = "restrict"
    REVIEW = "review"
    URGENT = "urgent"

    @property
    def severity(self) -> int:
        """0 for nothing up to 7 for urgent."""
        return list(Intervention).index(self)

    @property
    def needs_person(self) -> bool:
        """Whether it opens a case."""
        return self in (Intervention.REVIEW, Intervention.URGENT)


@dataclass(frozen=True, slots=True)
class MessageArrival:
    """One message, as a gateway received it. `recipients` are the others in the conversation, as far as the platform
    says; `private` says that not everybody may read it; `jurisdiction` is where the conversation takes place (ISO
    3166-1 alpha-2)."""

    conversation_id: str
    message_id: str
    author: str
    text: str = field(repr=False)
    at: datetime
    recipients: tuple[str, ...] = ()
    surface: str = "message"
    language: str | None = None
    private: bool = True
    jurisdiction: str | None = None


@dataclass(frozen=True, slots=True)
class ConversationFacts:
    """What is known of a conversation after a message: what its author's messages to the one they talk to come to,
    and of whom. `tactics` are those that are well seen; `to_age` is the youngest of whom it was said to, an unknown
    age counting as younger than an adult's."""

    level: Level
    score: float
    financial: bool
    tactics: tuple[str, ...]
    from_age: AgeBand
    to_age: AgeBand
    contact_points: float
    surface: str


@dataclass(frozen=True, slots=True)
class ConversationSignal:
    """The finding of a conversation that a person is to look at. `code` is the intervention that called for one,
    `score` the risk in thousandths."""

    code: str
    explanation: str
    score: int = 0


@dataclass(frozen=True, slots=True)
class FiredRule:
    """A rule of the policy that fired, and what it asks for."""

    rule: str
    explanation: str
    interventions: tuple[Intervention, ...]


@dataclass(frozen=True, slots=True)
class ConversationJudgement:
    """What the policy makes of a conversation: all that is asked for, the strictest first, and by which rules."""

    interventions: tuple[Intervention, ...]
    rules: tuple[FiredRule, ...]
    policy_version: str

    @property
    def strictest(self) -> Intervention:
        """The strictest of all; nothing where none is asked for."""
        return self.interventions[0] if self.interventions else Intervention.NOTHING

    @property
    def needs_person(self) -> bool:
        """Whether a person is to look."""
        return self.strictest.needs_person


@dataclass(frozen=True, slots=True)
class SaidReason:
    """One thing that was noticed, in words. `message` is the number of the message; None of what contacts show."""

    code: str
    says: str
    message: int | None = None


@dataclass(frozen=True, slots=True)
class TacticSeen:
    """How much of a tactic there is by now."""

    tactic: str
    says: str
    strength: float


@dataclass(frozen=True, slots=True)
class PromptFor:
    """A text to show, and to whom."""

    accounts: tuple[str, ...]
    code: str
    language: str
    text: str


@dataclass(frozen=True, slots=True)
class MessageAnswer:
    """What the platform is told of one message. `looked_at` is false where it is private and nobody said that private
    messages are read there; then nothing else is. `score` is the risk of what its author says to `toward`, 0 to 1."""

    conversation_id: str
    message_id: str
    looked_at: bool
    policy_version: str
    number: int | None = None
    score: float = 0.0
    financial: bool = False
    toward: str | None = None
    interventions: tuple[Intervention, ...] = ()
    rules: tuple[FiredRule, ...] = ()
    tactics: tuple[TacticSeen, ...] = ()
    reasons: tuple[SaidReason, ...] = ()
    prompt: PromptFor | None = None
    case_id: int | None = None
    replayed: bool = False
