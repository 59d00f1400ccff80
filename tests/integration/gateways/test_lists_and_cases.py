"""What the API tells of lists and cases, and what it does not."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest

from seawall.cases import claims
from seawall.database.tables import now
from seawall.gateways.http.answers import CaseAnswer, CasesAnswer, ListsAnswer
from seawall.records import EntryDraft, HarmClass, Scope, Trust
from tests.integration.cases.material import add, match, person
from tests.integration.gateways.conftest import Api
from tests.integration.gateways.material import picture, refused

LISTED = picture(1)


def test_lists_are_told_by_name_with_counts_and_never_a_hash(api: Api) -> None:
    drafts = [EntryDraft(1, md5=b"m" * 16, sha256=b"s" * 32), EntryDraft(2, md5=b"n" * 16)]
    for draft in drafts:
        api.put_on_list(draft, "Test list B", Trust.STANDARD)
    api.put_on_list(EntryDraft(1, sha1=b"t" * 20), "Test list A")
    secret = api.key("reader", Scope.LISTS)
    response = api.client.get("/v1/lists", headers={"Authorization": f"Bearer {secret}"})
    lists = ListsAnswer.model_validate_json(response.content).lists
    assert [found.name for found in lists] == ["Test list A", "Test list B"]
    assert (lists[1].entries, lists[1].hashes.md5, lists[1].hashes.sha256, lists[1].hashes.pdq) == (2, 2, 1, 0)
    assert (lists[1].trust, lists[1].test, lists[1].enabled) == ("standard", True, True)
    assert lists[1].created_at.tzinfo is not None
    for value in (b"m" * 16, b"s" * 32, b"n" * 16, b"t" * 20):
        assert value.hex() not in response.text


def test_a_case_tells_how_far_it_is(api: Api) -> None:
    api.put_on_list(EntryDraft(1, sha256=hashlib.sha256(LISTED).digest()), "Test list C")
    params = {"content_id": "c1", "account_id": "account-1"}
    case_id = api.client.post("/v1/media", params=params, content=LISTED).json()["case_id"]
    response = api.client.get(f"/v1/cases/{case_id}")
    case = CaseAnswer.model_validate_json(response.content)
    assert (case.id, case.state, case.urgent, case.test) == (case_id, "open", True, True)
    assert [(item.content_id, item.state, item.content_state) for item in case.items] == [
        ("c1", "pending", "blocked")
    ]
    assert "account-1" not in response.text


def test_the_queue_is_told_with_its_terms_page_by_page(api: Api) -> None:
    with api.runtime.database.transaction() as session:
        far = add(session, "far", "account-9", findings=[match(distance=30, harm_class=HarmClass.NCII)])[0]
        near = add(session, "near", findings=[match(distance=2)])[0]
        near.opened_at = now() - timedelta(hours=30, minutes=1)
        claims.claim(session, near.id, person(session), timedelta(minutes=5))
        ids = [near.id, far.id]
    headers = {"Authorization": f"Bearer {api.key('desk', Scope.ADMIN)}"}

    def asked(**params: str) -> CasesAnswer:
        response = api.client.get("/v1/cases", params=params, headers=headers)
        assert "account-9" not in response.text
        return CasesAnswer.model_validate_json(response.content)

    first = asked(urgent="false", limit="1")
    assert first.next is not None
    second = asked(urgent="false", limit="1", after=first.next)
    assert [case.id for case in (*first.cases, *second.cases)] == ids
    assert second.next is None
    case = first.cases[0]
    assert [(term.name, term.points) for term in case.terms] == [
        ("harm class csam", 50),
        ("distance 2", 29),
        ("waiting 30 h", 30),
    ]
    assert (case.priority, case.claimed, case.overdue, case.items, case.pending) == (109, True, True, 1, 1)
    assert case.due_at - case.opened_at == timedelta(hours=24)
    assert not second.cases[0].claimed
    assert [each.id for each in asked(overdue="true").cases] == [ids[0]]
    assert [each.id for each in asked(harm_class="ncii").cases] == [ids[1]]
    assert asked(state="decided").cases == asked(harm_class="terrorism").cases == []
    for params in ({"states": "open"}, {"limit": "0"}, {"after": "x"}, {"overdue": "true", "state": "decided"}):
        refused(api.client.get("/v1/cases", params=params, headers=headers), 422, "bad_input")


def test_a_case_that_is_not_there(api: Api) -> None:
    refused(api.client.get("/v1/cases/987654321"), 404, "not_found")


@pytest.mark.parametrize("part", ["index", "decoders", "database"])
def test_it_is_not_ready_while_a_part_is_missing(api: Api, part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from seawall.database.sessions import Database
    from seawall.decoding.pool import DecoderPool
    from seawall.matching.keeper import IndexKeeper

    if part == "index":
        monkeypatch.setattr(api.runtime.rooms.index, "_loaded", False)
        assert isinstance(api.runtime.rooms.index, IndexKeeper)
    elif part == "decoders":
        monkeypatch.setattr(DecoderPool, "ready", 0)
    else:
        away = Database("postgresql://seawall@127.0.0.1:9/away")
        monkeypatch.setattr(api.runtime.database, "_sessions", away._sessions)
    response = api.client.get("/readyz")
    wanted = {"index": "index_unavailable", "decoders": "decoder_unavailable", "database": "database_unavailable"}
    refused(response, 503, wanted[part])
    assert api.client.get("/healthz").status_code == 200
