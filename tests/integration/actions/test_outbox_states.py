"""Whatever order things happen in: nothing put is forgotten, and nothing delivered goes out by itself again."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text

from seawall.actions import endpoints, outbox
from seawall.actions.delivery import Deliverer
from seawall.actions.schedule import MessageState
from tests.integration.actions.conftest import OPERATOR, Post
from tests.integration.actions.receiver import Receiver

ALLOWED = 3


@dataclass
class Expected:
    """The model of one message."""

    state: MessageState = MessageState.PENDING
    attempts: int = 0
    due: bool = True
    arrived: int = 0


def test_outbox_states(post: Post, receiver: Receiver) -> None:
    post.settings = post.settings.model_copy(update={"webhook_attempts": ALLOWED})
    post.add(receiver.url)
    with asyncio.Runner() as runner:
        deliverer: Deliverer = post.deliverer()

        class Outbox(RuleBasedStateMachine):
            def __init__(self) -> None:
                super().__init__()
                self.model: dict[uuid.UUID, Expected] = {}
                self.enabled = True
                receiver.received.clear()
                with post.database.transaction() as session:
                    session.execute(text("DELETE FROM outbox"))
                    session.execute(text("DELETE FROM procrastinate_jobs"))
                    session.execute(text("UPDATE webhook_endpoints SET enabled = true"))

            @rule()
            def put(self) -> None:
                messages = post.put()
                assert len(messages) == (1 if self.enabled else 0)
                self.model.update((message, Expected()) for message in messages)

            @precondition(lambda self: self.model)
            @rule(pick=st.integers(0, 5), status=st.sampled_from([200, 204, 500, 404, 410]))
            def attempt(self, pick: int, status: int) -> None:
                message = self.pick(pick)
                expected = self.model[message]
                receiver.status = status
                attempt = runner.run(deliverer.deliver(message))
                may_go = expected.state is MessageState.PENDING and expected.due and self.enabled
                assert (attempt is not None) == may_go
                if may_go:
                    self.follow(expected, status)

            def follow(self, expected: Expected, status: int) -> None:
                expected.attempts += 1
                expected.arrived += 1
                if status < 300:
                    expected.state = MessageState.DELIVERED
                elif expected.attempts >= ALLOWED:
                    expected.state = MessageState.FAILED
                else:
                    expected.due = False
                self.enabled = self.enabled and status != 410

            @rule()
            def wait_long(self) -> None:
                post.make_due()
                for expected in self.model.values():
                    expected.due = True

            @precondition(lambda self: self.model and self.enabled)
            @rule(pick=st.integers(0, 5))
            def replay(self, pick: int) -> None:
                message = self.pick(pick)
                with post.database.transaction() as session:
                    outbox.replay(session, message, OPERATOR)
                kept = self.model[message].arrived
                self.model[message] = Expected(arrived=kept)

            @rule(enabled=st.booleans())
            def switch(self, enabled: bool) -> None:
                with post.database.transaction() as session:
                    endpoints.set_enabled(session, endpoints.find(session, receiver.url), enabled, OPERATOR)
                self.enabled = enabled

            @rule()
            def lose_all_jobs(self) -> None:
                post.drop_jobs()

            @rule()
            def sweep_after_a_while(self) -> None:
                self.wait_long()
                post.sweep()
                waiting = set(post.waiting_jobs())
                for message, expected in self.model.items():
                    if expected.state is MessageState.PENDING and self.enabled:
                        assert str(message) in waiting, "a pending message has a job after a sweep"

            @invariant()
            def table_and_receiver_agree_with_the_model(self) -> None:
                for message, expected in self.model.items():
                    row = post.get(message)
                    assert (row.state, row.attempts) == (expected.state, expected.attempts)
                    assert (row.delivered_at is not None) == (expected.state is MessageState.DELIVERED)
                    assert receiver.ids.count(str(message)) == expected.arrived

            def pick(self, number: int) -> uuid.UUID:
                return list(self.model)[number % len(self.model)]

        run_state_machine_as_test(
            Outbox,
            settings=settings(
                max_examples=15,
                stateful_step_count=25,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
        runner.run(deliverer.__aexit__(None, None, None))
