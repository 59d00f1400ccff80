"""Errors as calm pages: what is wrong, what to do next, and the stable code."""

from __future__ import annotations

import re
from http import HTTPStatus
from urllib.parse import urlencode, urlsplit

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response

from seawall.console.desk import Desk
from seawall.console.visitor import Visitor, safe_next, visitor
from seawall.console.wording import Notice
from seawall.errors import BadInput, NotFound, ProofNeeded, RateLimited, SeawallError, Unauthenticated

log = structlog.get_logger(__name__)

# Pages whose forms have addresses below their own.
ABOVE_A_FORM = re.compile(
    r"/console/(?:cases/\d{1,18}|people/[a-z0-9][a-z0-9._-]{0,63}|blind|second|wellbeing/team)(?=/)"
)
TITLES = {
    401: "Please log in",
    403: "Not for this account",
    404: "Not found",
    405: "Not this way",
    409: "Already done",
    413: "Too large",
    422: "That did not fit",
    429: "A short pause",
    503: "Not available now",
}


def install(app: FastAPI) -> None:
    """Answers every error of the console with a page, or for htmx with a message."""
    app.add_exception_handler(SeawallError, _on_seawall_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_invalid_form)
    app.add_exception_handler(Exception, _on_surprise)


def is_htmx(request: Request) -> bool:
    """Whether htmx asks, which puts the answer into the page that is shown."""
    return request.headers.get("hx-request") == "true"


def goes_to(request: Request, address: str) -> Response:
    """Another page, also where htmx asked for a part of one."""
    if is_htmx(request):
        return Response(status_code=200, headers={"HX-Redirect": address})
    return RedirectResponse(address, status_code=303)


async def _on_seawall_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, SeawallError)
    if isinstance(error, Unauthenticated):
        return _to_login(request)
    if isinstance(error, ProofNeeded):
        return _to_proof(request)
    if error.http_status >= 500:
        log.error("console.failed", code=error.code, error=error.message)
    return await _page(request, error, error.http_status)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == HTTPStatus.NOT_FOUND:
        known: SeawallError = NotFound("There is no such page.", hint="Check the address.")
    else:
        known = BadInput(HTTPStatus(error.status_code).phrase + ".", hint="Go back and try again.")
    return await _page(request, known, error.status_code)


async def _on_invalid_form(request: Request, _error: Exception) -> Response:
    """The values stay out of the page: they are not what it asked for."""
    return await _page(
        request, BadInput("The form does not hold what it should.", hint="Go back, reload and try again."), 422
    )


async def _on_surprise(request: Request, error: Exception) -> Response:
    log.error("console.unforeseen", error=type(error).__name__)
    return await _page(request, SeawallError("Something went wrong on our side."), 500)


def _to_login(request: Request) -> Response:
    """To the login page, and afterwards back to the page that was asked for (never to a form's address)."""
    address = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    wanted = safe_next(address) if request.method == "GET" and not is_htmx(request) else "/console/"
    query = f"?{urlencode({'next': wanted})}" if wanted != "/console/" else ""
    if is_htmx(request):
        return Response(status_code=401, headers={"HX-Redirect": "/console/login"})
    return RedirectResponse(f"/console/login{query}", status_code=303)


def _to_proof(request: Request) -> Response:
    """To the page that asks for a proof, and afterwards back to the page on which something was asked for."""
    if current := request.headers.get("hx-current-url"):
        there = urlsplit(current)
        wanted = safe_next(there.path + (f"?{there.query}" if there.query else ""))
    else:
        # A form's own address cannot be gone back to, but the page that it is on can.
        page = ABOVE_A_FORM.match(request.url.path)
        wanted = page[0] if page else safe_next(request.url.path if request.method == "GET" else "")
    address = f"/console/prove?{urlencode({'next': wanted})}"
    if is_htmx(request):
        return Response(status_code=403, headers={"HX-Redirect": address})
    return RedirectResponse(address, status_code=303)


async def _page(request: Request, error: SeawallError, status: int) -> Response:
    desk: Desk = request.app.state.desk
    someone = await run_in_threadpool(_visitor_or_nobody, request, desk)
    headers = {"Retry-After": str(round(error.retry_after_s) + 1)} if isinstance(error, RateLimited) else {}
    if is_htmx(request):
        headers |= {"HX-Retarget": "#notice", "HX-Reswap": "innerHTML"}
        notice = Notice(error.message, error.hint, "trouble")
        return desk.pages.answer("parts/message.html", someone, status=status, headers=headers, message=notice)
    return desk.pages.answer(
        "error.html",
        someone,
        status=status,
        headers=headers,
        title=TITLES.get(status, "Something went wrong"),
        text=error.message,
        hint=error.hint,
        code=error.code,
    )


def _visitor_or_nobody(request: Request, desk: Desk) -> Visitor:
    """Who sees the page; nobody when even that cannot be asked, so that the page can still be shown."""
    try:
        return visitor(request, desk)
    except SeawallError:
        return Visitor(None, "", desk.settings.tls)
