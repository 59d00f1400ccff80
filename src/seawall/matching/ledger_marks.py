"""What the database says of the ledger as a whole: how far its transactions are, and what was forgotten of it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from seawall.database.locks import Lock, take
from seawall.database.tables import Walk

# The walk that never is: the row that keeps from which id down the ledger was forgotten.
FORGOTTEN = "forgotten"
MAY_ASK = "has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE')"


@dataclass(frozen=True, slots=True)
class Clock:
    """The cluster's count of transactions. It says what was written before what, and no two clusters share it.

    Args:
        cluster: names the cluster; one that was restored from a dump is another.
        horizon: every transaction below it has ended; following: none from this on has begun.
    """

    cluster: str
    horizon: int
    following: int


def clock_of(session: Session) -> Clock:
    """The count as it is now."""
    horizon, following = session.execute(
        text("SELECT pg_snapshot_xmin(s)::text, pg_snapshot_xmax(s)::text FROM pg_current_snapshot() AS s")
    ).one()
    return Clock(_cluster(session), int(horizon), int(following))


def _cluster(session: Session) -> str:
    if session.scalar(text(f"SELECT {MAY_ASK}")):
        return str(session.scalar(text("SELECT system_identifier::text FROM pg_control_system()")))
    return "unknown"  # then only a count that is too high tells another cluster


def forgotten_before(session: Session) -> int | None:
    """The id below which the ledger was forgotten, or is being: what is in a case stays."""
    standing = session.scalar(select(Walk).where(Walk.reason == FORGOTTEN))
    return None if standing is None else int(standing.done[0])


def forget_before(session: Session, before: int) -> None:
    """Notes that all ids below are to be forgotten. Do it before the first is: who keeps files looks here."""
    take(session, Lock.PARTITIONS, of=FORGOTTEN)
    standing = session.scalar(select(Walk).where(Walk.reason == FORGOTTEN))
    if standing is None:
        session.add(Walk(reason=FORGOTTEN, lists=[], generation=0, state="standing", done=[before]))
    elif int(standing.done[0]) < before:
        standing.done = [before]
