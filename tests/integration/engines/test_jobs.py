"""A job lives and dies with the transaction that enqueued it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from seawall.database.sessions import Database
from seawall.engines.jobs import defer, overdue, waiting_job

WAITING = text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'a.task'")


def waiting(database: Database) -> int:
    with database.transaction() as session:
        return int(session.scalar(WAITING) or 0)


def test_commit_keeps_the_job(database: Database) -> None:
    with database.transaction() as session:
        assert defer(session, "a.task", number=1)
        assert defer(session, "a.task", number=2, schedule_in_s=60)
    assert waiting(database) == 2


def test_rollback_takes_the_job_along(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.transaction() as session:
        defer(session, "a.task", number=1)
        raise ZeroDivisionError
    assert waiting(database) == 0


def test_a_queueing_lock_lets_one_wait_and_leaves_the_transaction_usable(database: Database) -> None:
    with database.transaction() as session:
        assert defer(session, "a.task", queueing_lock="one")
        assert not defer(session, "a.task", queueing_lock="one")
        assert defer(session, "a.task", queueing_lock="two")
    assert waiting(database) == 2


def test_a_larger_query_sees_which_of_its_rows_have_a_job_that_waits(database: Database) -> None:
    rows, job = "(VALUES ('one'), ('two'), ('three')) AS row (name)", waiting_job("'for:' || row.name")
    without = text(f"SELECT name FROM {rows} WHERE NOT EXISTS ({job}) ORDER BY name")
    with database.transaction() as session:
        for name in ("one", "two"):
            defer(session, "a.task", queueing_lock=f"for:{name}")
        assert session.scalars(without).all() == ["three"]
        session.execute(text("UPDATE procrastinate_jobs SET status = 'doing' WHERE queueing_lock = 'for:one'"))
        assert session.scalars(without).all() == ["one", "three"], "a job that runs waits no more"


def test_jobs_that_wait_for_too_long_are_counted(database: Database) -> None:
    with database.transaction() as session:
        defer(session, "a.task", number=1)
        defer(session, "a.task", number=2, schedule_in_s=3600)
        assert overdue(session, timedelta(minutes=15)) == 0
    with database.transaction() as session:
        session.execute(text("UPDATE procrastinate_events SET at = at - interval '16 minutes'"))
        assert overdue(session, timedelta(minutes=15)) == 1
        session.execute(text("UPDATE procrastinate_jobs SET scheduled_at = scheduled_at - interval '2 hours'"))
        assert overdue(session, timedelta(minutes=15)) == 2
