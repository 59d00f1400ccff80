"""Bulk decisions as the database holds them: asked for, held back for a while, taken back or carried out.

The row of a bulk decides who was first: as long as it waits, its person can take it back; whoever carries it out says
so in the row before anything else. So what was taken back has told nobody anything.
"""

from __future__ import annotations

import enum
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from seawall.cases.decisions import checked_reason
from seawall.database.tables import Bulk, BulkItem, Decision
from seawall.errors import BadInput, Conflict, NotFound
from seawall.records import Outcome


class BulkState(enum.StrEnum):
    """Where one decision on many items stands: held back, being carried out, carried out, or taken back."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    UNDONE = "undone"


RECENT = 3
UNFINISHED = (BulkState.WAITING.value, BulkState.RUNNING.value)


@dataclass(frozen=True, slots=True)
class BulkView:
    """One bulk decision as its person sees it. `left_s` is for how many seconds it is held back still."""

    id: int
    outcome: Outcome
    reason: str
    state: BulkState
    items: int
    decided: int
    refusals: tuple[tuple[int, str], ...]
    asked_at: datetime
    left_s: int


def ask(
    session: Session, user_id: int, outcome: Outcome, reason: str, item_ids: Collection[int], window: timedelta
) -> int:
    """Writes down one decision on many items, to be carried out when the window closes; returns its number. The
    caller appends the audit event.

    Raises:
        BadInput: there is no reason, or no item.
    """
    words = checked_reason(reason)
    if not item_ids:
        raise BadInput("There is nothing to decide.", hint="Choose at least one item that can be decided.")
    bulk = Bulk(
        user_id=user_id,
        outcome=outcome.value,
        reason=words,
        state=BulkState.WAITING.value,
        due_at=func.clock_timestamp() + window,
    )
    session.add(bulk)
    session.flush()
    session.add_all(BulkItem(bulk_id=bulk.id, item_id=item_id) for item_id in sorted(set(item_ids)))
    session.flush()
    return bulk.id


def undo(session: Session, user_id: int, bulk_id: int) -> list[int]:
    """Takes a bulk decision back that has not begun; returns its items. The caller appends the audit event.

    Raises:
        NotFound: this person has asked for none of that number.
        Conflict: it has begun already, or was taken back.
    """
    bulk = session.get(Bulk, bulk_id, with_for_update=True, populate_existing=True)
    if bulk is None or bulk.user_id != user_id:
        raise NotFound(f"You have asked for no bulk decision {bulk_id}.")
    if bulk.state == BulkState.UNDONE:
        raise Conflict("It was taken back already.", hint="Nothing was decided by it.")
    if bulk.state != BulkState.WAITING:
        raise Conflict("It is too late to take this back.", hint="It is being carried out, and the platform is told.")
    bulk.state, bulk.ended_at = BulkState.UNDONE.value, func.clock_timestamp()
    session.flush()
    return list(session.scalars(select(BulkItem.item_id).where(BulkItem.bulk_id == bulk_id)))


def held(session: Session, item_ids: Collection[int]) -> set[int]:
    """Those of the items that a bulk decision is about which has not ended."""
    wanted = (
        select(BulkItem.item_id)
        .join(Bulk, Bulk.id == BulkItem.bulk_id)
        .where(BulkItem.item_id.in_(item_ids), Bulk.state.in_(UNFINISHED))
    )
    return set(session.scalars(wanted))


def begin(session: Session) -> int | None:
    """Takes one that is due, or was begun and not ended, to be carried out; None where there is none. From here on it
    cannot be taken back."""
    due = (
        select(Bulk)
        .where(Bulk.state.in_(UNFINISHED), Bulk.due_at <= func.clock_timestamp())
        .order_by(Bulk.due_at, Bulk.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    bulk = session.scalars(due).one_or_none()
    if bulk is None:
        return None
    bulk.state = BulkState.RUNNING.value
    return bulk.id


def left(session: Session, bulk_id: int) -> list[int]:
    """The items whose turn has not been yet, in the order in which it comes."""
    wanted = select(BulkItem.item_id).where(BulkItem.bulk_id == bulk_id, BulkItem.decided.is_(None))
    return list(session.scalars(wanted.order_by(BulkItem.item_id)))


def note_item(session: Session, bulk_id: int, item_id: int, refusal: str | None) -> None:
    """Writes down what came of one item: None where it was decided, otherwise why not."""
    session.execute(
        update(BulkItem)
        .where(BulkItem.bulk_id == bulk_id, BulkItem.item_id == item_id, BulkItem.decided.is_(None))
        .values(decided=refusal is None, refusal=refusal)
    )


def decided_by(session: Session, bulk: Bulk, item_id: int) -> bool:
    """Whether this very bulk decision has decided an item: before whoever carried it out died, or as a copy of
    another one of its items."""
    made = select(Decision.id).where(
        Decision.item_id == item_id,
        Decision.user_id == bulk.user_id,
        Decision.outcome == bulk.outcome,
        Decision.reason == bulk.reason,
        Decision.decided_at >= bulk.due_at,
    )
    return session.scalars(made.limit(1)).one_or_none() is not None


def end(session: Session, bulk_id: int) -> tuple[int, int] | None:
    """Ends one of which all items had their turn: how many were decided and how many not; None where it has ended
    already, or some are left."""
    bulk = session.get_one(Bulk, bulk_id, with_for_update=True, populate_existing=True)
    results = session.scalars(select(BulkItem.decided).where(BulkItem.bulk_id == bulk_id)).all()
    if bulk.state != BulkState.RUNNING or None in results:
        return None
    bulk.state, bulk.ended_at = BulkState.DONE.value, func.clock_timestamp()
    return results.count(True), results.count(False)


def recent(session: Session, user_id: int, most: int = RECENT) -> tuple[BulkView, ...]:
    """The newest bulk decisions of a person, the newest first."""
    left_s = func.extract("epoch", Bulk.due_at - func.clock_timestamp())
    rows = session.execute(
        select(Bulk, left_s).where(Bulk.user_id == user_id).order_by(Bulk.id.desc()).limit(most)
    ).all()
    return tuple(_view(session, bulk, max(0, int(seconds))) for bulk, seconds in rows)


def _view(session: Session, bulk: Bulk, left_s: int) -> BulkView:
    items = session.scalars(select(BulkItem).where(BulkItem.bulk_id == bulk.id).order_by(BulkItem.item_id)).all()
    return BulkView(
        bulk.id,
        Outcome(bulk.outcome),
        bulk.reason,
        BulkState(bulk.state),
        len(items),
        sum(item.decided is True for item in items),
        tuple((item.item_id, item.refusal) for item in items if item.refusal is not None),
        bulk.asked_at,
        left_s,
    )
