"""Single sign-on: out to the provider, and back in."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from seawall.access.people import PersonSession
from seawall.access.permissions import Act
from seawall.access.secrets import digest_of
from seawall.access.sign_on import SignOn
from seawall.console.desk import Desk, desk_of
from seawall.console.routes.door import show_login
from seawall.console.visitor import Allowed, AnyVisitor, begin_session, browser_of, safe_next
from seawall.console.wording import Notice
from seawall.errors import NotFound, ProviderUnavailable, Unauthenticated

router = APIRouter()
ADesk = Annotated[Desk, Depends(desk_of)]
Given = Annotated[str, Query(max_length=4000)]


@router.get("/sso")
def go(desk: ADesk, visitor: AnyVisitor, next: Given = "") -> Response:
    """To the provider, to log in there. Who is in already goes on."""
    if visitor.person is not None:
        return RedirectResponse(safe_next(next), status_code=303)
    try:
        address = _on(desk).begin(digest_of(visitor.form_token), safe_next(next))
    except ProviderUnavailable as error:
        return show_login(desk, visitor, next, Notice(error.message, error.hint, "trouble"), error.http_status)
    answer = RedirectResponse(address, status_code=303)
    visitor.keep_form_token(answer)
    return answer


@router.get("/prove/sso")
def go_and_prove(
    desk: ADesk,
    visitor: AnyVisitor,
    person: Annotated[PersonSession, Depends(Allowed(Act.OWN_ACCOUNT))],
    next: Given = "",
) -> Response:
    """To the provider, to show there once more that it is the person."""
    address = _on(desk).begin(digest_of(visitor.form_token), safe_next(next), person)
    return RedirectResponse(address, status_code=303)


@router.get("/sso/callback")
def come_back(
    request: Request, desk: ADesk, visitor: AnyVisitor, state: Given = "", code: Given = "", iss: Given = ""
) -> Response:
    """Where the provider sends the browser. What it says of errors stays out of the page."""
    try:
        came = _on(desk).finish(
            digest_of(visitor.form_token), state, code, iss, browser=browser_of(request), person=visitor.person
        )
    except (Unauthenticated, ProviderUnavailable) as error:
        if visitor.person is not None:
            return RedirectResponse(f"/console/prove?{urlencode({'refused': 'sso'})}", status_code=303)
        return show_login(desk, visitor, "", Notice(error.message, error.hint, "trouble"), error.http_status)
    answer = RedirectResponse(safe_next(came.next), status_code=303)
    if came.login is not None:
        begin_session(answer, came.login, visitor, desk.settings.session_hours)
    return answer


def _on(desk: Desk) -> SignOn:
    if desk.sign_on is None:
        raise NotFound("There is no single sign-on here.", hint="SEAWALL_OIDC_ISSUER switches it on.")
    return desk.sign_on
