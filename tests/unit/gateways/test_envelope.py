"""Around every request: an id, protecting headers, one line in the log, and no detail of what nobody foresaw."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from structlog.testing import capture_logs

from seawall.errors import NotFound, RateLimited
from seawall.gateways.http.app import description_only
from seawall.gateways.http.envelope import HEADERS
from tests.unit.gateways.asking import ask

SECRET = "a-secret-that-belongs-nowhere"


@pytest.fixture
def app() -> FastAPI:
    """The API without a runtime, with routes that fail."""
    app = description_only()

    @app.get("/fails/{token}")
    def fails(token: str) -> None:
        try:
            raise KeyError(token)
        except KeyError as error:
            raise RuntimeError(f"it failed with {token}") from error

    @app.get("/seen/{token}")
    def seen(token: str) -> None:
        raise NotFound("There is none.")

    @app.get("/slow")
    def slow() -> None:
        raise RateLimited("Too often.", retry_after_s=1.2)

    @app.get("/teapot")
    def teapot() -> None:
        raise HTTPException(418, SECRET)

    return app


def test_what_nobody_foresaw_is_told_without_details(app: FastAPI) -> None:
    with capture_logs() as lines:
        response = ask(app, f"/fails/{SECRET}?key={SECRET}", headers={"Authorization": f"Bearer {SECRET}"})
    assert response.status_code == 500
    assert response.json()["error"]["code"] == "internal_error"
    assert response.headers["x-request-id"] in response.json()["error"]["message"]
    assert SECRET not in response.text
    assert SECRET not in str(lines)
    unforeseen = lines[0]
    assert unforeseen["errors"] == ["builtins.RuntimeError", "builtins.KeyError"]
    assert "test_envelope.py" in unforeseen["places"][0][-1]
    assert unforeseen["route"] == "/fails/{token}"


@pytest.mark.parametrize(
    "path", ["/", "/docs", "/docs/docs.css", "/openapi.json", "/healthz", "/teapot", "/fails/x", "/slow"]
)
def test_every_answer_protects_itself(app: FastAPI, path: str) -> None:
    headers = ask(app, path).headers
    assert [name for name in HEADERS if name.lower() not in headers] == []
    assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "server" not in headers


def test_a_harmless_request_id_is_kept_and_another_replaced(app: FastAPI) -> None:
    assert ask(app, "/healthz", headers={"X-Request-ID": "req-1.2_3"}).headers["x-request-id"] == "req-1.2_3"
    for given in ("a b", "x" * 65, "", "<b>"):
        made = ask(app, "/healthz", headers={"X-Request-ID": given}).headers["x-request-id"]
        assert made != given
        assert len(made) == 16


def test_the_log_holds_no_ids_and_no_queries(app: FastAPI) -> None:
    with capture_logs() as lines:
        ask(app, f"/seen/{SECRET}?account_id={SECRET}", headers={"Authorization": f"Bearer {SECRET}"})
        ask(app, f"/nowhere/{SECRET}")
    assert [(line["route"], line["status"]) for line in lines] == [("/seen/{token}", 404), ("(none)", 404)]
    assert SECRET not in str(lines)


def test_health_checks_do_not_fill_the_log(app: FastAPI) -> None:
    with capture_logs() as lines:
        ask(app, "/healthz")
    assert lines == []


def test_what_the_framework_says_is_put_into_the_one_shape(app: FastAPI) -> None:
    response = ask(app, "/teapot")
    assert (response.status_code, set(response.json()["error"])) == (422, {"code", "message", "hint"})
    assert SECRET not in response.text


def test_waiting_is_told_in_whole_seconds(app: FastAPI) -> None:
    response = ask(app, "/slow")
    assert (response.status_code, response.headers["retry-after"]) == (429, "2")


def test_no_library_exports_what_it_sees(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the environment asks for."""
    monkeypatch.setenv("FASTAPI_OTEL_AUTO_CONFIGURE", "true")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://192.0.2.1:4318")
    config = vars(description_only())["_telemetry"]
    assert not any(config[name] for name in ("tracing", "metrics", "logs", "operation_spans", "auto_configure"))
