"""How pressing a case is: a sum of named terms that a person can check by hand.

The most pressing item counts in full, and every further item adds a little. So a case never becomes less pressing by
what is added to it, and its priority can be raised without reading its other items again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from seawall.records import FARTHEST_DISTANCE, Finding, HarmClass, Match, Trust

URGENT = 1000
TRUSTED_LIST = 100
HARM = MappingProxyType({HarmClass.CSAM: 50, HarmClass.TERRORISM: 30, HarmClass.NCII: 20, HarmClass.OTHER: 0})
MOST_FOR_ITEMS = 50


@dataclass(frozen=True, slots=True)
class Term:
    """One summand of a priority."""

    name: str
    points: int


def of_item(findings: Iterable[Finding]) -> tuple[Term, ...]:
    """What one item weighs by its findings; a scan that is owed weighs nothing beyond being there."""
    matches = [finding for finding in findings if isinstance(finding, Match)]
    if not matches:
        return ()
    harm = max((match.list.harm_class for match in matches), key=lambda each: HARM[each])
    nearest = min(match.nearness[1] for match in matches)
    terms = (
        Term("trusted list", TRUSTED_LIST if any(match.list.trust is Trust.TRUSTED for match in matches) else 0),
        Term(f"harm class {harm.value}", HARM[harm]),
        Term(f"distance {nearest}", max(0, FARTHEST_DISTANCE - nearest)),
    )
    return tuple(term for term in terms if term.points)


def total(terms: Iterable[Term]) -> int:
    """The sum."""
    return sum(term.points for term in terms)


def of_case(urgent: bool, items: Sequence[Iterable[Finding]]) -> tuple[Term, ...]:
    """All terms of a case from the findings of all its items; their sum is what :func:`raised` arrives at."""
    heaviest = max((of_item(findings) for findings in items), key=total, default=())
    return (*_urgency(urgent), *heaviest, *_further(len(items)))


def raised(before: int, was_urgent: bool, items_before: int, urgent: bool, findings: Iterable[Finding]) -> int:
    """The priority of a case after one item more.

    Args:
        before: its priority so far (0 without items), when it was urgent or not and had that many items.
        urgent: whether it is urgent now.
    """
    heaviest = before - total(_urgency(was_urgent)) - total(_further(items_before))
    return max(heaviest, total(of_item(findings))) + total(_urgency(urgent)) + total(_further(items_before + 1))


def _urgency(urgent: bool) -> tuple[Term, ...]:
    return (Term("urgent", URGENT),) if urgent else ()


def _further(items: int) -> tuple[Term, ...]:
    points = min(max(items - 1, 0), MOST_FOR_ITEMS)
    return (Term(f"{items} items", points),) if points else ()
