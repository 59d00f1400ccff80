"""The advisory locks that order writers, each with its own number, so that no two uses meet by accident.

Locks are held until the transaction ends. Where a transaction takes several, it takes them in the order in which
they stand here; that order is what keeps writers from waiting for each other in a ring.
"""

from __future__ import annotations

import enum

from sqlalchemy import text
from sqlalchemy.orm import Session


class Lock(enum.IntEnum):
    """First key of each lock; the second is what it is taken for."""

    MIGRATION = 71001
    CONTENT = 71002
    SUBJECT = 71003
    HASH_CHANGES = 71004
    PEOPLE = 71006
    PARTITIONS = 71010
    WORKSPACE = 71021
    AUDIT_CHAIN = 71005
    DELIVERY = 71007  # held by a connection, not by a transaction: see seawall.database.leases
    FILING = 71008  # held by a connection too


def try_to_take(session: Session, lock: Lock, of: str = "") -> bool:
    """Takes the lock if nobody holds it, and holds it to the transaction's end; whether it did."""
    taken = text("SELECT pg_try_advisory_xact_lock(:lock, hashtext(:of))")
    return session.execute(taken, {"lock": int(lock), "of": of}).scalar_one() is True


def take(session: Session, lock: Lock, of: str = "") -> None:
    """Waits for the lock (of one thing, or of all when ``of`` is empty) and holds it to the transaction's end."""
    session.execute(text("SELECT pg_advisory_xact_lock(:lock, hashtext(:of))"), {"lock": int(lock), "of": of})
