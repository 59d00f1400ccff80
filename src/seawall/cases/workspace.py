"""The workspace of a person: items from whatever cases, put together to be decided at once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from seawall.database.documents import reason_from_json
from seawall.database.locks import Lock, take
from seawall.database.tables import Case, CaseItem, Content, WorkspaceItem
from seawall.errors import Conflict, NotFound
from seawall.records import ItemState, Reason

# More than a person can go through, and as many as a preview looks at in a moment.
MOST = 200


@dataclass(frozen=True, slots=True)
class WorkspaceLine:
    """One item of a workspace."""

    item_id: int
    case_id: int
    subject: str
    content_id: str
    state: ItemState
    urgent: bool
    is_test: bool
    reasons: tuple[Reason, ...]
    added_at: datetime


def put_cases(session: Session, user_id: int, case_ids: Collection[int]) -> int:
    """Puts what waits of these cases into a workspace; returns how many items are new there.

    Raises:
        Conflict: it would hold more than `MOST`.
        NotFound: one of the cases does not exist.
    """
    wanted = set(case_ids)
    known = set(session.scalars(select(Case.id).where(Case.id.in_(wanted))))
    if wanted - known:
        raise NotFound(f"There is no case {min(wanted - known)}.")
    pending = select(CaseItem.id).where(CaseItem.case_id.in_(wanted), CaseItem.state == ItemState.PENDING.value)
    return _put(session, user_id, session.scalars(pending.order_by(CaseItem.id).limit(MOST + 1)).all())


def put_item(session: Session, user_id: int, item_id: int) -> int:
    """The same for one item.

    Raises:
        Conflict: it would hold more than `MOST`.
        NotFound: there is no such item.
    """
    if session.get(CaseItem, item_id) is None:
        raise NotFound(f"There is no item {item_id}.")
    return _put(session, user_id, [item_id])


def take_out(session: Session, user_id: int, item_ids: Collection[int]) -> None:
    """Takes items out of a workspace."""
    session.execute(
        delete(WorkspaceItem).where(WorkspaceItem.user_id == user_id, WorkspaceItem.item_id.in_(set(item_ids)))
    )


def put_back(session: Session, user_id: int, item_ids: Collection[int]) -> None:
    """Puts items into a workspace that were there before, however many there are by now."""
    if item_ids:
        rows = [{"user_id": user_id, "item_id": item_id} for item_id in item_ids]
        session.execute(insert(WorkspaceItem).values(rows).on_conflict_do_nothing())


def lines(session: Session, user_id: int) -> tuple[WorkspaceLine, ...]:
    """What is in a workspace, in the order in which it was put there."""
    rows = session.execute(
        select(CaseItem, Case, Content.content_id, WorkspaceItem.added_at)
        .join(CaseItem, CaseItem.id == WorkspaceItem.item_id)
        .join(Case, Case.id == CaseItem.case_id)
        .join(Content, Content.id == CaseItem.content_row)
        .where(WorkspaceItem.user_id == user_id)
        .order_by(WorkspaceItem.added_at, WorkspaceItem.item_id)
    )
    return tuple(
        WorkspaceLine(
            item.id,
            case.id,
            case.subject,
            content_id,
            ItemState(item.state),
            case.urgent,
            case.is_test,
            tuple(reason_from_json(document) for document in item.reasons),
            added_at,
        )
        for item, case, content_id, added_at in rows
    )


def _put(session: Session, user_id: int, item_ids: Collection[int]) -> int:
    # One at a time for each person, so that two windows cannot put more there than may be.
    take(session, Lock.WORKSPACE, of=str(user_id))
    present = set(session.scalars(select(WorkspaceItem.item_id).where(WorkspaceItem.user_id == user_id)))
    new = [item_id for item_id in item_ids if item_id not in present]
    if len(present) + len(new) > MOST:
        raise Conflict(f"A workspace holds {MOST} items at most.", hint="Decide what is there, or take some out.")
    put_back(session, user_id, new)
    return len(new)
