"""The job queue, on the same PostgreSQL: a job is enqueued in the transaction of the row that it serves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import procrastinate
from procrastinate import jobs, manager
from procrastinate.exceptions import AlreadyEnqueued
from sqlalchemy import text
from sqlalchemy.orm import Session

from seawall.database.sessions import psycopg_connection


def job_app(url: str) -> procrastinate.App:
    """The queue as a worker sees it; tasks are added by `seawall.worker`."""
    return procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url, min_size=1, max_size=8))


def defer(
    session: Session,
    task: str,
    *,
    queue: str = "default",
    lock: str | None = None,
    queueing_lock: str | None = None,
    schedule_in_s: float | None = None,
    priority: int = 0,
    **args: Any,
) -> bool:
    """Enqueues a job inside the session's own transaction: no row without its job, no job without its row.

    Args:
        task: the task's name as registered in `seawall.worker`.
        lock: jobs with the same lock run one after the other.
        queueing_lock: at most one waiting job has it; a further one is not enqueued.
        schedule_in_s: seconds from now before the job may run.
        priority: of the jobs that may run, those with a higher one go first.

    Returns:
        Whether a job was added (False: one with that `queueing_lock` waits already).
    """
    job = jobs.Job(
        id=None,
        queue=queue,
        lock=lock,
        queueing_lock=queueing_lock,
        priority=priority,
        task_name=task,
        task_kwargs=args,
        scheduled_at=None if schedule_in_s is None else datetime.now(UTC) + timedelta(seconds=schedule_in_s),
    )
    enqueuer = manager.JobManager(procrastinate.SyncPsycopgConnector())
    try:
        with session.begin_nested():
            # Asked for inside the savepoint: that is what makes the session begin it.
            enqueuer.batch_defer_jobs([job], connection=psycopg_connection(session))
    except AlreadyEnqueued:
        return False
    return True


def waiting_job(queueing_lock: str) -> str:
    """A query for the job that waits under a `queueing_lock`, to be asked with EXISTS for each row of a larger one.

    Args:
        queueing_lock: an SQL expression of the larger query, such as ``'deliver:' || message.id``; never a value.
    """
    return f"SELECT FROM procrastinate_jobs WHERE status = 'todo' AND queueing_lock = {queueing_lock}"


def overdue(session: Session, by: timedelta) -> int:
    """How many jobs could have run for that long and still wait. The queue's library has no question for this, so its
    table is asked; a test holds the table to it."""
    waiting = text(
        "SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo' AND coalesce(scheduled_at, ("
        "SELECT min(at) FROM procrastinate_events WHERE job_id = procrastinate_jobs.id AND type = 'deferred'"
        ")) < now() - CAST(:by AS interval)"
    )
    count: int = session.execute(waiting, {"by": by}).scalar_one()
    return count
