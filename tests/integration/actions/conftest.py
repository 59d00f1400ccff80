"""An endpoint that really listens, and a deliverer that really sends."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from sqlalchemy import text

from seawall.actions import endpoints, outbox
from seawall.actions.delivery import Deliverer
from seawall.actions.outbox import MessageListing
from seawall.actions.schedule import Attempt
from seawall.database.sessions import Database
from seawall.evidence.master_key import MasterKey
from seawall.records import Actor, EventType
from seawall.settings import Settings
from tests.integration.actions.receiver import Receiver, listening

OPERATOR = Actor("cli", "test")
DATA = {"content_id": "test-1", "account_id": "test-äccount", "case_id": 7, "test": True}


@dataclass
class Post:
    """What a test of deliveries needs at hand."""

    database: Database
    settings: Settings
    master_key: MasterKey

    def add(self, url: str, secret: str | None = None) -> str:
        with self.database.transaction() as session:
            return endpoints.add(session, self.master_key, url, actor=OPERATOR, secret=secret)

    def put(self, event: EventType = EventType.CONTENT_HOLD) -> list[uuid.UUID]:
        with self.database.transaction() as session:
            return outbox.put(session, event, DATA)

    def get(self, message_id: uuid.UUID) -> MessageListing:
        with self.database.transaction() as session:
            return outbox.get(session, message_id)

    def deliver(self, *message_ids: uuid.UUID) -> list[Attempt | None]:
        """One attempt for each, all at once, in one worker."""

        async def run() -> list[Attempt | None]:
            async with self.deliverer() as deliverer:
                return await asyncio.gather(*map(deliverer.deliver, message_ids))

        return asyncio.run(run())

    def deliverer(self) -> Deliverer:
        return Deliverer(self.database, self.master_key, self.settings, chance=lambda: 0.5)

    def make_due(self) -> None:
        """As if the pauses were over."""
        with self.database.transaction() as session:
            session.execute(text("UPDATE outbox SET next_attempt_at = now() - interval '1 minute'"))

    def waiting_jobs(self) -> list[str]:
        with self.database.transaction() as session:
            rows = session.execute(
                text(
                    "SELECT args->>'message_id' FROM procrastinate_jobs "
                    "WHERE status = 'todo' AND task_name = 'actions.deliver' ORDER BY priority DESC, id"
                )
            )
            return [str(row[0]) for row in rows]

    def drop_jobs(self) -> None:
        """As if every job had been lost."""
        with self.database.transaction() as session:
            session.execute(text("DELETE FROM procrastinate_jobs"))

    def sweep(self) -> int:
        with self.database.transaction() as session:
            return outbox.sweep(session)


@pytest.fixture
def post(database: Database, settings: Settings) -> Post:
    return Post(database, settings, MasterKey(os.urandom(32)))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening() as receiver:
        yield receiver
