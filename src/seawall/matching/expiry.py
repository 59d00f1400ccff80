"""Forgetting: what the ledger keeps no longer than the operator wants. What is in a case stays, whatever its age."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import structlog
from sqlalchemy import exc, text

from seawall.database.locks import Lock, take
from seawall.database.sessions import Database
from seawall.errors import DatabaseUnavailable
from seawall.evidence import audit
from seawall.matching.ledger_marks import forget_before
from seawall.matching.partitions import (
    BEFORE,
    DEFAULT,
    LOCK_TIMEOUT,
    Month,
    Partition,
    first_id,
    partitions,
    today_of,
)
from seawall.records import Actor

# Rows that one transaction forgets. Each holds an advisory lock until it ends; PostgreSQL has some thousands of them.
BATCH = 500
# How long looking through a month for what is in a case may keep everyone waiting. Longer: it is emptied in batches.
CHECK_TIMEOUT = "3s"
CASED = "(c.case_id IS NOT NULL OR EXISTS (SELECT FROM case_items AS i WHERE i.content_row = c.id))"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Expiry:
    """What was forgotten of one part of the ledger. `rows` is None where its whole table went, uncounted."""

    partition: str
    rows: int | None


def expire(database: Database, keep_days: int, actor: Actor, *, today: date | None = None) -> tuple[Expiry, ...]:
    """Forgets the whole months that ended `keep_days` ago or earlier; returns what went, none where nothing was owed.

    A month of which nothing is in a case goes as a table. Otherwise its other rows go in batches, each in its own
    transaction; a row whose content is being judged at that moment is left for the next time. Every part that loses
    something has its event in the audit chain.

    Raises:
        DatabaseUnavailable: PostgreSQL cannot be reached. What was forgotten before stays so.
    """
    with database.transaction() as session:
        parts = partitions(session)
        cutoff = Month.of((today or today_of(session)) - timedelta(days=keep_days)).first
        forget_before(session, first_id(cutoff))
    done = []
    for part in parts:
        if part.month is not None and part.month.plus(1).first > cutoff:
            continue
        if part.month is not None and _drop(database, part, cutoff, actor):
            done.append(Expiry(part.name, None))
        elif rows := _empty(database, part, cutoff, actor):
            done.append(Expiry(part.name, rows))
    return tuple(done)


def _drop(database: Database, part: Partition, cutoff: date, actor: Actor) -> bool:
    """Drops the table of a month unless something of it is in a case, or somebody is in the way."""
    cased = text(f"SELECT EXISTS (SELECT FROM {part.name} AS c WHERE {CASED})")  # noqa: S608 - a name from the catalogue
    with database.transaction() as session:
        if session.scalar(cased):
            return False
    try:
        with database.transaction() as session:
            session.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
            take(session, Lock.PARTITIONS)
            if part.name not in {present.name for present in partitions(session)}:
                return False
            # In the order in which a judgement takes them. From here to the commit nothing can enter a case.
            session.execute(text("LOCK TABLE content IN ACCESS EXCLUSIVE MODE"))
            session.execute(text(f"SET LOCAL statement_timeout = '{CHECK_TIMEOUT}'"))
            if session.scalar(cased):
                return False
            session.execute(text(f"ALTER TABLE content DETACH PARTITION {part.name}"))
            session.execute(text(f"DROP TABLE {part.name}"))
            audit.append(session, actor, "ledger.expire", f"ledger:{part.name}", _details(cutoff, None))
    except DatabaseUnavailable as error:
        if not isinstance(error.__cause__, exc.OperationalError) or error.__cause__.connection_invalidated:
            raise
        log.info(
            "ledger.month_not_dropped", partition=part.name, why="Others were at work; it is emptied row by row."
        )
        return False
    log.info("ledger.month_dropped", partition=part.name)
    return True


def _empty(database: Database, part: Partition, cutoff: date, actor: Actor) -> int:
    """Deletes in batches what is old enough and in no case; returns how many rows went."""
    rows = sum(_batches(database, part, cutoff))
    if rows:
        with database.transaction() as session:
            audit.append(session, actor, "ledger.expire", f"ledger:{part.name}", _details(cutoff, rows))
        log.info("ledger.month_emptied", partition=part.name, rows=rows)
    return rows


def _batches(database: Database, part: Partition, cutoff: date) -> Iterator[int]:
    # What is older than the partitions has no day in its id, and what lies in the default has one that may be wrong:
    # there the time of the judgement counts too.
    by_time = "AND c.judged_at < :judged_before" if part.name in (BEFORE, DEFAULT) else ""
    statement = text(f"""
        WITH old AS MATERIALIZED (
            SELECT c.id, c.content_id, c.identity, {CASED} AS cased FROM {part.name} AS c
            WHERE c.id > :after AND c.id < :beyond {by_time} ORDER BY c.id LIMIT :batch
        ), free AS MATERIALIZED (
            SELECT id FROM old WHERE NOT cased
                AND pg_try_advisory_xact_lock(:lock, hashtext(content_id || ':' || encode(identity, 'hex')))
        ), gone AS (
            DELETE FROM {part.name} AS c USING free WHERE c.id = free.id AND NOT {CASED} RETURNING c.id
        )
        SELECT (SELECT max(id) FROM old), (SELECT count(*) FROM gone)
    """)  # noqa: S608 - a name from the catalogue
    values: dict[str, object] = {"beyond": first_id(cutoff), "batch": BATCH, "lock": int(Lock.CONTENT)}
    if by_time:
        values["judged_before"] = datetime.combine(cutoff, time.min, UTC)
    after: int | None = -(2**63)
    while after is not None:
        values |= {"after": after}
        with database.transaction() as session:
            after, gone = session.execute(statement, values).one()
        yield gone


def _details(cutoff: date, rows: int | None) -> dict[str, audit.Json]:
    return {"before": cutoff.isoformat(), "rows": rows, "whole": rows is None}
