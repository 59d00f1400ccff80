"""The outbox: what the platform must be told, written in the transaction of what happened.

A message becomes visible with the transaction that it belongs to, or not at all, and stays until it was delivered or
given up. See docs/why/outbox.md.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from seawall.actions.schedule import MessageState
from seawall.database.locks import Lock
from seawall.database.tables import OutboxMessage, WebhookEndpoint, now
from seawall.engines.jobs import defer, waiting_job
from seawall.errors import Conflict, NotFound
from seawall.evidence import audit
from seawall.records import Actor, EventType

TASK = "actions.deliver"
# A message whose job is just starting is not taken for one without a job.
GRACE = timedelta(seconds=1)
SWEEP_AT_MOST = 200
RETRY_PRIORITY = -1


@dataclass(frozen=True, slots=True)
class MessageListing:
    """A message as the console shows it; its data stays in the database."""

    message_id: uuid.UUID
    endpoint_id: int
    url: str
    event: str
    case_id: int | None
    state: MessageState
    attempts: int
    next_attempt_at: datetime
    last_status: int | None
    last_error: str | None
    created_at: datetime
    delivered_at: datetime | None


def put(
    session: Session,
    event: EventType,
    data: Mapping[str, object],
    *,
    case_id: int | None = None,
    endpoint_id: int | None = None,
) -> list[uuid.UUID]:
    """Writes one message per enabled endpoint (or for one endpoint alone) with the job that delivers it, in the
    session's own transaction. Returns the messages' ids, which the receivers see as ``webhook-id``.

    Args:
        data: what the event says, as docs/reference/webhooks.md describes it.
    """
    wanted = select(WebhookEndpoint.id).where(WebhookEndpoint.enabled).order_by(WebhookEndpoint.id)
    if endpoint_id is not None:
        wanted = wanted.where(WebhookEndpoint.id == endpoint_id)
    # The share lock keeps an endpoint from being removed between here and the commit, which would fail an upload.
    endpoints = session.scalars(wanted.with_for_update(read=True, key_share=True)).all()
    payload = {"type": event.value, "timestamp": now().isoformat(), "data": dict(data)}
    messages = [
        OutboxMessage(id=uuid.uuid4(), endpoint_id=number, event=event.value, payload=payload, case_id=case_id)
        for number in endpoints
    ]
    session.add_all(messages)
    session.flush()
    for message in messages:
        _enqueue(session, message.id)
    return [message.id for message in messages]


def replay(session: Session, message_id: uuid.UUID, actor: Actor) -> None:
    """Sends a message anew, whatever became of it, under its old id: a receiver that has it already drops it.

    Raises:
        NotFound: there is no such message.
        Conflict: its endpoint is disabled.
    """
    row = session.scalar(select(OutboxMessage).where(OutboxMessage.id == message_id).with_for_update())
    if row is None:
        raise NotFound(f"There is no message {message_id}.", hint="The console lists recent messages.")
    if not session.scalar(select(WebhookEndpoint.enabled).where(WebhookEndpoint.id == row.endpoint_id)):
        raise Conflict("The endpoint of this message is disabled.", hint="Enable it first.")
    before, row.state = row.state, MessageState.PENDING.value
    row.attempts, row.delivered_at, row.next_attempt_at = 0, None, func.now()
    session.flush()
    _enqueue(session, message_id)
    audit.append(session, actor, "webhook.replay", f"message:{message_id}", {"before": before})


def recent(
    session: Session, *, limit: int = 50, state: MessageState | None = None, case_id: int | None = None
) -> list[MessageListing]:
    """The newest messages, newest first."""
    statement = select(OutboxMessage, WebhookEndpoint.url).join(
        WebhookEndpoint, WebhookEndpoint.id == OutboxMessage.endpoint_id
    )
    if state is not None:
        statement = statement.where(OutboxMessage.state == state.value)
    if case_id is not None:
        statement = statement.where(OutboxMessage.case_id == case_id)
    newest = statement.order_by(OutboxMessage.created_at.desc(), OutboxMessage.id).limit(limit)
    return [_listing(row, url) for row, url in session.execute(newest)]


def get(session: Session, message_id: uuid.UUID) -> MessageListing:
    """One message.

    Raises:
        NotFound: there is no such message.
    """
    found = session.execute(
        select(OutboxMessage, WebhookEndpoint.url)
        .join(WebhookEndpoint, WebhookEndpoint.id == OutboxMessage.endpoint_id)
        .where(OutboxMessage.id == message_id)
    ).one_or_none()
    if found is None:
        raise NotFound(f"There is no message {message_id}.", hint="The console lists recent messages.")
    return _listing(found[0], found[1])


def counts(session: Session) -> dict[MessageState, int]:
    """How many messages stand where."""
    rows = session.execute(select(OutboxMessage.state, func.count()).group_by(OutboxMessage.state)).all()
    found = {state: int(count) for state, count in rows}
    return {state: found.get(state.value, 0) for state in MessageState}


def pending(session: Session) -> int:
    """How many messages wait to be delivered, those of all endpoints together. Asks the index of those alone."""
    waiting = select(func.count()).select_from(OutboxMessage).where(OutboxMessage.state == text("'pending'"))
    count: int = session.execute(waiting).scalar_one()
    return count


def sweep(session: Session) -> int:
    """Enqueues messages that are due and have no job that waits or runs: retries, and what a dead worker left behind.
    Returns how many. Only one sweep runs at a time; where another does, this one does nothing.
    """
    mine = text("SELECT pg_try_advisory_xact_lock(:lock, 0)")
    if not session.scalar(mine, {"lock": int(Lock.DELIVERY)}):
        return 0
    due = session.execute(_DUE, {"lock": int(Lock.DELIVERY), "grace": GRACE, "limit": SWEEP_AT_MOST}).all()
    return sum(
        # What is told for the first time goes before what is told again, so that one dead endpoint with a long
        # backlog does not hold up the others.
        _enqueue(session, message_id, priority=RETRY_PRIORITY if attempts else 0)
        for message_id, attempts in due
    )


# A message that is being delivered right now is known by the lease that its worker holds (see leases.py).
_DUE = text(
    f"""
    WITH busy AS MATERIALIZED (
        SELECT objid::bigint AS number FROM pg_locks
        WHERE locktype = 'advisory' AND classid = :lock
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    )
    SELECT message.id, message.attempts
    FROM outbox AS message JOIN webhook_endpoints AS endpoint ON endpoint.id = message.endpoint_id
    WHERE message.state = 'pending' AND message.next_attempt_at <= now() - :grace AND endpoint.enabled
      AND (hashtext(message.id::text)::bigint & 4294967295) NOT IN (SELECT number FROM busy)
      AND NOT EXISTS ({waiting_job("'deliver:' || message.id")})
    ORDER BY message.next_attempt_at, message.id
    LIMIT :limit
    """  # noqa: S608 - what is put in is no value
)


def _enqueue(session: Session, message_id: uuid.UUID, priority: int = 0) -> bool:
    return defer(session, TASK, queueing_lock=f"deliver:{message_id}", priority=priority, message_id=str(message_id))


def _listing(row: OutboxMessage, url: str) -> MessageListing:
    return MessageListing(
        row.id,
        row.endpoint_id,
        url,
        row.event,
        row.case_id,
        MessageState(row.state),
        row.attempts,
        row.next_attempt_at,
        row.last_status,
        row.last_error,
        row.created_at,
        row.delivered_at,
    )
