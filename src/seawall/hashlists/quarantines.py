"""Quarantine: an entry, or a whole list, that keeps matching but no longer blocks, since too much of what it met was
no match. It begins by itself and is lifted by a person. (An update of a list that is not taken is another thing.)

For an entry that is the mark of being disputed; a list in quarantine has every entry of it count as disputed.
"""

from __future__ import annotations

import enum
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from seawall.database.tables import Entry, HashList, Quarantine, now
from seawall.errors import BadInput, Conflict, NotFound
from seawall.evidence import audit
from seawall.hashlists.changes import announce, next_change
from seawall.hashlists.lists import dispute_entry
from seawall.records import SYSTEM, Actor

LONGEST_REASON = 500


class Why(enum.StrEnum):
    """What led to it."""

    REVIEW = "review"
    APPEAL = "appeal"


@dataclass(frozen=True, slots=True)
class Grounds:
    """Of `decided` contents that were met, `refused` were no match."""

    why: Why
    refused: int
    decided: int

    def document(self) -> dict[str, audit.Json]:
        """As the audit chain has it."""
        return {"because": self.why.value, "not_a_match": self.refused, "decided": self.decided}


@dataclass(frozen=True, slots=True)
class QuarantineView:
    """One that stands. `entry_id` is None where it is the whole list; `upstream_id` is what the source calls the
    entry."""

    id: int
    list_name: str
    entry_id: int | None
    upstream_id: str | None
    grounds: Grounds
    began_at: datetime


def quarantine_entries(session: Session, entry_ids: Collection[int], grounds: Grounds) -> list[int]:
    """Marks those of the entries as disputed that are on their lists and not so yet; returns which. Takes the lock of
    list changes."""
    wanted = select(Entry.id, Entry.list_id).where(
        Entry.id.in_(entry_ids), Entry.removed_at.is_(None), Entry.disputed.is_(False)
    )
    found = session.execute(wanted.order_by(Entry.id)).all()
    for entry_id, list_id in found:
        dispute_entry(session, entry_id, True, SYSTEM, why=grounds.document())
        session.add(_row(list_id, entry_id, grounds))
    session.flush()
    return [entry_id for entry_id, _list in found]


def quarantine_list(session: Session, list_id: int, grounds: Grounds) -> bool:
    """Has no entry of the list block by itself from now on, on every replica; whether that was not so before. What it
    has held before stays as it is."""
    change = next_change(session)
    name = _switch(session, list_id, True, change)
    if name is None:
        return False
    session.add(_row(list_id, None, grounds))
    session.flush()
    audit.append(session, SYSTEM, "list.quarantine", f"list:{name}", grounds.document())
    return True


def lift(session: Session, number: int, reason: str, actor: Actor) -> QuarantineView:
    """Has the entry or the list act as before. What it met until now does not count against it again.

    Raises:
        BadInput: there is no reason, or one of too many words.
        NotFound: there is no such quarantine.
        Conflict: it was lifted already, or its entry is on the list no more.
    """
    words = reason.strip()
    if not words or len(words) > LONGEST_REASON or "\0" in words:
        raise BadInput("Say why.", hint="The reason goes into the audit chain. Nothing was changed.")
    change = next_change(session)
    row = session.get(Quarantine, number, populate_existing=True)
    if row is None:
        raise NotFound(f"There is no quarantine {number}.")
    found = [view for view in standing(session, number=number) if view.id == number]
    if not found:
        raise Conflict("That quarantine does not stand any more.", hint="Nothing is left to do.")
    if row.entry_id is not None:
        dispute_entry(session, row.entry_id, False, actor, why={"reason": words, "quarantine": number})
    else:
        _switch(session, row.list_id, False, change)
        details: dict[str, audit.Json] = {"reason": words, "quarantine": number}
        audit.append(session, actor, "list.lift_quarantine", f"list:{found[0].list_name}", details)
    row.lifted_at, row.lifted_by, row.reason = now(), str(actor), words
    session.flush()
    return found[0]


def standing(session: Session, limit: int = 200, *, number: int | None = None) -> list[QuarantineView]:
    """Those that stand: whole lists first, then entries, the newest first.

    Args:
        number: this one alone.
    """
    wanted = _STANDING if number is None else _STANDING.where(Quarantine.id == number)
    order = (Quarantine.entry_id.is_not(None), Quarantine.began_at.desc(), Quarantine.id.desc())
    return [
        QuarantineView(
            row.id, name, row.entry_id, upstream_id, Grounds(Why(row.why), row.refused, row.decided), row.began_at
        )
        for row, name, upstream_id in session.execute(wanted.order_by(*order).limit(limit))
    ]


def entries_standing(session: Session) -> dict[str, int]:
    """Of each list, by name, how many of its entries are in quarantine; lists without any are left out."""
    wanted = _STANDING.where(Quarantine.entry_id.is_not(None)).with_only_columns(HashList.name, func.count())
    return {row[0]: row[1] for row in session.execute(wanted.group_by(HashList.name))}


_STANDING = (
    select(Quarantine, HashList.name, Entry.upstream_id)
    .select_from(Quarantine)
    .join(HashList, HashList.id == Quarantine.list_id)
    .outerjoin(Entry, Entry.id == Quarantine.entry_id)
    .where(
        Quarantine.lifted_at.is_(None),
        or_(Quarantine.entry_id.is_(None), (Entry.disputed.is_(True)) & Entry.removed_at.is_(None)),
    )
    .execution_options(populate_existing=True)
)


def _row(list_id: int, entry_id: int | None, grounds: Grounds) -> Quarantine:
    return Quarantine(
        list_id=list_id,
        entry_id=entry_id,
        why=grounds.why.value,
        decided=grounds.decided,
        refused=grounds.refused,
    )


def _switch(session: Session, list_id: int, quarantined: bool, change: int) -> str | None:
    """The list's name, where it did not stand like that."""
    moved = (
        update(HashList)
        .where(HashList.id == list_id, HashList.quarantined.is_not(quarantined))
        .values(quarantined=quarantined, change=change)
        .returning(HashList.name)
        .execution_options(synchronize_session=False)
    )
    name = session.scalar(moved)
    if name is not None:
        announce(session, change)
    return name
