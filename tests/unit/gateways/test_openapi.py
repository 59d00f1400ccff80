"""The API's description: examples are of the shape that they are examples of, and errors have one shape."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import BaseModel

from seawall.errors import NotFound, SeawallError
from seawall.gateways.http import answers, contact_answers, examples, message_answers
from seawall.gateways.http.app import openapi_document
from tools.reference_docs import error_tree

DOCUMENT = openapi_document()
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}
MODELS = {
    "POST /v1/media": [answers.VerdictAnswer],
    "POST /v1/media:fetch": [answers.VerdictAnswer],
    "POST /v1/hashes": [answers.VerdictAnswer, answers.VerdictsAnswer],
    "POST /v1/shares": [answers.VerdictAnswer, answers.VerdictsAnswer],
    "POST /v1/content": [answers.StandingsAnswer],
    "GET /v1/content/{content_id}": [answers.StandingAnswer],
    "GET /v1/gate": [],
    "GET /v1/gate/{content_id}": [],
    "POST /v1/appeals": [answers.AppealAnswer],
    "GET /v1/appeals/{appeal_id}": [answers.AppealAnswer],
    "POST /v1/accounts": [contact_answers.NotedAnswer],
    "POST /v1/messages": [message_answers.JudgedMessageAnswer, message_answers.JudgedMessagesAnswer],
    "POST /v1/contacts": [contact_answers.ContactAnswer, contact_answers.ContactsAnswer],
    "POST /v1/contacts/check": [contact_answers.PermissionAnswer],
    "GET /v1/child-defaults": [contact_answers.ChildDefaultsAnswer],
    "GET /v1/lists": [answers.ListsAnswer],
    "GET /v1/cases": [answers.CasesAnswer],
    "GET /v1/cases/{case_id}": [answers.CaseAnswer],
    "GET /healthz": [answers.AliveAnswer],
    "GET /readyz": [answers.ReadyAnswer],
    "GET /metrics": [],
}


def test_the_error_shape_is_pinned() -> None:
    """Clients depend on it. Only ever add to it, and better not."""
    error = NotFound("There is no case 17.", hint="Check the number.")
    assert answers.of_error(error) == {
        "error": {"code": "not_found", "message": "There is no case 17.", "hint": "Check the number."}
    }
    assert list(answers.ErrorAnswer.model_json_schema()["$defs"]["ErrorDetail"]["properties"]) == [
        "code",
        "message",
        "hint",
    ]


@pytest.mark.parametrize("error", [error for _, error in error_tree()], ids=lambda error: error.code)
def test_every_error_fits_the_shape(error: type[SeawallError]) -> None:
    more = {"retry_after_s": 1.0} if error.code == "rate_limited" else {}
    answers.ErrorAnswer.model_validate(answers.of_error(error("Words.", **more)))


def test_the_answers_shape_is_pinned() -> None:
    properties = DOCUMENT["components"]["schemas"]
    assert list(properties["VerdictAnswer"]["properties"]) == [
        "verdict",
        "reasons",
        "fingerprints",
        "media_type",
        "case_id",
        "policy_version",
        "elapsed_ms",
    ]
    assert list(properties["ReasonAnswer"]["properties"]) == [
        "code",
        "rule",
        "list",
        "kind",
        "distance",
        "orientation",
        "explanation",
    ]
    assert list(properties["FingerprintsAnswer"]["properties"]) == ["md5", "sha1", "sha256", "pdq", "quality"]


def test_every_address_is_known_here() -> None:
    assert set(OPERATIONS) == set(MODELS)


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_example_is_of_its_shape(name: str) -> None:
    for status, reply in OPERATIONS[name]["responses"].items():
        if status == "204":
            assert "content" not in reply
            continue
        ((media_type, content),) = reply["content"].items()
        assert content["examples"], f"{status} has no example"
        for example in content["examples"].values():
            if media_type != "application/json":
                assert isinstance(example["value"], str)
                continue
            models = MODELS[name] if status == "200" else [answers.ErrorAnswer]
            assert any(fits(model, example["value"]) for model in models), example


def fits(model: type[BaseModel], value: object) -> bool:
    try:
        model.model_validate_json(json.dumps(value), strict=True)
    except ValueError:
        return False
    return True


def test_every_example_of_an_error_stands_at_its_status() -> None:
    for operation in OPERATIONS.values():
        for status, reply in operation["responses"].items():
            for name in reply.get("content", {}).get("application/json", {"examples": ()})["examples"]:
                assert status == "200" or examples.WRONG[name].http_status == int(status)


def test_nothing_of_the_frameworks_own_error_shape_is_left() -> None:
    assert "HTTPValidationError" not in json.dumps(DOCUMENT)


def test_every_shape_describes_itself() -> None:
    schemas: dict[str, Any] = DOCUMENT["components"]["schemas"]
    assert [name for name, schema in schemas.items() if not schema.get("description")] == []
