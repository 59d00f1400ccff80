"""The worker as it runs: at once, again, after it was killed, and while the database goes away."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import text

from seawall.actions.schedule import MessageState
from seawall.engines.jobs import defer
from seawall.evidence.master_key import MasterKey
from seawall.reporting.filing import Filer
from seawall.worker.run import work
from seawall.worker.tasks import SILENT_S, Parts, build_app, rescue_jobs
from tests.integration.actions.conftest import Post
from tests.integration.actions.receiver import Receiver
from tests.integration.worker import worker_process

KEY = bytes(range(32))


@pytest.fixture
def parts(post: Post) -> Iterator[Parts]:
    post.master_key = MasterKey(KEY)
    made = worker_process.parts(post.database.url, post.settings, KEY)
    yield made
    made.database.close()


@asynccontextmanager
async def working(parts: Parts) -> AsyncIterator[None]:
    worker = asyncio.create_task(work(parts, 4))
    try:
        yield
    finally:
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)


async def until(post: Post, state: MessageState, count: int) -> None:
    for _ in range(3000):
        with post.database.transaction() as session:
            if session.scalar(text("SELECT count(*) FROM outbox WHERE state = :s"), {"s": state.value}) == count:
                return
        await asyncio.sleep(0.02)
    raise AssertionError(f"not {count} messages became {state}")


@contextmanager
def process(post: Post) -> Iterator[subprocess.Popen[str]]:
    command = [
        sys.executable,
        "-m",
        worker_process.__name__,
        post.database.url,
        str(post.settings.home),
        KEY.hex(),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as worker:
        try:
            yield worker
        finally:
            worker.kill()


# --------------------------------------------------------------------------------------------------- while it runs


def test_a_message_is_delivered_as_soon_as_it_is_committed(post: Post, parts: Parts, receiver: Receiver) -> None:
    secret = post.add(receiver.url)

    async def run() -> None:
        async with working(parts):
            for _ in range(5):
                await asyncio.to_thread(post.put)
            await until(post, MessageState.DELIVERED, 5)

    asyncio.run(run())
    assert len({one.message_id for one in receiver.received}) == len(receiver.received) == 5
    assert all(one.verified(secret) for one in receiver.received)
    with post.database.transaction() as session:
        left = session.scalar(text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'actions.deliver'"))
    assert left == 0, "jobs that succeeded are removed"


def test_what_was_put_while_no_worker_ran_is_delivered(post: Post, parts: Parts, receiver: Receiver) -> None:
    post.add(receiver.url)
    messages = [post.put()[0] for _ in range(20)]

    async def run() -> None:
        async with working(parts):
            await until(post, MessageState.DELIVERED, 20)

    asyncio.run(run())
    assert sorted(receiver.ids) == sorted(map(str, messages))


def test_a_failed_attempt_is_repeated_when_it_is_due(post: Post, parts: Parts, receiver: Receiver) -> None:
    post.add(receiver.url)
    receiver.status = 500

    async def run() -> None:
        async with working(parts):
            await asyncio.to_thread(post.put)
            await asyncio.to_thread(receiver.wait_for, 1)
            receiver.status = 200
            await until(post, MessageState.DELIVERED, 1)

    asyncio.run(run())
    assert len(set(receiver.ids)) == 1
    assert len(receiver.received) == 2


def test_two_workers_share_the_work(post: Post, parts: Parts, receiver: Receiver) -> None:
    post.add(receiver.url)
    messages = [post.put()[0] for _ in range(40)]

    async def run() -> None:
        async with working(parts), working(parts):
            await until(post, MessageState.DELIVERED, 40)

    asyncio.run(run())
    assert sorted(receiver.ids) == sorted(map(str, messages))


def test_stopping_finishes_what_has_begun(post: Post, parts: Parts, receiver: Receiver) -> None:
    post.add(receiver.url)
    release = threading.Event()
    receiver.before_answer = lambda _: release.wait(120) and None
    (message,) = post.put()

    async def run() -> None:
        async with working(parts):
            await asyncio.to_thread(receiver.wait_for, 1)
            threading.Timer(0.3, release.set).start()

    asyncio.run(run())
    assert post.get(message).state is MessageState.DELIVERED


def test_the_worker_waits_for_a_database_that_went_away(post: Post, parts: Parts, receiver: Receiver) -> None:
    post.add(receiver.url)

    async def run() -> None:
        async with working(parts):
            await asyncio.to_thread(post.put)
            await until(post, MessageState.DELIVERED, 1)
            with psycopg.connect(post.database.url, autocommit=True) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            await asyncio.to_thread(post.put)
            await until(post, MessageState.DELIVERED, 2)

    asyncio.run(run())


# ---------------------------------------------------------------------------------------------------------- killed


def test_kill_9_in_the_middle_of_a_delivery(post: Post, parts: Parts, receiver: Receiver) -> None:
    """The next worker need not wait until the dead one counts as silent: its lease ended with it."""
    post.add(receiver.url)
    hang = threading.Event()
    receiver.before_answer = lambda _: hang.wait(120) and None
    messages = [post.put()[0] for _ in range(6)]
    with process(post) as worker:
        receiver.wait_for(4)
        worker.kill()
        worker.wait()
    hang.set()
    receiver.before_answer = lambda _: None
    with post.database.transaction() as session:
        # The dead one will not be found silent for an hour, so nothing here can wait for that.
        session.execute(text("UPDATE procrastinate_workers SET last_heartbeat = now() + interval '1 hour'"))

    async def run() -> None:
        async with working(parts):
            await until(post, MessageState.DELIVERED, 6)

    asyncio.run(run())
    assert set(receiver.ids) == set(map(str, messages))


def test_kill_9_again_and_again(post: Post, parts: Parts, receiver: Receiver) -> None:
    post.add(receiver.url)
    receiver.before_answer = lambda _: time.sleep(0.05)
    messages = [post.put()[0] for _ in range(40)]
    for seen in (3, 12, 20):
        with process(post) as worker:
            receiver.wait_for(seen)
            worker.kill()
            worker.wait()

    async def run() -> None:
        async with working(parts):
            await until(post, MessageState.DELIVERED, 40)

    asyncio.run(run())
    assert set(receiver.ids) == set(map(str, messages))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(post: Post, parts: Parts, receiver: Receiver, number: int) -> None:
    post.add(receiver.url)
    post.put()
    with process(post) as worker:
        receiver.wait_for(1)
        worker.send_signal(number)
        said, _ = worker.communicate(timeout=120)
    assert said.splitlines()[-1] == "stopped"
    assert worker.returncode == 0
    with post.database.transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM procrastinate_workers")) == 0
        assert session.scalar(text("SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing'")) == 0


def test_jobs_of_dead_workers_are_started_anew(post: Post, parts: Parts) -> None:
    async def run() -> None:
        async with post.deliverer() as deliverer:
            app = build_app(parts, deliverer, Filer(parts.database, parts.vault, parts.settings))
            async with app.open_async():
                dead = await app.job_manager.register_worker()
                with post.database.transaction() as session:
                    defer(session, "worker.housekeeping", queueing_lock="one", timestamp=0)
                    defer(session, "worker.housekeeping", queueing_lock="two", timestamp=0)
                for _ in range(2):
                    assert await app.job_manager.fetch_job(None, dead) is not None
                assert await rescue_jobs(app) == 0, "it may still be alive"
                with post.database.transaction() as session:
                    session.execute(
                        text("UPDATE procrastinate_workers SET last_heartbeat = now() - :silence"),
                        {"silence": timedelta(seconds=SILENT_S + 1)},
                    )
                    defer(session, "worker.housekeeping", queueing_lock="two", timestamp=0)
                assert await rescue_jobs(app) == 2
                jobs = list(await app.job_manager.list_jobs_async())
                assert sorted((job.queueing_lock, job.status) for job in jobs) == [
                    ("one", "todo"),
                    ("two", "todo"),
                ]

    asyncio.run(run())


# ---------------------------------------------------------------------------------------------------- housekeeping


def test_housekeeping_runs(post: Post, parts: Parts) -> None:
    with post.database.transaction() as session:
        session.execute(
            text("INSERT INTO failed_logins (name_hash, minute, attempts) VALUES ('x', now() - interval '3 days', 1)")
        )
        houses = ("worker", "access", "evidence", "ledger", "contacts", "messages", "audit")
        for task in ("worker.rescue", *(f"{house}.housekeeping" for house in houses)):
            defer(session, task, timestamp=0)

    async def run() -> None:
        async with working(parts):
            for _ in range(1500):
                with post.database.transaction() as session:
                    if session.scalar(text("SELECT count(*) FROM procrastinate_jobs")) == 0:
                        return
                await asyncio.sleep(0.02)
            raise AssertionError("a job did not succeed")

    asyncio.run(run())
    with post.database.transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM failed_logins")) == 0


def test_every_periodic_task_is_registered(post: Post, parts: Parts) -> None:
    async def names() -> set[str]:
        async with post.deliverer() as deliverer:
            return {
                name
                for name, _ in build_app(
                    parts, deliverer, Filer(parts.database, parts.vault, parts.settings)
                ).periodic_registry.periodic_tasks
            }

    assert asyncio.run(names()) == {
        "worker.rescue",
        "worker.housekeeping",
        "access.housekeeping",
        "evidence.housekeeping",
        "ledger.housekeeping",
        "contacts.housekeeping",
        "appeals.housekeeping",
        "lists.noise",
        "messages.housekeeping",
        "audit.housekeeping",
    }
