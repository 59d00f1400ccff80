"""How often two people who did not know of each other said the same of an item, and how much of it is not chance."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

# Says of one person and of the other, and how often that came together.
Table = Mapping[tuple[str, str], int]

_ANSWERED = text("""
    SELECT item.policy_version AS policy, c.harm_class, first.outcome AS one, review.outcome AS other, count(*)
    FROM blind_reviews AS review
    JOIN decisions AS first ON first.id = review.decision_id
    JOIN case_items AS item ON item.id = review.item_id
    JOIN cases AS c ON c.id = item.case_id
    WHERE review.answered_at IS NOT NULL
    GROUP BY 1, 2, 3, 4 ORDER BY 1, 2
""")


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of `reviews` blind reviews of what one policy judged, of one harm class, `agreed` said what was said first.
    `kappa` is Cohen's; None where there is none, since all said one thing."""

    policy: str
    harm_class: str
    reviews: int
    agreed: int
    kappa: float | None


def kappa(table: Table) -> float | None:
    """Cohen's kappa: the share of agreement beyond that of chance, of what is possible beyond it (J. Cohen, "A
    coefficient of agreement for nominal scales", 1960). 1 is full agreement, 0 what chance gives; None where chance
    alone gives all, or nothing was counted."""
    total = sum(table.values())
    if not total:
        return None
    ones, others = Counter[str](), Counter[str]()
    for (one, other), number in table.items():
        ones[one] += number
        others[other] += number
    by_chance = sum(ones[each] * others[each] for each in ones)
    if by_chance == total * total:
        return None
    agreed = sum(number for (one, other), number in table.items() if one == other)
    return (agreed * total - by_chance) / (total * total - by_chance)


def by_policy(session: Session) -> list[Agreement]:
    """Each policy version and harm class of which something was reviewed blindly."""
    tables: dict[tuple[str, str], dict[tuple[str, str], int]] = defaultdict(dict)
    for policy, harm_class, one, other, number in session.execute(_ANSWERED):
        tables[policy, harm_class][one, other] = number
    return [
        Agreement(
            policy,
            harm_class,
            sum(table.values()),
            sum(number for (one, other), number in table.items() if one == other),
            kappa(table),
        )
        for (policy, harm_class), table in tables.items()
    ]
