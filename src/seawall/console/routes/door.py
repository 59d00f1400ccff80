"""Coming in and going out: log in, log out, choose a password by a one-time link."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from seawall.access import people, sessions
from seawall.access.passwords import LONGEST, SHORTEST
from seawall.console.desk import Desk, desk_of
from seawall.console.visitor import (
    SESSION_COOKIE,
    AnyVisitor,
    begin_session,
    browser_of,
    cookie_name,
    door_form,
    end_session,
    own_form,
    safe_next,
)
from seawall.console.wording import Notice
from seawall.errors import BadInput, NotFound, RateLimited, Unauthenticated

router = APIRouter()
ADesk = Annotated[Desk, Depends(desk_of)]
Typed = Annotated[str, Form(max_length=LONGEST * 4)]


@router.get("/login")
def login_page(desk: ADesk, visitor: AnyVisitor, next: str = "", chosen: str = "") -> Response:
    """The way in. Who is in already goes on."""
    if visitor.person is not None:
        return RedirectResponse(safe_next(next), status_code=303)
    message = Notice("Your password is set.", "Log in with it.", "good") if chosen else None
    return show_login(desk, visitor, next, message)


def show_login(
    desk: Desk,
    visitor: AnyVisitor,
    wanted: str,
    message: Notice | None = None,
    status: int = 200,
    *,
    name: str = "",
    headers: dict[str, str] | None = None,
) -> Response:
    """The login page, for all ways in; `wanted` is the page to go on to."""
    return desk.pages.answer(
        "login.html",
        visitor,
        status=status,
        headers=headers,
        name=name,
        next=safe_next(wanted),
        site=desk.passkeys.site,
        sign_on=desk.sign_on,
        message=message,
    )


@router.post("/login", dependencies=[Depends(door_form)])
def log_in(
    request: Request,
    desk: ADesk,
    visitor: AnyVisitor,
    name: Typed = "",
    password: Typed = "",
    next: Typed = "",
) -> Response:
    """Checks name and password."""
    try:
        login = desk.logins.login(name, password, browser_of(request))
    except (Unauthenticated, RateLimited) as error:
        headers = {"Retry-After": str(int(error.retry_after_s) + 1)} if isinstance(error, RateLimited) else None
        notice = Notice(error.message, error.hint, "trouble")
        return show_login(desk, visitor, next, notice, error.http_status, name=name, headers=headers)
    answer = RedirectResponse(safe_next(next), status_code=303)
    begin_session(answer, login, visitor, desk.settings.session_hours)
    return answer


@router.post("/logout", dependencies=[Depends(own_form)])
def log_out(request: Request, desk: ADesk, visitor: AnyVisitor) -> Response:
    """Ends the session, here and on the server."""
    token = request.cookies.get(cookie_name(SESSION_COOKIE, visitor.secure), "")
    with desk.database.transaction() as session:
        sessions.logout(session, token)
    answer = RedirectResponse("/console/login", status_code=303)
    end_session(answer, visitor)
    return answer


@router.get("/welcome/{token}")
def welcome_page(token: str, desk: ADesk, visitor: AnyVisitor) -> Response:
    """Where a one-time link leads. Looking at it does not use it up."""
    return _welcome(desk, visitor, token)


@router.post("/welcome/{token}", dependencies=[Depends(door_form)])
def choose_password(
    token: str, desk: ADesk, visitor: AnyVisitor, password: Typed = "", again: Typed = ""
) -> Response:
    """Uses the link up and sets the password."""
    try:
        if password != again:
            raise BadInput("The two passwords differ.", hint="Type the same one twice.")
        with desk.database.transaction() as session:
            people.redeem_link(session, desk.logins.passwords, token, password)
    except BadInput as error:
        return _welcome(desk, visitor, token, Notice(error.message, error.hint, "trouble"), 422)
    answer = RedirectResponse("/console/login?chosen=1", status_code=303)
    end_session(answer, visitor)
    return answer


def _welcome(
    desk: Desk, visitor: AnyVisitor, token: str, message: Notice | None = None, status: int = 200
) -> Response:
    with desk.database.transaction() as session:
        name = people.name_of_link(session, token)
    if name is None:
        raise NotFound(
            "This link was used, has expired or never existed.",
            hint="An administrator makes a new one: seawall users link NAME",
        )
    return desk.pages.answer(
        "welcome.html", visitor, status=status, token=token, name=name, shortest=SHORTEST, message=message
    )
