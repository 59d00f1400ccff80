"""One attempt to deliver one message: lease, sign, send, record.

Delivery is at least once. A message keeps its id and its payload, byte for byte, over all attempts; only the
signature's time is that of the attempt.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any

import httpx
import structlog
from sqlalchemy import func, select, update
from standardwebhooks.webhooks import Webhook

from seawall import __version__
from seawall.actions import endpoints
from seawall.actions.schedule import Attempt, MessageState, Next, after
from seawall.database.leases import Leases
from seawall.database.locks import Lock
from seawall.database.sessions import Database
from seawall.database.tables import OutboxMessage, WebhookEndpoint
from seawall.engines.authorities import trusted
from seawall.errors import EvidenceTampered, NotFound
from seawall.evidence.master_key import MasterKey
from seawall.records import SYSTEM
from seawall.settings import Settings

# An answer's body says nothing that matters here. So much of it is read that a connection can be used again.
LONGEST_ANSWER = 16 * 1024
LONGEST_ERROR = 300
# Shorter than what servers usually keep: one that closes a connection just when it is used again costs a retry.
KEEP_ALIVE_S = 2.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Letter:
    """A message that is due, as it goes out."""

    message_id: uuid.UUID
    endpoint_id: int
    url: str
    secret_sealed: bytes = field(repr=False)
    body: str = field(repr=False)
    event: str
    attempts: int


class Deliverer:
    """Delivers messages. Use it as an asynchronous context manager, within one event loop.

    Args:
        chance: between 0 and 1, spreads the pauses between attempts.
    """

    def __init__(
        self,
        database: Database,
        master_key: MasterKey,
        settings: Settings,
        *,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._database = database
        self._master_key = master_key
        self._settings = settings
        self._chance = chance
        self._leases = Leases(database.url, Lock.DELIVERY)
        # The environment's proxies and .netrc are left out: a message goes where the operator said, and nowhere else.
        self._client = httpx.AsyncClient(
            verify=trusted(),
            timeout=settings.webhook_timeout_s,
            limits=httpx.Limits(keepalive_expiry=KEEP_ALIVE_S),
            follow_redirects=False,
            trust_env=False,
        )

    async def __aenter__(self) -> Deliverer:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()
        self._leases.close()

    async def deliver(self, message_id: uuid.UUID) -> Attempt | None:
        """Makes one attempt. None when there is nothing to do: the message is delivered, given up, not due yet,
        removed, waits for a disabled endpoint, or another worker is at it.

        Raises:
            DatabaseUnavailable: the message stays as it was, and due.
        """
        if not await asyncio.to_thread(self._leases.take, str(message_id)):
            return None
        try:
            letter = await asyncio.to_thread(self._load, message_id)
            if letter is None:
                return None
            attempt = await self._send(letter)
            await asyncio.to_thread(self._record, letter, attempt)
            return attempt
        finally:
            await asyncio.to_thread(self._leases.give_back, str(message_id))

    def _load(self, message_id: uuid.UUID) -> _Letter | None:
        with self._database.transaction() as session:
            row = session.execute(
                select(
                    OutboxMessage.id,
                    OutboxMessage.endpoint_id,
                    WebhookEndpoint.url,
                    WebhookEndpoint.secret_sealed,
                    OutboxMessage.payload,
                    OutboxMessage.event,
                    OutboxMessage.attempts,
                )
                .join(WebhookEndpoint, WebhookEndpoint.id == OutboxMessage.endpoint_id)
                .where(
                    OutboxMessage.id == message_id,
                    OutboxMessage.state == MessageState.PENDING.value,
                    OutboxMessage.next_attempt_at <= func.now(),
                    WebhookEndpoint.enabled,
                )
            ).one_or_none()
        if row is None:
            return None
        return _Letter(
            row.id, row.endpoint_id, row.url, row.secret_sealed, _body(row.payload), row.event, row.attempts
        )

    async def _send(self, letter: _Letter) -> Attempt:
        try:
            headers = self._signed_headers(letter)
        except EvidenceTampered as error:
            return Attempt(None, error.message)
        status, pause = None, None
        try:
            # The client's own timeout is for each read; this one is for all of it, so that nobody can drip.
            async with (
                asyncio.timeout(self._settings.webhook_timeout_s),
                self._client.stream("POST", letter.url, content=letter.body.encode(), headers=headers) as answer,
            ):
                status, pause = answer.status_code, _retry_after_s(answer)
                await _read_some(answer)
        except (TimeoutError, httpx.HTTPError) as error:
            # Once the status is there, what becomes of the body changes nothing.
            if status is None:
                return Attempt(None, _in_words(error))
        return Attempt(status, retry_after_s=pause)

    def _signed_headers(self, letter: _Letter) -> dict[str, str]:
        secret = endpoints.open_secret(self._master_key, letter.url, letter.secret_sealed)
        sent_at = datetime.now(UTC)
        return {
            "content-type": "application/json",
            "user-agent": f"Seawall/{__version__}",
            "webhook-id": str(letter.message_id),
            "webhook-timestamp": str(int(sent_at.timestamp())),
            "webhook-signature": Webhook(secret).sign(str(letter.message_id), sent_at, letter.body),
        }

    def _record(self, letter: _Letter, attempt: Attempt) -> None:
        made = letter.attempts + 1
        then = after(attempt, made, self._settings.webhook_attempts, self._chance())
        with self._database.transaction() as session:
            # Only where nothing has changed meanwhile, so that a replay that was asked for in between is not lost.
            session.execute(
                update(OutboxMessage)
                .where(
                    OutboxMessage.id == letter.message_id,
                    OutboxMessage.state == MessageState.PENDING.value,
                    OutboxMessage.attempts == letter.attempts,
                )
                .values(attempts=made, last_status=attempt.status, last_error=attempt.error, **_moved(then))
                .execution_options(synchronize_session=False)
            )
            if then.disable_endpoint:
                # Removed in between is as good as disabled.
                with contextlib.suppress(NotFound):
                    endpoints.set_enabled(session, letter.endpoint_id, False, SYSTEM)
        _tell(letter, attempt, then, made)


def _moved(then: Next) -> dict[str, Any]:
    columns: dict[str, Any] = {"state": then.state.value}
    if then.state is MessageState.DELIVERED:
        columns["delivered_at"] = func.now()
    if then.pause_s is not None:
        columns["next_attempt_at"] = func.now() + timedelta(seconds=then.pause_s)
    return columns


def _tell(letter: _Letter, attempt: Attempt, then: Next, made: int) -> None:
    facts = {
        "message": str(letter.message_id),
        "about": letter.event,
        "endpoint": letter.endpoint_id,
        "attempt": made,
        "status": attempt.status,
        "error": attempt.error,
    }
    if then.state is MessageState.DELIVERED:
        log.debug("webhook.delivered", **facts)
    elif then.state is MessageState.FAILED:
        log.error("webhook.given_up", **facts, advice=f"seawall webhooks replay {letter.message_id}")
    else:
        log.warning("webhook.not_delivered", **facts, next_in_s=round(then.pause_s or 0))
    if then.disable_endpoint:
        log.error("webhook.endpoint_disabled", **facts, advice="The receiver answered 410 Gone.")


def _body(payload: dict[str, Any]) -> str:
    """The same text for the same payload, at every attempt."""
    return json.dumps(payload, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


async def _read_some(answer: httpx.Response) -> None:
    read = 0
    async for piece in answer.aiter_raw():
        read += len(piece)
        if read > LONGEST_ANSWER:
            return


def _retry_after_s(answer: httpx.Response) -> float | None:
    text = answer.headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _in_words(error: Exception) -> str:
    words = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return words.replace("\x00", "\ufffd")[:LONGEST_ERROR]
