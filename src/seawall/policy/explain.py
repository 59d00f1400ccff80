"""A policy in plain words, and why each rule fired or did not for given findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seawall.policy.decide import decide, describe, in_order
from seawall.policy.rules import Conditions, Copies, FindingKind, Policy, Rule, either, sources
from seawall.records import Finding, Judgement, Verdict

DEEDS = {
    Verdict.ALLOW: "allow it",
    Verdict.WARN: "publish it with a warning",
    Verdict.HOLD: "hold it until a human has decided",
    Verdict.BLOCK: "block it",
}


OF_THE_REST = {
    FindingKind.SCAN_OWED: "a scan that is owed",
    FindingKind.NOTED: "something noted about the file",
    FindingKind.CONVERSATION: "a conversation that a person is to look at",
}


@dataclass(frozen=True, slots=True)
class RuleTrace:
    """Whether one rule fired, and why or why not."""

    rule: Rule
    fired: bool
    why: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """The judgement of some findings, and what each rule had to do with it."""

    judgement: Judgement
    traces: tuple[RuleTrace, ...]


def in_words(rule: Rule) -> str:
    """One rule as a sentence."""
    deed = DEEDS[rule.verdict] + (", and its case is urgent" if rule.urgent else "")
    return f"When there is {_conditions_in_words(rule.when)}: {deed}."


def copies_in_words(copies: Copies) -> str:
    """What counts as a copy of something that a reviewer confirmed, as a sentence."""
    if copies.off:
        return "What a reviewer confirms is put on no list: copies of it are found by other lists alone."
    counted = ["the same digest"] if copies.digest else []
    if copies.pdq_distance is not None:
        counted.append(f"PDQ at distance 0 to {copies.pdq_distance}")
    return f"What a reviewer confirms is known from then on, as on a trusted list: by {' and by '.join(counted)}."


def explain(policy: Policy, findings: Sequence[Finding], *, surface: str) -> Explanation:
    """What the policy makes of the findings, rule by rule in the order of the file."""
    ordered = in_order(finding for finding in findings if policy.copies.count(finding))
    traces = tuple(_trace(rule, ordered, surface) for rule in policy.rules)
    return Explanation(decide(policy, findings, surface=surface), traces)


def _trace(rule: Rule, findings: tuple[Finding, ...], surface: str) -> RuleTrace:
    if not findings:
        return RuleTrace(rule, False, "There is no finding.")
    fitting = rule.fitting(findings, surface)
    if rule.fires(fitting):
        many = "One finding fits" if len(fitting) == 1 else f"{len(fitting)} findings fit"
        return RuleTrace(rule, True, f"{many}: {describe(fitting[0])}.")
    if fitting:
        needed = f"{rule.when.min_independent_lists} independent sources are needed"
        return RuleTrace(
            rule, False, f"The matches that fit come from {_many(sources(fitting), 'source')}; {needed}."
        )
    closest = min(findings, key=lambda finding: len(list(rule.when.misfits(finding, surface))))
    return RuleTrace(rule, False, f"{describe(closest)}: {', '.join(rule.when.misfits(closest, surface))}.")


def _conditions_in_words(when: Conditions) -> str:
    parts = [_of_match(when) if when.finding is FindingKind.MATCH else _of_the_rest(when)]
    if when.surface:
        parts.append(f"on the surface {either(when.surface)}")
    if when.except_surface:
        parts.append(f"on any surface but {either(when.except_surface)}")
    return ", ".join(parts)


def _of_the_rest(when: Conditions) -> str:
    return OF_THE_REST[when.finding] + (f" ({either(when.code)})" if when.code else "")


def _of_match(when: Conditions) -> str:
    words = f"{either(when.kind)} match" if when.kind else "match"
    parts = [f"{'an' if words[0] in 'aeiou' else 'a'} {words}"]
    if when.hash_kind:
        parts.append(f"of {either(tuple(kind.label for kind in when.hash_kind))}")
    if when.min_distance is not None or when.max_distance is not None:
        lowest, highest = when.min_distance or 0, when.max_distance
        parts.append(f"at distance {lowest} or more" if highest is None else f"at distance {lowest} to {highest}")
    if when.list:
        parts.append(f"on the list {either(when.list)}")
    if when.trust:
        parts.append(f"on a {either(when.trust)} list")
    if when.harm_class:
        parts.append(f"about {either(when.harm_class)}")
    if when.classification:
        parts.append(f"classified {either(when.classification)}")
    if when.disputed is not None:
        parts.append("whose entry is disputed" if when.disputed else "whose entry is not disputed")
    if when.low_information is not None:
        parts.append("by a hash that tells little" if when.low_information else "by a hash that tells enough")
    if when.video is not None:
        parts.append("of a frame of a listed video" if when.video else "that is no frame of a listed video")
    if when.min_query_share is not None:
        parts.append(f"with at least {when.min_query_share} % of what arrived")
    if when.min_entry_share is not None:
        parts.append(f"with at least {when.min_entry_share} % of the listed video")
    if when.min_independent_lists:
        parts.append(f"and at least {when.min_independent_lists} independent sources agree")
    return " ".join(parts)


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("" if count == 1 else "s")
