"""One case: its items, the decision on each, and asking to look. What a decision does stands in `flow.py`."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import JSONResponse, RedirectResponse
from starlette.responses import Response

from seawall import flow
from seawall.access.people import PersonSession
from seawall.access.permissions import Act, may
from seawall.actions import endpoints
from seawall.cases import store
from seawall.cases.conditions import QueueFilter, Whose
from seawall.cases.decisions import LONGEST_REASON
from seawall.cases.mixing import is_severe
from seawall.cases.reveals import FIRST, Aim
from seawall.cases.store import CaseView, ItemView
from seawall.console import casefile, conversation_wording, views, wording, working
from seawall.console.desk import Desk, desk_of
from seawall.console.filters import LONGEST_QUERY
from seawall.console.looks import Shown, Wanted, look_at, panels
from seawall.console.troubles import goes_to, is_htmx
from seawall.console.views import Draft
from seawall.console.visitor import Allowed, AnyVisitor, APerson, Visitor, opened_here, own_form
from seawall.console.wording import Link, Notice
from seawall.errors import BadInput, Conflict, NotFound
from seawall.records import CaseState, ItemState, Outcome, RevealStage

router = APIRouter(prefix="/cases/{case_id}", dependencies=[Depends(Allowed(Act.SEE_CASES))])
ADesk = Annotated[Desk, Depends(desk_of)]
QUEUE = "/console/"
PICTURE = "parts/picture.html"
LARGEST_ID = 2**62
# Seconds, or numbers of pictures; and the milliseconds of a still.
LATEST = 1_000_000
LATEST_PLACE = 2**31 - 1
LONGEST_NOTE = LONGEST_REASON // 2


def chosen(
    item: Annotated[int, Query(ge=0, lt=LARGEST_ID)] = 0,
    stage: RevealStage | None = None,
    place: Annotated[str, Query(max_length=10, pattern="^[0-9]*$")] = "",
    moving: Annotated[str, Query(max_length=1)] = "",
    start: Annotated[int, Query(ge=0, le=LATEST)] = 0,
    step: Annotated[int, Query(ge=0, le=LATEST)] = 0,
) -> Wanted:
    """What was chosen in an item's panel. Nothing is shown by it."""
    aim = Aim(min(int(place), LATEST_PLACE), bool(moving)) if place else FIRST
    return Wanted(item, stage, aim, start, step)


def aimed(
    place: Annotated[str, Form(max_length=10, pattern="^[0-9]*$")] = "",
    moving: Annotated[str, Form(max_length=1)] = "",
    strip: Annotated[str, Form(max_length=1)] = "",
    start: Annotated[int, Form(ge=0, le=LATEST)] = 0,
    step: Annotated[int, Form(ge=0, le=LATEST)] = 0,
) -> Aim:
    """What is to be looked at: the first picture, a still, or a strip of stills."""
    if strip:
        return Aim(start, strip=True, step=step)
    return Aim(min(int(place), LATEST_PLACE), bool(moving)) if place else FIRST


AWanted = Annotated[Wanted, Depends(chosen)]


@router.get("")
def case_page(
    case_id: int,
    request: Request,
    desk: ADesk,
    visitor: AnyVisitor,
    person: APerson,
    wanted: AWanted,
    decided: int = 0,
    within: Annotated[str | None, Query(max_length=LONGEST_QUERY)] = None,
    done: Annotated[int, Query(ge=0, le=LARGEST_ID)] = 0,
    look: str = "",
) -> Response:
    """One case, which is now the work of who opens it, if it is free.

    Args:
        decided: the number of the item that was just decided.
        within: the part of the queue that it is opened from.
        done: the case that was decided before, where this is the next one.
        look: given where somebody only wants to look.
    """
    case = _case(desk, case_id)
    if not look and case.state is not CaseState.DECIDED and opened_here(request):
        working.opened(desk, person, case_id, within)
    told = [item for item in case.items if item.id == decided and (item.decisions or item.waiting)]
    message = _result(desk, case, told[0]) if told else working.came_from(done) if done else None
    return _page(desk, visitor, case, message=message, wanted=wanted)


@router.get("/items/{item_id}/picture")
def covered(case_id: int, item_id: int, desk: ADesk, visitor: AnyVisitor, wanted: AWanted) -> Response:
    """The item's picture, covered again, with what was chosen in its panel."""
    case = _case(desk, case_id)
    _item(case, item_id)
    return _part(desk, visitor, PICTURE, case, item_id, wanted=replace(wanted, item_id=item_id))


@router.post("/items/{item_id}/reveal", dependencies=[Depends(own_form)])
def reveal(
    case_id: int,
    item_id: int,
    request: Request,
    desk: ADesk,
    visitor: AnyVisitor,
    person: Annotated[PersonSession, Depends(Allowed(Act.REVEAL))],
    stage: Annotated[RevealStage, Form()],
    aim: Annotated[Aim, Depends(aimed)],
) -> Response:
    """Asks for one look, on record; the answer holds the address that shows it once. To a script that holds it, it is
    told alone; else the page shows it."""
    case = _case(desk, case_id)
    item = _item(case, item_id)
    if item.evidence_id is None:
        raise NotFound("There is no picture of this item.", hint="The platform sent its hashes alone.")
    token = flow.ask_to_reveal(desk.rooms, person, item.evidence_id, stage, aim)
    shown = look_at(item_id, token, stage, aim)
    if is_htmx(request):
        return JSONResponse(asdict(shown) | {"over": shown.over})
    chosen = Wanted(item_id, stage, aim, shown=True)
    if aim.strip:
        chosen = Wanted(item_id, None, FIRST, aim.place or 0, aim.step)
    return _page(desk, visitor, case, shown=shown, wanted=chosen)


def filled_in(
    outcome: Annotated[Outcome, Form()],
    note: Annotated[str, Form(max_length=LONGEST_NOTE)] = "",
    why_confirm: Annotated[str, Form(max_length=200)] = "",
    why_not_a_match: Annotated[str, Form(max_length=200)] = "",
    why_escalate: Annotated[str, Form(max_length=200)] = "",
    restrict_account: Annotated[str, Form(max_length=10)] = "",
) -> Draft:
    """The decision form. Each outcome has reasons of its own; those of the others are left aside."""
    presets = {
        Outcome.CONFIRM: why_confirm,
        Outcome.NOT_A_MATCH: why_not_a_match,
        Outcome.ESCALATE: why_escalate,
    }
    restrict = bool(restrict_account) and outcome is Outcome.CONFIRM
    return Draft(outcome.value, presets[outcome].strip(), note.strip(), restrict)


@router.post("/items/{item_id}/decide", dependencies=[Depends(own_form)])
def decide(
    case_id: int,
    item_id: int,
    request: Request,
    desk: ADesk,
    visitor: AnyVisitor,
    person: Annotated[PersonSession, Depends(Allowed(Act.DECIDE))],
    draft: Annotated[Draft, Depends(filled_in)],
    then: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    """Records a decision, and says what comes of it and what is next; or goes there (`then` is "next")."""
    _item(_case(desk, case_id), item_id)
    within = working.within(desk, person, case_id)
    try:
        flow.decide_item(
            desk.rooms,
            person,
            item_id,
            Outcome(draft.outcome),
            ". ".join(part for part in (draft.preset, draft.note) if part),
            restrict_account=draft.restrict_account,
        )
    except (BadInput, Conflict) as error:
        hint = "This is how it stands now." if isinstance(error, Conflict) else error.hint
        notice = Notice(error.message, hint, "trouble")
        return _again(request, desk, visitor, case_id, item_id, notice, draft, error.http_status)
    if then == "next":
        return goes_to(request, working.onward(desk, person, _case(desk, case_id), item_id, within))
    if not is_htmx(request):
        return RedirectResponse(f"/console/cases/{case_id}?decided={item_id}#notice", status_code=303)
    case = _case(desk, case_id)
    result = _result(desk, case, _item(case, item_id))
    return _part(desk, visitor, "parts/decided.html", case, item_id, message=result)


def _again(
    request: Request,
    desk: Desk,
    visitor: Visitor,
    case_id: int,
    item_id: int,
    notice: Notice,
    draft: Draft,
    status: int,
) -> Response:
    """The case as it stands now, with what was filled in and why it did not do."""
    case = _case(desk, case_id)
    if is_htmx(request):
        drafts = {item_id: draft}
        return _part(desk, visitor, "parts/decided.html", case, item_id, message=notice, drafts=drafts, status=status)
    return _page(desk, visitor, case, message=notice, drafts={item_id: draft}, status=status)


def _page(
    desk: Desk,
    visitor: Visitor,
    case: CaseView,
    *,
    message: Notice | None = None,
    shown: Shown | None = None,
    wanted: Wanted | None = None,
    drafts: dict[int, Draft] | None = None,
    status: int = 200,
) -> Response:
    return desk.pages.answer(
        "case.html",
        visitor,
        here=QUEUE,
        exactly=False,
        status=status,
        message=message,
        shown=shown,
        drafts=drafts or {},
        case=views.case_page(case),
        **_beside(desk, case),
        **_allowed(desk, visitor, case, wanted),
    )


def _part(
    desk: Desk,
    visitor: Visitor,
    template: str,
    case: CaseView,
    item_id: int,
    *,
    message: Notice | None = None,
    wanted: Wanted | None = None,
    drafts: dict[int, Draft] | None = None,
    status: int = 200,
) -> Response:
    view = views.case_page(case)
    (item,) = (each for each in view.items if each.id == item_id)
    return desk.pages.answer(
        template,
        visitor,
        status=status,
        message=message,
        drafts=drafts or {},
        case=view,
        item=item,
        # A picture has nothing beside it.
        **({} if template == PICTURE else _beside(desk, case)),
        **_allowed(desk, visitor, case, wanted),
    )


def _beside(desk: Desk, case: CaseView) -> dict[str, Any]:
    return {
        "file": casefile.read(desk, case),
        "rules": casefile.rules(desk, case),
        "same": casefile.same(desk, case),
    }


def _allowed(desk: Desk, visitor: Visitor, case: CaseView, wanted: Wanted | None) -> dict[str, Any]:
    person = visitor.person
    looks = {}
    if person is not None and may(person, Act.REVEAL):
        with desk.database.transaction() as session:
            looks = panels(session, desk.settings, person, case, wanted)
    return {
        "work": None if person is None else working.on(desk, person, case.id),
        "panels": looks,
        "may_decide": person is not None and may(person, Act.DECIDE),
        "may_read": person is not None and may(person, Act.REVEAL),
    }


def _case(desk: Desk, case_id: int) -> CaseView:
    if not 0 < case_id < LARGEST_ID:
        raise NotFound(f"There is no case {case_id}.")
    with desk.database.transaction() as session:
        return store.get_case(session, case_id)


def _item(case: CaseView, item_id: int) -> ItemView:
    for item in case.items:
        if item.id == item_id:
            return item
    raise NotFound(f"Case {case.id} has no item {item_id}.")


def _result(desk: Desk, case: CaseView, item: ItemView) -> Notice:
    """What the newest decision on the item, or the request about it, says and does, and where to go on."""
    number = case.items.index(item) + 1
    with desk.database.transaction() as session:
        first = store.queue(session, limit=2, filters=QueueFilter(whose=Whose.FREE))
        heard = any(endpoint.enabled for endpoint in endpoints.list_endpoints(session))
    onward = _onward(case, item, [row.case_id for row in first if row.case_id != case.id])
    if item.waiting is not None:
        return Notice(wording.WAITS.format(item=number, case=case.id), wording.WAITS_HINT, "good", onward)
    newest = item.decisions[-1]
    return Notice(
        wording.RESULTS[newest.outcome].format(item=number, case=case.id),
        f"{_consequence(item, heard=heard)}{_pause(item)}",
        "good",
        onward,
    )


def _consequence(item: ItemView, *, heard: bool) -> str:
    """What comes of the newest decision on the platform."""
    newest = item.decisions[-1]
    words = conversation_wording.CONSEQUENCES if views.is_conversation(item) else wording.CONSEQUENCES
    return wording.consequence(newest.outcome, restricted=newest.restrict_account, heard=heard, words=words)


def _pause(item: ItemView) -> str:
    """What is suggested after something hard that was looked at."""
    return f" {wording.PAUSE}" if item.decisions[-1].viewed and is_severe(item.findings) else ""


def _onward(case: CaseView, item: ItemView, others: list[int]) -> tuple[Link, ...]:
    """The next item of this case, else the next case, and the queue."""
    left = [
        each for each in case.items if each.state is ItemState.PENDING and each is not item and each.waiting is None
    ]
    links = [Link(f"#item-{left[0].id}", "Next item")] if left else []
    links += [Link(f"/console/cases/{other}", f"Next case: #{other}") for other in others[:1]]
    return (*links, Link(QUEUE, "Queue"))
