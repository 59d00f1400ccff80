"""What one person may not release alone: the very file that a trusted list has."""

from __future__ import annotations

from collections.abc import Iterable

from seawall.records import Finding, Match, MatchKind, Outcome, Trust


def takes_two(outcome: Outcome, findings: Iterable[Finding]) -> bool:
    """Whether a decision would release the very file that a trusted list has. Also by a disputed entry: one person
    can bring it about that it is disputed, and must not gain by that what takes two."""
    return outcome is Outcome.NOT_A_MATCH and any(
        isinstance(finding, Match) and finding.kind is MatchKind.EXACT and finding.list.trust is Trust.TRUSTED
        for finding in findings
    )
