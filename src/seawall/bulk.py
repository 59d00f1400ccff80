"""One decision on many items: looked at before, held back for a while, then carried out item by item.

Each item is decided as a person would decide it alone, in a transaction of its own with its webhook and its audit
event; who works on a case, what takes two people and whatever else refuses a single decision refuses it here too. A
worker that dies leaves the rest to the next one, and an item that was decided is not decided again.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

import structlog

from seawall import flow
from seawall.access.people import PersonSession
from seawall.access.permissions import Act, may
from seawall.cases import bulks, same_bytes, workspace
from seawall.cases.decisions import checked_reason
from seawall.database.tables import Bulk, User, now
from seawall.errors import BadInput, Conflict, NotFound
from seawall.evidence import audit
from seawall.records import Outcome, Role
from seawall.rooms import Rooms
from seawall.second import deciding

HELD = "Another bulk decision is about it, and has not ended."
TAKES_TWO = "It takes two people. Decide it in its case, so that a second person is asked."
MAY_NOT = "Whoever asked for it may not decide cases any more."

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Preview:
    """What a bulk decision would do: the items that it would decide, those that it would not with the reason, and how
    many other items of the same bytes would follow."""

    decided: tuple[int, ...]
    excluded: tuple[tuple[int, str], ...]
    copies: int


def preview(rooms: Rooms, person: PersonSession, outcome: Outcome, reason: str, items: Collection[int]) -> Preview:
    """Tries the decision on each item of the person's workspace that is named, and takes it back.

    Raises:
        BadInput: there is no reason.
    """
    with rooms.database.transaction() as session:
        gathered = {line.item_id for line in workspace.lines(session, person.user_id)}
        wanted = sorted(gathered & set(items))
        held = bulks.held(session, wanted)
    found = _try(rooms, person, [item for item in wanted if item not in held], outcome, reason)
    found |= dict.fromkeys(held, HELD)
    decided = tuple(item for item in wanted if found[item] is None)
    with rooms.database.transaction() as session:
        others = same_bytes.waiting(session, decided) if outcome is not Outcome.ESCALATE else {}
    copies = {
        copy.item_id for each in others.values() for copy in each if copy.released_too or outcome is Outcome.CONFIRM
    }
    return Preview(
        decided, tuple((item, said) for item in wanted if (said := found[item])), len(copies - set(decided))
    )


def ask(rooms: Rooms, person: PersonSession, outcome: Outcome, reason: str, items: Collection[int]) -> int:
    """Puts one decision on many items on record, to be carried out when the window closes; returns its number. What
    cannot be decided by now is left out.

    Raises:
        BadInput: there is no reason, or nothing that can be decided.
    """
    found = preview(rooms, person, outcome, reason, items)
    window = timedelta(seconds=rooms.settings.bulk_undo_seconds)
    with rooms.database.transaction() as session:
        number = bulks.ask(session, person.user_id, outcome, reason, found.decided, window)
        workspace.take_out(session, person.user_id, found.decided)
        details: dict[str, audit.Json] = {"outcome": outcome.value, "items": list(found.decided)}
        audit.append(session, person.actor, "bulk.ask", f"bulk:{number}", details)
    return number


def undo(rooms: Rooms, person: PersonSession, bulk_id: int) -> int:
    """Takes a bulk decision back, with its items back in the workspace; returns how many those are.

    Raises:
        NotFound: there is none of this person's.
        Conflict: it has begun, or was taken back already.
    """
    with rooms.database.transaction() as session:
        items = bulks.undo(session, person.user_id, bulk_id)
        workspace.put_back(session, person.user_id, items)
        audit.append(session, person.actor, "bulk.undo", f"bulk:{bulk_id}", {"items": len(items)})
    return len(items)


def carry_out(rooms: Rooms) -> int:
    """Carries out what is due; returns how many items were decided. Cheap enough for every second.

    Raises:
        DatabaseUnavailable: PostgreSQL went away; the rest is done later.
    """
    done = 0
    while True:
        with rooms.database.transaction() as session:
            number = bulks.begin(session)
        if number is None:
            return done
        done += _carry_out(rooms, number)


def _carry_out(rooms: Rooms, number: int) -> int:
    with rooms.database.transaction() as session:
        bulk = session.get_one(Bulk, number)
        user = session.get_one(User, bulk.user_id)
        roles = frozenset(Role(role) for role in user.roles)
        person = PersonSession(user.id, user.name, roles, now(), "")
        allowed = user.disabled_at is None and may(person, Act.DECIDE)
        outcome, reason, items = Outcome(bulk.outcome), bulk.reason, bulks.left(session, number)
    for item in items:
        refusal = _decide(rooms, person, number, item, outcome, reason) if allowed else MAY_NOT
        with rooms.database.transaction() as session:
            bulks.note_item(session, number, item, refusal)
    with rooms.database.transaction() as session:
        result = bulks.end(session, number)
        if result is None:
            return 0
        decided, refused = result
        details: dict[str, audit.Json] = {"decided": decided, "refused": refused}
        audit.append(session, person.actor, "bulk.end", f"bulk:{number}", details)
    log.info("bulk.ended", bulk=number, decided=decided, refused=refused)
    return decided


def _try(
    rooms: Rooms, person: PersonSession, items: Collection[int], outcome: Outcome, reason: str
) -> dict[int, str | None]:
    """By item: why it could not be decided so just now; None where it could. Each decision is made and taken back, so
    that whatever refuses one refuses it here too.

    Raises:
        BadInput: there is no reason.
    """
    checked_reason(reason)
    lasts = timedelta(days=rooms.settings.second_person_days)
    refusals: dict[int, str | None] = {}
    with rooms.database.transaction() as session:
        for item in items:
            tried = session.begin_nested()
            try:
                result = deciding.decide(session, person, item, outcome, reason, restrict_account=False, lasts=lasts)
                refusals[item] = None if result.waits is None else TAKES_TWO
            except (BadInput, Conflict, NotFound) as error:
                refusals[item] = error.message
            tried.rollback()
    return refusals


def _decide(rooms: Rooms, person: PersonSession, number: int, item: int, outcome: Outcome, reason: str) -> str | None:
    """None where it was decided, otherwise why not."""
    if _is_decided(rooms, number, item):
        return None
    refusal = _try(rooms, person, [item], outcome, reason)[item]
    if refusal is None:
        try:
            flow.decide_item(rooms, person, item, outcome, reason)
        except (BadInput, Conflict, NotFound) as error:
            refusal = error.message
    # Another worker may have been quicker.
    return None if refusal is None or _is_decided(rooms, number, item) else refusal


def _is_decided(rooms: Rooms, number: int, item: int) -> bool:
    with rooms.database.transaction() as session:
        return bulks.decided_by(session, session.get_one(Bulk, number), item)
