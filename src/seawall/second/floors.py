"""Lowering the organisation's floor of a harm class again, by two people: everybody is shown more by it."""

from __future__ import annotations

from sqlalchemy.orm import Session

from seawall.access.requests import Parameters, RequestInfo
from seawall.cases import floors
from seawall.cases.stages import Floor
from seawall.evidence import audit
from seawall.records import Actor, HarmClass, RevealStage


def parameters_of(harm_class: HarmClass, wanted: Floor) -> Parameters:
    """Which class is meant, and what its floor is to be."""
    return {"harm_class": harm_class.value, "first": wanted.first.value, "clearest": wanted.clearest.value}


def subject_of(harm_class: HarmClass) -> str:
    """The class, as a request names it."""
    return f"floor:{harm_class.value}"


def floor_of(parameters: Parameters) -> Floor:
    """What its floor is to be."""
    return Floor(RevealStage(str(parameters["first"])), RevealStage(str(parameters["clearest"])))


def hold(session: Session, parameters: Parameters) -> str:
    """Stands differently when the floor was changed meanwhile.

    Raises:
        NotFound: nobody has raised it.
    """
    raised = floors.hold_raised(session, HarmClass(str(parameters["harm_class"])))
    return f"{raised.first}-{raised.clearest}"


def carry_out(session: Session, request: RequestInfo, actor: Actor) -> None:
    """Lowers it. The caller holds it."""
    harm_class, wanted = HarmClass(str(request.parameters["harm_class"])), floor_of(request.parameters)
    before = floors.hold_raised(session, harm_class)
    floors.lower_for_all(session, harm_class, wanted)
    details = {
        "before": f"{before.first}-{before.clearest}",
        "after": f"{wanted.first}-{wanted.clearest}",
        "request": request.id,
        "second_person": request.on_record,
    }
    audit.append(session, actor, "floor.lower", f"harm-class:{harm_class}", details)
