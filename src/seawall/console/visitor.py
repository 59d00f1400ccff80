"""Who is at the other end of a request, and whether its form came from a page of ours."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from typing import Annotated, Literal, TypedDict
from urllib.parse import urlsplit

from fastapi import Depends, Form, Request, Response

from seawall.access import sessions
from seawall.access.people import PersonSession
from seawall.access.permissions import DEMANDS_PROOF, Act, require
from seawall.access.proof import idle_limit, require_proof
from seawall.access.secrets import as_bytes
from seawall.access.sessions import Browser, Login
from seawall.console.desk import Desk, desk_of
from seawall.errors import Forbidden, Unauthenticated

SESSION_COOKIE = "seawall_session"
FORM_COOKIE = "seawall_form"
LONGEST_TOKEN = 200
LOOPBACK = {"127.0.0.1", "::1"}
# Sent with what a page asks by itself, on a clock.
BY_ITSELF = "x-seawall-by-itself"


@dataclass(frozen=True, slots=True)
class Visitor:
    """A person with a session, or nobody yet. `form_token` goes into each form of the page and comes back with it.

    Before there is a session, the form token is kept in a cookie of its own, so that nobody can be logged in by a
    stranger's page; afterwards it belongs to the session.
    """

    person: PersonSession | None
    form_token: str
    secure: bool
    new_form_token: bool = False

    def keep_form_token(self, answer: Response) -> None:
        """Gives a browser that has no form token yet this one."""
        if self.new_form_token:
            answer.set_cookie(cookie_name(FORM_COOKIE, self.secure), self.form_token, **_cookie(self.secure))


def cookie_name(name: str, secure: bool) -> str:
    """With TLS the name says that no other host, path or plain connection can have set the cookie."""
    return f"__Host-{name}" if secure else name


class _Cookie(TypedDict):
    path: str
    secure: bool
    httponly: bool
    samesite: Literal["lax"]


def _cookie(secure: bool) -> _Cookie:
    return {"path": "/", "secure": secure, "httponly": True, "samesite": "lax"}


def visitor(request: Request, desk: Annotated[Desk, Depends(desk_of)]) -> Visitor:
    """Reads the cookies; sees at once when a session has ended or its person may no longer come in."""
    secure = desk.settings.tls
    token = request.cookies.get(cookie_name(SESSION_COOKIE, secure), "")
    if token and len(token) <= LONGEST_TOKEN:
        with desk.database.transaction() as session:
            person = sessions.session_from_token(
                session, token, browser=browser_of(request), idle=idle_limit(desk.settings)
            )
        if person is not None:
            return Visitor(person, person.csrf_token, secure)
    kept = request.cookies.get(cookie_name(FORM_COOKIE, secure), "")
    if 20 <= len(kept) <= LONGEST_TOKEN:
        return Visitor(None, kept, secure)
    return Visitor(None, secrets.token_urlsafe(32), secure, new_form_token=True)


def browser_of(request: Request) -> Browser | None:
    """Where a request comes from; None for what a page asks by itself, which is no sign of a person.

    A proxy on this machine says whom it speaks for; nobody else is believed.
    """
    if request.headers.get(BY_ITSELF):
        return None
    address = request.client.host if request.client else ""
    if address in LOOPBACK:
        address = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip() or address
    return Browser(request.headers.get("user-agent", ""), address)


AnyVisitor = Annotated[Visitor, Depends(visitor)]


def person_of(visitor: AnyVisitor) -> PersonSession:
    """The logged-in person.

    Raises:
        Unauthenticated: nobody is logged in; it becomes the login page.
    """
    if visitor.person is None:
        raise Unauthenticated("You are not logged in.", hint="Log in and try again.")
    return visitor.person


APerson = Annotated[PersonSession, Depends(person_of)]


def proven(person: APerson, desk: Annotated[Desk, Depends(desk_of)]) -> PersonSession:
    """A dependency for what an open session alone does not allow, beside `Allowed`.

    Raises:
        ProofNeeded: the person has not shown for too long that it is them; it becomes the page that asks.
    """
    require_proof(person, desk.settings)
    return person


class Allowed:
    """A dependency that lets in only people who may do the act, and for some acts only those who have shown lately
    that it is them."""

    def __init__(self, act: Act) -> None:
        self._act = act

    def __call__(self, person: APerson, desk: Annotated[Desk, Depends(desk_of)]) -> PersonSession:
        """The person.

        Raises:
            Forbidden: none of their roles allows it.
            ProofNeeded: as above.
        """
        require(person, self._act)
        return proven(person, desk) if self._act in DEMANDS_PROOF else person


FormToken = Annotated[str, Form(max_length=LONGEST_TOKEN)]


def door_form(request: Request, visitor: AnyVisitor, csrf: FormToken = "") -> None:
    """Refuses a form that did not come from a page that this visitor was given.

    The token decides. What the browser says about the sender must not contradict it: with no-referrer, browsers send
    ``Origin: null`` for plain forms of our own pages, so that null alone says nothing.

    Raises:
        Forbidden: the token is missing or another's, or the form was sent by another site.
    """
    given = as_bytes(csrf or request.headers.get("x-csrf-token", ""))
    if not hmac.compare_digest(given, as_bytes(visitor.form_token)):
        raise Forbidden(
            "This form is out of date.", hint="Go back, reload the page and send it again. Nothing was changed."
        )
    if not _sent_from_here(request):
        raise Forbidden("This form was sent from another site.", hint="Open the console itself. Nothing was changed.")


def own_form(request: Request, _person: APerson, visitor: AnyVisitor, csrf: FormToken = "") -> None:
    """The same for a person's own form. Who is not logged in any more is asked to log in, before anything else.

    Raises:
        Unauthenticated: the session has ended.
        Forbidden: as above.
    """
    door_form(request, visitor, csrf)


def opened_here(request: Request) -> bool:
    """Whether a person opened this page by themselves or from a page of ours: a stranger's page can lead them to it,
    but nothing is done by that."""
    return request.headers.get("sec-fetch-site", "none") in ("none", "same-origin")


def _sent_from_here(request: Request) -> bool:
    site = request.headers.get("sec-fetch-site")
    if site is not None and site != "same-origin":
        return False
    origin = request.headers.get("origin")
    if origin is None or origin == "null":
        return True
    public = request.app.state.desk.settings.public_url
    hosts = {request.headers.get("host", "")} | ({urlsplit(public).netloc} if public else set())
    return urlsplit(origin).netloc in hosts


def begin_session(answer: Response, login: Login, visitor: Visitor, hours: float) -> None:
    """Puts the session's token into its cookie, and takes the form cookie of before away."""
    answer.set_cookie(
        cookie_name(SESSION_COOKIE, visitor.secure), login.token, max_age=int(hours * 3600), **_cookie(visitor.secure)
    )
    answer.delete_cookie(cookie_name(FORM_COOKIE, visitor.secure), **_cookie(visitor.secure))


def end_session(answer: Response, visitor: Visitor) -> None:
    """Takes the session's cookie away."""
    answer.delete_cookie(cookie_name(SESSION_COOKIE, visitor.secure), **_cookie(visitor.secure))


def safe_next(wanted: str) -> str:
    """Where to go after logging in: an address of the console, whatever was asked for."""
    start = "/console/"
    ordinary = wanted.startswith(start) and wanted.isprintable() and "\\" not in wanted and "//" not in wanted
    return wanted if ordinary and len(wanted) <= 500 and not wanted.startswith(start + "login") else start
