"""How pressing a case is: a sum of named terms that a person can check by hand.

The most pressing item counts in full, and every further item adds a little. So a case never becomes less pressing by
what is added to it, and its priority can be raised without reading its other items again.

A point is worth an hour of waiting. A case gains one with each hour, and so do all others: of two cases the order
stays what it was, and it can be kept in an index (``cases.rank``) that time does not change.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from seawall.conversation_records import ConversationSignal
from seawall.records import FARTHEST_DISTANCE, Finding, HarmClass, Match, Trust

URGENT = 1000
CHILD_AT_RISK = 2000
TRUSTED_LIST = 100
HARM = MappingProxyType({HarmClass.CSAM: 50, HarmClass.TERRORISM: 30, HarmClass.NCII: 20, HarmClass.OTHER: 0})
MOST_FOR_ITEMS = 50
POINT = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Term:
    """One summand of a priority. `of_item` says that it comes of the most pressing item, not of the whole case."""

    name: str
    points: int
    of_item: bool = False


Terms = tuple[Term, ...]


def of_item(findings: Iterable[Finding]) -> Terms:
    """What one item weighs by its findings: a conversation its risk; a scan that is owed nothing beyond being
    there."""
    findings = tuple(findings)
    risks = [finding.score for finding in findings if isinstance(finding, ConversationSignal)]
    if risks:
        return (Term(f"risk {max(risks) / 1000:.2f}", max(risks) // 10, True),)
    matches = [finding for finding in findings if isinstance(finding, Match)]
    if not matches:
        return ()
    harm = harm_of(matches)
    nearest = min(match.nearness[1] for match in matches)
    terms = (
        Term(
            "trusted list", TRUSTED_LIST if any(match.list.trust is Trust.TRUSTED for match in matches) else 0, True
        ),
        Term(f"harm class {harm.value}", HARM[harm], True),
        Term(f"distance {nearest}", max(0, FARTHEST_DISTANCE - nearest), True),
    )
    return tuple(term for term in terms if term.points)


def harm_of(findings: Iterable[Finding]) -> HarmClass:
    """The gravest harm class of what was found; `other` where no list is among it."""
    classes = (finding.list.harm_class for finding in findings if isinstance(finding, Match))
    return max(classes, key=lambda each: HARM[each], default=HarmClass.OTHER)


def total(terms: Iterable[Term]) -> int:
    """The sum."""
    return sum(term.points for term in terms)


def of_case(urgent: bool, items: Sequence[Iterable[Finding]], *, at_risk: bool = False) -> Terms:
    """All terms of a case from the findings of all its items; :func:`raised` arrives at the same."""
    heaviest = max((of_item(findings) for findings in items), key=total, default=())
    return (*_of_all(urgent, at_risk, len(items)), *heaviest)


def raised(before: Terms, items_before: int, urgent: bool, findings: Iterable[Finding], *, at_risk: bool) -> Terms:
    """The terms of a case after one item more.

    Args:
        before: its terms so far, when it had `items_before` items.
        urgent: whether it is urgent now.
        at_risk: whether a child may be at risk now.
    """
    heaviest = max((tuple(term for term in before if term.of_item), of_item(findings)), key=total)
    return (*_of_all(urgent, at_risk, items_before + 1), *heaviest)


def with_waiting(terms: Terms, opened_at: datetime, at: datetime) -> Terms:
    """The terms with that for the age of the case at a time."""
    hours = max(0, (at - opened_at) // POINT)
    return (*terms, Term(f"waiting {hours} h", hours)) if hours else terms


def _of_all(urgent: bool, at_risk: bool, items: int) -> Terms:
    points = min(max(items - 1, 0), MOST_FOR_ITEMS)
    terms = (
        Term("child at risk now", CHILD_AT_RISK if at_risk else 0),
        Term("urgent", URGENT if urgent else 0),
        Term(f"{items} items", points),
    )
    return tuple(term for term in terms if term.points)
