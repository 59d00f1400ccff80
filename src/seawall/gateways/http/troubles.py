"""Every error in the one shape, whoever raised it."""

from __future__ import annotations

import math

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from seawall.errors import (
    BadInput,
    BodyMalformed,
    BodyTooLarge,
    InternalError,
    MethodNotAllowed,
    NotFound,
    RateLimited,
    SeawallError,
    Unauthenticated,
    Unavailable,
)
from seawall.gateways.http.answers import of_error

log = structlog.get_logger(__name__)

JUDGING = ("/v1/media", "/v1/media:fetch", "/v1/hashes", "/v1/shares")
UNSCREENED = "Nothing was screened: do not publish it."
RETRY_AFTER_S = 5
BY_STATUS: dict[int, type[SeawallError]] = {
    400: BodyMalformed,
    404: NotFound,
    405: MethodNotAllowed,
    413: BodyTooLarge,
}


def install(app: FastAPI) -> None:
    """Answers what rooms and framework raise. What nobody foresaw is answered further outside, in `Envelope`."""
    app.add_exception_handler(SeawallError, on_seawall_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_invalid_parameter)


def answer_error(path: str, error: SeawallError, headers: dict[str, str] | None = None) -> JSONResponse:
    """The answer to an error. Where something was to be judged and was not, it says what follows from that."""
    document = of_error(error)
    if error.http_status >= 500 and path in JUDGING:
        document["error"]["hint"] = f"{UNSCREENED} {error.hint}"
    return JSONResponse(document, status_code=error.http_status, headers={**_headers(error), **(headers or {})})


def _headers(error: SeawallError) -> dict[str, str]:
    if isinstance(error, RateLimited):
        return {"Retry-After": str(max(1, math.ceil(error.retry_after_s)))}
    if isinstance(error, Unavailable):
        return {"Retry-After": str(RETRY_AFTER_S)}
    if isinstance(error, Unauthenticated):
        return {"WWW-Authenticate": 'Bearer realm="Seawall"'}
    return {}


async def on_seawall_error(request: Request, error: Exception) -> JSONResponse:
    """The answer to what a room has raised. What is not the asker's doing is logged."""
    assert isinstance(error, SeawallError)
    if error.http_status >= 500:
        cause = None if error.__cause__ is None else type(error.__cause__).__name__
        log.error("http.failed", code=error.code, message=error.message, cause=cause)
    return answer_error(request.url.path, error)


async def _on_http_exception(request: Request, error: Exception) -> JSONResponse:
    """What the framework refuses: no such address, a method that it lacks, a request that cannot be parsed."""
    assert isinstance(error, HTTPException)
    kind = BY_STATUS.get(error.status_code, BadInput if error.status_code < 500 else InternalError)
    message = {
        404: "There is nothing at this address.",
        405: f"This address does not take {request.method if request.method.isalpha() else 'that method'}.",
    }.get(error.status_code, "The request cannot be used.")
    hint = "The API documentation is at /docs." if error.status_code == 404 else None
    return answer_error(request.url.path, kind(message, hint=hint), dict(error.headers or {}))


async def _on_invalid_parameter(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    problems = (
        f"{'.'.join(str(part) for part in problem['loc'][1:])}: {problem['msg'].lower()}"
        for problem in error.errors()
    )
    return answer_error(request.url.path, BadInput(f"{'; '.join(problems)}."))
