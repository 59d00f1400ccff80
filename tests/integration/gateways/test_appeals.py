"""POST and GET /v1/appeals, and what people decide of them."""

from __future__ import annotations

import hashlib
import itertools
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select, update

from seawall import flow
from seawall.actions import endpoints
from seawall.cases import appeals
from seawall.cases.appeals import LONGEST_TEXT, AppealState
from seawall.database.tables import Appeal, CaseItem, Content, Entry, OutboxMessage, now
from seawall.errors import BadInput, Conflict, Forbidden, NotFound
from seawall.evidence import audit
from seawall.hashlists import quarantines
from seawall.hashlists.quarantines import Grounds, Why
from seawall.records import (
    SYSTEM,
    EntryDraft,
    HashArrival,
    ItemState,
    Outcome,
    Role,
    Scope,
    Trust,
)
from seawall.request_records import RequestState
from tests.integration.gateways.conftest import Api
from tests.integration.gateways.material import refused
from tests.integration.second.pairs import somebody

NUMBERS = itertools.count(1)
WORDS = "This is a photo of my own garden.\nPlease look again."


@pytest.fixture(scope="module")
def client(api: Api) -> httpx.Client:
    """A client whose key may pass appeals on, and nothing else."""
    secret = api.key("test-appeals", Scope.APPEALS)
    with api.runtime.database.transaction() as session:
        endpoints.add(session, api.runtime.master_key, "http://127.0.0.1:9/hooks", actor=SYSTEM)
    return httpx.Client(base_url=api.url, headers={"Authorization": f"Bearer {secret}"}, timeout=60)


def refuse(api: Api, *, trust: Trust = Trust.STANDARD, decided: bool = True) -> str:
    """A content that met a test list and, unless told otherwise, was confirmed by test-first; its id."""
    number = next(NUMBERS)
    content_id, sha256 = f"photo-{number}", hashlib.sha256(b"harmless %d" % number).digest()
    api.put_on_list(EntryDraft(1, sha256=sha256), f"Test list {number}", trust)
    flow.judge_hashes(api.runtime.rooms, HashArrival(content_id, sha256=sha256, account_id=f"account-{number}"))
    if decided:
        confirm(api, content_id)
    return content_id


def confirm(api: Api, content_id: str, outcome: Outcome = Outcome.CONFIRM) -> None:
    first = somebody(api.runtime.database, "test-first", Role.REVIEWER)
    flow.decide_item(api.runtime.rooms, first, item(api, content_id).id, outcome, "Seen.")


def item(api: Api, content_id: str) -> CaseItem:
    with api.runtime.database.transaction() as session:
        wanted = select(CaseItem).join(Content, Content.id == CaseItem.content_row)
        return session.scalars(wanted.where(Content.content_id == content_id)).one()


def appeal(client: httpx.Client, content_id: str, **other: object) -> httpx.Response:
    document = {"appeal_id": f"appeal-{content_id}", "content_id": content_id, "text": WORDS, **other}
    return client.post("/v1/appeals", json={name: value for name, value in document.items() if value is not None})


def number_of(api: Api, content_id: str) -> int:
    with api.runtime.database.transaction() as session:
        return session.scalars(select(Appeal.id).where(Appeal.content_id == content_id)).one()


def disputed(api: Api, content_id: str) -> bool:
    """Whether the one entry that a content met is disputed."""
    (found,) = item(api, content_id).findings
    with api.runtime.database.transaction() as session:
        return session.get_one(Entry, found["entry_id"]).disputed


def told(api: Api, content_id: str) -> list[tuple[str, object]]:
    """What the platform was told of a content."""
    with api.runtime.database.transaction() as session:
        rows = session.scalars(select(OutboxMessage).order_by(OutboxMessage.created_at)).all()
        data = [(row.event, row.payload["data"]) for row in rows]
    return [(event, each.get("outcome")) for event, each in data if each.get("content_id") == content_id]


def test_an_appeal_is_taken_once_whatever_is_sent_again(api: Api, client: httpx.Client) -> None:
    content_id = refuse(api)
    first = appeal(client, content_id)
    assert first.status_code == 200, first.text
    assert first.json() == {
        "appeal_id": f"appeal-{content_id}",
        "content_id": content_id,
        "case_id": item(api, content_id).case_id,
        "state": "open",
        "content_state": "removed",
        "received_at": first.json()["received_at"],
        "decided_at": None,
    }
    assert appeal(client, content_id).json() == first.json()
    assert client.get(f"/v1/appeals/appeal-{content_id}").json() == first.json()
    refused(appeal(client, content_id, text="Other words."), 409, "conflict")
    refused(appeal(client, content_id, appeal_id=f"again-{content_id}"), 409, "conflict")
    with api.runtime.database.transaction() as session:
        sealed = session.scalars(select(Appeal.text_sealed).where(Appeal.content_id == content_id)).one()
        acts = [link for link in audit.links(session) if link.act == "appeal.receive"]
    assert sealed is not None
    assert b"garden" not in sealed
    assert [link.actor for link in acts][-1:] == ["key:test-appeals"]
    assert "garden" not in str([link.details for link in acts])


@pytest.mark.parametrize(
    ("wrong", "status", "code"),
    [
        ({"content_id": "never-seen"}, 404, "not_found"),
        ({"account_id": "account-of-another"}, 422, "bad_input"),
        ({"text": None}, 422, "bad_input"),
        ({"text": " \n"}, 422, "bad_input"),
        ({"text": "x" * (LONGEST_TEXT + 1)}, 422, "bad_input"),
        ({"text": "a\0b"}, 422, "bad_input"),
        ({"text": 7}, 422, "bad_input"),
        ({"appeal_id": None}, 422, "bad_input"),
        ({"more": "x"}, 422, "bad_input"),
    ],
)
def test_what_is_no_appeal_is_refused(
    api: Api, client: httpx.Client, wrong: dict[str, object], status: int, code: str
) -> None:
    known = {"content_id": refuse(api), "appeal_id": "wrong"}
    refused(appeal(client, **{**known, **wrong}), status, code)  # type: ignore[arg-type]
    refused(client.get("/v1/appeals/wrong"), 404, "not_found")


def test_it_takes_the_scope(api: Api) -> None:
    secret = api.key("test-all-but-appeals", *(set(Scope) - {Scope.APPEALS}))
    other = httpx.Client(base_url=api.url, headers={"Authorization": f"Bearer {secret}"})
    refused(appeal(other, "photo-0"), 403, "forbidden")


def test_whoever_decided_first_does_not_decide_the_appeal(api: Api, client: httpx.Client) -> None:
    content_id = refuse(api)
    appeal(client, content_id)
    first = somebody(api.runtime.database, "test-first", Role.REVIEWER)
    other = somebody(api.runtime.database, "test-other", Role.REVIEWER)
    rooms, number = api.runtime.rooms, number_of(api, content_id)
    for overturned in (True, False):
        with pytest.raises(Forbidden):
            flow.decide_appeal(rooms, first, number, overturned=overturned, reason="I was right.")
    with pytest.raises(BadInput):
        flow.decide_appeal(rooms, other, number, overturned=True, reason=" ")
    assert flow.decide_appeal(rooms, other, number, overturned=True, reason="It is a garden.") is None
    answer = client.get(f"/v1/appeals/appeal-{content_id}").json()
    assert (answer["state"], answer["content_state"]) == ("overturned", "released")
    assert sorted(told(api, content_id)[-2:]) == [
        ("appeal.decided", "overturned"),
        ("content.release", "not_a_match"),
    ]
    assert item(api, content_id).state == ItemState.NOT_A_MATCH
    assert disputed(api, content_id)
    with api.runtime.database.transaction() as session:
        assert [each.grounds for each in quarantines.standing(session)] == [Grounds(Why.APPEAL, 1, 1)]
    with pytest.raises(Conflict):
        flow.decide_appeal(rooms, other, number, overturned=False, reason="Once more.")
    with api.runtime.database.transaction() as session:
        assert audit.verify(session).ok
        acts = [(link.actor, link.act) for link in audit.links(session) if link.subject == f"appeal:{number}"]
    assert acts == [("key:test-appeals", "appeal.receive"), ("user:test-other", "appeal.overturn")]


def test_an_appeal_that_is_upheld_changes_nothing_else(api: Api, client: httpx.Client) -> None:
    content_id = refuse(api)
    appeal(client, content_id)
    other = somebody(api.runtime.database, "test-other", Role.REVIEWER)
    number = number_of(api, content_id)
    flow.decide_appeal(api.runtime.rooms, other, number, overturned=False, reason="It is the listed one.")
    assert client.get(f"/v1/appeals/appeal-{content_id}").json()["state"] == "upheld"
    assert told(api, content_id)[-1] == ("appeal.decided", "upheld")
    assert item(api, content_id).state == ItemState.CONFIRMED
    assert not disputed(api, content_id)


def test_overturning_the_very_file_of_a_trusted_list_takes_two(api: Api, client: httpx.Client) -> None:
    content_id = refuse(api, trust=Trust.TRUSTED)
    appeal(client, content_id)
    other = somebody(api.runtime.database, "test-other", Role.REVIEWER)
    senior = somebody(api.runtime.database, "test-senior", Role.SENIOR)
    rooms, number = api.runtime.rooms, number_of(api, content_id)
    waits = flow.decide_appeal(rooms, other, number, overturned=True, reason="The list is wrong.")
    assert waits is not None
    assert told(api, content_id)[-1] == ("content.remove", "confirm")
    with pytest.raises(Conflict):
        flow.decide_appeal(rooms, senior, number, overturned=False, reason="Around it.")
    done = flow.answer_request(rooms, senior, waits, approved=True, words="So it is.")
    assert done.state is RequestState.CARRIED_OUT
    assert sorted(told(api, content_id)[-2:]) == [
        ("appeal.decided", "overturned"),
        ("content.release", "not_a_match"),
    ]
    with api.runtime.database.transaction() as session:
        found = appeals.get(session, number)
    assert (found.state, found.decided_by) == (AppealState.OVERTURNED, "test-other")


def test_what_is_not_decided_yet_is_decided_first(api: Api, client: httpx.Client) -> None:
    content_id = refuse(api, decided=False)
    assert appeal(client, content_id).status_code == 200
    other = somebody(api.runtime.database, "test-other", Role.REVIEWER)
    number = number_of(api, content_id)
    with pytest.raises(Conflict, match="not decided yet"):
        flow.decide_appeal(api.runtime.rooms, other, number, overturned=True, reason="A garden.")
    confirm(api, content_id, Outcome.NOT_A_MATCH)
    with pytest.raises(Conflict, match="no decision any more"):
        flow.decide_appeal(api.runtime.rooms, other, number, overturned=True, reason="A garden.")
    with api.runtime.database.transaction() as session:
        assert number not in {each.id for each in appeals.undecided(session, 500)}


def test_words_are_forgotten_when_they_are_settled(api: Api, client: httpx.Client) -> None:
    settled, waiting = refuse(api), refuse(api)
    for content_id in (settled, waiting):
        appeal(client, content_id)
    other = somebody(api.runtime.database, "test-other", Role.REVIEWER)
    flow.decide_appeal(api.runtime.rooms, other, number_of(api, settled), overturned=False, reason="Seen.")
    with api.runtime.database.transaction() as session:
        session.execute(
            update(Appeal)
            .where(Appeal.content_id.in_([settled, waiting]))
            .values(received_at=now() - timedelta(days=100))
        )
        session.execute(
            update(Appeal).where(Appeal.content_id == settled).values(decided_at=now() - timedelta(days=91))
        )
    with api.runtime.database.transaction() as session:
        assert appeals.forget_words(session, timedelta(days=90)) == 1
        assert appeals.forget_words(session, timedelta(days=90)) == 0
    with api.runtime.database.transaction() as session:
        kept = dict(session.execute(select(Appeal.content_id, Appeal.text_sealed.is_not(None))).all())  # type: ignore[arg-type]
    assert (kept[settled], kept[waiting]) == (False, True)
    assert appeal(client, settled).json()["state"] == "upheld"  # sent again it is still the same


def test_there_is_no_appeal_of_another_number(api: Api) -> None:
    other = somebody(api.runtime.database, "test-other", Role.REVIEWER)
    for number in (0, -1, 10**6, 2**70):
        with pytest.raises(NotFound):
            flow.decide_appeal(api.runtime.rooms, other, number, overturned=True, reason="A garden.")
