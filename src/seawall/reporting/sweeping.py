"""Enqueues reports that are due and that nobody is at: retries, and what a dead worker left behind."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from seawall.database.locks import Lock
from seawall.engines.jobs import waiting_job
from seawall.reporting.acts import enqueue

# A report whose job is just starting is not taken for one without a job.
GRACE = timedelta(seconds=1)
AT_MOST = 100


def sweep(session: Session, at: datetime | None = None) -> int:
    """Enqueues what is due; returns how many. Only one sweep runs at a time."""
    mine = text("SELECT pg_try_advisory_xact_lock(:lock, 0)")
    if not session.scalar(mine, {"lock": int(Lock.FILING)}):
        return 0
    due = session.scalars(_DUE, {"lock": int(Lock.FILING), "grace": GRACE, "limit": AT_MOST, "at": at}).all()
    return sum(enqueue(session, report_id) for report_id in due)


# A report that is being filed right now is known by the lease that its worker holds. One whose /submit is on its way
# without anybody at it is due, too: it goes to a person.
_DUE = text(
    f"""
    WITH busy AS MATERIALIZED (
        SELECT objid::bigint AS number FROM pg_locks
        WHERE locktype = 'advisory' AND classid = :lock
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    )
    SELECT report.id FROM reports AS report
    WHERE report.state IN ('due', 'submitting', 'open')
      AND (report.state = 'submitting'
           OR report.next_attempt_at <= coalesce(CAST(:at AS timestamptz), now()) - CAST(:grace AS interval))
      AND (hashtext(report.id::text)::bigint & 4294967295) NOT IN (SELECT number FROM busy)
      AND NOT EXISTS ({waiting_job("'file:' || report.id")})
    ORDER BY report.next_attempt_at, report.id
    LIMIT :limit
    """  # noqa: S608 - what is put in is no value
)
