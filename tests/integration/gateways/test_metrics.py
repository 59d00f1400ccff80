"""GET /metrics: who may read it, what it tells, and what it never tells."""

from __future__ import annotations

import hashlib
import time

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from seawall.actions import endpoints, outbox
from seawall.engines.meters import OTHER, SURFACES
from seawall.records import SYSTEM, EntryDraft, EventType, Scope
from tests.integration.gateways.conftest import Api
from tests.integration.gateways.material import picture


@pytest.fixture(scope="module")
def scraper(api: Api) -> httpx.Client:
    """A client that may do nothing else."""
    return httpx.Client(
        base_url=api.url, headers={"Authorization": f"Bearer {api.key('prometheus', Scope.METRICS)}"}, timeout=120
    )


def scrape(scraper: httpx.Client) -> dict[tuple[str, tuple[str, ...]], float]:
    """Each sample by its name and the values of its labels, in the order of their names."""
    answer = scraper.get("/metrics")
    assert answer.status_code == 200, answer.text
    return {
        (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_it_takes_a_key_with_the_scope(api: Api, scraper: httpx.Client) -> None:
    assert httpx.get(f"{api.url}/metrics").status_code == 401
    assert api.client.get("/metrics").status_code == 403
    administrator = {"Authorization": f"Bearer {api.key('administrator', Scope.ADMIN)}"}
    assert httpx.get(f"{api.url}/metrics", headers=administrator).status_code == 200
    assert scraper.post("/v1/hashes", json={"content_id": "x", "md5": "0" * 32}).status_code == 403
    assert scraper.get("/metrics?name=x").status_code == 422


def test_it_is_the_text_of_prometheus_and_is_kept_nowhere(scraper: httpx.Client) -> None:
    answer = scraper.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"


def test_judgements_and_lookups_are_counted(api: Api, scraper: httpx.Client) -> None:
    listed = hashlib.sha256(b"metrics: a test entry").digest()
    api.put_on_list(EntryDraft(1, sha256=listed))
    before = scrape(scraper)
    blocked = {"content_id": "metrics-1", "sha256": listed.hex(), "surface": "avatar"}
    clean = {"content_id": "metrics-2", "md5": "0" * 31 + "1", "surface": "message:group"}
    assert api.client.post("/v1/hashes", json={"items": [blocked, clean, clean]}).status_code == 200
    after = scrape(scraper)

    def grown(name: str, *labels: str) -> float:
        return after.get((name, labels), 0) - before.get((name, labels), 0)

    assert grown("seawall_judgements_total", "avatar", "block") == 1
    assert grown("seawall_judgements_total", "message", "allow") == 2
    assert grown("seawall_lookups_total") >= 2
    assert grown("seawall_lookup_seconds_count") >= 1
    assert grown("seawall_requests_total", "POST", "/v1/hashes", "200") == 1
    assert after["seawall_lookup_seconds_bucket", ("+Inf",)] == after["seawall_lookup_seconds_count", ()]


def test_the_state_of_the_index_is_told(api: Api, scraper: httpx.Client) -> None:
    before = scrape(scraper)
    api.put_on_list(EntryDraft(1, md5=hashlib.md5(b"metrics: one more", usedforsecurity=False).digest()))
    after = scrape(scraper)
    assert after["seawall_index_ready", ()] == 1
    assert after["seawall_index_entries", ()] == before["seawall_index_entries", ()] + 1
    assert after["seawall_index_generation", ()] == api.runtime.rooms.index.generation
    assert after["seawall_index_generation", ()] > before["seawall_index_generation", ()]
    assert 0 <= after["seawall_index_staleness_seconds", ()] < 60
    assert after["seawall_index_segments", ()] >= 1
    assert after["seawall_api_processes", ()] == 1


def test_the_state_of_the_index_is_kept_up_to_date_for_other_processes(api: Api) -> None:
    meters = api.runtime.rooms.meters
    api.put_on_list(EntryDraft(1, md5=hashlib.md5(b"metrics: a third", usedforsecurity=False).digest()))
    wanted = f"seawall_index_generation {float(api.runtime.rooms.index.generation)}"
    limit = time.monotonic() + 30
    while wanted not in meters.text(webhooks_pending=None).decode():
        assert time.monotonic() < limit
        time.sleep(0.05)


def test_failures_to_decode_are_counted_by_code(api: Api, scraper: httpx.Client) -> None:
    before = scrape(scraper).get(("seawall_decoder_failures_total", ("media_corrupt",)), 0)
    body = picture(1)
    answer = api.client.post("/v1/media?content_id=metrics-broken", content=body[: len(body) // 2])
    assert answer.json()["verdict"] == "hold"
    assert scrape(scraper)["seawall_decoder_failures_total", ("media_corrupt",)] == before + 1


def test_waiting_webhooks_are_counted(api: Api, scraper: httpx.Client) -> None:
    before = scrape(scraper)["seawall_webhooks_pending", ()]
    with api.runtime.database.transaction() as session:
        endpoints.add(session, api.runtime.master_key, "http://127.0.0.1:9/hooks", actor=SYSTEM)
        outbox.put(session, EventType.CONTENT_HOLD, {"content_id": "metrics-4"})
    assert scrape(scraper)["seawall_webhooks_pending", ()] == before + 1


def test_nothing_that_was_sent_becomes_a_label(api: Api, scraper: httpx.Client) -> None:
    secret = "a-secret-word"
    for number in range(30):
        item = {
            "content_id": f"{secret}-{number}",
            "account_id": f"{secret}-account-{number}",
            "surface": f"{secret}-{number}",
            "sha256": hashlib.sha256(str(number).encode()).hexdigest(),
        }
        assert api.client.post("/v1/hashes", json=item).status_code == 200
        api.client.get(f"/{secret}/{number}")
        api.client.get(f"/v1/cases/{number}")
        api.client.request(f"{secret}{number}".upper().replace("-", ""), "/v1/hashes")
    told = scrape(scraper)
    text = scraper.get("/metrics").text
    assert secret not in text
    assert secret.upper().replace("-", "") not in text
    assert hashlib.sha256(b"1").hexdigest() not in text
    surfaces = {labels[0] for name, labels in told if name == "seawall_judgements_total"}
    assert surfaces <= SURFACES | {OTHER}
    assert OTHER in surfaces
    routes = {labels[1] for name, labels in told if name == "seawall_requests_total"}
    assert {"/v1/cases/{case_id}", "(none)"} <= routes
    assert {labels[0] for name, labels in told if name == "seawall_requests_total"} <= {"GET", "POST", OTHER}
