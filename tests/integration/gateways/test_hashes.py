"""Hashes alone over real HTTP: one, a batch, the same answers again."""

from __future__ import annotations

import pytest

from seawall.database.tables import Evidence
from seawall.gateways.http.answers import VerdictAnswer, VerdictsAnswer
from seawall.records import EntryDraft
from tests.integration.gateways.conftest import Api

MD5, SHA1, SHA256 = "0a" * 16, "1b" * 20, "2c" * 32
PDQ = "f0e1d2c3b4a5968778695a4b3c2d1e0f" * 2


@pytest.fixture(scope="module", autouse=True)
def listed(api: Api) -> None:
    api.put_on_list(EntryDraft(1, md5=bytes.fromhex(MD5)), "Test list of md5")
    api.put_on_list(EntryDraft(1, sha1=bytes.fromhex(SHA1)), "Test list of sha1")
    api.put_on_list(EntryDraft(1, sha256=bytes.fromhex(SHA256)), "Test list of sha256")
    api.put_on_list(EntryDraft(1, pdq=bytes.fromhex(PDQ), pdq_quality=100), "Test list of pdq")


def judged(api: Api, **document: object) -> VerdictAnswer:
    response = api.client.post("/v1/hashes", json=document)
    assert response.status_code == 200, response.text
    return VerdictAnswer.model_validate_json(response.content)


@pytest.mark.parametrize(("kind", "value"), [("md5", MD5), ("sha1", SHA1), ("sha256", SHA256)])
@pytest.mark.parametrize("case", [str.lower, str.upper])
def test_a_listed_digest_is_blocked(api: Api, kind: str, value: str, case: object) -> None:
    answer = judged(api, content_id=f"listed-{kind}-{case}", account_id="account-1", **{kind: case(value)})  # type: ignore[operator]
    assert (answer.verdict, answer.reasons[0].list) == ("block", f"Test list of {kind}")
    assert getattr(answer.fingerprints, kind) == value
    assert answer.case_id is not None
    assert api.count(Evidence) == 0


def test_a_near_pdq_is_held(api: Api) -> None:
    near = f"{int(PDQ, 16) ^ 0b10110:064x}"
    answer = judged(api, content_id="near", pdq=near, pdq_quality=90)
    assert (answer.verdict, answer.reasons[0].distance, answer.fingerprints.pdq) == ("hold", 3, near)


def test_what_is_on_no_list_is_allowed(api: Api) -> None:
    answer = judged(api, content_id="other", md5="ff" * 16, sha256="ee" * 32)
    assert (answer.verdict, answer.case_id, answer.media_type) == ("allow", None, None)


def test_the_same_again_is_the_same_answer(api: Api) -> None:
    first, second = (judged(api, content_id="twice", account_id="account-2", md5=MD5) for _ in range(2))
    assert first.model_dump(exclude={"elapsed_ms"}) == second.model_dump(exclude={"elapsed_ms"})


def test_a_batch_is_answered_in_its_order(api: Api) -> None:
    items = [
        {"content_id": f"batch-{number}", "md5": MD5 if number % 7 == 3 else f"{number:032x}"} for number in range(40)
    ]
    response = api.client.post("/v1/hashes", json={"items": items})
    answers = VerdictsAnswer.model_validate_json(response.content).items
    assert [answer.fingerprints.md5 for answer in answers] == [item["md5"] for item in items]
    assert [answer.verdict == "block" for answer in answers] == [number % 7 == 3 for number in range(40)]


def test_a_batch_of_the_largest_size(api: Api) -> None:
    items = [{"content_id": f"large-{number}", "md5": f"{number:032x}"} for number in range(1000)]
    response = api.client.post("/v1/hashes", json={"items": items})
    assert len(VerdictsAnswer.model_validate_json(response.content).items) == 1000
