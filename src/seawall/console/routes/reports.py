"""Reports to authorities: where each stands, why it stopped, and what a person does about it.

What a report says is not shown here: it is personal data, and is read and completed with `seawall reports`.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from seawall.access.people import PersonSession
from seawall.access.permissions import Act, may
from seawall.console.desk import Desk, desk_of
from seawall.console.visitor import Allowed, AnyVisitor, own_form
from seawall.console.wording import Notice
from seawall.errors import BadInput, Conflict
from seawall.reporting import acts, views
from seawall.reporting.acts import Resolution
from seawall.reporting.cybertip.account import configured
from seawall.reporting.filing import Filer
from seawall.reporting.nca import drafting as nca
from seawall.reporting.states import NCA, NEEDS_A_PERSON, ReportState

router = APIRouter(prefix="/reports")
ADesk = Annotated[Desk, Depends(desk_of)]
SHOWN = 100
DONE = {
    "file": "The report is on its way: a worker files it, and goes on trying.",
    "retract": "The report is a draft again.",
    "received": "The report is filed, under that reference.",
    "resolve": "Settled. It is in the audit chain with your words.",
}
RESOLUTIONS = (
    (Resolution.OPENED, "The authority has it open, under the number below"),
    (Resolution.NOT_OPENED, "The authority has nothing of it"),
    (Resolution.FILED, "It was filed by another way, under the number below"),
    (Resolution.SET_ASIDE, "It is not to be filed"),
)


@router.get("", dependencies=[Depends(Allowed(Act.SEE_REPORTS))])
def reports_page(desk: ADesk, visitor: AnyVisitor, state: str = "") -> Response:
    """The newest reports."""
    wanted = ReportState(state) if state in {each.value for each in ReportState} else None
    with desk.database.transaction() as session:
        found = views.recent(session, state=wanted, limit=SHOWN)
        counts = views.counts(session)
    return desk.pages.answer(
        "reports.html",
        visitor,
        here="/console/reports",
        reports=found,
        counts=counts,
        wanted=wanted.value if wanted else "",
        shown_at_most=SHOWN,
        configured=configured(desk.settings),
        needs_a_person=NEEDS_A_PERSON,
    )


@router.get("/{report_id}", dependencies=[Depends(Allowed(Act.SEE_REPORTS))])
def report_page(report_id: int, desk: ADesk, visitor: AnyVisitor, done: str = "") -> Response:
    """One report."""
    with desk.database.transaction() as session:
        report = views.get(session, report_id)
        problems = [] if report.state.is_done else views.problems(session, desk.rooms.vault, report_id)
        sends = views.sends(session, report_id)
    able, by_hand = report.state is ReportState.RECONCILE, report.authority == NCA
    return desk.pages.answer(
        "report.html",
        visitor,
        here="/console/reports",
        exactly=False,
        report=report,
        problems=problems,
        sends=sends,
        may_file=visitor.person is not None and may(visitor.person, Act.FILE_REPORTS),
        by_hand=by_hand,
        can_be_filed=report.state in (ReportState.DRAFT, ReportState.STOPPED) and not problems and not by_hand,
        can_be_retracted=report.state in (ReportState.DUE, ReportState.OPEN, ReportState.STOPPED),
        resolutions=[each for each in RESOLUTIONS if able or each[0] in (Resolution.FILED, Resolution.SET_ASIDE)],
        can_be_resolved=report.state in (ReportState.DRAFT, *NEEDS_A_PERSON) and not by_hand,
        needs_a_person=NEEDS_A_PERSON,
        message=Notice(DONE[done], tone="good") if done in DONE else None,
    )


MayFile = Annotated[PersonSession, Depends(Allowed(Act.FILE_REPORTS))]


@router.post("/{report_id}/file", dependencies=[Depends(own_form)])
def file_report(report_id: int, desk: ADesk, person: MayFile) -> Response:
    """Lets a report go."""
    with desk.database.transaction() as session:
        acts.file(session, desk.rooms.vault, desk.settings, report_id, person.actor)
    return _back(report_id, "file")


@router.post("/{report_id}/retract", dependencies=[Depends(own_form)])
def retract(report_id: int, desk: ADesk, person: MayFile, words: Annotated[str, Form()] = "") -> Response:
    """Takes a report back that is not finished."""
    with desk.database.transaction() as session:
        acts.withdrawn(session, report_id, words, person.actor)
    filer = Filer(desk.database, desk.rooms.vault, desk.settings)
    try:
        outcome = filer.withdraw(report_id)
    finally:
        filer.close()
    if outcome is None:
        raise Conflict("A worker is at this report just now.", hint="Try again in a minute.")
    if outcome.state is not ReportState.DRAFT:
        says = outcome.says or "It was finished before, so it counts as filed."
        raise Conflict(f"The report was not taken back. {says}", hint="The report's page says where it stands.")
    return _back(report_id, "retract")


@router.post("/{report_id}/resolve", dependencies=[Depends(own_form)])
def resolve(
    report_id: int,
    desk: ADesk,
    person: MayFile,
    how: Annotated[str, Form()] = "",
    number: Annotated[str, Form(max_length=30)] = "",
    words: Annotated[str, Form()] = "",
) -> Response:
    """Settles by hand what cannot go on by itself."""
    if how not in {each.value for each in Resolution}:
        raise BadInput("Choose what you have found out.", hint="Nothing was changed.")
    given = number.strip()
    if given and not (given.isascii() and given.isdigit() and len(given) < 19):
        raise BadInput("The authority's number is a whole number.", hint="Nothing was changed.")
    with desk.database.transaction() as session:
        acts.resolve(
            session,
            desk.rooms.vault,
            desk.settings,
            report_id,
            Resolution(how),
            words,
            person.actor,
            number=int(given) if given else None,
        )
    return _back(report_id, "resolve")


@router.post("/{report_id}/received", dependencies=[Depends(own_form)])
def received(report_id: int, desk: ADesk, person: MayFile, reference: Annotated[str, Form()] = "") -> Response:
    """Puts on record that the NCA has a report."""
    with desk.database.transaction() as session:
        nca.received(session, desk.rooms.vault, desk.settings, report_id, reference, person.actor)
    return _back(report_id, "received")


@router.post("/{report_id}/set-aside", dependencies=[Depends(own_form)])
def set_aside(report_id: int, desk: ADesk, person: MayFile, words: Annotated[str, Form()] = "") -> Response:
    """Gives a draft for the NCA up."""
    with desk.database.transaction() as session:
        nca.set_aside(session, desk.rooms.vault, desk.settings, report_id, words, person.actor)
    return _back(report_id, "resolve")


def _back(report_id: int, done: str) -> Response:
    return RedirectResponse(f"/console/reports/{report_id}?done={done}", status_code=303)
