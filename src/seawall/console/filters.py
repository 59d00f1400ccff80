"""What part of the queue is looked at, as its address says it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import parse_qs, urlencode

from fastapi import Query

from seawall.cases.clocks import Clocks
from seawall.cases.conditions import QueueFilter, Whose
from seawall.cases.queue import UNDECIDED
from seawall.records import CaseState, HarmClass

ADDRESS = "/console/"
LONGEST_ACCOUNT = 200
# An account of 200 characters, each of up to four bytes, as an address writes it, and the rest.
LONGEST_QUERY = 2600
STATES = {
    "undecided": ("To decide", UNDECIDED),
    "open": ("Open", (CaseState.OPEN,)),
    "escalated": ("Escalated", (CaseState.ESCALATED,)),
    "decided": ("Decided", (CaseState.DECIDED,)),
    "all": ("All", tuple(CaseState)),
}
WHOSE = {
    "": "Anyone's",
    Whose.FREE.value: "Free",
    Whose.MINE.value: "Mine",
    Whose.TAKEN.value: "Taken",
}


@dataclass(frozen=True, slots=True)
class Filters:
    """What is looked for. `account` is a whole account id; what is empty does not matter."""

    account: str = ""
    state: str = "undecided"
    urgent: bool = False
    harm_class: str = ""
    whose: str = ""
    overdue: bool = False

    @property
    def active(self) -> bool:
        """Whether anything is left out that the plain queue shows."""
        return bool(self.query())

    @property
    def states(self) -> tuple[CaseState, ...]:
        """The states that are looked for; what is overdue is undecided."""
        wanted = STATES[self.state][1]
        return tuple(state for state in wanted if state in UNDECIDED) if self.overdue else wanted

    def query(self, after: str | None = None) -> str:
        """What stands behind the question mark of the address that shows this, from a row on."""
        given = {
            "account": self.account,
            "state": "" if self.state == "undecided" else self.state,
            "harm_class": self.harm_class,
            "whose": self.whose,
            "urgent": "yes" if self.urgent else "",
            "overdue": "yes" if self.overdue else "",
            "after": after or "",
        }
        return urlencode({name: value for name, value in given.items() if value})

    def address(self, after: str | None = None) -> str:
        """The page that shows this, from a row on."""
        query = self.query(after)
        return f"{ADDRESS}?{query}" if query else ADDRESS

    def wanted(self, user_id: int) -> QueueFilter:
        """The same as the queue takes it, for this person."""
        return QueueFilter(
            urgent=True if self.urgent else None,
            account_id=self.account or None,
            harm_class=HarmClass(self.harm_class) if self.harm_class else None,
            whose=Whose(self.whose) if self.whose else None,
            user_id=user_id,
        )

    def clocks(self, clocks: Clocks) -> Clocks | None:
        """The clocks where only what is overdue is looked for."""
        return clocks if self.overdue else None


def asked(
    account: Annotated[str, Query(max_length=LONGEST_ACCOUNT)] = "",
    state: str = "",
    urgent: str = "",
    harm_class: str = "",
    whose: str = "",
    overdue: str = "",
) -> Filters:
    """The filters of an address. A value that there is not counts as none."""
    return Filters(
        account=account.replace("\x00", "").strip()[:LONGEST_ACCOUNT],
        state=state if state in STATES else "undecided",
        urgent=bool(urgent),
        harm_class=harm_class if harm_class in set(HarmClass) else "",
        whose=whose if whose in WHOSE else "",
        overdue=bool(overdue),
    )


def of_query(query: str) -> Filters:
    """The filters that `Filters.query` wrote. What a person changed in it counts as in an address."""
    given = {name: values[-1] for name, values in parse_qs(query[:LONGEST_QUERY], max_num_fields=20).items()}
    names = ("account", "state", "urgent", "harm_class", "whose", "overdue")
    return asked(**{name: given.get(name, "") for name in names})
