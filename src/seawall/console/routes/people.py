"""Who may do what, and who is who; for administrators, where each person is logged in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path, Query
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from seawall.access import passkeys, people, sessions
from seawall.access.people import PersonSession
from seawall.access.permissions import ALLOWED, Act, may
from seawall.console.desk import Desk, desk_of
from seawall.console.visitor import Allowed, AnyVisitor, Visitor, own_form
from seawall.console.wording import Notice, counted
from seawall.errors import BadInput, Conflict
from seawall.records import Role

router = APIRouter(prefix="/people")
ADesk = Annotated[Desk, Depends(desk_of)]
Name = Annotated[str, Path(max_length=64)]
ADDRESS = "/console/people"


@router.get("", dependencies=[Depends(Allowed(Act.SEE_PERMISSIONS))])
def people_page(desk: ADesk, visitor: AnyVisitor) -> Response:
    """Who holds which role, and what each role may do."""
    with desk.database.transaction() as session:
        everyone = people.list_people(session)
    inside = [person for person in everyone if person.disabled_at is None]
    return desk.pages.answer(
        "people.html",
        visitor,
        here=ADDRESS,
        people=everyone,
        roles=list(Role),
        holders={role: [person.name for person in inside if role in person.roles] for role in Role},
        allowed=ALLOWED,
        may_manage=visitor.person is not None and may(visitor.person, Act.MANAGE_PEOPLE),
    )


@router.get("/{name}", dependencies=[Depends(Allowed(Act.MANAGE_PEOPLE))])
def person_page(
    name: Name,
    desk: ADesk,
    visitor: AnyVisitor,
    ended: Annotated[int | None, Query(ge=0, le=10_000)] = None,
    removed: str = "",
    changed: str = "",
) -> Response:
    """One person, for administrators. `ended` is how many of their sessions were just ended, `removed` tells of a
    passkey, `changed` of their roles."""
    message = None if ended is None else Notice(f"{counted(ended, 'session')} of {name} ended.", tone="good")
    if removed:
        message = Notice(f"The passkey of {name} is removed.", tone="good")
    if changed:
        message = Notice(f"The roles of {name} are changed.", "They hold from their next step on.", "good")
    return _person(desk, visitor, name, message)


@router.post("/{name}/roles", dependencies=[Depends(own_form)])
def change_roles(
    name: Name,
    desk: ADesk,
    visitor: AnyVisitor,
    person: Annotated[PersonSession, Depends(Allowed(Act.CHANGE_ROLES))],
    role: Annotated[list[Role], Form(max_length=len(Role))] = [],  # noqa: B006 - read only
) -> Response:
    """Gives a person exactly these roles."""
    try:
        with desk.database.transaction() as session:
            people.set_roles(session, name, role, person.actor)
    except (BadInput, Conflict) as error:
        notice = Notice(error.message, error.hint, "trouble")
        return _person(desk, visitor, name, notice, status=error.http_status)
    return RedirectResponse(f"{ADDRESS}/{name}?changed=yes#notice", status_code=303)


def _person(desk: Desk, visitor: Visitor, name: str, message: Notice | None, *, status: int = 200) -> Response:
    with desk.database.transaction() as session:
        found = sessions.open_sessions(session, name)
        theirs = passkeys.list_passkeys(session, name)
        (other,) = (each for each in people.list_people(session) if each.name == name)
    return desk.pages.answer(
        "person.html",
        visitor,
        here=ADDRESS,
        exactly=False,
        status=status,
        other=other,
        roles=list(Role),
        acts={
            role: [act.value for act, by in ALLOWED.items() if role in by and len(by) < len(Role)] for role in Role
        },
        sessions=found,
        passkeys=theirs,
        message=message,
    )


@router.post("/{name}/sessions/end", dependencies=[Depends(own_form)])
def end_all(
    name: Name, desk: ADesk, person: Annotated[PersonSession, Depends(Allowed(Act.MANAGE_PEOPLE))]
) -> Response:
    """Ends every session of a person."""
    with desk.database.transaction() as session:
        ended = sessions.end_all(session, name, person.actor)
    return RedirectResponse(f"{ADDRESS}/{name}?ended={ended}", status_code=303)


@router.post("/{name}/sessions/{session_id}/end", dependencies=[Depends(own_form)])
def end(
    name: Name,
    session_id: int,
    desk: ADesk,
    person: Annotated[PersonSession, Depends(Allowed(Act.MANAGE_PEOPLE))],
) -> Response:
    """Ends one session of a person."""
    with desk.database.transaction() as session:
        sessions.end(session, name, session_id, person.actor)
    return RedirectResponse(f"{ADDRESS}/{name}?ended=1", status_code=303)
