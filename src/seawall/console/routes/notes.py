"""Notes on a case: they are added, and stay as they are."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from seawall import flow
from seawall.access.people import PersonSession
from seawall.access.permissions import Act
from seawall.cases import store
from seawall.cases.notes import LONGEST_NOTE
from seawall.console import casefile, views
from seawall.console.desk import Desk, desk_of
from seawall.console.troubles import is_htmx
from seawall.console.visitor import Allowed, AnyVisitor, own_form
from seawall.console.wording import Notice
from seawall.errors import BadInput, Conflict

router = APIRouter(prefix="/cases/{case_id}/notes")


@router.post("", dependencies=[Depends(own_form), Depends(Allowed(Act.SEE_CASES))])
def add(
    case_id: Annotated[int, Path(ge=1, le=2**62)],
    request: Request,
    desk: Annotated[Desk, Depends(desk_of)],
    visitor: AnyVisitor,
    person: Annotated[PersonSession, Depends(Allowed(Act.DECIDE))],
    # Browsers send a line's end as two characters and count it as one.
    text: Annotated[str, Form(max_length=2 * LONGEST_NOTE)] = "",
) -> Response:
    """Adds one note, and shows all of them."""
    refusal, status = None, 200
    try:
        flow.write_note(desk.rooms, person, case_id, text)
    except (BadInput, Conflict) as error:
        if not is_htmx(request):
            raise
        refusal, status = Notice(error.message, error.hint, "trouble"), error.http_status
    if not is_htmx(request):
        return RedirectResponse(f"/console/cases/{case_id}#notes", status_code=303)
    with desk.database.transaction() as session:
        case = store.get_case(session, case_id)
    return desk.pages.answer(
        "parts/notes.html",
        visitor,
        status=status,
        case=views.case_page(case),
        file=casefile.read(desk, case),
        may_decide=True,
        refusal=refusal,
        note_draft=text if refusal else "",
    )
