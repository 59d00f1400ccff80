"""Whether a content may be shown, asked when it is shown."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from urllib.parse import quote

import httpx
import pytest
from structlog.testing import capture_logs

from seawall import late
from seawall.gateways.http.answers import StandingAnswer
from seawall.gateways.http.envelope import HEADERS
from seawall.records import EntryDraft, Scope
from tests.integration.gateways.conftest import Api
from tests.integration.gateways.material import picture, refused

SHOWN = picture(41)


def standing(api: Api, content_id: str) -> StandingAnswer:
    response = api.client.get(f"/v1/content/{content_id}")
    assert response.headers["Cache-Control"] == "private, no-cache"
    return StandingAnswer.model_validate_json(response.content)


def published(api: Api, *content_ids: str) -> None:
    for content_id in content_ids:
        digest = hashlib.sha256(content_id.encode()).hexdigest()
        answer = api.client.post("/v1/hashes", json={"content_id": content_id, "sha256": digest})
        assert answer.json()["verdict"] == "allow"


def address(content_id: str) -> str:
    return f"/v1/content/{quote(content_id, safe='')}"


@pytest.mark.parametrize(("content_id", "seed"), [("c1", 43), ("photo 1", 44), ("Größe", 45)])
def test_what_a_list_learns_of_is_refused_when_it_is_shown(api: Api, content_id: str, seed: int) -> None:
    params, shown = {"content_id": content_id}, picture(seed)
    assert api.client.post("/v1/media", params=params, content=shown).json()["verdict"] == "allow"
    assert (standing(api, content_id).verdict, standing(api, content_id).state) == ("allow", "published")
    api.put_on_list(EntryDraft(1, sha256=hashlib.sha256(shown).digest()), "Test list V")
    late.walk(api.runtime.rooms)
    eventually(lambda: standing(api, content_id).verdict == "block")
    assert (standing(api, content_id).content_id, standing(api, content_id).state) == (content_id, "blocked")


def eventually(condition: Callable[[], bool]) -> None:
    limit = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.005)


def test_from_memory_and_from_the_ledger_it_is_the_same_answer(api: Api) -> None:
    """The first is read, the second remembered; both go through everything that surrounds an answer."""
    published(api, "same")
    api.hall.standings._standings.forget_all()  # type: ignore[attr-defined]
    with capture_logs() as lines:
        first, second = (api.client.get("/v1/content/same", headers={"X-Request-ID": "same"}) for _ in range(2))
    assert api.hall.standings.remembered("same") is not None
    assert first.content == second.content
    differ = {"date"}
    assert {*first.headers.items()} - {("date", first.headers["date"])} == {
        (name, value) for name, value in second.headers.items() if name not in differ
    }
    assert first.headers["X-Request-ID"] == "same"
    assert [name for name in HEADERS if name not in first.headers] == []
    # A line for each view would bury all others.
    assert [line for line in lines if line["event"] == "http.answered"] == []


def test_views_are_counted(api: Api) -> None:
    published(api, "counted")

    def views() -> float:
        named = {"method": "GET", "route": "/v1/content/{content_id}", "status": "200"}
        registry = api.runtime.rooms.meters._registry
        return registry.get_sample_value("seawall_requests_total", named) or 0.0

    before = views()
    for _ in range(5):
        assert api.client.get("/v1/content/counted").status_code == 200
    assert views() == before + 5


def test_nothing_new_is_said_without_a_body(api: Api) -> None:
    published(api, "tagged")
    first = api.client.get("/v1/content/tagged")
    tag = first.headers["ETag"]
    for given in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = api.client.get("/v1/content/tagged", headers={"If-None-Match": given})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
        assert again.headers["Cache-Control"] == "private, no-cache"
    for other in ('"other"', tag[:-1], "", "W/"):
        assert api.client.get("/v1/content/tagged", headers={"If-None-Match": other}).status_code == 200
    api.put_on_list(EntryDraft(1, sha256=hashlib.sha256(b"tagged").digest()), "Test list V")
    late.walk(api.runtime.rooms)
    eventually(lambda: api.client.get("/v1/content/tagged", headers={"If-None-Match": tag}).status_code == 200)
    assert api.client.get("/v1/content/tagged").headers["ETag"] != tag


ODD = [
    "a/b",
    "/",
    "//",
    "a%2Fb",
    "100%",
    "?",
    "#",
    "a?b=c",
    "a&b",
    "Größe/✓",
    "\U0001f30a",
    "\u202eabc",
    " ",
    "x" * 512,
]


@pytest.mark.parametrize("content_id", ODD, ids=range(len(ODD)))
def test_every_id_can_be_asked_for(api: Api, content_id: str) -> None:
    published(api, content_id)
    for _ in range(2):
        response = api.client.get(address(content_id))
        assert (response.status_code, response.json()["content_id"]) == (200, content_id)
    assert api.client.get(address(f"{content_id}!"[-512:])).status_code == 404


def test_slashes_need_not_be_encoded(api: Api) -> None:
    published(api, "folder/2026/photo.jpg")
    assert api.client.get("/v1/content/folder/2026/photo.jpg").json()["content_id"] == "folder/2026/photo.jpg"


def test_what_is_remembered_is_shown_to_no_other_key(api: Api) -> None:
    published(api, "c3")
    assert standing(api, "c3").verdict == "allow"
    for secret in (api.key("looks", Scope.LISTS), "swk_" + "A" * 43, "x"):
        for _ in range(2):
            response = api.client.get("/v1/content/c3", headers={"Authorization": f"Bearer {secret}"})
            assert response.status_code in (401, 403)
    for scheme in ("Basic", "bearer:"):
        headers = {"Authorization": f"{scheme} {api.client.headers['authorization'][7:]}"}
        refused(api.client.get("/v1/content/c3", headers=headers), 401, "unauthenticated")
    refused(httpx.get(f"{api.url}/v1/content/c3"), 401, "unauthenticated")


def test_views_meet_the_rate_of_their_key(api: Api) -> None:
    published(api, "c4")
    headers = {"Authorization": f"Bearer {api.key('few', Scope.JUDGE, rate=5)}"}
    answers = [api.client.get("/v1/content/c4", headers=headers) for _ in range(7)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 2
    for answer in answers[5:]:
        refused(answer, 429, "rate_limited")
        assert int(answer.headers["Retry-After"]) >= 1


def test_the_strictest_version_counts(api: Api) -> None:
    api.put_on_list(EntryDraft(1, sha256=hashlib.sha256(SHOWN).digest()), "Test list V")
    for body in (SHOWN, picture(42)):
        api.client.post("/v1/media", params={"content_id": "c2"}, content=body)
    assert standing(api, "c2").verdict == "block"


def test_unknown_is_not_clean(api: Api) -> None:
    refused(api.client.get("/v1/content/never-seen"), 404, "not_found")


def test_it_needs_a_key_that_may_judge(api: Api) -> None:
    other = {"Authorization": f"Bearer {api.key('reader', Scope.LISTS)}"}
    refused(api.client.get("/v1/content/c1", headers=other), 403, "forbidden")
    refused(api.client.get("/v1/content/c1", headers={"Authorization": "Bearer x"}), 401, "unauthenticated")


@pytest.mark.parametrize("content_id", ["", "x" * 513, "a%00b", "%FF", "a%C3", "%ED%A0%80"])
def test_ids_that_no_content_has_are_refused(api: Api, content_id: str) -> None:
    refused(api.client.get(f"/v1/content/{content_id}"), 422, "bad_input")
