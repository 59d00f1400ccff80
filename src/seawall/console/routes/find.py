"""Finding a case by whatever a person has at hand, from any page. What is looked for is in no address and no log."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import Response

from seawall import flow
from seawall.access.people import PersonSession
from seawall.access.permissions import Act
from seawall.cases.lookups import LONGEST, Hit
from seawall.console import wording
from seawall.console.desk import Desk, desk_of
from seawall.console.troubles import is_htmx
from seawall.console.views import FoundCase
from seawall.console.visitor import Allowed, AnyVisitor, own_form

router = APIRouter(prefix="/find")
ASearcher = Annotated[PersonSession, Depends(Allowed(Act.SEE_CASES))]


@router.get("", dependencies=[Depends(Allowed(Act.SEE_CASES))])
def page(desk: Annotated[Desk, Depends(desk_of)], visitor: AnyVisitor) -> Response:
    """Where to look something up, for those whose browser runs no script."""
    return desk.pages.answer("find.html", visitor, words="", found=None)


@router.post("", dependencies=[Depends(own_form)])
def find(
    request: Request,
    desk: Annotated[Desk, Depends(desk_of)],
    visitor: AnyVisitor,
    person: ASearcher,
    words: Annotated[str, Form(max_length=LONGEST)] = "",
) -> Response:
    """The cases that the words name."""
    found = [_found(hit) for hit in flow.look_up(desk.rooms, person, words)]
    template = "parts/found.html" if is_htmx(request) else "find.html"
    return desk.pages.answer(template, visitor, words=words, found=found)


def _found(hit: Hit) -> FoundCase:
    anchor = f"#item-{hit.item_id}" if hit.item_id is not None else ""
    return FoundCase(
        hit.case_id,
        f"/console/cases/{hit.case_id}{anchor}",
        wording.subject(hit.subject)[1],
        wording.CASE_STATES[hit.state],
        f"by its {hit.by.value}",
    )
