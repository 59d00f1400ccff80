"""Saved filters: parts of the queue that people keep by a name, for themselves or for everybody at the desk."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from seawall.database.tables import SavedFilter, User
from seawall.errors import BadInput, NotFound

LONGEST_NAME = 60
MOST = 30


@dataclass(frozen=True, slots=True)
class SavedView:
    """A saved filter as one person sees it. `by` is who shared it, where that is somebody else."""

    id: int
    name: str
    query: str
    shared: bool
    mine: bool
    by: str


def of_person(session: Session, user_id: int) -> list[SavedView]:
    """What this person saved, and then what others share, by name."""
    mine = SavedFilter.user_id == user_id
    rows = session.execute(
        select(SavedFilter, User.name)
        .join(User, User.id == SavedFilter.user_id)
        .where(mine | SavedFilter.shared)
        .order_by(mine.desc(), SavedFilter.name, SavedFilter.id)
    )
    return [
        SavedView(
            row.id, row.name, row.query, row.shared, row.user_id == user_id, "" if row.user_id == user_id else name
        )
        for row, name in rows
    ]


def save(session: Session, user_id: int, name: str, query: str, *, shared: bool) -> bool:
    """Keeps a filter by this name, in place of one that the person had by it; returns whether that one was shared.

    Raises:
        BadInput: it has no name, a long one, or the person has as many as there may be.
    """
    wanted = " ".join(name.split())
    if not wanted or len(wanted) > LONGEST_NAME or not wanted.isprintable():
        raise BadInput(f"A filter has a name of 1 to {LONGEST_NAME} characters.", hint="Such as: Urgent and free.")
    # Held, so that two windows of one person do not save beyond what there may be.
    session.execute(select(User.id).where(User.id == user_id).with_for_update())
    before = session.scalar(
        select(SavedFilter.shared).where(SavedFilter.user_id == user_id, SavedFilter.name == wanted)
    )
    number = session.scalar(select(func.count()).where(SavedFilter.user_id == user_id)) or 0
    if before is None and number >= MOST:
        raise BadInput(f"You have {MOST} saved filters, and there can be no more.", hint="Remove one first.")
    statement = insert(SavedFilter).values(user_id=user_id, name=wanted, query=query, shared=shared)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[SavedFilter.user_id, SavedFilter.name], set_={"query": query, "shared": shared}
        )
    )
    return before is True


def remove(session: Session, filter_id: int, user_id: int, *, any_shared: bool) -> SavedView:
    """Removes a filter of this person's, or a shared one where they may; returns what it was.

    Raises:
        NotFound: there is none that they may remove.
    """
    row = session.get(SavedFilter, filter_id, with_for_update=True)
    if row is None or (row.user_id != user_id and not (row.shared and any_shared)):
        raise NotFound("There is no such filter of yours.", hint="Perhaps it has been removed already.")
    session.delete(row)
    session.flush()
    return SavedView(row.id, row.name, row.query, row.shared, row.user_id == user_id, "")
