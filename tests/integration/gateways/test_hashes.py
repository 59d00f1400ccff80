"""Hashes alone over real HTTP: one, a batch, the same answers again."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from sqlalchemy import select

from seawall.database.statements import AwaitedStatements
from seawall.database.tables import Content, Evidence
from seawall.errors import DatabaseUnavailable
from seawall.gateways.http.answers import VerdictAnswer, VerdictsAnswer
from seawall.gateways.http.app import create_app
from seawall.gateways.http.lean import Lean
from seawall.hashlists import store
from seawall.records import SYSTEM, EntryDraft, Scope
from tests.integration.gateways.conftest import Api
from tests.unit.gateways.asking import ask

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


def test_that_more_is_met_than_is_named_is_said(api: Api) -> None:
    digest = bytes.fromhex("41" * 16)
    with api.runtime.database.transaction() as session:
        crowd = [EntryDraft(n, md5=digest, upstream_id=str(n)) for n in range(200)]
        store.import_entries(session, "Test list of a crowd", crowd, actor=SYSTEM)
    api.runtime.rooms.index.catch_up()
    answer = judged(api, content_id="met by many", md5=digest.hex())
    assert answer.verdict != "allow"
    assert answer.reasons[-1].code == "more_matches"
    assert sum(reason.code == "exact_match" for reason in answer.reasons) < 200


def test_what_is_on_no_list_is_allowed(api: Api) -> None:
    answer = judged(api, content_id="other", md5="ff" * 16, sha256="ee" * 32)
    assert (answer.verdict, answer.case_id, answer.media_type) == ("allow", None, None)


def test_the_same_again_is_the_same_answer(api: Api) -> None:
    first, second = (judged(api, content_id="twice", account_id="account-2", md5=MD5) for _ in range(2))
    assert first.model_dump(exclude={"elapsed_ms"}) == second.model_dump(exclude={"elapsed_ms"})


# The same bytes, told of again


def row_of(api: Api, content_id: str) -> Content:
    with api.runtime.database.transaction() as session:
        row = session.scalars(select(Content).where(Content.content_id == content_id)).one()
        session.expunge(row)
        return row


def test_fewer_hashes_later_take_nothing_away(api: Api) -> None:
    digest, first, second = "31" * 32, "a5c3" * 16, "3b7d" * 16
    told = {"filename": "a.png", "uploader_ip": "192.0.2.1", "uploaded_at": "2026-01-02T03:04:05Z"}
    judged(api, content_id="again", sha256=digest, md5="32" * 16, pdq=first, pdq_quality=90, **told)
    judged(api, content_id="again", sha256=digest)
    judged(api, content_id="again", sha256=digest, sha1="33" * 20, pdq=second, pdq_quality=80)
    judged(api, content_id="again", sha256=digest, pdq=first, filename="b.png")
    row = row_of(api, "again")
    assert row.md5 is not None
    assert row.sha1 is not None
    assert (row.md5.hex(), row.sha1.hex()) == ("32" * 16, "33" * 20)
    assert [(frame["pdq"], frame["quality"]) for frame in row.frames] == [(first, None), (second, 80)]
    assert (row.filename, str(row.uploader_ip)) == ("b.png", "192.0.2.1")
    assert row.uploaded_at is not None


def test_fewer_hashes_later_are_judged_with_those_of_before(api: Api) -> None:
    digest, pdq = "34" * 32, "9d2b" * 16
    assert judged(api, content_id="listed-later", sha256=digest, pdq=pdq, pdq_quality=90).verdict == "allow"
    api.put_on_list(EntryDraft(1, pdq=bytes.fromhex(pdq), pdq_quality=100), "Test list of later")
    answer = judged(api, content_id="listed-later", sha256=digest)
    assert (answer.verdict, answer.fingerprints.pdq) == ("hold", pdq)


def test_hashes_that_contradict_what_is_known_are_held(api: Api) -> None:
    digest = "35" * 32
    assert judged(api, content_id="contradicted", sha256=digest, md5="36" * 16).verdict == "allow"
    answer = judged(api, content_id="contradicted", sha256=digest, md5="37" * 16)
    assert (answer.verdict, answer.reasons[0].code) == ("hold", "conflict")
    assert answer.case_id is not None
    # A digest on a list is met, whatever else is said.
    assert judged(api, content_id="contradicted-2", sha256="38" * 32, md5="36" * 16).verdict == "allow"
    assert judged(api, content_id="contradicted-2", sha256="38" * 32, md5=MD5).verdict == "block"


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


def test_the_lean_way_answers_as_the_framework_does(api: Api) -> None:
    """The route is answered before the framework is asked; what it would answer is the same, header by header."""
    framework = create_app(api.runtime)
    framework.user_middleware = [each for each in framework.user_middleware if each.cls is not Lean]
    authorization = {"Authorization": api.client.headers["Authorization"]}
    lists_only = {"Authorization": f"Bearer {api.key('lists-only', Scope.LISTS)}"}
    asked: list[tuple[str, dict[str, str], bytes]] = [
        ("", authorization, json.dumps({"content_id": "same-1", "md5": "f1" * 16}).encode()),
        ("", authorization, json.dumps({"content_id": "same-1", "md5": "f1" * 16}).encode()),
        ("", authorization, json.dumps({"content_id": "same-2", "account_id": "a", "md5": MD5}).encode()),
        ("", authorization, json.dumps({"items": [{"content_id": "same-3", "sha1": SHA1}]}).encode()),
        ("", {"Authorization": authorization["Authorization"].replace("Bearer", "bEARER ")}, b"{}"),
        ("", authorization, b'{"content_id": "same-4", "md5": "f1"}'),
        ("", authorization, b""),
        ("", authorization, b"{"),
        ("", authorization, b" " * (4 * 1024 * 1024 + 1)),
        ("?a=1", {}, b"{}"),
        ("", {}, b"{}"),
        ("", {"Authorization": "Basic eDp5"}, b"{}"),
        ("", {"Authorization": "Bearer"}, b"{}"),
        ("", {"Authorization": "Bearer swk_nothing"}, b"{}"),
        ("", lists_only, b"{}"),
    ]
    for query, headers, body in asked:
        answers = [
            httpx.post(f"{api.url}/v1/hashes{query}", headers={**headers, "X-Request-ID": "same"}, content=body),
            ask(
                framework,
                f"/v1/hashes{query}",
                "POST",
                headers={**headers, "X-Request-ID": "same"},
                content=body,
            ),
        ]
        assert answers[0].status_code == answers[1].status_code, (query, headers, body[:100])
        assert told(answers[0]) == told(answers[1])


def told(answer: httpx.Response) -> tuple[object, dict[str, str]]:
    """The body and the headers, without what differs from one time to the next."""
    document = answer.json()
    for item in [document, *document.get("items", [])]:
        item.pop("elapsed_ms", None)
    left_out = {"date", "server", "content-length"}
    return document, {name: value for name, value in answer.headers.items() if name not in left_out}


def test_hashes_that_come_at_once_are_each_answered(api: Api) -> None:
    """Those that come while others are being judged are judged together, each content for itself."""
    digests = [MD5 if number % 9 == 4 else f"{number + 5000:032x}" for number in range(60)]

    def send(number: int) -> VerdictAnswer:
        return judged(api, content_id=f"at-once-{number % 50}", account_id="at-once", md5=digests[number % 50])

    with ThreadPoolExecutor(12) as threads:
        answers = list(threads.map(send, range(60)))
    for number, answer in enumerate(answers):
        assert answer.fingerprints.md5 == digests[number % 50]
        assert answer.verdict == ("block" if digests[number % 50] == MD5 else "allow")
    with api.runtime.database.transaction() as session:
        rows = session.scalars(select(Content.content_id).where(Content.content_id.startswith("at-once-"))).all()
    assert sorted(rows) == sorted(f"at-once-{number}" for number in range(50))


def test_a_database_out_of_reach_fails_all_that_waited(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object) -> None:
        raise DatabaseUnavailable("PostgreSQL is away.")

    def send(number: int) -> httpx.Response:
        return api.client.post("/v1/hashes", json={"content_id": f"away-{number}", "md5": f"{number + 9000:032x}"})

    with monkeypatch.context() as patched, ThreadPoolExecutor(8) as threads:
        patched.setattr(AwaitedStatements, "run", away)
        answers = list(threads.map(send, range(24)))
    assert {answer.status_code for answer in answers} == {503}
    assert all(answer.json()["error"]["hint"].startswith("Nothing was screened") for answer in answers)
    assert send(1).status_code == 200
