"""Unless the operator names hosts, nothing is fetched, and that is said before anything is read."""

from __future__ import annotations

from tests.integration.gateways.conftest import Api
from tests.integration.gateways.material import refused


def test_nothing_is_fetched_by_default(api: Api) -> None:
    for body in ({"url": "https://media.example.com/a.jpg", "content_id": "c"}, {}):
        response = api.client.post("/v1/media:fetch", json=body)
        refused(response, 404, "fetching_off")
        assert "SEAWALL_FETCH_FROM" in response.json()["error"]["hint"]
    assert api.client.get("/v1/media:fetch").status_code == 405
