"""Webhooks: what was told to the platform, what waits, and what was given up."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from seawall.access.people import PersonSession
from seawall.access.permissions import Act, may
from seawall.actions import endpoints, outbox
from seawall.actions.schedule import MessageState
from seawall.console.desk import Desk, desk_of
from seawall.console.visitor import Allowed, AnyVisitor, own_form
from seawall.console.wording import Notice

router = APIRouter(prefix="/webhooks")
ADesk = Annotated[Desk, Depends(desk_of)]
SHOWN = 100


@router.get("", dependencies=[Depends(Allowed(Act.SEE_WEBHOOKS))])
def webhooks_page(desk: ADesk, visitor: AnyVisitor, state: str = "", replayed: str = "") -> Response:
    """Endpoints, and the newest messages."""
    wanted = MessageState(state) if state in {each.value for each in MessageState} else None
    with desk.database.transaction() as session:
        messages = outbox.recent(session, limit=SHOWN, state=wanted)
        counts = outbox.counts(session)
        listeners = endpoints.list_endpoints(session)
    message = Notice("The message is on its way again.", tone="good") if replayed else None
    return desk.pages.answer(
        "webhooks.html",
        visitor,
        here="/console/webhooks",
        messages=messages,
        counts=counts,
        endpoints=listeners,
        wanted=wanted.value if wanted else "",
        shown_at_most=SHOWN,
        may_manage=visitor.person is not None and may(visitor.person, Act.MANAGE_WEBHOOKS),
        message=message,
    )


@router.post("/{message_id}/replay", dependencies=[Depends(own_form)])
def replay(
    message_id: uuid.UUID, desk: ADesk, person: Annotated[PersonSession, Depends(Allowed(Act.MANAGE_WEBHOOKS))]
) -> Response:
    """Sends one message again."""
    with desk.database.transaction() as session:
        outbox.replay(session, message_id, person.actor)
    return RedirectResponse("/console/webhooks?replayed=1", status_code=303)
