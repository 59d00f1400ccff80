"""Contacts without reading a word: who sought whom, what is known of ages, and what the safety defaults allow."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse

from seawall import flow
from seawall.access.keys import KeyInfo
from seawall.errors import BadInput
from seawall.gateways.http import batches, examples
from seawall.gateways.http.admission import Admission, no_parameters
from seawall.gateways.http.contact_answers import (
    ChildDefaultsAnswer,
    ContactAnswer,
    ContactsAnswer,
    NotedAnswer,
    PermissionAnswer,
    of_contact,
    of_defaults,
    of_permission,
)
from seawall.gateways.http.contact_fields import (
    ACCOUNT,
    ASKED,
    EVENT,
    Asked,
    account_facts,
    asked_contact,
    contact_event,
)
from seawall.gateways.http.hall import Hall, hall_of
from seawall.grooming import child_safety, contact_store
from seawall.records import Scope

router = APIRouter(prefix="/v1", tags=["contacts"])
AKey = Annotated[KeyInfo, Depends(Admission(Scope.JUDGE, counted=False))]
AHall = Annotated[Hall, Depends(hall_of)]
_WRONG = ("body_empty", "body_malformed", "body_too_large", "bad_input")


def _body(item: dict[str, Any], shown: dict[str, object]) -> dict[str, Any]:
    schema = {"oneOf": [item, batches.described(item)]}
    return {"requestBody": {"required": True, "content": examples.bodies("application/json", schema, shown)}}


@router.post(
    "/accounts",
    summary="Tell of accounts",
    description=(
        "What the platform chooses to tell of an account: how old it takes somebody for and how it knows, an age "
        "that the account gives itself, when it was opened, its region. Nothing of it is needed; what is told makes "
        "the answers about contacts better. What is left out stays as it was told before. Send one, or up to 1,000 "
        "as `items`."
    ),
    response_model=NotedAnswer,
    dependencies=[Depends(no_parameters)],
    responses=examples.answers(
        {"noted": {"noted": 1}},
        *_WRONG,
        *examples.DOOR,
        *examples.FAILURES,
        "overloaded",
        when="How many were noted.",
    ),
    openapi_extra=_body(ACCOUNT, {"one account": examples.ACCOUNT}),
)
async def tell_of_accounts(request: Request, key: AKey, hall: AHall) -> JSONResponse:
    """All in one transaction."""
    told = await batches.asked(request, hall, key, lambda document: batches.one_or_many(document, account_facts))

    def keep() -> None:
        with hall.database.transaction() as session:
            # In one order, so that two batches never wait for each other.
            for facts in sorted(told.items, key=lambda each: each.account_id):
                contact_store.tell(session, facts)

    await hall.work(keep)
    return JSONResponse({"noted": len(told.items)})


@router.post(
    "/contacts",
    summary="Tell who did what toward whom",
    description=(
        "Somebody asked to connect, accepted, declined, muted, blocked or reported: tell it, and be told what the "
        "signs of the contact come to, in words. No message is read. `look` says that what is said between the two "
        "is worth a closer look, `friction` that the one who sought the contact is better slowed down; neither "
        "accuses anybody, and nobody is reported without a human. Events may come late, twice and in any order. Send "
        "one, or up to 1,000 as `items`."
    ),
    response_model=ContactAnswer | ContactsAnswer,
    dependencies=[Depends(no_parameters)],
    responses=examples.answers(
        {"one event": examples.CONTACT_RISK, "a batch": {"items": [examples.CONTACT_RISK]}},
        *(*_WRONG, "not_found", *examples.DOOR, *examples.FAILURES, "overloaded"),
        when="What each contact comes to, in the order of the events.",
    ),
    openapi_extra=_body(EVENT, {"one event": examples.CONTACT, "a batch": {"items": [examples.CONTACT]}}),
)
async def tell_of_contacts(request: Request, key: AKey, hall: AHall) -> JSONResponse:
    """Each event is a transaction of its own, in the order in which they came."""
    told = await batches.asked(
        request, hall, key, lambda document: batches.one_or_many(document, _with_time(contact_event))
    )

    def judge() -> list[dict[str, object]]:
        return [of_contact(event, flow.judge_contact(hall.rooms, event)) for event in told.items]

    found = await hall.work(judge)
    return JSONResponse({"items": found} if told.many else found[0])


@router.post(
    "/contacts/check",
    summary="Ask whether one may reach the other",
    description=(
        "Before an account is suggested, shown in a list of connections, written to or shown on a map: whether the "
        "safety defaults of the jurisdiction allow it, which of them forbids it, and what a child is to be told with "
        "it. Somebody whose age is unknown counts as a child. Say `connected` where the platform knows it; otherwise "
        "what was told by `POST /v1/contacts` counts. Nothing is kept of the question."
    ),
    response_model=PermissionAnswer,
    dependencies=[Depends(no_parameters)],
    responses=examples.answers(
        {"forbidden": examples.FORBIDDEN_CONTACT},
        *(*_WRONG, "not_found", *examples.DOOR, *examples.FAILURES, "overloaded"),
        when="Whether it may be done.",
    ),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": examples.bodies("application/json", ASKED, {"a message": examples.CONTACT_CHECK}),
        }
    },
)
async def check_contact(request: Request, key: AKey, hall: AHall) -> JSONResponse:
    """Reads what is known of the two."""
    asked = await batches.asked(
        request, hall, key, lambda document: batches.Asked([asked_contact(document)], many=False)
    )
    return JSONResponse(of_permission(await hall.work(lambda: _permission(hall, asked.items[0]))))


@router.get(
    "/child-defaults",
    summary="Read the safety defaults for children",
    description=(
        "What a regulator wants children protected by unless somebody changes it, and when a child is to be told "
        "something, with source and date."
    ),
    dependencies=[Depends(Admission(Scope.JUDGE, Scope.ADMIN))],
    responses=examples.answers(
        {"a jurisdiction": examples.CHILD_DEFAULTS},
        *("not_found", "bad_input", *examples.DOOR, *examples.FAILURES),
        when="The defaults.",
    ),
)
async def child_defaults(
    request: Request,
    jurisdiction: Annotated[str, Query(max_length=8, description="ISO 3166-1 alpha-2.", examples=["GB"])],
) -> ChildDefaultsAnswer:
    """They are data that ship with Seawall."""
    if set(request.query_params) != {"jurisdiction"}:
        raise BadInput("Unknown parameter.", hint="Known is jurisdiction.")
    return of_defaults(child_safety.of(jurisdiction))


def _permission(hall: Hall, asked: Asked) -> child_safety.Permission:
    with hall.database.transaction() as session:
        facts = contact_store.facts_of(session, (asked.account_id, asked.other_id))
        connected = asked.connected
        if connected is None:
            connected = contact_store.connected(session, asked.account_id, asked.other_id)
    return child_safety.check(
        asked.rules,
        asked.reach,
        facts[asked.account_id],
        facts[asked.other_id],
        connected=connected,
        first=asked.first,
    )


def _with_time(read: Callable[[object, str, datetime], Any]) -> Callable[[object, str], Any]:
    """Events that say no time happened now, all of a request at the same."""
    at = datetime.now(UTC)
    return lambda given, where: read(given, where, at)
