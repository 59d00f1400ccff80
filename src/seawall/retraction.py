"""Retractions: an entry is taken off its list, or disputed, and what it alone had held is looked at again.

What is to do is read off the lists themselves: an entry names the last change by which it lost something, and one row
says up to which change all of it was taken back. Each case item that met such an entry is judged anew from its ledger
row, in one transaction. The state of the item is what makes that happen once, however often a pass is begun again:
an undecided item that nothing obliges any more is released; what a reviewer has confirmed waits for a person again.

Uploads go on meanwhile, and one that was looked up before an entry was taken back may be committed after the pass. So
items say in which transaction they were written, as ledger rows do for late matches, and those written since by
older lists are looked at by the next pass.
"""

from __future__ import annotations

from collections import Counter

import structlog
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from seawall.cases import retractions
from seawall.database.sessions import Database
from seawall.database.tables import Retractions, Walk, now
from seawall.matching.ledger_marks import clock_of
from seawall.matching.loading import newest_change
from seawall.rejudging import RETRACTION, judge_item_again
from seawall.rooms import Rooms

HORIZON = text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text")
WRITTEN = text("SELECT EXISTS (SELECT FROM case_items WHERE written_in >= CAST(CAST(:since AS text) AS xid8))")
RENUMBER = text(
    "UPDATE case_items SET written_in = pg_current_xact_id() WHERE written_in >= CAST(CAST(:since AS text) AS xid8)"
)

log = structlog.get_logger(__name__)


# ---------------------------------------------------------------------------------------------------------- passes


def look_back(rooms: Rooms) -> int:
    """Takes back what entries had held that were removed or disputed since the last time; returns how many items that
    changed. Cheap enough for every second.

    Raises:
        DatabaseUnavailable: PostgreSQL went away; what was done stays, the rest is looked at again.
        IndexUnavailable: the lists are not loaded.
    """
    with rooms.database.transaction() as session:
        if not _due(session):
            return 0
    generation = rooms.index.catch_up()
    with rooms.database.transaction() as session:
        # First: whatever is not finished at this moment is for the next pass.
        horizon: str = session.execute(HORIZON).scalar_one()
        standing = session.get_one(Retractions, 1)
        since, before = standing.generation, str(standing.horizon)
        entries, lists = retractions.entries_lost(session, since, generation)
        items = retractions.items_naming(session, since, generation, entries)
        items |= retractions.items_written_since(session, before, since)
    changes = Counter(change for item in sorted(items) if (change := judge_item_again(rooms, item)) is not None)
    with rooms.database.transaction() as session:
        # Whoever else was quicker has done the same, or has left something for the pass after this one.
        session.execute(
            update(Retractions)
            .where(Retractions.id == 1, Retractions.generation == since, Retractions.horizon == before)
            .values(generation=generation, horizon=horizon, updated_at=now())
        )
        if lists or changes:
            _record(session, lists, generation, entries, len(items), changes.total())
    if lists or changes:
        log.info(
            "retractions.taken_back", entries=entries, items=len(items), **{str(k): n for k, n in changes.items()}
        )
    return changes.total()


def settle(database: Database) -> None:
    """Call it before anything is written, as `late.settle`. What is said to be written by a transaction that is still
    to come was counted by another cluster: it is written again under a number of this one, and so is what was owed a
    look there. A count that went less far than this one's needs nothing: more is looked at than must be, once."""
    with database.transaction() as session:
        standing = session.scalars(select(Retractions).where(Retractions.id == 1).with_for_update()).one()
        clock = clock_of(session)
        ahead = session.execute(WRITTEN, {"since": str(clock.following)}).scalar_one()
        if int(standing.horizon) <= clock.following and not ahead:
            return
        session.execute(RENUMBER, {"since": str(min(int(standing.horizon), clock.following))})
        session.execute(update(Retractions).where(Retractions.id == 1).values(horizon=str(clock.horizon)))
    log.info("retractions.other_cluster", advice="The database was restored from a dump; nothing is to be done.")


def _due(session: Session) -> bool:
    standing = session.get_one(Retractions, 1)
    if newest_change(session) > standing.generation:
        return True
    return session.execute(WRITTEN, {"since": str(standing.horizon)}).scalar_one() is True


def _record(session: Session, lists: list[str], generation: int, entries: int, items: int, changed: int) -> None:
    """For a person to see, beside the walks through the ledger."""
    record = Walk(reason=RETRACTION, lists=lists, generation=generation, state="finished", entries=entries, done=[])
    record.candidates, record.matches, record.finished_at = items, changed, now()
    session.add(record)
