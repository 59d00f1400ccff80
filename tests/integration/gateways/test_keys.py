"""No address of /v1 answers a key that is wrong, missing, revoked or lacks the scope; none more often than it may."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import httpx
import pytest
from fastapi.routing import APIRoute

from seawall.access import keys
from seawall.gateways.http.admission import Admission
from seawall.gateways.http.app import openapi_document
from seawall.records import SYSTEM, Scope
from tests.integration.gateways.conftest import Api
from tests.integration.gateways.material import picture, refused

# At the gate, a content that is not known is refused like a key that lacks the scope.
GATE = "/v1/gate/photo-1?unknown=pass"
GATE_BY_ADDRESS = "/v1/gate?prefix=/media/&unknown=pass"
PARTS = {"case_id": "1", "content_id": "photo-1", "appeal_id": "appeal-1"}
IN_PLACE = {"/v1/gate/{content_id}": GATE, "/v1/gate": GATE_BY_ADDRESS}
ADDRESSES = [
    (
        method.upper(),
        IN_PLACE.get(path, re.sub(r"\{(\w+)\}", lambda part: PARTS[part[1]], path)),
        operation,
    )
    for path, methods in openapi_document()["paths"].items()
    for method, operation in methods.items()
    if path.startswith("/v1/") or path == "/metrics"
]
NAMES = [f"{method} {path}" for method, path, _ in ADDRESSES]
each_address = pytest.mark.parametrize(("method", "path"), [address[:2] for address in ADDRESSES], ids=NAMES)
WANTED = {
    "POST /v1/media": {Scope.JUDGE},
    "POST /v1/media:fetch": {Scope.JUDGE},
    "POST /v1/hashes": {Scope.JUDGE},
    "POST /v1/appeals": {Scope.APPEALS},
    "GET /v1/appeals/appeal-1": {Scope.APPEALS},
    "POST /v1/accounts": {Scope.JUDGE},
    "POST /v1/contacts": {Scope.JUDGE},
    "POST /v1/messages": {Scope.JUDGE},
    "POST /v1/contacts/check": {Scope.JUDGE},
    "GET /v1/child-defaults": {Scope.JUDGE, Scope.ADMIN},
    "GET /v1/lists": {Scope.LISTS},
    "GET /v1/cases": {Scope.ADMIN},
    "GET /v1/cases/1": {Scope.JUDGE, Scope.ADMIN},
    "POST /v1/shares": {Scope.JUDGE},
    "POST /v1/content": {Scope.JUDGE},
    "GET /v1/content/photo-1": {Scope.JUDGE},
    f"GET {GATE}": {Scope.JUDGE},
    f"GET {GATE_BY_ADDRESS}": {Scope.JUDGE},
    "GET /metrics": {Scope.METRICS, Scope.ADMIN},
}


def ask(api: Api, method: str, path: str, authorization: str | None) -> httpx.Response:
    headers = {} if authorization is None else {b"Authorization": authorization.encode("latin-1")}
    return httpx.request(method, api.url + path, headers=headers, timeout=120)


def plain(path: str) -> str:
    """An address as a part of a key's name."""
    return re.sub(r"[^a-z0-9-]", ".", path)


def test_every_address_is_known_here() -> None:
    assert set(NAMES) == set(WANTED)


def test_every_address_says_that_it_needs_a_key() -> None:
    assert [name for name, (_, _, operation) in zip(NAMES, ADDRESSES, strict=True) if not operation["security"]] == []


@each_address
@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Basic dGVzdDp0ZXN0",
        "swk_" + "A" * 43,
        "Bearer wrong",
        "Bearer swk_" + "A" * 43,
        "Bearer \xff",
    ],
)
def test_a_wrong_or_missing_key_is_refused(api: Api, method: str, path: str, authorization: str | None) -> None:
    response = ask(api, method, path, authorization)
    refused(response, 401, "unauthenticated")
    assert response.headers["www-authenticate"].startswith("Bearer")


@each_address
def test_a_key_without_the_scope_is_refused(api: Api, method: str, path: str) -> None:
    wanted = WANTED[f"{method} {path}"]
    for scope in Scope:
        name = f"{scope}-{method}-{plain(path)}"
        response = ask(api, method, path, f"Bearer {api.key(name, scope)}")
        if scope in wanted:
            assert response.status_code not in (401, 403)
        else:
            refused(response, 403, "forbidden")


@each_address
def test_a_revoked_key_stops_working(api: Api, method: str, path: str) -> None:
    name = f"revoked-{method}-{plain(path)}"
    secret = api.key(name, *Scope)
    assert ask(api, method, path, f"Bearer {secret}").status_code not in (401, 403)
    with api.runtime.database.transaction() as session:
        keys.revoke(session, name, SYSTEM)
    limit = time.monotonic() + 30
    while (response := ask(api, method, path, f"Bearer {secret}")).status_code != 401:
        assert time.monotonic() < limit, "the revoked key still works"
        time.sleep(0.1)
    refused(response, 401, "unauthenticated")


@each_address
def test_a_key_may_not_ask_more_often_than_its_rate(api: Api, method: str, path: str) -> None:
    secret = api.key(f"slow-{method}-{plain(path)}", *Scope, rate=2)
    responses = [ask(api, method, path, f"Bearer {secret}") for _ in range(3)]
    assert [response.status_code == 429 for response in responses] == [False, False, True]
    refused(responses[-1], 429, "rate_limited")
    assert 1 <= int(responses[-1].headers["retry-after"]) <= 30


def test_a_batch_costs_as_much_as_its_items(api: Api) -> None:
    secret = api.key("batches", Scope.JUDGE, rate=10)
    headers = {"Authorization": f"Bearer {secret}"}

    def batch(size: int) -> httpx.Response:
        items = [{"content_id": f"b{number}", "md5": "a" * 32} for number in range(size)]
        return httpx.post(f"{api.url}/v1/hashes", json={"items": items}, headers=headers, timeout=120)

    refused(batch(11), 422, "bad_input")
    assert batch(8).status_code == 200
    refused(batch(3), 429, "rate_limited")
    assert batch(2).status_code == 200


def test_nothing_is_read_from_somebody_without_a_key(api: Api) -> None:
    """The refusal comes while the body is still being sent."""
    sent = list[int]()

    def slowly() -> Iterator[bytes]:
        for number in range(100):
            sent.append(number)
            yield bytes(1000)

    response = httpx.post(f"{api.url}/v1/media?content_id=c1", content=slowly(), timeout=120)
    refused(response, 401, "unauthenticated")


def test_every_route_below_v1_has_a_door(api: Api) -> None:
    """Also one that the API's description would leave out."""
    from seawall.gateways.http import cases, fetching, hashes, lists, media

    for router in (media.router, fetching.router, hashes.router, lists.router, cases.router):
        for route in router.routes:
            assert isinstance(route, APIRoute)
            doors = [part.call for part in route.dependant.dependencies if isinstance(part.call, Admission)]
            assert len(doors) == 1, route.path


def test_health_needs_no_key(api: Api) -> None:
    assert ask(api, "GET", "/healthz", None).json() == {"status": "ok"}
    ready = ask(api, "GET", "/readyz", None).json()
    assert (ready["status"], set(ready["parts"].values())) == ("ready", {"ok"})


def test_a_key_is_in_no_answer(api: Api) -> None:
    secret = api.key("quiet", Scope.JUDGE)
    response = httpx.post(
        f"{api.url}/v1/media?content_id=c1",
        content=picture(1),
        headers={"Authorization": f"Bearer {secret}"},
        timeout=120,
    )
    assert secret not in response.text + str(response.headers)
