"""What stands beside the items of a case: notes, what happened, linked cases, and the policy's text."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from seawall.cases import history, notes, related, same_bytes
from seawall.cases.history import Event, Happening
from seawall.cases.notes import NoteView
from seawall.cases.related import Bond
from seawall.cases.same_bytes import Waiting
from seawall.cases.store import CaseView
from seawall.console import wording
from seawall.console.desk import Desk
from seawall.console.wording import counted
from seawall.database.tables import PolicyText
from seawall.errors import PolicyInvalid
from seawall.policy import conversations
from seawall.policy.explain import in_words
from seawall.policy.load import parse_policy
from seawall.policy.rules import Policy
from seawall.records import ItemState, Outcome, RevealStage

# So many events are shown at once; the others are a press away.
AT_ONCE = 8
DECIDED = {
    Outcome.CONFIRM: "was confirmed by",
    Outcome.NOT_A_MATCH: "was found to be no match by",
    Outcome.ESCALATE: "was escalated by",
}
HOW_DECIDED = {
    "viewed": ", after looking at it",
    "copy": ", with the same file elsewhere and without viewing",
}
LOOKED = {
    RevealStage.BLURRED: "blurred",
    RevealStage.GREY: "in grey",
    RevealStage.COLOUR: "in colour",
}
DELIVERED = {
    "delivered": "The platform was told: {what}",
    "pending": "The platform is being told: {what}",
    "failed": "The platform could not be told: {what}",
}
BONDS = {
    Bond.SUBJECT: "the same account",
    Bond.BYTES: "the same file",
    Bond.ENTRY: "the same list entry",
}
SAME_CONTENT_ID = "the same content id"


@dataclass(frozen=True, slots=True)
class EventLine:
    """One thing that happened, in words. `item` is the number of the item within its case, where it is of one."""

    at: datetime
    item: int | None
    item_id: int | None
    text: str


@dataclass(frozen=True, slots=True)
class RelatedLine:
    """One linked case."""

    id: int
    subject_name: str
    state: str
    opened_at: datetime
    bonds: str


@dataclass(frozen=True, slots=True)
class CaseFile:
    """All of it. `cut` says that there are older events than those here."""

    newest: tuple[EventLine, ...]
    earlier: tuple[EventLine, ...]
    cut: bool
    notes: tuple[NoteView, ...]
    related: tuple[RelatedLine, ...]


@dataclass(frozen=True, slots=True)
class RuleLine:
    """A rule of the policy that fired, in words."""

    name: str
    sentence: str


def read(desk: Desk, case: CaseView) -> CaseFile:
    """What stands beside the items of a case, in three queries."""
    with desk.database.transaction() as session:
        events = history.of_case(session, case.id)
        written = notes.of_case(session, case.id)
        others = related.of_case(session, case.id)
    numbers = {item.id: number for number, item in enumerate(case.items, 1)}
    lines = tuple(_line(event, numbers) for event in events)
    by_account = case.account_id is not None
    return CaseFile(
        newest=lines[:AT_ONCE],
        earlier=lines[AT_ONCE:],
        cut=len(events) == history.MOST,
        notes=written,
        related=tuple(
            RelatedLine(
                other.case_id,
                wording.subject(other.subject)[1],
                wording.CASE_STATES[other.state],
                other.opened_at,
                _begun(", ".join(_bond(bond, by_account) for bond in other.bonds)),
            )
            for other in others
        ),
    )


def same(desk: Desk, case: CaseView) -> dict[int, str]:
    """By item that is to be decided: where the same file waits too, and that it is decided with it."""
    open_items = [item.id for item in case.items if item.state is ItemState.PENDING]
    with desk.database.transaction() as session:
        found = same_bytes.waiting(session, open_items)
    return {item_id: _elsewhere(case.id, copies) for item_id, copies in found.items()}


def _elsewhere(case_id: int, copies: list[Waiting]) -> str:
    cases = sorted({copy.case_id for copy in copies} - {case_id})
    named = ", ".join(f"#{number}" for number in cases[:3])
    more = f" and {counted(len(cases) - 3, 'more case')}" if len(cases) > 3 else ""
    where = f"in {named}{more}" if cases else "in this case"
    many = (
        f"{same_bytes.MOST} more items or more"
        if len(copies) == same_bytes.MOST
        else counted(len(copies), "more item")
    )
    said = f"The same file waits as {many}, {where}. What you decide is decided there too, on record as not viewed."
    if all(copy.released_too for copy in copies):
        return said
    return f"{said} Only where a list knows nothing else of it is it released as no match."


def rules(desk: Desk, case: CaseView) -> dict[int, tuple[RuleLine, ...]]:
    """By item: the rules that fired, in the words of the policy that judged it."""
    policies = {version: _policy(desk, version) for version in {item.policy_version for item in case.items}}
    return {
        item.id: _fired(policies[item.policy_version], {reason.rule for reason in item.reasons})
        for item in case.items
    }


def _fired(policy: Policy | None, names: set[str]) -> tuple[RuleLine, ...]:
    if policy is None:
        return ()
    spoken = [(rule.name, in_words(rule)) for rule in policy.rules]
    spoken += [(rule.name, conversations.in_words(rule)) for rule in policy.conversations]
    return tuple(RuleLine(name, sentence) for name, sentence in spoken if name in names)


def _policy(desk: Desk, version: str) -> Policy | None:
    """The policy of a version; None where its text is not kept, or is of a form that is not read any more."""
    if desk.rooms.policy.version == version:
        return desk.rooms.policy
    with desk.database.transaction() as session:
        text = session.scalar(select(PolicyText.text).where(PolicyText.version == version))
    if text is None:
        return None
    try:
        return parse_policy(text, version)
    except PolicyInvalid:
        return None


def _bond(bond: Bond, by_account: bool) -> str:
    return SAME_CONTENT_ID if bond is Bond.SUBJECT and not by_account else BONDS[bond]


def _line(event: Event, numbers: dict[int, int]) -> EventLine:
    number = None if event.item_id is None else numbers.get(event.item_id)
    said = _said(event)
    # An item of an earlier case, whose evidence belongs to this one, has no number here.
    return EventLine(event.at, number, event.item_id, said if number is not None else _begun(said))


def _begun(words: str) -> str:
    """Words as the beginning of a sentence."""
    return words[:1].upper() + words[1:]


def _said(event: Event) -> str:
    match event.happening:
        case Happening.DECIDED:
            looked = HOW_DECIDED.get(event.how or "", ", without viewing")
            return f"{DECIDED[Outcome(event.what or '')]} {event.user}{looked}"
        case Happening.REVEALED:
            return f"was shown to {event.user}, {LOOKED.get(RevealStage(event.what or ''), event.what)}"
        case Happening.TOLD:
            return DELIVERED.get(event.how or "", "{what}").format(what=event.what)
        case Happening.ARRIVED:
            return "was blocked as it arrived" if event.what == "block" else "was held as it arrived"
        case Happening.LATE:
            return "was on the platform already when a list learnt of it"
        case Happening.AGAIN:
            return "was taken up again, since a list took back what it had been confirmed by"
        case Happening.RETRACTED:
            return "needs no decision any more: what had held it was taken off its list"
        case Happening.NOTED:
            return f"A note was added by {event.user}"
        case Happening.OPENED:
            return "The case was opened"
        case Happening.CLOSED:
            return "The case was closed, with all of it decided"
