"""Contacts over real HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from seawall.gateways.http.contact_answers import ChildDefaultsAnswer, ContactAnswer, ContactsAnswer, PermissionAnswer
from tests.integration.gateways.conftest import Api
from tests.integration.gateways.material import refused


def accounts(api: Api, *told: dict[str, Any]) -> None:
    response = api.client.post("/v1/accounts", json={"items": list(told)})
    assert (response.status_code, response.json()) == (200, {"noted": len(told)})


def test_who_seeks_out_children_is_slowed_down_with_the_reasons(api: Api) -> None:
    children = [f"child-{number}" for number in range(20)]
    accounts(
        api,
        {"account_id": "adult-1", "age_band": "adult", "age_source": "verified"},
        *({"account_id": child, "age_band": "13_to_15"} for child in children),
    )
    asked = [{"act": "request", "account_id": "adult-1", "other_id": child, "mutuals": 0} for child in children]
    answers = ContactsAnswer.model_validate_json(api.client.post("/v1/contacts", json={"items": asked}).content).items
    assert not answers[0].friction
    assert answers[-1].friction
    assert answers[-1].signs[0].says == "Contacted 20 unconnected children within 7 days"
    points = [answer.points for answer in answers]
    assert points == sorted(points)
    # Told once more, nothing has changed.
    again = ContactAnswer.model_validate_json(api.client.post("/v1/contacts", json=asked[0]).content)
    assert again == answers[-1]
    for child in children[:4]:
        event = {"act": "block", "account_id": child, "other_id": "adult-1"}
        blocked = ContactAnswer.model_validate_json(api.client.post("/v1/contacts", json=event).content)
    assert blocked.about == "adult-1"
    assert blocked.points > answers[-1].points
    assert "blocked" in {sign.code for sign in blocked.signs}


def test_the_defaults_forbid_a_message_to_a_child_until_the_child_has_accepted(api: Api) -> None:
    accounts(api, {"account_id": "adult-2", "age_band": "adult"}, {"account_id": "child-2", "age_band": "under_13"})
    asked = {"reach": "message", "account_id": "adult-2", "other_id": "child-2", "jurisdiction": "GB", "first": True}

    def permission() -> PermissionAnswer:
        return PermissionAnswer.model_validate_json(api.client.post("/v1/contacts/check", json=asked).content)

    assert [default.code for default in permission().forbidden_by] == ["messages_from_connections_alone"]
    for act, one, other in (("request", "adult-2", "child-2"), ("accept", "child-2", "adult-2")):
        assert api.client.post("/v1/contacts", json={"act": act, "account_id": one, "other_id": other}).is_success
    now = permission()
    assert now.allowed
    assert [each.when for each in now.information] == ["first_message"]
    asked["connected"] = False  # the platform knows better
    assert not permission().allowed


def test_the_defaults_of_a_jurisdiction_can_be_read(api: Api) -> None:
    response = api.client.get("/v1/child-defaults?jurisdiction=gb")
    rules = ChildDefaultsAnswer.model_validate_json(response.content)
    assert (rules.jurisdiction, rules.child_below) == ("GB", 18)
    refused(api.client.get("/v1/child-defaults?jurisdiction=XX"), 404, "not_found")
    refused(api.client.get("/v1/child-defaults?jurisdiction=GB&a=b"), 422, "bad_input")
    refused(api.client.get("/v1/child-defaults"), 422, "bad_input")


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("accounts", {"age_band": "adult"}),
        ("accounts", {"account_id": "a", "age_band": "old"}),
        ("accounts", {"account_id": "a", "age": 40}),
        ("accounts", {"account_id": "a", "opened_at": "yesterday"}),
        ("accounts", {"account_id": "a\u0000"}),
        ("accounts", {"items": []}),
        ("contacts", {"act": "wink", "account_id": "a", "other_id": "b"}),
        ("contacts", {"act": "request", "account_id": "a"}),
        ("contacts", {"act": "request", "account_id": "a", "other_id": "a"}),
        ("contacts", {"act": "request", "account_id": "a", "other_id": "b", "mutuals": -1}),
        ("contacts", {"act": "request", "account_id": "a", "other_id": "b", "mutuals": True}),
        ("contacts", {"act": "request", "account_id": "a", "other_id": "b", "at": "2026-03-01T12:30:00"}),
        ("contacts", {"items": ["a"]}),
        ("contacts/check", {"reach": "message", "account_id": "a", "other_id": "b"}),
        ("contacts/check", {"reach": "touch", "account_id": "a", "other_id": "b", "jurisdiction": "GB"}),
        (
            "contacts/check",
            {"reach": "message", "account_id": "a", "other_id": "b", "jurisdiction": "GB", "connected": 1},
        ),
    ],
)
def test_what_cannot_be_used_is_refused_and_nothing_kept(api: Api, path: str, document: dict[str, Any]) -> None:
    refused(api.client.post(f"/v1/{path}", json=document), 422, "bad_input")
