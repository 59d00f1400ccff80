"""All messages to the platform as rows of a table, some thousand at a time; their data stays in the database."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from seawall.database.tables import OutboxMessage, WebhookEndpoint

AT_ONCE = 2000
COLUMNS = (
    "message",
    "endpoint",
    "event",
    "case",
    "state",
    "attempts",
    "last_status",
    "last_error",
    "created_at",
    "next_attempt_at",
    "delivered_at",
)


def after(session: Session, message_id: object = None) -> Sequence[Sequence[object]]:
    """The next messages behind this one in the order of their ids, as `COLUMNS` names their columns; none at the
    end."""
    row = OutboxMessage
    statement = (
        select(
            *(row.id, WebhookEndpoint.url, row.event, row.case_id, row.state, row.attempts),
            *(row.last_status, row.last_error, row.created_at, row.next_attempt_at, row.delivered_at),
        )
        .join(WebhookEndpoint, WebhookEndpoint.id == row.endpoint_id)
        .order_by(row.id)
        .limit(AT_ONCE)
    )
    if isinstance(message_id, uuid.UUID):
        statement = statement.where(row.id > message_id)
    return session.execute(statement).all()
