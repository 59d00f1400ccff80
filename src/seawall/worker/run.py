"""Runs the worker, inside the server or as a process of its own, until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Iterator
from typing import TYPE_CHECKING

import psycopg
import structlog
from procrastinate.exceptions import ConnectorException

from seawall import bulk, copies, keypoints, late, likewise, news, retraction
from seawall.actions import outbox
from seawall.actions.delivery import Deliverer
from seawall.database.sessions import Database
from seawall.engines.jobs import defer
from seawall.errors import DatabaseUnavailable, DecoderUnavailable, IndexUnavailable, ObjectStoreUnavailable
from seawall.reporting import sweeping
from seawall.reporting.filing import Filer
from seawall.rooms import Rooms
from seawall.worker.tasks import HEARTBEAT_S, SILENT_S, WALK, Parts, build_app

if TYPE_CHECKING:
    from seawall.runtime import Runtime

SWEEP_S = 1.0
# How often it is looked whether the files of the ledger have something to catch up with.
TEND_S = 30.0
# A notification wakes the worker at once. One that arrives just while it looks for jobs is lost, and then this is how
# long the job waits; half a second keeps a webhook well under one.
FETCH_S = 0.5
SHUTDOWN_S = 10.0
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0

log = structlog.get_logger(__name__)


async def run_worker(
    runtime: Runtime, concurrency: int | None = None, *, install_signal_handlers: bool = False
) -> None:
    """Works until cancelled, or until a signal where it installs handlers: then it finishes what has begun (for ten
    seconds at most) and returns. When the database goes away it waits for it.

    Args:
        concurrency: jobs run at once; `settings.worker_concurrency` when None.
        install_signal_handlers: whether SIGINT and SIGTERM end it. Leave it out inside a server.
    """
    parts = Parts(runtime.settings, runtime.database, runtime.master_key, runtime.rooms.vault, runtime.rooms)
    await work(
        parts,
        concurrency or runtime.settings.worker_concurrency,
        install_signal_handlers=install_signal_handlers,
    )


async def work(parts: Parts, concurrency: int, *, install_signal_handlers: bool = False) -> None:
    """:func:`run_worker` for who has the parts at hand."""
    told_to_stop = asyncio.Event()
    async with Deliverer(parts.database, parts.master_key, parts.settings) as deliverer:
        filer = Filer(parts.database, parts.vault, parts.settings)
        tasks = [
            asyncio.create_task(_work_on(parts, deliverer, filer, concurrency), name="worker"),
            asyncio.create_task(_keep_sweeping(parts.database), name="sweep of the outbox"),
            asyncio.create_task(_keep_watching_lists(parts), name="walks through the ledger"),
            asyncio.create_task(_keep_looking_back(parts), name="retractions"),
            asyncio.create_task(_keep_carrying_out(parts), name="bulk decisions"),
            asyncio.create_task(_keep_ledger_files(parts), name="files of the ledger"),
            asyncio.create_task(told_to_stop.wait(), name="signal"),
        ]
        try:
            with _signals(told_to_stop) if install_signal_handlers else contextlib.nullcontext():
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            filer.close()


async def _work_on(parts: Parts, deliverer: Deliverer, filer: Filer, concurrency: int) -> None:
    """The queue's own worker, started anew whenever it ends because the database went away."""
    pause = FIRST_PAUSE_S
    loop = asyncio.get_running_loop()
    while True:
        started = loop.time()
        app = build_app(parts, deliverer, filer)
        try:
            async with app.open_async():
                await app.run_worker_async(
                    concurrency=concurrency,
                    install_signal_handlers=False,
                    fetch_job_polling_interval=FETCH_S,
                    delete_jobs="successful",
                    update_heartbeat_interval=HEARTBEAT_S,
                    stalled_worker_timeout=SILENT_S,
                    shutdown_graceful_timeout=SHUTDOWN_S,
                )
            reason = "The queue's worker ended."
        except (ConnectorException, psycopg.OperationalError) as error:
            reason = type(error).__name__
            await app.close_async()
        if loop.time() - started > LONGEST_PAUSE_S:
            pause = FIRST_PAUSE_S
        log.warning("worker.starts_anew", reason=reason, in_s=pause)
        await asyncio.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE_S)


async def _keep_sweeping(database: Database) -> None:
    """Enqueues what is due. Not a job of the queue itself, so that a full queue does not keep it waiting."""
    while True:
        try:
            await asyncio.to_thread(_sweep, database)
        except DatabaseUnavailable as error:
            log.warning("outbox.not_swept", error=error.message)
        await asyncio.sleep(SWEEP_S)


async def _keep_watching_lists(parts: Parts) -> None:
    """Lets lists that have changed walk through the ledger, and looks after uploads that were on their way. What is
    to do is read off the lists themselves each time, so that no lost job can leave something unwalked."""
    while True:
        if parts.rooms is not None:
            try:
                await asyncio.to_thread(_watch_lists, parts.rooms)
            except (DatabaseUnavailable, IndexUnavailable) as error:
                log.warning("lists.not_watched", error=error.message)
        await asyncio.sleep(SWEEP_S)


async def _keep_looking_back(parts: Parts) -> None:
    """Tells the platform's own lists what was decided, takes back what entries had held that were removed or
    disputed, and compares what waits for a decision with what lists have learnt. Not together with the walks: where
    a large list goes, this takes a while."""
    aligned = False
    while True:
        if parts.rooms is not None:
            try:
                aligned = aligned or await asyncio.to_thread(copies.align, parts.rooms)
                await asyncio.to_thread(likewise.settle, parts.rooms)
                await asyncio.to_thread(copies.settle, parts.rooms)
                await asyncio.to_thread(_keep_keypoints, parts.rooms)
                await asyncio.to_thread(retraction.look_back, parts.rooms)
                await asyncio.to_thread(news.look, parts.rooms)
            except (DatabaseUnavailable, IndexUnavailable) as error:
                log.warning("retractions.not_looked_for", error=error.message)
        await asyncio.sleep(SWEEP_S)


async def _keep_carrying_out(parts: Parts) -> None:
    """Carries out bulk decisions whose time to be taken back is over. Not together with anything that can take long:
    people wait for it."""
    while True:
        if parts.rooms is not None:
            try:
                await asyncio.to_thread(bulk.carry_out, parts.rooms)
            except DatabaseUnavailable as error:
                log.warning("bulk.not_carried_out", error=error.message)
        await asyncio.sleep(SWEEP_S)


def _keep_keypoints(rooms: Rooms) -> None:
    """Where decoders or the evidence are out of reach for a while, nothing else waits for it."""
    try:
        keypoints.settle(rooms)
    except (DecoderUnavailable, ObjectStoreUnavailable) as error:
        log.warning("keypoints.not_kept", error=error.message)


async def _keep_ledger_files(parts: Parts) -> None:
    """Makes the files in which new entries find what is in the ledger, and keeps them near to it."""
    if parts.rooms is None:
        await asyncio.Event().wait()
        return
    ledger = parts.rooms.ledger
    try:
        while True:
            try:
                busy = await asyncio.to_thread(ledger.tend)
            except DatabaseUnavailable as error:
                log.warning("ledger.files_not_tended", error=error.message)
                busy = False
            await asyncio.sleep(SWEEP_S if busy else TEND_S)
    finally:
        ledger.close()


def _watch_lists(rooms: Rooms) -> None:
    with rooms.database.transaction() as session:
        if late.due(session):
            defer(session, WALK, lock=WALK, queueing_lock=WALK)
    late.stragglers(rooms)


def _sweep(database: Database) -> None:
    with database.transaction() as session:
        found = outbox.sweep(session)
    with database.transaction() as session:
        found += sweeping.sweep(session)
    if found:
        log.debug("outbox.swept", enqueued=found)


@contextlib.contextmanager
def _signals(stop: asyncio.Event) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
