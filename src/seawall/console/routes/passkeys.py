"""Passkeys: to come in by, to show again that it is you, and to add or remove."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Path, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from seawall.access import passkeys
from seawall.access.passkeys import LONGEST_ANSWER, Purpose
from seawall.access.people import PersonSession
from seawall.access.permissions import Act
from seawall.access.secrets import digest_of
from seawall.console.desk import Desk, desk_of
from seawall.console.routes.door import show_login
from seawall.console.visitor import (
    Allowed,
    AnyVisitor,
    Visitor,
    begin_session,
    browser_of,
    door_form,
    own_form,
    proven,
    safe_next,
)
from seawall.console.wording import Notice
from seawall.errors import BadInput, Conflict, Unauthenticated

router = APIRouter()
ADesk = Annotated[Desk, Depends(desk_of)]
Own = Annotated[PersonSession, Depends(Allowed(Act.OWN_ACCOUNT))]
Answer = Annotated[str, Form(max_length=LONGEST_ANSWER)]
Typed = Annotated[str, Form(max_length=1000)]
Number = Annotated[int, Path(ge=1, le=2**62)]
ACCOUNT = "/console/me"
# Who may not is told so, before anybody is asked for a proof.
PROVEN = [Depends(own_form), Depends(Allowed(Act.OWN_ACCOUNT)), Depends(proven)]


@router.post("/login/passkey/options", dependencies=[Depends(door_form)])
def options_to_log_in(desk: ADesk, visitor: AnyVisitor) -> Response:
    """What the browser needs to use any passkey of this console."""
    return _json(desk.passkeys.options_to_use(Purpose.LOGIN, _binding(visitor)))


@router.post("/login/passkey", dependencies=[Depends(door_form)])
def log_in(request: Request, desk: ADesk, visitor: AnyVisitor, answer: Answer = "", next: Typed = "") -> Response:
    """Opens a session by a passkey."""
    try:
        login = desk.passkeys.login(_binding(visitor), answer, browser_of(request))
    except Unauthenticated as error:
        notice = Notice(error.message, error.hint, "trouble")
        return show_login(desk, visitor, next, notice, 401)
    to = RedirectResponse(safe_next(next), status_code=303)
    begin_session(to, login, visitor, desk.settings.session_hours)
    return to


@router.post("/prove/passkey/options", dependencies=[Depends(own_form)])
def options_to_prove(desk: ADesk, visitor: AnyVisitor, person: Own) -> Response:
    """What the browser needs to use one of the person's passkeys."""
    return _json(desk.passkeys.options_to_use(Purpose.PROVE, _binding(visitor), person))


@router.post("/prove/passkey", dependencies=[Depends(own_form)])
def prove(desk: ADesk, visitor: AnyVisitor, person: Own, answer: Answer = "", next: Typed = "") -> Response:
    """Shows by a passkey that it is the person."""
    try:
        desk.passkeys.prove(person, _binding(visitor), answer)
    except Unauthenticated:
        # Not an ended session, so not to the login page: to the one that asks, which says what happened.
        query = urlencode({"next": safe_next(next), "refused": "1"})
        return RedirectResponse(f"/console/prove?{query}", status_code=303)
    return RedirectResponse(safe_next(next), status_code=303)


@router.post("/me/passkeys/options", dependencies=PROVEN)
def options_to_add(desk: ADesk, visitor: AnyVisitor, person: Own) -> Response:
    """What the browser needs to make a passkey."""
    return _json(desk.passkeys.options_to_register(person, _binding(visitor)))


@router.post("/me/passkeys", dependencies=PROVEN)
def add(desk: ADesk, visitor: AnyVisitor, person: Own, answer: Answer = "", name: Typed = "") -> Response:
    """Keeps a passkey that the browser has made."""
    try:
        desk.passkeys.register(person, _binding(visitor), answer, name)
    except Unauthenticated as error:
        raise BadInput("That took too long, or came from another page.", hint="Go back and try again.") from error
    except Conflict as error:
        raise BadInput(error.message, hint=error.hint) from error
    return RedirectResponse(f"{ACCOUNT}?added=1#passkeys", status_code=303)


@router.post("/me/passkeys/{passkey_id}/remove", dependencies=PROVEN)
def remove(passkey_id: Number, desk: ADesk, person: Own) -> Response:
    """Takes one of one's own passkeys away."""
    with desk.database.transaction() as session:
        passkeys.remove(session, person.name, passkey_id, person.actor)
    return RedirectResponse(f"{ACCOUNT}?removed=1#passkeys", status_code=303)


@router.post("/people/{name}/passkeys/{passkey_id}/remove", dependencies=[Depends(own_form)])
def remove_of(
    name: Annotated[str, Path(max_length=64)],
    passkey_id: Number,
    desk: ADesk,
    person: Annotated[PersonSession, Depends(Allowed(Act.MANAGE_PEOPLE))],
) -> Response:
    """Takes a person's passkey away, for administrators."""
    with desk.database.transaction() as session:
        passkeys.remove(session, name, passkey_id, person.actor)
    return RedirectResponse(f"/console/people/{name}?removed=1", status_code=303)


def _binding(visitor: Visitor) -> bytes:
    return digest_of(visitor.form_token)


def _json(text: str) -> Response:
    return Response(text, media_type="application/json")
