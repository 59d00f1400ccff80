"""`seawall webhooks`, as it is typed."""

from __future__ import annotations

import base64
import os
import re

import pytest

from seawall.actions import endpoints, outbox
from seawall.actions.schedule import MessageState
from seawall.records import EventType
from tests.integration.access.command import seawall
from tests.integration.actions.conftest import DATA, Post
from tests.integration.actions.receiver import Receiver


def run(post: Post, *args: str, given: str = "", **variables: str) -> tuple[int, str, str]:
    done = seawall(post.database, post.settings, "webhooks", *args, given=given, **variables)
    return done.returncode, done.stdout, done.stderr


def test_an_endpoint_is_added_tested_and_removed(post: Post, receiver: Receiver) -> None:
    status, secret, said = run(post, "add", receiver.url)
    assert status == 0, said
    secret = secret.strip()
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/=]{44}", secret)
    status, out, _ = run(post, "test", "1")
    assert (status, out) == (0, "Taken, with status 200.\n")
    assert receiver.received[0].verified(secret)["type"] == "webhook.test"
    receiver.status = 503
    status, _, said = run(post, "test", receiver.url)
    assert (status, said.splitlines()[-1]) == (1, "Not taken: status 503.")
    status, out, _ = run(post, "list")
    assert receiver.url in out
    assert secret not in out
    assert run(post, "disable", "1")[0] == 0
    assert run(post, "test", "1")[0] == 6
    assert run(post, "enable", "1")[0] == 0
    assert run(post, "remove", "1")[0] == 0
    with post.database.transaction() as session:
        assert endpoints.list_endpoints(session) == []


@pytest.mark.parametrize("way", ["stdin", "variable"])
def test_a_secret_that_is_there_already_is_never_an_argument(post: Post, receiver: Receiver, way: str) -> None:
    given = "whsec_" + base64.b64encode(os.urandom(32)).decode()
    if way == "stdin":
        status, out, said = run(post, "add", receiver.url, "--secret-stdin", given=given + "\n")
    else:
        status, out, said = run(post, "add", receiver.url, SEAWALL_WEBHOOK_SECRET=given)
    assert status == 0, said
    assert given not in out + said
    assert run(post, "test", "1")[0] == 0
    assert receiver.received[0].verified(given)


def test_a_message_is_replayed(post: Post, receiver: Receiver) -> None:
    assert run(post, "add", receiver.url)[0] == 0
    with post.database.transaction() as session:
        (message,) = outbox.put(session, EventType.CONTENT_HOLD, DATA)
    assert run(post, "replay", str(message))[0] == 0
    assert post.get(message).state is MessageState.PENDING
    with post.database.transaction() as session:
        assert outbox.counts(session)[MessageState.PENDING] == 1
    assert post.waiting_jobs() == [str(message)]


@pytest.mark.parametrize(
    "args",
    [
        ("add", "http://platform.example/hook"),
        ("add", "https://user:password@platform.example/"),
        ("remove", "7"),
        ("replay", "nonsense"),
        ("replay", "0b6c2f0e-4c39-4d0e-9b2f-3f6c1f0a7d11"),
    ],
)
def test_mistakes_are_told(post: Post, args: tuple[str, ...]) -> None:
    status, _, said = run(post, *args)
    assert status == 6, said
    assert "Traceback" not in said
