"""What is passed on, over real HTTP: by content id, by address, by hashes; and that a removal binds everywhere."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from seawall import flow
from seawall.access import people, trail
from seawall.access.people import PersonSession
from seawall.database.tables import Case, CaseItem, Content, HashList, ListDay, OutboxMessage, now
from seawall.gateways.http.answers import StandingsAnswer, VerdictAnswer, VerdictsAnswer
from seawall.policy.load import parse_policy
from seawall.records import SYSTEM, EntryDraft, Outcome, Role, Scope, ShareArrival, Verdict
from tests.integration.gateways.conftest import Api
from tests.integration.gateways.material import picture, refused
from tests.integration.second import pairs

PASSES_LINKS = """
version = 1
[[rule]]
name = "links-to-what-is-older"
explanation = "A test."
when = { finding = "scan_owed", code = "not_found", surface = "link" }
verdict = "allow"
"""


def md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


def listed(api: Api, text: str) -> str:
    """Puts it on a test list."""
    api.put_on_list(EntryDraft(1, md5=bytes.fromhex(md5(text))), f"Test list of {text}")
    return md5(text)


def share(api: Api, **document: object) -> VerdictAnswer:
    response = api.client.post("/v1/shares", json=document)
    assert response.status_code == 200, response.text
    return VerdictAnswer.model_validate_json(response.content)


def uploaded(api: Api, body: bytes, content_id: str, **more: str) -> VerdictAnswer:
    response = api.client.post("/v1/media", params={"content_id": content_id, **more}, content=body)
    return VerdictAnswer.model_validate_json(response.content)


def kept(api: Api) -> list[int]:
    return [api.count(table) for table in (Content, Case, CaseItem, OutboxMessage)]


def decide(api: Api, content_id: str, outcome: Outcome, name: str) -> None:
    with api.runtime.database.transaction() as session:
        user_id = people.create_user(session, name, [Role.REVIEWER], SYSTEM)
        wanted = select(CaseItem.id).join(Content, Content.id == CaseItem.content_row)
        item = session.scalars(wanted.where(Content.content_id == content_id)).one()
    person = PersonSession(user_id, name, frozenset({Role.REVIEWER}), now() + timedelta(hours=1), "csrf")
    pairs.decide(api.runtime.rooms, person, item, outcome, "looked at it")


def eventually(condition: Callable[[], bool]) -> None:
    limit = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.005)


# By reference


def test_what_is_known_is_answered_as_it_stands(api: Api) -> None:
    uploaded(api, picture(71), "known", url="https://example.org/known")
    before = kept(api)
    for document in ({"content_id": "known"}, {"url": "HTTPS://EXAMPLE.ORG:443/./kn%6Fwn#x"}):
        answer = share(api, **document, account_id="account-2")
        assert (answer.verdict, answer.reasons, answer.case_id) == ("allow", [], None)
        assert answer.fingerprints.sha256 == hashlib.sha256(picture(71)).hexdigest()
    assert kept(api) == before


@pytest.mark.parametrize("document", [{"content_id": "never-seen"}, {"url": "https://example.org/never-seen"}])
def test_what_is_not_known_is_owed_a_scan_and_held_without_a_case(api: Api, document: dict[str, str]) -> None:
    before = kept(api)
    answer = share(api, **document)
    assert (answer.verdict, answer.case_id) == ("hold", None)
    assert [(reason.code, reason.rule) for reason in answer.reasons] == [("not_found", "scan-owed")]
    assert "The ledger does not know" in answer.reasons[0].explanation
    assert kept(api) == before


def test_a_policy_can_let_the_unknown_pass_where_it_says_so(api: Api) -> None:
    rooms = replace(api.runtime.rooms, policy=parse_policy(PASSES_LINKS, "test.toml"))
    assert flow.judge_share(rooms, ShareArrival("never-seen", surface="link")).verdict is Verdict.ALLOW
    assert flow.judge_share(rooms, ShareArrival("never-seen")).verdict is Verdict.HOLD


def test_what_is_removed_is_refused_at_upload_share_and_view_and_what_is_released_is_not(api: Api) -> None:
    body, address = picture(72), "https://example.org/removed"
    api.put_on_list(EntryDraft(1, sha256=hashlib.sha256(body).digest()), "Test list of one removed")
    assert uploaded(api, body, "removed", url=address).verdict == "block"

    def refusals() -> list[str]:
        view = api.client.get("/v1/content/removed").json()
        asked = api.client.post("/v1/content", json={"content_ids": ["removed"]}).json()["items"][0]
        shares = [share(api, content_id="removed"), share(api, url=address), uploaded(api, body, "removed")]
        return [view["verdict"], asked["verdict"], *(answer.verdict.value for answer in shares)]

    assert refusals() == ["block"] * 5
    decide(api, "removed", Outcome.CONFIRM, "reviewer-1")
    assert refusals() == ["block"] * 5
    assert share(api, content_id="removed").reasons[0].code == "removed"
    # The strictest of what was ever served at that address counts, and of all versions of that content.
    uploaded(api, picture(73), "another", url=address)
    uploaded(api, picture(74), "removed", url="https://example.org/new")
    assert share(api, url=address).verdict == share(api, url="https://example.org/new").verdict == "block"
    assert share(api, content_id="another").verdict == "allow"


def test_what_a_reviewer_released_may_be_passed_on(api: Api) -> None:
    hashes = {"md5": listed(api, "released")}
    assert share(api, content_id="released", **hashes).verdict == "block"
    assert api.client.get("/v1/content/released").json()["verdict"] == "block"
    decide(api, "released", Outcome.NOT_A_MATCH, "reviewer-2")
    assert share(api, content_id="released").verdict == share(api, content_id="released", **hashes).verdict == "allow"
    eventually(lambda: api.client.get("/v1/content/released").json()["verdict"] == "allow")


# By hashes


def test_listed_hashes_open_one_case_for_each_account_that_passes_them_on(api: Api) -> None:
    digest = listed(api, "passed on")
    before = kept(api)
    first, again = (share(api, md5=digest, account_id="sharer-1") for _ in range(2))
    other, nobody = share(api, md5=digest, account_id="sharer-2"), share(api, md5=digest)
    assert {answer.verdict for answer in (first, again, other, nobody)} == {Verdict.BLOCK}
    assert first.case_id == again.case_id
    assert len({first.case_id, other.case_id, nobody.case_id}) == 3
    assert kept(api)[:3] == [number + 3 for number in before[:3]]
    with api.runtime.database.transaction() as session:
        rows = session.execute(
            select(Content.content_id, Content.surface).where(Content.case_id == other.case_id)
        ).all()
    assert [(row.content_id[:6], row.surface) for row in rows] == [("share:", "share")]


def test_clean_hashes_are_kept_under_a_content_id_alone(api: Api) -> None:
    before = kept(api)
    assert share(api, md5=md5("clean"), account_id="account-1", surface="message").verdict == "allow"
    assert kept(api) == before
    assert share(api, content_id="clean", md5=md5("clean"), account_id="account-1").verdict == "allow"
    assert kept(api) == [before[0] + 1, *before[1:]]
    assert api.client.get("/v1/content/clean").json()["state"] == "published"


@pytest.mark.parametrize("kind", ["md5", "sha1", "sha256"])
def test_the_bytes_of_what_is_refused_are_refused_by_their_digest(api: Api, kind: str) -> None:
    """What cannot be read is held, and is on no list."""
    body = picture(75)[:-40] + kind.encode()
    held = uploaded(api, body, f"held-{kind}")
    assert held.verdict == "hold"
    before = kept(api)
    digest = {kind: hashlib.new(kind, body).hexdigest()}
    for document in (digest, {**digest, "content_id": f"copy-{kind}"}):
        answer = share(api, **document, account_id="account-3")
        assert (answer.verdict, answer.case_id) == ("hold", held.case_id)
        assert answer.reasons[0].code == "same_bytes"
    assert kept(api) == before
    assert api.client.get(f"/v1/content/copy-{kind}").status_code == 404


def test_the_stricter_of_list_and_ledger_counts(api: Api) -> None:
    body = picture(76)[:-40]
    held = uploaded(api, body, "held-then-listed")
    assert held.verdict == "hold"
    api.put_on_list(EntryDraft(1, sha256=hashlib.sha256(body).digest()), "Test list of what was held")
    answer = share(api, sha256=hashlib.sha256(body).hexdigest(), account_id="account-4")
    assert (answer.verdict, answer.reasons[0].list) == ("block", "Test list of what was held")
    assert answer.case_id not in (None, held.case_id)


def test_a_content_that_is_refused_is_refused_whatever_hashes_it_is_shared_with(api: Api) -> None:
    body = picture(78)[:-40]
    held = uploaded(api, body, "held-by-id")
    assert held.verdict == "hold"
    before = kept(api)
    for document in ({"md5": md5("something else")}, {"sha256": "5e" * 32}, {"pdq": "0f" * 32}):
        answer = share(api, content_id="held-by-id", **document)
        assert (answer.verdict, answer.case_id) == ("hold", held.case_id)
    assert kept(api) == before
    # A stricter list counts all the same.
    assert share(api, content_id="held-by-id", md5=listed(api, "worse")).verdict == "block"


def test_a_near_pdq_is_held(api: Api) -> None:
    pdq = "c3a5" * 16
    api.put_on_list(EntryDraft(1, pdq=bytes.fromhex(pdq), pdq_quality=100), "Test list of pdq")
    answer = share(api, pdq=f"{int(pdq, 16) ^ 0b111:064x}", pdq_quality=90)
    assert (answer.verdict, answer.reasons[0].distance) == ("hold", 3)


# Batches


def test_a_batch_is_answered_in_its_order(api: Api) -> None:
    digest = listed(api, "in a batch")
    uploaded(api, picture(77), "in-a-batch", url="https://example.org/in-a-batch")
    items = [
        {"content_id": "in-a-batch"},
        {"md5": digest},
        {"url": "https://example.org/in-a-batch"},
        {"content_id": "not-there"},
        {"md5": md5("nothing")},
    ]
    response = api.client.post("/v1/shares", json={"items": items})
    answers = VerdictsAnswer.model_validate_json(response.content).items
    assert [answer.verdict.value for answer in answers] == ["allow", "block", "allow", "hold", "allow"]


def test_a_thousand_shares_in_one_call(api: Api) -> None:
    items = [
        {"md5": md5(f"many {number}")} if number % 2 else {"content_id": f"no {number}"} for number in range(1000)
    ]
    response = api.client.post("/v1/shares", json={"items": items})
    answers = VerdictsAnswer.model_validate_json(response.content).items
    assert [answer.verdict.value for answer in answers] == ["hold", "allow"] * 500


def test_many_contents_are_asked_for_at_once_and_unknown_is_said(api: Api) -> None:
    items = [{"content_id": f"asked/{number}", "md5": md5(f"asked {number}")} for number in range(0, 1000, 3)]
    api.client.post("/v1/hashes", json={"items": items})
    wanted = [*(f"asked/{number}" for number in range(999)), "asked/0"]
    for _ in range(2):
        response = api.client.post("/v1/content", json={"content_ids": wanted})
        found = StandingsAnswer.model_validate_json(response.content).items
        assert [item.content_id for item in found] == wanted
        assert [item.known for item in found] == [number % 3 == 0 for number in [*range(999), 0]]
        assert {(item.verdict, item.state, item.updated_at) for item in found if not item.known} == {
            (None, None, None)
        }
        assert {item.verdict for item in found if item.known} == {Verdict.ALLOW}


# What is noted of it


def test_shares_leave_a_trail_a_tally_and_a_count(api: Api) -> None:
    digest = listed(api, "noted")
    headers = {"Authorization": f"Bearer {api.key('noted', Scope.JUDGE)}"}
    uploaded(api, picture(78)[:-40], "noted-held")
    documents = [{"md5": digest}, {"md5": md5("other")}, {"content_id": "noted-held"}, {"content_id": "nobody-knows"}]
    for document in documents:
        assert api.client.post("/v1/shares", json=document, headers=headers).status_code == 200
    api.hall.trail.flush()
    api.hall.tally.flush()
    with api.runtime.database.transaction() as session:
        (hour,) = [each for each in trail.recent(session) if each.key == "noted"]
        met = session.scalar(
            select(func.sum(ListDay.matches)).join(HashList).where(HashList.name == "Test list of noted")
        )
    assert (hour.lookups, hour.matches, met) == (4, 2, 1)
    named = {"verdict": "block", "surface": "share"}
    assert api.runtime.rooms.meters._registry.get_sample_value("seawall_judgements_total", named)


def test_each_item_counts_in_the_rate_of_the_key(api: Api) -> None:
    headers = {"Authorization": f"Bearer {api.key('slow', Scope.JUDGE, rate=10)}"}
    for path, document in (
        ("/v1/shares", {"items": [{"content_id": "c"}] * 11}),
        ("/v1/content", {"content_ids": ["c"] * 11}),
    ):
        refused(api.client.post(path, json=document, headers=headers), 422, "bad_input")
    assert api.client.post("/v1/content", json={"content_ids": ["c"] * 9}, headers=headers).status_code == 200
    refused(
        api.client.post("/v1/shares", json={"items": [{"content_id": "c"}] * 9}, headers=headers), 429, "rate_limited"
    )
