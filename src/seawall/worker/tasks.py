"""The tasks, as the job queue knows them by name."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass
from datetime import timedelta

import procrastinate
import structlog
from procrastinate.exceptions import UniqueViolation
from procrastinate.jobs import Status

from seawall import late, noisy
from seawall.access import logins
from seawall.actions import outbox
from seawall.actions.delivery import Deliverer
from seawall.cases import appeals
from seawall.database.sessions import Database
from seawall.database.tables import now
from seawall.engines.jobs import job_app
from seawall.evidence import heads
from seawall.evidence.master_key import MasterKey
from seawall.evidence.vault import Vault
from seawall.grooming import contact_store, message_store
from seawall.matching.expiry import expire
from seawall.matching.partitions import make_months
from seawall.records import SYSTEM
from seawall.reporting import acts as reports
from seawall.reporting.filing import Filer
from seawall.rooms import Rooms
from seawall.settings import Settings

HEARTBEAT_S = 5.0
# A worker that has been silent for so long is taken for dead, and its jobs are started anew.
SILENT_S = 30.0
# Jobs that failed stay for a look back; those that succeeded are removed at once.
KEEP_FINISHED_HOURS = 7 * 24

# One walk at a time in all of the service; a second one waits.
WALK = "ledger.walk"

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Parts:
    """What the tasks work with. Without rooms nothing is judged here, and no list walks through the ledger."""

    settings: Settings
    database: Database
    master_key: MasterKey
    vault: Vault
    rooms: Rooms | None = None


def build_app(parts: Parts, deliverer: Deliverer, filer: Filer) -> procrastinate.App:
    """The job queue with every task. Times of periodic tasks are cron's, in UTC."""
    app = job_app(parts.database.url)

    @app.task(name=outbox.TASK)
    async def deliver(message_id: str) -> None:
        await deliverer.deliver(uuid.UUID(message_id))

    @app.task(name=reports.TASK)
    async def file_report(report_id: int) -> None:
        await asyncio.to_thread(filer.file, report_id)

    @app.periodic(cron="* * * * *")
    @app.task(name="worker.rescue", queueing_lock="worker.rescue", pass_context=True)
    async def rescue(context: procrastinate.JobContext, timestamp: int) -> None:  # noqa: ARG001 - the queue passes it
        await rescue_jobs(context.app)

    @app.periodic(cron="7 * * * *")
    @app.task(name="worker.housekeeping", queueing_lock="worker.housekeeping", pass_context=True)
    async def housekeeping(context: procrastinate.JobContext, timestamp: int) -> None:  # noqa: ARG001 - the queue passes it
        await context.app.job_manager.delete_old_jobs(
            nb_hours=KEEP_FINISHED_HOURS, include_failed=True, include_cancelled=True, include_aborted=True
        )

    @app.periodic(cron="17 * * * *")
    @app.task(name="access.housekeeping", queueing_lock="access.housekeeping")
    async def forget_sessions(timestamp: int) -> None:  # noqa: ARG001 - the queue passes it
        await asyncio.to_thread(_forget_sessions, parts.database)

    @app.periodic(cron="27 3 * * *")
    @app.task(name="evidence.housekeeping", queueing_lock="evidence.housekeeping")
    async def remove_orphans(timestamp: int) -> None:  # noqa: ARG001 - the queue passes it
        await asyncio.to_thread(_remove_orphans, parts)

    @app.periodic(cron="37 2 * * *")
    @app.task(name="ledger.housekeeping", queueing_lock="ledger.housekeeping")
    async def keep_months(timestamp: int) -> None:  # noqa: ARG001 - the queue passes it
        await asyncio.to_thread(_keep_months, parts)

    @app.periodic(cron="47 2 * * *")
    @app.task(name="contacts.housekeeping", queueing_lock="contacts.housekeeping")
    async def forget_contacts(timestamp: int) -> None:  # noqa: ARG001 - the queue passes it
        await asyncio.to_thread(_forget_contacts, parts.database)

    @app.periodic(cron="57 * * * *")
    @app.task(name="messages.housekeeping", queueing_lock="messages.housekeeping")
    async def forget_messages(timestamp: int) -> None:  # noqa: ARG001 - the queue passes it
        await asyncio.to_thread(_forget_messages, parts)

    @app.periodic(cron="47 4 * * *")
    @app.task(name="appeals.housekeeping", queueing_lock="appeals.housekeeping")
    async def forget_appeals(timestamp: int) -> None:  # noqa: ARG001 - the queue passes it
        await asyncio.to_thread(_forget_appeals, parts)

    @app.periodic(cron="27 * * * *")
    @app.task(name="lists.noise", queueing_lock="lists.noise")
    async def look_at_lists(timestamp: int) -> None:  # noqa: ARG001 - the queue passes it
        await asyncio.to_thread(noisy.look_at_lists, parts.database, parts.settings)

    @app.periodic(cron="57 * * * *")
    @app.task(name="audit.housekeeping", queueing_lock="audit.housekeeping")
    async def sign_head(timestamp: int) -> None:  # noqa: ARG001 - the queue passes it
        await asyncio.to_thread(heads.sign, parts.database, parts.settings)

    if (rooms := parts.rooms) is not None:

        @app.task(name=WALK)
        async def walk() -> None:
            await asyncio.to_thread(late.walk, rooms)

    return app


async def rescue_jobs(app: procrastinate.App) -> int:
    """Starts the jobs of dead workers anew; returns how many. Deliveries do not wait for this: the sweep of the
    outbox sees at once that nobody holds their lease."""
    stalled = list(await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=SILENT_S))
    for job in stalled:
        try:
            await app.job_manager.retry_job(job)
        except UniqueViolation:
            # Somebody has enqueued the same anew, so this one has nothing left to do.
            await app.job_manager.finish_job(job, status=Status.ABORTED, delete_job=True)
    if stalled:
        log.warning("worker.jobs_rescued", count=len(stalled), advice="A worker died; look for its last words.")
    return len(stalled)


def _forget_sessions(database: Database) -> None:
    with database.transaction() as session:
        logins.prune(session)


def _forget_contacts(database: Database) -> None:
    with database.transaction() as session:
        contact_store.forget(session, now() - timedelta(days=contact_store.KEEP_DAYS))


def _forget_messages(parts: Parts) -> None:
    texts, conversations = parts.settings.message_keep_days, parts.settings.conversation_keep_days
    gone = (1, 1)
    while any(gone):  # each time a bounded number, in a transaction of its own
        with parts.database.transaction() as session:
            gone = message_store.forget(
                session, texts_after=timedelta(days=texts), conversations_after=timedelta(days=conversations)
            )


def _forget_appeals(parts: Parts) -> None:
    with parts.database.transaction() as session:
        appeals.forget_words(session, timedelta(days=parts.settings.appeal_text_days))


def _remove_orphans(parts: Parts) -> None:
    with parts.database.transaction() as session:
        parts.vault.remove_orphans(session)


def _keep_months(parts: Parts) -> None:
    make_months(parts.database)
    if parts.settings.ledger_keep_days is not None:
        expire(parts.database, parts.settings.ledger_keep_days, SYSTEM)
