"""The verdict: pure, the same for the same findings in whatever order, and never milder for one finding more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from seawall.policy.rules import FindingKind, Policy, kind_of
from seawall.records import (
    Finding,
    Judgement,
    Match,
    MatchKind,
    Orientation,
    Reason,
    Verdict,
)

# Nearest first, and of every list the nearest before any list's second: enough to understand, not to flood an answer.
REASONS_PER_RULE = 8
UNCOVERED = "no-rule"
UNCOVERED_EXPLANATION = "No rule of the policy speaks of this finding, so a human decides."

WORDS = {
    FindingKind.SCAN_OWED: "Scan owed",
    FindingKind.NOTED: "Noted",
    FindingKind.CONVERSATION: "A conversation",
}
TURNS = {
    Orientation.UPRIGHT: "",
    Orientation.ROTATED_90: ", rotated by 90 degrees",
    Orientation.ROTATED_180: ", upside down",
    Orientation.ROTATED_270: ", rotated by 270 degrees",
    Orientation.FLIPPED: ", flipped top to bottom",
    Orientation.MIRRORED: ", mirrored",
    Orientation.TRANSPOSED: ", mirrored and rotated",
    Orientation.TRANSVERSED: ", mirrored and rotated",
}


def decide(policy: Policy, findings: Sequence[Finding], *, surface: str) -> Judgement:
    """What the policy makes of the findings on this surface.

    Every rule that fires gives reasons, strictest first; the strictest verdict counts. A finding that no fired rule
    took up holds the content, whatever the policy says elsewhere. A likeness to something that was confirmed here
    says nothing unless the policy counts it as a copy.
    """
    if not findings:
        return Judgement(Verdict.ALLOW, False, (), policy.version)
    ordered = in_order(finding for finding in findings if policy.copies.count(finding))
    verdict, urgent, covered = Verdict.ALLOW, False, set[Finding]()
    reasons: list[tuple[int, Reason]] = []
    for rule in policy.rules:
        fitting = rule.fitting(ordered, surface)
        if not rule.fires(fitting):
            continue
        covered.update(fitting)
        verdict, urgent = stricter(verdict, rule.verdict), urgent or rule.urgent
        reasons.extend((rule.verdict.severity, reason) for reason in _reasons(rule.name, rule.explanation, fitting))
    uncovered = tuple(finding for finding in ordered if finding not in covered)
    if uncovered:
        verdict = stricter(verdict, Verdict.HOLD)
        held = _reasons(UNCOVERED, UNCOVERED_EXPLANATION, uncovered)
        reasons.extend((Verdict.HOLD.severity, reason) for reason in held)
    reasons.sort(key=lambda weighed: -weighed[0])
    return Judgement(verdict, urgent, tuple(reason for _severity, reason in reasons), policy.version)


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Each finding once, nearest match first, then what is owed, then what is noted."""
    return tuple(sorted(dict.fromkeys(findings), key=_rank))


def stricter(one: Verdict, other: Verdict) -> Verdict:
    """The stricter of two verdicts."""
    return max(one, other, key=lambda verdict: verdict.severity)


def describe(finding: Finding) -> str:
    """One finding in a sentence without its full stop. Never a hash."""
    if not isinstance(finding, Match):
        word = WORDS[kind_of(finding)]
        return f"{word} ({finding.code}): {finding.explanation.rstrip('.')}"
    disputed = _doubted(finding)
    frame = " in a part of the picture" if finding.in_part else ""
    frame += f" in frame {finding.frame}" if finding.frame else ""
    frame += f", a frame of a listed video{_shares(finding)}" if finding.of_video else ""
    frame += ", like text or a pattern" if finding.low_information else ""
    if finding.kind is MatchKind.KEYPOINTS:
        here = f'an entry of the list "{finding.list.name}"{TURNS[finding.orientation]}{frame}{disputed}'
        places = f"{finding.inliers} places, {finding.share} % of those that could,"
        return f"{places} lie where they do in the picture of {here}"
    assert finding.hash_kind is not None
    if finding.kind is MatchKind.EXACT:
        return f'The same {finding.hash_kind.label} as an entry of the list "{finding.list.name}"{disputed}'
    return (
        f'{finding.hash_kind.label} distance {finding.distance} to an entry of the list "{finding.list.name}"'
        f"{TURNS[finding.orientation]}{frame}{disputed}"
    )


def _doubted(match: Match) -> str:
    if match.list.quarantined:
        return ", a list that is in quarantine"
    return ", an entry that is disputed" if match.disputed else ""


def _shares(match: Match) -> str:
    if match.query_share is None or match.entry_share is None:
        return ""
    return f" ({match.query_share} % of what arrived is like it, and {match.entry_share} % of the video is in it)"


def _rank(finding: Finding) -> tuple[int, int, str, int, str, str, int, str]:
    if not isinstance(finding, Match):
        after = list(FindingKind).index(kind_of(finding))
        return (after, 0, finding.code, 0, finding.explanation, "", 0, "")
    return (
        0,
        finding.nearness[1],
        finding.list.name,
        finding.entry_id,
        finding.kind,
        finding.hash_kind or "",
        finding.frame,
        # What is left can differ between findings that are otherwise the same; their order must not depend on luck.
        repr(finding),
    )


def _reasons(rule: str, explanation: str, findings: tuple[Finding, ...]) -> list[Reason]:
    """Reasons for the nearest of the findings, which come in order; the last one says how many more there are."""
    kept = _nearest(findings)
    more = len(findings) - len(kept)
    note = f" There {'is' if more == 1 else 'are'} {more} more like this." if more else ""
    reasons = [_reason(rule, explanation, finding) for finding in kept[:-1]]
    return [*reasons, _reason(rule, explanation + note, kept[-1])]


def _nearest(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    first_of_list, rest, lists = list[Finding](), list[Finding](), set[str]()
    for finding in findings:
        name = finding.list.name if isinstance(finding, Match) else ""
        if name not in lists:
            first_of_list.append(finding)
        elif not (isinstance(finding, Match) and finding.of_video):  # one frame of a video says what the others do
            rest.append(finding)
        lists.add(name)
    return in_order((first_of_list + rest)[:REASONS_PER_RULE])


def _reason(rule: str, explanation: str, finding: Finding) -> Reason:
    text = f"{describe(finding)}. {explanation}"
    if not isinstance(finding, Match):
        return Reason(finding.code, rule, text)
    return Reason(
        code=f"{finding.kind}_match",
        rule=rule,
        explanation=text,
        list=finding.list.name,
        kind=finding.kind,
        distance=finding.distance,
        orientation=finding.orientation,
    )
