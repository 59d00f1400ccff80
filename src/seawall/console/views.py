"""What the templates of queue and case show, made from the records of the rooms. Wording only, no decisions."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from seawall.console.wording import Choice


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One row of the queue."""

    id: int
    subject_kind: str
    subject_name: str
    is_test: bool
    urgent: bool
    why: str
    lists: tuple[str, ...]
    items: int
    pending: int
    opened_at: datetime
    state: str


@dataclass(frozen=True, slots=True)
class ReasonView:
    """One reason in plain words; without a list it is no match but a failure to look."""

    text: str
    list: str | None = None
    is_test: bool = False
    likeness: str = ""
    orientation: str | None = None


@dataclass(frozen=True, slots=True)
class DecisionView:
    """One decision that was made."""

    outcome: str
    who: str
    at: datetime
    reason: str
    viewed: bool
    restrict_account: bool


@dataclass(frozen=True, slots=True)
class Draft:
    """What was filled in for one item, when it must be shown again."""

    outcome: str = ""
    preset: str = ""
    note: str = ""
    restrict_account: bool = False


@dataclass(frozen=True, slots=True)
class ItemView:
    """One item of a case."""

    id: int
    number: int
    content_id: str
    standing: str
    open: bool
    sealed: bool
    reasons: tuple[ReasonView, ...]
    facts: tuple[tuple[str, str], ...]
    added_at: datetime
    choices: tuple[Choice, ...]
    decisions: tuple[DecisionView, ...] = ()
    evidence_id: int | None = None


@dataclass(frozen=True, slots=True)
class CaseView:
    """One case with its items."""

    id: int
    subject_kind: str
    subject_name: str
    account_id: str | None
    is_test: bool
    urgent: bool
    state: str
    progress: str
    opened_at: datetime
    items: tuple[ItemView, ...] = field(default=())
