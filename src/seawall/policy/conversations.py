"""What the policy makes of a conversation: rules that ask for interventions. Pure, and never milder for more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from seawall.conversation_records import (
    AgeBand,
    ConversationFacts,
    ConversationJudgement,
    FiredRule,
    Intervention,
    Level,
    LuringTactic,
)


@dataclass(frozen=True, slots=True)
class ConversationConditions:
    """When a rule fires: all that is asked must hold. What is empty or None is not asked; of several values one must
    fit."""

    level: Level | None = None
    financial: bool | None = None
    tactic: tuple[LuringTactic, ...] = ()
    from_age: tuple[AgeBand, ...] = ()
    to_age: tuple[AgeBand, ...] = ()
    min_contact_points: float | None = None
    surface: tuple[str, ...] = ()
    except_surface: tuple[str, ...] = ()

    def misfits(self, facts: ConversationFacts) -> Iterator[str]:
        """Why a conversation does not fit, in words; nothing when it does."""
        if self.level is not None and facts.level.rank < self.level.rank:
            yield f"its risk {facts.score:.2f} is below the threshold {self.level}"
        if self.financial is not None and facts.financial is not self.financial:
            yield "it is extortion for money" if facts.financial else "it is no extortion for money"
        if self.tactic and not set(self.tactic) & set(facts.tactics):
            yield f"there is none of the tactics {_either(self.tactic)}"
        for wanted, age, whose in (
            (self.from_age, facts.from_age, "author"),
            (self.to_age, facts.to_age, "youngest recipient"),
        ):
            if wanted and age not in wanted:
                yield f"the age of the {whose} is {age}, not {_either(wanted)}"
        if self.min_contact_points is not None and facts.contact_points < self.min_contact_points:
            yield f"the contact has {facts.contact_points:g} points, fewer than {self.min_contact_points:g}"
        if self.surface and facts.surface not in self.surface:
            yield f"the surface is {facts.surface}, not {_either(self.surface)}"
        if facts.surface in self.except_surface:
            yield f"the surface {facts.surface} is excepted"

    def fits(self, facts: ConversationFacts) -> bool:
        """Whether all that is asked holds."""
        return next(self.misfits(facts), None) is None


@dataclass(frozen=True, slots=True)
class ConversationRule:
    """One rule. `line` is where it stands in its file, from 1."""

    name: str
    explanation: str
    when: ConversationConditions
    interventions: tuple[Intervention, ...]
    line: int = 0


DEEDS = {
    Intervention.PROMPT: "say something to the child",
    Intervention.FRICTION: "slow the author down",
    Intervention.MASK_HANDLE: "mask handles and addresses",
    Intervention.BLOCK_MEDIA: "let no pictures or videos through",
    Intervention.RESTRICT: "let the author write to nobody new",
    Intervention.REVIEW: "have a person look",
    Intervention.URGENT: "have a person look at once",
}


def judge_conversation(
    rules: Sequence[ConversationRule], version: str, facts: ConversationFacts
) -> ConversationJudgement:
    """All that the rules which fire ask for, the strictest first."""
    fired = tuple(
        FiredRule(rule.name, rule.explanation, rule.interventions) for rule in rules if rule.when.fits(facts)
    )
    wanted = {each for rule in fired for each in rule.interventions}
    ordered = tuple(sorted(wanted, key=lambda each: -each.severity))
    return ConversationJudgement(ordered, fired, version)


def in_words(rule: ConversationRule) -> str:
    """One rule as a sentence."""
    deeds = ", ".join(DEEDS[each] for each in rule.interventions)
    return f"When a message is {_conditions(rule.when)}: {deeds}."


def _conditions(when: ConversationConditions) -> str:
    parts = []
    if when.to_age:
        parts.append(f"to somebody of the age {_either(when.to_age)}")
    if when.from_age:
        parts.append(f"by somebody of the age {_either(when.from_age)}")
    if when.level is not None:
        parts.append(f"at the threshold {when.level} or above")
    if when.financial is not None:
        parts.append("extortion for money" if when.financial else "no extortion for money")
    if when.tactic:
        parts.append(f"with {_either(when.tactic)} among the tactics")
    if when.min_contact_points is not None:
        parts.append(f"in a contact of {when.min_contact_points:g} points or more")
    if when.surface:
        parts.append(f"on the surface {_either(when.surface)}")
    if when.except_surface:
        parts.append(f"on any surface but {_either(when.except_surface)}")
    return ", ".join(parts)


def _either(values: Sequence[str]) -> str:
    return values[0] if len(values) == 1 else f"{', '.join(values[:-1])} or {values[-1]}"
