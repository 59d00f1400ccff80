"""What of messages comes into cases: the gravest first, nothing twice, and nothing lost after a decision."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from sqlalchemy import select, text

from seawall import flow
from seawall.actions import endpoints
from seawall.database.tables import AuditEvent, Case, CaseItem, Content, OutboxMessage
from seawall.gateways.http.message_answers import JudgedMessageAnswer
from seawall.records import SYSTEM, Outcome
from tests.integration.gateways.conftest import Api
from tests.integration.gateways.conversing import EXTORTION, GROUND, LURING, ages, case_of, reviewer, send, talk

SECRET = ("a", "keep it our secret, don't tell your mum")


@pytest.fixture(scope="module")
def more_settings() -> dict[str, object]:
    return {"private_channels": f"GB/message={GROUND}"}


def milder(name: str, number: int) -> dict[str, Any]:
    """A message of the same author to an adult, which needs a person too, but not at once."""
    more = {"message_id": f"{name}-milder-{number}", "recipients": [f"{name}-adult"]}
    (message,) = talk(name, [("a", "how old are you?")], **more)
    return message


def grown(api: Api, name: str) -> None:
    """A child and an adult, to both of whom somebody writes."""
    ages(api, name)
    told = {"account_id": f"{name}-adult", "age_band": "adult"}
    assert api.client.post("/v1/accounts", json={"items": [told]}).is_success


def test_of_a_batch_the_gravest_message_counts(api: Api) -> None:
    with api.runtime.database.transaction() as session:
        endpoints.add(session, api.runtime.master_key, "http://127.0.0.1:9/hooks", actor=SYSTEM)
    grown(api, "gravest")
    private = {"private": True, "jurisdiction": "GB"}
    answers = send(api, [*(each | private for each in talk("gravest", EXTORTION)), milder("gravest", 1)])
    assert [each.intervention for each in answers[-2:]] == ["urgent", "review"]
    case, item, _content = case_of(api, "gravest")
    assert case.urgent
    assert [each["code"] for each in item.findings] == ["urgent", "review"]
    assert {each["code"] for each in item.reasons} == {"urgent", "review"}
    with api.runtime.database.transaction() as session:
        (told,) = session.scalars(select(OutboxMessage).where(OutboxMessage.case_id == case.id)).all()
        (act,) = session.scalars(select(AuditEvent).where(AuditEvent.subject == f"case:{case.id}")).all()
    assert told.payload["data"]["urgent"] is True
    assert (act.details["intervention"], act.details["message"]) == ("urgent", 4)
    assert act.details["private"] is True, "some of what it came of was"


def test_something_milder_adds_to_what_waits(api: Api) -> None:
    grown(api, "waits")
    send(api, talk("waits", EXTORTION))
    for number in (1, 2):
        answer = send(api, [milder("waits", number)])[0]
        assert answer.intervention == "review"
        case, item, _content = case_of(api, "waits")
        assert (case.urgent, [each["code"] for each in item.findings]) == (True, ["urgent", "review"])
        assert "asked how old they are" in item.findings[1]["explanation"]
        assert item.reasons[0]["code"] == "urgent"
        assert {each["rule"] for each in item.reasons} >= {"extortion-of-a-child", "extortion-of-an-adult"}
    send(api, talk("waits", [SECRET], message_id="waits-again"))
    _case, item, _content = case_of(api, "waits")
    assert [each["code"] for each in item.findings] == ["urgent"], "as grave as before: the newest says it all"


def test_after_a_decision_lures_that_were_seen_often_bring_it_back(api: Api) -> None:
    ages(api, "often")
    told = talk("often", [*LURING, *[SECRET] * 2, ("a", "ok"), SECRET, SECRET])
    send(api, told[:8])
    case, item, _content = case_of(api, "often")
    flow.decide_item(api.runtime.rooms, reviewer(api), item.id, Outcome.NOT_A_MATCH, "Test talk.")
    (calm,) = send(api, told[8:9])
    assert (calm.intervention, calm.case_id) == ("review", case.id), "nothing new was said"
    (lure,) = send(api, told[9:10])
    assert lure.intervention == "review"
    assert lure.case_id not in (None, case.id)
    (more,) = send(api, told[10:])
    assert more.case_id == lure.case_id
    with api.runtime.database.transaction() as session:
        acts = session.scalars(select(AuditEvent.act).where(AuditEvent.subject == f"case:{lure.case_id}")).all()
    assert list(acts) == ["conversation.review"], "what waits is not announced again and again"


def waiting(api: Api) -> bool:
    """Whether somebody waits for a lock, asked in a transaction of its own."""
    waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    with api.runtime.database.transaction() as session:
        return int(session.execute(text(waits)).scalar_one()) > 0


def test_a_batch_that_waits_for_who_decides_holds_no_case(api: Api) -> None:
    ages(api, "ring")
    told = [talk("ring", LURING, conversation_id=f"ring-{number}") for number in (1, 2)]
    send(api, [*told[0][:5], *told[1][:5]])
    answers: list[JudgedMessageAnswer] = []

    def work() -> None:
        answers.extend(send(api, [told[0][5], told[1][5]]))

    batch = threading.Thread(target=work)
    with api.runtime.database.transaction() as session:
        # As whoever decides does: the content, then the case. Neither may wait for the other in a ring.
        second = select(Content).where(Content.content_id == "conversation:ring-2").with_for_update()
        row = session.scalars(second).one()
        batch.start()
        until = time.monotonic() + 60
        while not waiting(api):
            assert time.monotonic() < until, "the batch does not wait"
            time.sleep(0.05)
        session.scalars(select(Case).where(Case.id == row.case_id).with_for_update(nowait=True)).one()
    batch.join(60)
    assert [each.case_id for each in answers] == [row.case_id] * 2
    with api.runtime.database.transaction() as session:
        items = session.scalars(select(CaseItem.findings).where(CaseItem.case_id == row.case_id)).all()
    assert ["message 6" in findings[0]["explanation"] for findings in items] == [True, True]
