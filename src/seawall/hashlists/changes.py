"""How a change of a list reaches every replica: one lock, one number, one notification, one audit event.

Writers hold the lock until they commit, so that numbers become visible in their order: whoever has seen number N has
seen every change up to N.
"""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session

from seawall.database.locks import Lock, take, try_to_take
from seawall.database.tables import CHANGES_CHANNEL


def next_change(session: Session) -> int:
    """Waits until no other transaction changes lists, and takes the number of this one's change."""
    take(session, Lock.HASH_CHANGES)
    number: int = session.execute(text("SELECT nextval('hash_change_numbers')")).scalar_one()
    return number


def try_next_change(session: Session) -> int | None:
    """`next_change`, unless another transaction changes lists right now: it may read a file of millions."""
    return next_change(session) if try_to_take(session, Lock.HASH_CHANGES) else None


def announce(session: Session, change: int) -> None:
    """Tells every replica; PostgreSQL sends it with the commit and not before."""
    session.execute(text("SELECT pg_notify(:channel, :change)"), {"channel": CHANGES_CHANNEL, "change": str(change)})
