"""Messages: one or a batch, each answered with what is to be done about its conversation."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse

from seawall import flow
from seawall.access.keys import KeyInfo
from seawall.gateways.http import batches, examples, message_examples
from seawall.gateways.http.admission import Admission, no_parameters
from seawall.gateways.http.hall import Hall, hall_of
from seawall.gateways.http.message_answers import JudgedMessageAnswer, JudgedMessagesAnswer, of_message
from seawall.gateways.http.message_fields import MESSAGE, message
from seawall.records import Scope

router = APIRouter(prefix="/v1", tags=["messages"])


@router.post(
    "/messages",
    summary="Send messages",
    description=(
        "What somebody wrote, and in which conversation: send it, and be told what is to be done, with the reasons "
        "in words. Interventions are, mildest first: `nothing`, `prompt` (show the child the text of `prompt`), "
        "`friction` (slow the author down), `mask_handle` (hide handles and addresses), `block_media`, `restrict` "
        "(let the author write to nobody new), `review` (a person looks) and `urgent` (at once). For these two "
        "`case_id` is the case of the conversation; it is decided already where nothing new was said since. "
        "Nobody is reported without a human. Messages may come late, twice and in any order. A private message is "
        "read only where SEAWALL_PRIVATE_CHANNELS says so, and answered with `looked_at` false elsewhere. Send one, "
        "or up to 1,000 as `items`; a batch that failed half-way can be sent again as it is."
    ),
    response_model=JudgedMessageAnswer | JudgedMessagesAnswer,
    dependencies=[Depends(no_parameters)],
    responses=examples.answers(
        {
            "review": message_examples.REVIEW,
            "nothing": message_examples.NOTHING,
            "not looked at": message_examples.NOT_LOOKED_AT,
            "a batch": {"items": [message_examples.NOTHING]},
        },
        *("body_empty", "body_malformed", "body_too_large", "bad_input"),
        *(*examples.DOOR, *examples.FAILURES, "conflict", "overloaded"),
        when="What is to be done after each message, in the order of the messages.",
    ),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": examples.bodies(
                "application/json",
                {"oneOf": [MESSAGE, batches.described(MESSAGE)]},
                {"one message": message_examples.MESSAGE, "a batch": {"items": [message_examples.MESSAGE]}},
            ),
        }
    },
)
async def judge_messages(
    request: Request,
    key: Annotated[KeyInfo, Depends(Admission(Scope.JUDGE, counted=False))],
    hall: Annotated[Hall, Depends(hall_of)],
) -> JSONResponse:
    """All are taken up in their order."""
    now = datetime.now(UTC)
    told = await batches.asked(
        request,
        hall,
        key,
        lambda document: batches.one_or_many(document, lambda given, where: message(given, where, now)),
    )
    answers = await hall.work(lambda: [of_message(each) for each in flow.judge_messages(hall.rooms, told.items)])
    return JSONResponse({"items": answers} if told.many else answers[0])
