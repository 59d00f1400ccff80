"""What the API tells of lists and cases, and what it does not."""

from __future__ import annotations

import hashlib

import pytest

from seawall.gateways.http.answers import CaseAnswer, ListsAnswer
from seawall.records import EntryDraft, Scope, Trust
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
