"""One's own account: the roles that one holds, and where one is logged in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from seawall.access import passkeys, sessions
from seawall.access.people import PersonSession
from seawall.access.permissions import Act
from seawall.access.proof import is_proven
from seawall.console.desk import Desk, desk_of
from seawall.console.visitor import Allowed, AnyVisitor, end_session, own_form
from seawall.console.wording import Notice, counted

router = APIRouter(prefix="/me")
ADesk = Annotated[Desk, Depends(desk_of)]
Own = Annotated[PersonSession, Depends(Allowed(Act.OWN_ACCOUNT))]
ADDRESS = "/console/me"


@router.get("")
def account_page(
    desk: ADesk,
    visitor: AnyVisitor,
    person: Own,
    ended: Annotated[int | None, Query(ge=0, le=10_000)] = None,
    added: str = "",
    removed: str = "",
) -> Response:
    """The account. `ended` is how many sessions were just ended; `added` and `removed` tell of a passkey."""
    with desk.database.transaction() as session:
        found = sessions.open_sessions(session, person.name)
        own = passkeys.list_passkeys(session, person.name)
    message = None if ended is None else Notice(f"{counted(ended, 'session')} ended.", tone="good")
    if added or removed:
        message = Notice(f"The passkey is {'added' if added else 'removed'}.", tone="good")
    return desk.pages.answer(
        "me.html",
        visitor,
        here=ADDRESS,
        sessions=found,
        passkeys=own,
        site=desk.passkeys.site,
        proven=is_proven(person, desk.settings),
        message=message,
    )


@router.post("/sessions/end-others", dependencies=[Depends(own_form)])
def end_others(desk: ADesk, person: Own) -> Response:
    """Ends every session but this one."""
    with desk.database.transaction() as session:
        ended = sessions.end_all(session, person.name, person.actor, but=person.session_id)
    return RedirectResponse(f"{ADDRESS}?ended={ended}", status_code=303)


@router.post("/sessions/{session_id}/end", dependencies=[Depends(own_form)])
def end(session_id: int, desk: ADesk, visitor: AnyVisitor, person: Own) -> Response:
    """Ends one session; ending this one leads to the login page."""
    with desk.database.transaction() as session:
        sessions.end(session, person.name, session_id, person.actor)
    if session_id != person.session_id:
        return RedirectResponse(f"{ADDRESS}?ended=1", status_code=303)
    answer = RedirectResponse("/console/login", status_code=303)
    end_session(answer, visitor)
    return answer
