"""One attempt after the other, against a receiver that really answers, or really does not."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
import uuid
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import text, update
from standardwebhooks.webhooks import WebhookVerificationError

from seawall.actions import endpoints, outbox
from seawall.actions.schedule import MessageState
from seawall.database.leases import Leases
from seawall.database.locks import Lock
from seawall.database.tables import OutboxMessage, now
from seawall.errors import Conflict, DatabaseUnavailable, NotFound
from seawall.records import EventType
from tests.integration.actions.conftest import DATA, OPERATOR, Post
from tests.integration.actions.receiver import Received, Receiver, listening

# ---------------------------------------------------------------------------------------------------- what arrives


def test_a_message_arrives_once_signed_and_whole(post: Post, receiver: Receiver) -> None:
    secret = post.add(receiver.url)
    (message,) = post.put()
    assert [attempt.status for attempt in post.deliver(message) if attempt] == [200]
    (one,) = receiver.received
    said = one.verified(secret)
    assert said["type"] == "content.hold"
    assert said["data"] == DATA
    assert one.message_id == str(message)
    assert one.headers["content-type"] == "application/json"
    assert one.headers["user-agent"].startswith("Seawall/")
    row = post.get(message)
    assert (row.state, row.attempts, row.last_status) == (MessageState.DELIVERED, 1, 200)
    assert row.delivered_at is not None
    assert post.deliver(message) == [None]
    assert len(receiver.received) == 1


def test_a_changed_message_does_not_verify(post: Post, receiver: Receiver) -> None:
    secret = post.add(receiver.url)
    (message,) = post.put()
    post.deliver(message)
    (one,) = receiver.received
    changed = Received(one.headers, one.body.replace(b"test-1", b"test-2"), one.at)
    stale = Received({**one.headers, "webhook-timestamp": str(int(time.time()) - 600)}, one.body, one.at)
    renamed = Received({**one.headers, "webhook-id": str(uuid.uuid4())}, one.body, one.at)
    for forged in (changed, stale, renamed):
        with pytest.raises(WebhookVerificationError):
            forged.verified(secret)
    with pytest.raises(WebhookVerificationError):
        one.verified(endpoints._new_secret())


def test_id_and_payload_stay_the_same_over_attempts(post: Post, receiver: Receiver) -> None:
    secret = post.add(receiver.url)
    (message,) = post.put()
    receiver.status = 500
    post.deliver(message)
    post.make_due()
    receiver.status = 200
    post.deliver(message)
    first, second = receiver.received
    assert first.body == second.body
    assert first.message_id == second.message_id
    assert second.verified(secret) == json.loads(first.body)


def test_each_endpoint_gets_its_own_message_and_signature(post: Post, receiver: Receiver) -> None:
    with listening() as other:
        secrets = [post.add(receiver.url), post.add(other.url)]
        messages = post.put(EventType.ACCOUNT_RESTRICT)
        assert len(set(messages)) == 2
        post.deliver(*messages)
        assert receiver.received[0].verified(secrets[0])["type"] == "account.restrict"
        assert other.received[0].verified(secrets[1])["type"] == "account.restrict"
        with pytest.raises(WebhookVerificationError):
            other.received[0].verified(secrets[0])


# -------------------------------------------------------------------------------------------- what does not arrive


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404, 429, 500, 503])
def test_other_answers_are_tried_again_later(post: Post, receiver: Receiver, status: int) -> None:
    receiver.status = status
    receiver.headers = {"location": receiver.url + "/elsewhere"}
    post.add(receiver.url)
    (message,) = post.put()
    before = now()
    post.deliver(message)
    row = post.get(message)
    assert (row.state, row.attempts, row.last_status) == (MessageState.PENDING, 1, status)
    assert row.next_attempt_at >= before + timedelta(seconds=4)
    assert len(receiver.received) == 1, "redirects are not followed"
    assert post.deliver(message) == [None], "not due yet"


def test_pauses_grow_from_attempt_to_attempt(post: Post, receiver: Receiver) -> None:
    receiver.status = 500
    post.add(receiver.url)
    (message,) = post.put()
    pauses = []
    for _ in range(4):
        post.make_due()
        before = now()
        post.deliver(message)
        pauses.append((post.get(message).next_attempt_at - before).total_seconds())
    assert [round(pause / 5) for pause in pauses] == [1, 3, 9, 27]


def test_a_pause_that_the_receiver_asks_for_is_kept(post: Post, receiver: Receiver) -> None:
    receiver.status = 429
    receiver.headers = {"retry-after": "3600"}
    post.add(receiver.url)
    (message,) = post.put()
    post.deliver(message)
    assert post.get(message).next_attempt_at > now() + timedelta(minutes=50)


def test_after_the_last_attempt_a_message_is_given_up(post: Post, receiver: Receiver) -> None:
    post.settings = post.settings.model_copy(update={"webhook_attempts": 3})
    receiver.status = 500
    post.add(receiver.url)
    (message,) = post.put()
    for _ in range(5):
        post.make_due()
        post.deliver(message)
    row = post.get(message)
    assert (row.state, row.attempts) == (MessageState.FAILED, 3)
    assert len(receiver.received) == 3
    post.drop_jobs()
    assert post.sweep() == 0


def test_nobody_listens(post: Post) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        post.add(f"http://127.0.0.1:{taken.getsockname()[1]}/hook")
        (message,) = post.put()
        (attempt,) = post.deliver(message)
    assert attempt is not None
    assert attempt.status is None
    row = post.get(message)
    assert (row.state, row.attempts, row.last_status) == (MessageState.PENDING, 1, None)
    assert "ConnectError" in (row.last_error or "")


def test_a_receiver_that_never_answers(post: Post, receiver: Receiver) -> None:
    post.settings = post.settings.model_copy(update={"webhook_timeout_s": 0.3})
    release = threading.Event()
    receiver.before_answer = lambda _: release.wait(120) and None
    post.add(receiver.url)
    (message,) = post.put()
    (attempt,) = post.deliver(message)
    release.set()
    assert attempt is not None
    assert "Time" in (attempt.error or "")
    assert post.get(message).state is MessageState.PENDING


def test_a_receiver_that_drips_is_cut_off(post: Post) -> None:
    """Each byte comes in time; all of them together do not."""
    post.settings = post.settings.model_copy(update={"webhook_timeout_s": 0.5})
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            connection, _ = server.accept()
            with connection:
                while not stop.wait(0.1):
                    try:
                        connection.sendall(b"x")
                    except OSError:
                        return

        thread = threading.Thread(target=drip)
        thread.start()
        post.add(f"http://127.0.0.1:{server.getsockname()[1]}/hook")
        (message,) = post.put()
        (attempt,) = post.deliver(message)
        stop.set()
        thread.join()
    assert attempt is not None
    assert attempt.status is None
    assert post.get(message).state is MessageState.PENDING


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 999999 ?\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n",
        b"\x00\xff" * 100,
    ],
)
def test_a_receiver_that_speaks_no_http(post: Post, answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def speak() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

        thread = threading.Thread(target=speak)
        thread.start()
        post.add(f"http://127.0.0.1:{server.getsockname()[1]}/hook")
        (message,) = post.put()
        (attempt,) = post.deliver(message)
        thread.join()
    assert attempt is not None
    assert not attempt.delivered
    assert post.get(message).state is MessageState.PENDING


def test_a_long_answer_is_not_read_to_its_end(post: Post, receiver: Receiver) -> None:
    receiver.body = b"x" * 50_000_000
    post.add(receiver.url)
    (message,) = post.put()
    post.deliver(message)
    assert post.get(message).state is MessageState.DELIVERED


def test_the_environments_proxy_is_not_used(post: Post, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    post.add(receiver.url)
    (message,) = post.put()
    post.deliver(message)
    assert post.get(message).state is MessageState.DELIVERED


# ------------------------------------------------------------------------------------------------------- endpoints


def test_gone_disables_the_endpoint_and_keeps_the_message(post: Post, receiver: Receiver) -> None:
    receiver.status = 410
    post.add(receiver.url)
    (message,) = post.put()
    post.deliver(message)
    with post.database.transaction() as session:
        (endpoint,) = endpoints.list_endpoints(session)
        assert not endpoint.enabled
        assert endpoint.pending == 1
    assert post.put() == []
    post.make_due()
    post.drop_jobs()
    assert post.deliver(message) == [None]
    assert post.sweep() == 0
    receiver.status = 200
    with post.database.transaction() as session:
        endpoints.set_enabled(session, endpoint.endpoint_id, True, OPERATOR)
    assert post.sweep() == 1
    post.deliver(message)
    assert post.get(message).state is MessageState.DELIVERED


def test_an_endpoint_removed_while_its_message_travels(post: Post, receiver: Receiver) -> None:
    def remove(_: Received) -> None:
        with post.database.transaction() as session:
            endpoints.remove(session, endpoints.find(session, receiver.url), OPERATOR)

    receiver.status = 410
    receiver.before_answer = remove
    post.add(receiver.url)
    (message,) = post.put()
    post.deliver(message)
    with pytest.raises(NotFound):
        post.get(message)


def test_an_endpoint_cannot_go_between_its_message_and_the_commit(post: Post, receiver: Receiver) -> None:
    post.add(receiver.url)
    removed = threading.Event()

    def remove() -> None:
        with post.database.transaction() as session:
            endpoints.remove(session, endpoints.find(session, receiver.url), OPERATOR)
        removed.set()

    with post.database.transaction() as session:
        outbox.put(session, EventType.CONTENT_HOLD, DATA)
        thread = threading.Thread(target=remove)
        thread.start()
        assert not removed.wait(0.3)
    thread.join()
    assert removed.is_set()


# --------------------------------------------------------------------------------------------- transactions and jobs


def test_message_and_job_are_committed_together(post: Post, receiver: Receiver) -> None:
    post.add(receiver.url)
    (message,) = post.put()
    assert post.waiting_jobs() == [str(message)]
    assert post.get(message).state is MessageState.PENDING


def test_a_rollback_leaves_neither_message_nor_job(post: Post, receiver: Receiver) -> None:
    post.add(receiver.url)
    with pytest.raises(ZeroDivisionError), post.database.transaction() as session:
        outbox.put(session, EventType.CONTENT_HOLD, DATA)
        raise ZeroDivisionError
    assert post.waiting_jobs() == []
    with post.database.transaction() as session:
        assert outbox.recent(session) == []
        assert outbox.counts(session) == dict.fromkeys(MessageState, 0)


def test_without_endpoints_there_is_nothing_to_tell(post: Post) -> None:
    assert post.put() == []


def test_the_sweep_brings_back_what_has_no_job(post: Post, receiver: Receiver) -> None:
    post.add(receiver.url)
    (message,) = post.put()
    post.make_due()
    assert post.sweep() == 0, "its job waits"
    post.drop_jobs()
    assert post.sweep() == 1
    assert post.sweep() == 0
    assert post.waiting_jobs() == [str(message)]


def test_the_sweep_leaves_alone_what_is_on_its_way(post: Post, receiver: Receiver) -> None:
    post.add(receiver.url)
    (message,) = post.put()
    post.make_due()
    post.drop_jobs()
    leases = Leases(post.database.url, Lock.DELIVERY)
    assert leases.take(str(message))
    assert post.sweep() == 0
    leases.give_back(str(message))
    assert post.sweep() == 1
    leases.close()


def test_what_is_told_again_goes_after_what_is_told_first(post: Post, receiver: Receiver) -> None:
    receiver.status = 500
    post.add(receiver.url)
    (old,) = post.put()
    post.deliver(old)
    post.make_due()
    post.drop_jobs()
    post.sweep()
    (new,) = post.put()
    assert post.waiting_jobs() == [str(new), str(old)]


# --------------------------------------------------------------------------------------------------- many workers


def test_two_workers_never_deliver_one_message_at_once(post: Post, receiver: Receiver) -> None:
    release = threading.Event()
    receiver.before_answer = lambda _: release.wait(120) and None
    post.add(receiver.url)
    (message,) = post.put()

    async def race() -> list[object]:
        async with post.deliverer() as one, post.deliverer() as other:
            first = asyncio.create_task(one.deliver(message))
            await asyncio.to_thread(receiver.wait_for, 1)
            losers = await asyncio.gather(*(worker.deliver(message) for worker in (one, other, one, other)))
            release.set()
            assert (await first) is not None
            return list(losers)

    assert asyncio.run(race()) == [None] * 4
    assert len(receiver.received) == 1
    assert post.get(message).attempts == 1


def test_many_workers_share_many_messages(post: Post, receiver: Receiver) -> None:
    post.add(receiver.url)
    messages = [post.put()[0] for _ in range(30)]

    async def work() -> None:
        async with post.deliverer() as one, post.deliverer() as other:
            await asyncio.gather(*(worker.deliver(message) for message in messages for worker in (one, other, one)))

    asyncio.run(work())
    assert sorted(receiver.ids) == sorted(map(str, messages))


def test_a_lease_ends_with_its_connection(post: Post) -> None:
    message = uuid.uuid4()
    dying, waiting = Leases(post.database.url, Lock.DELIVERY), Leases(post.database.url, Lock.DELIVERY)
    assert dying.take(str(message))
    assert not dying.take(str(message))
    assert not waiting.take(str(message))
    with psycopg.connect(post.database.url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE application_name = 'seawall-leases' AND datname = current_database() "
            "AND pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory')"
        )
    assert waiting.take(str(message))
    dying.give_back(str(message))
    with pytest.raises(DatabaseUnavailable):
        Leases("postgresql://nobody@127.0.0.1:1/none", Lock.DELIVERY).take(str(message))
    other = uuid.uuid4()
    assert dying.take(str(other)), "a broken connection is made anew"
    dying.close()
    waiting.close()


# ---------------------------------------------------------------------------------------------------------- replay


def test_a_failed_message_can_be_replayed(post: Post, receiver: Receiver) -> None:
    post.settings = post.settings.model_copy(update={"webhook_attempts": 1})
    receiver.status = 500
    secret = post.add(receiver.url)
    (message,) = post.put()
    post.deliver(message)
    assert post.get(message).state is MessageState.FAILED
    receiver.status = 200
    post.drop_jobs()
    with post.database.transaction() as session:
        outbox.replay(session, message, OPERATOR)
    assert post.waiting_jobs() == [str(message)]
    post.deliver(message)
    row = post.get(message)
    assert (row.state, row.attempts) == (MessageState.DELIVERED, 1)
    first, second = receiver.received
    assert first.message_id == second.message_id
    assert second.verified(secret)


def test_a_replay_that_is_asked_for_during_the_last_attempt_is_not_lost(post: Post, receiver: Receiver) -> None:
    post.settings = post.settings.model_copy(update={"webhook_attempts": 2})
    receiver.status = 500
    post.add(receiver.url)
    (message,) = post.put()
    post.deliver(message)
    post.make_due()

    def replay(_: Received) -> None:
        with post.database.transaction() as session:
            outbox.replay(session, message, OPERATOR)

    receiver.before_answer = replay
    post.deliver(message)
    row = post.get(message)
    assert (row.state, row.attempts) == (MessageState.PENDING, 0)


def test_what_cannot_be_replayed(post: Post, receiver: Receiver) -> None:
    with post.database.transaction() as session, pytest.raises(NotFound):
        outbox.replay(session, uuid.uuid4(), OPERATOR)
    post.add(receiver.url)
    (message,) = post.put()
    with post.database.transaction() as session:
        endpoints.set_enabled(session, post.get(message).endpoint_id, False, OPERATOR)
    with post.database.transaction() as session, pytest.raises(Conflict):
        outbox.replay(session, message, OPERATOR)


def test_recent_and_counts(post: Post, receiver: Receiver) -> None:
    post.add(receiver.url)
    for _ in range(3):
        post.put()
        time.sleep(0.002)
    newest = post.put()[0]
    post.deliver(newest)
    with post.database.transaction() as session:
        listed = outbox.recent(session)
        assert listed[0].message_id == newest
        assert listed[0].url == receiver.url
        assert len(outbox.recent(session, limit=2)) == 2
        assert len(outbox.recent(session, state=MessageState.PENDING)) == 3
        assert outbox.recent(session, case_id=1) == []
        assert outbox.counts(session) == {
            MessageState.PENDING: 3,
            MessageState.DELIVERED: 1,
            MessageState.FAILED: 0,
        }


def test_a_database_that_goes_away_after_the_answer_leads_to_a_second_delivery(
    post: Post, receiver: Receiver
) -> None:
    """At least once: what could not be written down as delivered is delivered again, under the same id."""

    def hold_row(_: Received) -> None:
        post.database.engine.dispose()
        with psycopg.connect(post.database.url, autocommit=True) as connection:
            connection.execute("ALTER TABLE outbox RENAME TO outbox_away")

    post.add(receiver.url)
    (message,) = post.put()
    receiver.before_answer = hold_row
    with pytest.raises(Exception, match="outbox"):
        post.deliver(message)
    with psycopg.connect(post.database.url, autocommit=True) as connection:
        connection.execute("ALTER TABLE outbox_away RENAME TO outbox")
    receiver.before_answer = lambda _: None
    assert post.get(message).state is MessageState.PENDING
    post.deliver(message)
    assert receiver.ids == [str(message)] * 2
    assert post.get(message).state is MessageState.DELIVERED


def test_a_payload_keeps_every_kind_of_value(post: Post, receiver: Receiver) -> None:
    secret = post.add(receiver.url)
    data: dict[str, object] = {
        "text": '\u2028 \U0001f30a " \\ \x7f',
        "none": None,
        "list": [{"n": 2**53, "f": 0.25}],
    }
    with post.database.transaction() as session:
        (message,) = outbox.put(session, EventType.CONTENT_BLOCK, data)
    post.deliver(message)
    assert receiver.received[0].verified(secret)["data"] == data


def test_an_old_message_is_signed_with_the_time_of_the_attempt(post: Post, receiver: Receiver) -> None:
    secret = post.add(receiver.url)
    (message,) = post.put()
    with post.database.transaction() as session:
        session.execute(update(OutboxMessage).values(created_at=now() - timedelta(days=3)))
        session.execute(
            text("UPDATE outbox SET payload = jsonb_set(payload, '{timestamp}', '\"2020-01-01T00:00:00Z\"')")
        )
    post.deliver(message)
    assert receiver.received[0].verified(secret)["timestamp"] == "2020-01-01T00:00:00Z"
