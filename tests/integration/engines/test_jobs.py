"""A job lives and dies with the transaction that enqueued it."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from seawall.database.sessions import Database
from seawall.engines.jobs import defer

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
