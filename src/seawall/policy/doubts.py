"""What a policy may say, and an operator should say only on purpose."""

from __future__ import annotations

from collections.abc import Iterator

from seawall.errors import SeawallError
from seawall.policy.rules import PERMISSIVE, FindingKind, Rule, either
from seawall.records import MatchKind, NotedKind, Trust, Verdict


def of_rule(rule: Rule) -> Iterator[str]:
    """Warnings about one rule, each to be read after the rule's name."""
    if rule.when.finding is FindingKind.SCAN_OWED:
        yield from _of_scan_owed(rule)
    elif rule.when.finding is FindingKind.MATCH:
        yield from _of_match(rule)
    elif rule.when.finding is FindingKind.NOTED:
        yield from _of_noted(rule)


def _of_scan_owed(rule: Rule) -> Iterator[str]:
    if rule.verdict in PERMISSIVE:
        yield (
            f"PUBLISHES CONTENT THAT NOBODY SCREENED on {either(rule.when.surface)}: whoever sends a broken or "
            "unsupported file there passes every hash list"
        )
    known = _codes(SeawallError)
    for code in rule.when.code:
        if code not in known:
            yield f"names the code {code}, which no part of Seawall gives"


def _of_noted(rule: Rule) -> Iterator[str]:
    known = {kind.value for kind in NotedKind}
    for code in rule.when.code:
        if code not in known:
            yield f"names the code {code}, which no part of Seawall gives"


def _of_match(rule: Rule) -> Iterator[str]:
    when = rule.when
    if rule.verdict in PERMISSIVE and when.disputed:
        yield "publishes what entries met that are disputed: whoever brings a quarantine about has it published"
    elif rule.verdict in PERMISSIVE:
        yield "publishes content that is on a hash list"
    if rule.verdict is not Verdict.BLOCK:
        return
    alone = when.min_independent_lists is None
    if when.disputed is not False:
        yield "blocks on entries that are disputed, too; add disputed = false"
    if alone and MatchKind.PERCEPTUAL in (when.kind or tuple(MatchKind)):
        yield "blocks on a likeness to an entry of a single list, without a human"
    if MatchKind.KEYPOINTS in when.kind:
        yield "blocks on keypoints: a picture that shows another one, as a screenshot does, shows what that shows"
    if alone and when.trust != (Trust.TRUSTED,):
        yield "blocks on the word of a single list that was not given full trust"


def _codes(error: type[SeawallError]) -> set[str]:
    return {error.code}.union(*(_codes(kind) for kind in error.__subclasses__()))
