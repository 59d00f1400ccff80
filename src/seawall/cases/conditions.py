"""Which cases of the queue: a filter, as conditions that PostgreSQL can look up."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from seawall.records import HarmClass

_CLAIM = "FROM claims WHERE claims.case_id = cases.id AND claims.expires_at > clock_timestamp()"


class Whose(enum.StrEnum):
    """Cases by who works on them."""

    FREE = "free"
    MINE = "mine"
    TAKEN = "taken"


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """What to show alone. None means that it does not matter. `user_id` is the person whose cases are theirs."""

    urgent: bool | None = None
    is_test: bool | None = None
    account_id: str | None = None
    harm_class: HarmClass | None = None
    whose: Whose | None = None
    user_id: int | None = None


EVERYTHING = QueueFilter()

_WHOSE = {
    Whose.FREE: f"NOT EXISTS (SELECT {_CLAIM})",
    Whose.TAKEN: f"EXISTS (SELECT {_CLAIM})",
    Whose.MINE: "id IN (SELECT case_id FROM claims WHERE user_id = :user_id AND expires_at > clock_timestamp())",
}


def conditions(filters: QueueFilter) -> tuple[str, dict[str, object]]:
    """The conditions on ``cases``, each beginning with AND, and their values. Only what is asked for is in it, so
    that each filter has a plan of its own."""
    parts: list[str] = []
    values: dict[str, object] = {}
    if filters.urgent is not None:
        parts.append("(NOT urgent) = :calm_only")
        values["calm_only"] = not filters.urgent
    if filters.is_test is not None:
        parts.append("is_test = :is_test")
        values["is_test"] = filters.is_test
    if filters.account_id is not None:
        parts.append("account_id = :account_id")
        values["account_id"] = filters.account_id
    if filters.harm_class is not None:
        parts.append("harm_class = :harm_class")
        values["harm_class"] = filters.harm_class.value
    if filters.whose is not None:
        parts.append(_WHOSE[filters.whose])
        if filters.whose is Whose.MINE:
            values["user_id"] = filters.user_id
    return "".join(f" AND {part}" for part in parts), values
