"""Messages over real HTTP and a real PostgreSQL: late, twice, in any order, many at once."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text

from seawall import flow
from seawall.actions import endpoints
from seawall.conversation_records import MessageArrival
from seawall.database.tables import (
    AuditEvent,
    Case,
    Conversation,
    ConversationMessage,
    OutboxMessage,
    now,
)
from seawall.errors import NotFound
from seawall.gateways.http.message_answers import JudgedMessageAnswer
from seawall.grooming import message_store
from seawall.grooming.risk import ConversationRisk
from seawall.records import SYSTEM, Outcome
from tests.integration.gateways.conftest import Api
from tests.integration.gateways.conversing import (
    EXTORTION,
    GROUND,
    HARMLESS,
    LURING,
    NUMBERS,
    ages,
    case_of,
    reviewer,
    send,
    talk,
)
from tests.integration.gateways.material import refused


@pytest.fixture(scope="module")
def more_settings() -> dict[str, object]:
    return {"private_channels": f"GB/message={GROUND}", "message_keep_count": 20}


def test_a_conversation_is_answered_step_by_step_and_comes_to_a_person(api: Api) -> None:
    ages(api, "luring")
    answers = [send(api, [each])[0] for each in talk("luring", LURING)]
    assert [answer.number for answer in answers] == [1, 2, 3, 4, 5, 6]
    assert [answer.intervention for answer in answers[:4]] == ["nothing"] * 4
    fifth, last = answers[4:]
    assert fifth.intervention == "review"
    assert {"prompt", "friction", "mask_handle", "block_media"} <= set(fifth.interventions)
    assert fifth.prompt is not None
    assert (fifth.prompt.accounts, fifth.prompt.code, fifth.prompt.language) == (["luring-c"], "secrecy", "en")
    assert "asked to keep it secret, message 5" in {reason.says for reason in fifth.reasons}
    assert {rule.rule for rule in fifth.rules} >= {"warn-a-child", "look-at-a-conversation"}
    case, item, content = case_of(api, "luring")
    assert (case.id, case.state, case.urgent, item.state) == (fifth.case_id, "open", False, "pending")
    assert (content.content_id, content.sha256, content.size) == ("conversation:luring", None, None)
    assert last.case_id == case.id, "a new reason goes into the case that is open"
    assert "message 6" in item.findings[0]["explanation"]
    assert last.prompt is not None
    assert last.prompt.code == "moving"
    with api.runtime.database.transaction() as session:
        acts = session.scalars(select(AuditEvent.act).where(AuditEvent.subject == f"case:{case.id}")).all()
    assert list(acts) == ["conversation.review"] * 2


def test_a_message_that_comes_again_is_answered_as_before_and_changes_nothing(api: Api) -> None:
    told = talk("again", LURING)
    first = send(api, told)
    before = state_of(api, "again")
    again = send(api, list(reversed(told)))
    assert [each.replayed for each in first] == [False] * len(told)
    assert [each.replayed for each in again] == [True] * len(told)
    assert [each.model_dump(exclude={"replayed"}) for each in reversed(again)] == [
        each.model_dump(exclude={"replayed"}) for each in first
    ]
    assert state_of(api, "again") == before
    twice = send(api, [told[0] | {"message_id": "again-new"}] * 2)
    assert twice[0] == twice[1], "twice in one batch is once"


def state_of(api: Api, name: str) -> tuple[int, Any]:
    with api.runtime.database.transaction() as session:
        row = session.get_one(Conversation, name)
        return row.messages, row.state


def test_extortion_for_money_is_urgent_at_once(api: Api) -> None:
    ages(api, "extortion", other="16_to_17")
    answers = send(api, talk("extortion", EXTORTION, language="de-AT"))
    last = answers[-1]
    assert last.financial
    assert last.intervention == "urgent"
    assert "restrict" in last.interventions
    assert last.prompt is not None
    assert (last.prompt.code, last.prompt.language) == ("extortion", "de")
    case, item, _content = case_of(api, "extortion")
    assert case.urgent
    assert item.findings[0]["explanation"].startswith("Extortion for money. ")


def test_the_same_among_adults_is_left_alone(api: Api) -> None:
    ages(api, "grown", other="adult")
    told = talk("grown", (*LURING[:1], ("c", "why do you ask"), *LURING[2:], *LURING[4:]))
    answers = send(api, told)
    assert {answer.intervention for answer in answers} == {"nothing"}
    assert answers[-1].risk > 0.6


@pytest.mark.parametrize("source", [None, "declared", "estimated"])
def test_a_child_who_registered_as_an_adult_and_says_otherwise_may_be_one(api: Api, source: str | None) -> None:
    here, elsewhere = f"here-{source}", f"elsewhere-{source}"
    told = {"age_band": "adult"} | ({"age_source": source} if source else {})
    accounts = [
        {"account_id": f"{here}-c", **told},
        {"account_id": f"{elsewhere}-c", "said_band": "13_to_15", **told},
    ]
    assert api.client.post("/v1/accounts", json={"items": accounts}).is_success
    fifth = send(api, talk(here, LURING[:5]))[-1]
    assert fifth.intervention == "review"
    assert fifth.prompt is not None
    assert fifth.prompt.accounts == [f"{here}-c"]
    extorted = send(api, talk(elsewhere, EXTORTION))[-1]
    assert (extorted.intervention, extorted.prompt is not None) == ("urgent", True)


def test_who_is_proven_to_be_an_adult_is_one_whatever_they_say(api: Api) -> None:
    told = {"account_id": "proven-c", "age_band": "adult", "age_source": "verified", "said_band": "13_to_15"}
    assert api.client.post("/v1/accounts", json={"items": [told]}).is_success
    assert {answer.intervention for answer in send(api, talk("proven", LURING))} == {"nothing"}


def test_private_messages_are_not_looked_at_without_a_ground_in_writing(api: Api) -> None:
    told = talk("private", LURING, private=True)
    for more in ({}, {"jurisdiction": "DE"}, {"jurisdiction": "GB", "surface": "group"}):
        answers = send(api, [each | more for each in told])
        assert not any(answer.looked_at for answer in answers)
        assert {(answer.intervention, answer.risk, answer.number) for answer in answers} == {("nothing", 0, None)}
    with api.runtime.database.transaction() as session:
        assert session.get(Conversation, "private") is None, "nothing is kept of it"
    answers = send(api, [each | {"jurisdiction": "gb"} for each in told])
    assert all(answer.looked_at for answer in answers)
    assert answers[-1].intervention == "review"


def test_without_saying_so_a_message_is_private(api: Api) -> None:
    asked = {"conversation_id": "unsaid", "message_id": "1", "author": "a", "text": "hello"}
    answer = JudgedMessageAnswer.model_validate_json(api.client.post("/v1/messages", json=asked).content)
    assert not answer.looked_at


MESSAGE = {"conversation_id": "c", "message_id": "m", "author": "a", "text": "hello", "private": False}


@pytest.mark.parametrize(
    "change",
    [
        {"text": None},
        {"text": 7},
        {"text": "a" * 1_000_001},
        {"author": ""},
        {"author": "a\u0000"},
        {"message_id": "m" * 513},
        {"recipients": "b"},
        {"recipients": ["b"] * 65},
        {"recipients": [""]},
        {"private": "no"},
        {"jurisdiction": "Britain"},
        {"language": "English, please"},
        {"at": "2026-03-01T12:30:00"},
        {"at": "2199-01-01T00:00:00Z"},
        {"surface": "a b"},
        {"txt": "hello"},
    ],
)
def test_what_cannot_be_used_is_refused_and_nothing_kept(api: Api, change: dict[str, Any]) -> None:
    before = api.count(ConversationMessage)
    response = api.client.post("/v1/messages", json={"items": [MESSAGE, MESSAGE | change]})
    assert "items[1]" in refused(response, 422, "bad_input")
    assert api.count(ConversationMessage) == before


@pytest.mark.parametrize("said", ["", "\u0000", "\ud800 keep it secret", "x" * 1_000_000, "\u202e\u200b" * 3000])
def test_strange_texts_are_taken_with_bounded_work(api: Api, said: str) -> None:
    name = f"strange-{next(NUMBERS)}"
    body = MESSAGE | {"conversation_id": name, "text": said}
    response = api.client.post("/v1/messages", content=json.dumps(body), headers={"content-type": "application/json"})
    assert response.status_code == 200
    with api.runtime.database.transaction() as session:
        (kept,) = message_store.context(session, api.runtime.rooms.vault, name, author="a", most=9).messages
        assert kept.text is not None
        assert len(kept.text) <= 8005


def test_rows_and_texts_stay_bounded_and_whole_batches_can_be_sent_again(api: Api) -> None:
    told = talk("long", [("ac"[number % 2], HARMLESS[number % 4]) for number in range(1040)])
    send(api, told[:520])
    first = send(api, told[520:])
    again = send(api, told[520:])
    assert {each.replayed for each in again} == {True}
    assert [each.number for each in again] == [each.number for each in first] == list(range(521, 1041))
    with api.runtime.database.transaction() as session:
        rows = session.execute(
            select(ConversationMessage.number, ConversationMessage.sealed.is_not(None))
            .where(ConversationMessage.conversation_id == "long")
            .order_by(ConversationMessage.number)
        ).all()
        size = session.scalar(
            select(func.pg_column_size(Conversation.state)).where(Conversation.conversation_id == "long")
        )
    assert [number for number, _has_text in rows] == list(range(41, 1041))
    assert [number for number, has_text in rows if has_text] == list(range(1021, 1041))
    assert size is not None
    assert size < 4000
    assert send(api, talk("long", [("a", "one more")], message_id="long-1041"))[0].number == 1041


def test_two_requests_at_once_lose_nothing_and_count_each_message_once(api: Api) -> None:
    told = talk("crowd", [("ac"[number % 2], HARMLESS[number % 4]) for number in range(18)])
    other = talk("crowd-2", LURING)
    start, failed = threading.Barrier(4), []

    def work(mine: list[dict[str, Any]]) -> None:
        start.wait()
        for place in range(0, len(mine), 5):
            response = api.client.post("/v1/messages", json={"items": mine[place : place + 5]})
            if response.status_code != 200:
                failed.append(response.text)

    shares = (told[:12] + other, other + told[7:], list(reversed(told)), list(reversed(other)) + told)
    threads = [threading.Thread(target=work, args=(share,)) for share in shares]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert state_of(api, "crowd")[0] == len(told)
    assert state_of(api, "crowd-2")[0] == len(other)


def test_texts_are_forgotten_before_what_was_noticed(api: Api) -> None:
    send(api, talk("old", LURING))
    with api.runtime.database.transaction() as session:
        kept = message_store.context(session, api.runtime.rooms.vault, "old", author="old-a", most=99).messages
        assert [each.text for each in kept] == [said for _who, said in LURING]
        raw = session.scalars(select(ConversationMessage.sealed).filter_by(conversation_id="old")).all()
        assert not any(b"secret" in bytes(sealed or b"") for sealed in raw)
        for row in session.scalars(select(ConversationMessage).filter_by(conversation_id="old")):
            row.taken_at = now() - timedelta(days=31)
    month, year = timedelta(days=30), timedelta(days=365)
    with api.runtime.database.transaction() as session:
        assert message_store.forget(session, texts_after=month, conversations_after=year) == (len(LURING), 0)
        kept = message_store.context(session, api.runtime.rooms.vault, "old", author="old-a", most=99).messages
        assert {each.text for each in kept} == {None}
    assert state_of(api, "old")[0] == len(LURING)
    with api.runtime.database.transaction() as session:
        session.get_one(Conversation, "old").touched_at = now() - timedelta(days=365, hours=23)
    with api.runtime.database.transaction() as session:
        gone = message_store.forget(session, texts_after=month, conversations_after=year)
        assert gone == (0, 0), "when it was touched is known to the day"
    with api.runtime.database.transaction() as session:
        session.get_one(Conversation, "old").touched_at = now() - timedelta(days=366)
    with api.runtime.database.transaction() as session:
        assert message_store.forget(session, texts_after=month, conversations_after=year) == (0, 1)
        assert session.scalars(select(ConversationMessage.number).filter_by(conversation_id="old")).all() == []


def test_a_decision_goes_back_to_the_platform_and_only_something_new_brings_it_back(api: Api) -> None:
    with api.runtime.database.transaction() as session:
        endpoints.add(session, api.runtime.master_key, "http://127.0.0.1:9/hooks", actor=SYSTEM)
    ages(api, "decided")
    told = talk("decided", LURING)
    send(api, told[:5])
    case, item, _content = case_of(api, "decided")
    person = reviewer(api)
    context = flow.read_conversation(api.runtime.rooms, person, case.id, item.id)
    assert [message.text for message in context.messages] == [said for _who, said in LURING[:5]]
    assert context.noticed[5] == ["asked to keep it secret", "asked not to tell parents or anyone"]
    with pytest.raises(NotFound):
        flow.read_conversation(api.runtime.rooms, person, case.id + 1, item.id)
    flow.decide_item(api.runtime.rooms, person, item.id, Outcome.NOT_A_MATCH, "Test talk.")
    with api.runtime.database.transaction() as session:
        told_of = session.scalars(
            select(OutboxMessage).where(OutboxMessage.case_id == case.id).order_by(OutboxMessage.created_at)
        ).all()
        acts = session.scalars(select(AuditEvent.act).where(AuditEvent.subject == f"case:{case.id}")).all()
    assert [message.event for message in told_of] == ["conversation.review", "conversation.decided"]
    assert told_of[0].payload["data"]["urgent"] is False
    assert told_of[1].payload["data"] == {
        "conversation_id": "decided",
        "account_id": "decided-a",
        "surface": "message",
        "case_id": case.id,
        "outcome": "not_a_match",
        "test": False,
    }
    assert "conversation.read" in acts
    (calm,) = send(api, talk("decided", [("a", "ok")], message_id="decided-calm"))
    assert (calm.intervention, calm.case_id) == ("review", case.id), "nothing new: the case stays decided"
    (new,) = send(api, told[5:])
    assert new.case_id not in (None, case.id)
    with api.runtime.database.transaction() as session:
        states = session.scalars(select(Case.state).where(Case.account_id == "decided-a").order_by(Case.id)).all()
    assert list(states) == ["decided", "open"]


def test_texts_that_somebody_holds_are_forgotten_the_next_time(api: Api) -> None:
    send(api, talk("held", LURING))
    none, year = timedelta(0), timedelta(days=365)
    with api.runtime.database.transaction() as holding:
        holding.scalars(
            select(ConversationMessage).filter_by(conversation_id="held", number=2).with_for_update()
        ).one()
        with api.runtime.database.transaction() as session:
            session.execute(text("SET LOCAL lock_timeout = 1000"))
            message_store.forget(session, texts_after=none, conversations_after=year)
            kept = message_store.context(session, api.runtime.rooms.vault, "held", author="held-a", most=9).messages
    assert [each.number for each in kept if each.text is not None] == [2]
    with api.runtime.database.transaction() as session:
        assert message_store.forget(session, texts_after=none, conversations_after=year) == (1, 0)


# ------------------------------------------------------------------------------------------------ against a model


@dataclass(frozen=True)
class Line:
    number: int
    author: str
    said: str
    minutes: int


SAID = [said for _who, said in (*LURING, *EXTORTION)] + list(HARMLESS)
lines = st.lists(
    st.tuples(st.sampled_from("ac"), st.sampled_from(SAID), st.integers(0, 40_000)), min_size=1, max_size=14
).map(lambda drawn: [Line(number, *each) for number, each in enumerate(drawn)])


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines, st.data())
def test_any_order_and_any_repetition_leaves_the_state_of_a_simple_model(
    api: Api, told: list[Line], data: st.DataObject
) -> None:
    rooms, name, at = api.runtime.rooms, f"model-{next(NUMBERS)}", datetime.now(UTC)
    order = data.draw(st.permutations(told + data.draw(st.lists(st.sampled_from(told), max_size=6))))
    arrivals = [
        MessageArrival(
            name,
            str(line.number),
            f"{name}-{line.author}",
            line.said,
            at - timedelta(minutes=line.minutes),
            private=False,
        )
        for line in order
    ]
    answers = []
    while len(answers) < len(arrivals):
        size = data.draw(st.integers(1, len(arrivals) - len(answers)))
        answers += flow.judge_messages(rooms, arrivals[len(answers) : len(answers) + size])
    # The model knows every id, reads each message when it first comes, and lets time never go back.
    ears = rooms.listening.ears()
    risk, scores, latest = ConversationRisk(ears.noticer.catalogue), OrderedDict[str, float](), None
    for arrival in arrivals:
        if arrival.message_id not in scores:
            latest = arrival.at if latest is None else max(latest, arrival.at)
            seen = risk.add(arrival.author, ears.noticer.notice(arrival.text), at=latest)
            assert seen is not None
            scores[arrival.message_id] = round(seen.score, 4)
    assert [answer.score for answer in answers] == [scores[arrival.message_id] for arrival in arrivals]
    messages, state = state_of(api, name)
    assert messages == len(scores)
    assert state["risk"] == risk.document()
