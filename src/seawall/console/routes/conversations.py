"""What was said in a conversation: read on purpose, on record, while it is kept."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path
from starlette.responses import Response

from seawall import flow
from seawall.access.people import PersonSession
from seawall.access.permissions import Act
from seawall.console.desk import Desk, desk_of
from seawall.console.visitor import Allowed, AnyVisitor, own_form

router = APIRouter(prefix="/cases/{case_id}/items/{item_id}/conversation")
Number = Annotated[int, Path(ge=1, le=2**62)]


@router.post("", dependencies=[Depends(own_form), Depends(Allowed(Act.SEE_CASES))])
def read(
    case_id: Number,
    item_id: Number,
    desk: Annotated[Desk, Depends(desk_of)],
    visitor: AnyVisitor,
    person: Annotated[PersonSession, Depends(Allowed(Act.REVEAL))],
) -> Response:
    """The newest messages, as far as they are kept. Asking is what puts it on record."""
    context = flow.read_conversation(desk.rooms, person, case_id, item_id)
    return desk.pages.answer(
        "conversation.html",
        visitor,
        here="/console/",
        exactly=False,
        case_id=case_id,
        item_id=item_id,
        context=context,
        gone=sum(message.text is None for message in context.messages),
        author=context.author,
    )
