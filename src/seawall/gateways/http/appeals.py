"""POST and GET /v1/appeals: what people on the platform say against a refusal, and what became of it."""

from __future__ import annotations

import unicodedata
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import Response

from seawall import flow
from seawall.access.keys import KeyInfo
from seawall.cases import appeals
from seawall.cases.appeals import LONGEST_TEXT, AppealArrival, AppealView
from seawall.errors import BadInput, NotFound
from seawall.gateways.http import batches, examples
from seawall.gateways.http.admission import Admission, no_parameters
from seawall.gateways.http.answers import AppealAnswer, of_appeal
from seawall.gateways.http.fields import LONGEST_TEXT as LONGEST_ID
from seawall.gateways.http.fields import needed_text, refuse_unknown, text
from seawall.gateways.http.hall import Hall, hall_of
from seawall.records import Scope

router = APIRouter(prefix="/v1", tags=["appeals"])

KNOWN = ("appeal_id", "content_id", "account_id", "text")
# Line feeds and tabs are what people write; nothing else that steers.
WRITTEN = "\n\r\t"
_ID = {"type": "string", "minLength": 1, "maxLength": LONGEST_ID}
_ITEM: dict[str, Any] = {
    "type": "object",
    "required": ["appeal_id", "content_id", "text"],
    "additionalProperties": False,
    "properties": {
        "appeal_id": {**_ID, "description": "The platform's own id of the appeal; the same again changes nothing."},
        "content_id": {**_ID, "description": "The content that was refused."},
        "account_id": {**_ID, "description": "The account that published it."},
        "text": {
            "type": "string",
            "minLength": 1,
            "maxLength": LONGEST_TEXT,
            "description": "What the person wrote. Kept sealed, and forgotten some time after it was needed.",
        },
    },
}


@router.post(
    "/appeals",
    summary="Appeal against a refusal",
    description=(
        "For what a person on the platform says against content of theirs being held, blocked or removed. Somebody "
        "other than who decided first looks at it; the outcome comes as the webhook `appeal.decided`, and where the "
        "refusal was wrong, `content.release` restores the content. There is one appeal against each decision. The "
        "same `appeal_id` with the same words again gives the same answer; with others it is refused."
    ),
    response_model=AppealAnswer,
    dependencies=[Depends(no_parameters)],
    responses=examples.answers(
        {"an appeal that waits": examples.APPEAL},
        *("body_empty", "body_malformed", "body_too_large", "bad_input", "not_found", "conflict"),
        *(*examples.DOOR, *examples.FAILURES, "overloaded"),
        when="The appeal, as it stands.",
    ),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": examples.bodies("application/json", _ITEM, {"an appeal": examples.APPEALED}),
        }
    },
)
async def receive_appeal(
    request: Request,
    key: Annotated[KeyInfo, Depends(Admission(Scope.APPEALS, counted=False))],
    hall: Annotated[Hall, Depends(hall_of)],
) -> Response:
    """Sealed and written down in a thread."""
    (given,) = (await batches.asked(request, hall, key, _read)).items
    taken = await hall.work(lambda: flow.receive_appeal(hall.rooms, key.actor, given))
    return Response(of_appeal(taken).model_dump_json(), media_type="application/json")


@router.get(
    "/appeals/{appeal_id:path}",
    summary="Show how far an appeal is",
    description="Whether it was decided, and where the content stands.",
    dependencies=[Depends(Admission(Scope.APPEALS)), Depends(no_parameters)],
    responses=examples.answers(
        {"an appeal that was right": examples.APPEAL_OVERTURNED},
        *("not_found", "bad_input", *examples.DOOR, *examples.FAILURES),
        when="The appeal.",
    ),
)
async def show_appeal(
    appeal_id: Annotated[str, Path(description="The platform's own id of the appeal.", examples=["appeal-1"])],
    hall: Annotated[Hall, Depends(hall_of)],
) -> AppealAnswer:
    """Read from the database, so in a thread."""
    wanted = needed_text({"appeal_id": appeal_id}, "appeal_id")

    def read() -> AppealView:
        with hall.database.transaction() as session:
            found = appeals.find(session, wanted)
        if found is None:
            raise NotFound("There is no appeal of that id.")
        return found

    return of_appeal(await hall.work(read))


def _read(document: dict[str, object]) -> batches.Asked[AppealArrival]:
    refuse_unknown(document, KNOWN)
    arrival = AppealArrival(
        appeal_id=needed_text(document, "appeal_id"),
        content_id=needed_text(document, "content_id"),
        text=_words(document.get("text")),
        account_id=text(document, "account_id"),
    )
    return batches.Asked([arrival], many=False)


def _words(value: object) -> str:
    """What a person wrote.

    Raises:
        BadInput: it is none, too long, or no text.
    """
    if not isinstance(value, str) or not value.strip():
        raise BadInput("text is missing.", hint="It is what the person wrote.")
    if len(value) > LONGEST_TEXT:
        raise BadInput(f"text is longer than {LONGEST_TEXT} characters.", hint="Let people write less, or cut it.")
    if any(unicodedata.category(letter) in ("Cc", "Cs") and letter not in WRITTEN for letter in value):
        raise BadInput("text holds characters that are no text, such as NUL.")
    return value
