"""Showing once more that it is you, before what an open session alone does not allow."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from seawall.access import identities, passkeys, people
from seawall.access.passwords import LONGEST
from seawall.access.people import PersonSession
from seawall.access.permissions import Act
from seawall.console.desk import Desk, desk_of
from seawall.console.visitor import Allowed, AnyVisitor, own_form, safe_next
from seawall.console.wording import Notice
from seawall.errors import RateLimited, Unauthenticated

router = APIRouter(prefix="/prove")
ADesk = Annotated[Desk, Depends(desk_of)]
Typed = Annotated[str, Form(max_length=LONGEST * 4)]
Own = Annotated[PersonSession, Depends(Allowed(Act.OWN_ACCOUNT))]


@router.get("")
def prove_page(desk: ADesk, visitor: AnyVisitor, person: Own, next: str = "", refused: str = "") -> Response:
    """Asks for it; `next` is the page to go back to, `refused` says that a passkey or the provider did not do."""
    what = "The single sign-on did not say that it is you." if refused == "sso" else "This passkey was not accepted."
    return _page(desk, visitor, person, next, Notice(what, "Try again.", "trouble") if refused else None)


@router.post("", dependencies=[Depends(own_form)])
def prove(desk: ADesk, visitor: AnyVisitor, person: Own, password: Typed = "", next: Typed = "") -> Response:
    """Checks the password."""
    try:
        desk.logins.prove(person, password)
    except Unauthenticated as error:
        return _page(desk, visitor, person, next, Notice("This is not your password.", error.hint, "trouble"), 401)
    except RateLimited as error:
        return _page(desk, visitor, person, next, Notice(error.message, error.hint, "trouble"), error.http_status)
    return RedirectResponse(safe_next(next), status_code=303)


def _page(
    desk: Desk,
    visitor: AnyVisitor,
    person: PersonSession,
    wanted: str,
    message: Notice | None = None,
    status: int = 200,
) -> Response:
    with desk.database.transaction() as session:
        has_password = people.has_password(session, person.user_id)
        has_passkey = bool(passkeys.list_passkeys(session, person.name))
        on = desk.sign_on
        may_sign_on = on is not None and identities.has_account(session, person.user_id, on.issuer)
    return desk.pages.answer(
        "prove.html",
        visitor,
        status=status,
        next=safe_next(wanted),
        has_password=has_password,
        site=desk.passkeys.site if has_passkey else None,
        sign_on=on if may_sign_on else None,
        message=message,
    )
