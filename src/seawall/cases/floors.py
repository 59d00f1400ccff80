"""The floors of looks by harm class: what the settings say, what the organisation and each person have raised."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import delete, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from seawall.cases.stages import Floor, strictest
from seawall.database.documents import finding_from_json
from seawall.database.tables import CaseItem, Evidence, RevealFloor, now
from seawall.errors import Conflict, NotFound
from seawall.records import Finding, HarmClass, Match, RevealStage
from seawall.settings import Settings

Floors = Mapping[HarmClass, Floor]


def from_settings(settings: Settings) -> dict[HarmClass, Floor]:
    """What `SEAWALL_REVEAL_FLOORS` says, for every class."""
    told = settings.reveal_bounds
    return {each: Floor(*told[each]) if each in told else Floor() for each in HarmClass}


def of_organisation(session: Session, settings: Settings) -> dict[HarmClass, Floor]:
    """What binds everybody: the settings, and what was raised since."""
    raised = _kept(session, None)
    return {each: strictest([floor, *_of(raised, each)]) for each, floor in from_settings(settings).items()}


def of_person(session: Session, settings: Settings, user_id: int) -> dict[HarmClass, Floor]:
    """What binds this person: the organisation's, and their own."""
    own = _kept(session, user_id)
    return {each: strictest([floor, *_of(own, each)]) for each, floor in of_organisation(session, settings).items()}


def of_findings(floors: Floors, findings: Iterable[Finding]) -> Floor:
    """The floor of what was found, of all its classes at once. What no list knows may be anything: the strictest."""
    classes = {finding.list.harm_class for finding in findings if isinstance(finding, Match)}
    return strictest(floors[each] for each in classes or floors)


def of_evidence(session: Session, settings: Settings, evidence_id: int, user_id: int) -> Floor:
    """The floor of one piece of evidence for one person.

    Raises:
        NotFound: there is no such evidence.
    """
    item_id = session.scalar(select(Evidence.item_id).where(Evidence.id == evidence_id))
    if item_id is None:
        raise NotFound(f"There is no evidence {evidence_id}.")
    items = select(CaseItem.findings, CaseItem.retracted).where(
        or_(CaseItem.id == item_id, CaseItem.again_of == item_id)
    )
    found = [each for row in session.execute(items) for part in row for each in part]
    return of_findings(of_person(session, settings, user_id), [finding_from_json(each) for each in found])


def raise_for_all(session: Session, settings: Settings, harm_class: HarmClass, wanted: Floor) -> Floor:
    """Raises the organisation's floor of a class. Returns what it was. The audit event is the caller's.

    Raises:
        Conflict: it would show more than before.
    """
    before = of_organisation(session, settings)[harm_class]
    if not wanted.protects_as(before):
        raise Conflict(
            "That would show more than the floor of your organisation does.",
            hint="Here a floor can only be raised, to show less.",
        )
    _keep(session, None, harm_class, wanted)
    return before


def check_lower(session: Session, settings: Settings, harm_class: HarmClass, wanted: Floor) -> None:
    """Refuses what is no lower floor, or is one beyond the settings.

    Raises:
        Conflict: says which.
    """
    if not wanted.protects_as(from_settings(settings)[harm_class]):
        raise Conflict(
            "That would show more than the settings of this server allow.",
            hint="SEAWALL_REVEAL_FLOORS says how far a floor can be lowered here.",
        )
    if wanted.protects_as(of_organisation(session, settings)[harm_class]):
        raise Conflict("That shows no more than now.", hint="A floor is raised without a second person.")


def hold_raised(session: Session, harm_class: HarmClass) -> Floor:
    """What the organisation has raised the floor of a class to, held until the transaction ends.

    Raises:
        NotFound: nobody has raised it.
    """
    wanted = select(RevealFloor).where(RevealFloor.user_id.is_(None), RevealFloor.harm_class == harm_class.value)
    row = session.scalar(wanted.with_for_update().execution_options(populate_existing=True))
    if row is None:
        raise NotFound(
            "That floor was not raised here, so that it cannot be lowered here.",
            hint="What binds it is the setting SEAWALL_REVEAL_FLOORS.",
        )
    return Floor(RevealStage(row.first), RevealStage(row.clearest))


def lower_for_all(session: Session, harm_class: HarmClass, wanted: Floor) -> None:
    """Sets what was raised to less. What the settings say binds as before. The caller holds it, and the audit event
    is theirs."""
    _keep(session, None, harm_class, wanted)


def set_own(session: Session, settings: Settings, user_id: int, harm_class: HarmClass, wanted: Floor) -> Floor:
    """Sets what a person wants for themself, at least as protective as the organisation's. Returns what bound them.

    Raises:
        Conflict: it would show more than the organisation's.
    """
    before = of_person(session, settings, user_id)[harm_class]
    organisation = of_organisation(session, settings)[harm_class]
    if not wanted.protects_as(organisation):
        raise Conflict(
            "That would show more than the floor of your organisation does.",
            hint="For yourself you can raise a floor, to see less, and take that back again.",
        )
    if wanted == organisation:
        session.execute(
            delete(RevealFloor).where(RevealFloor.user_id == user_id, RevealFloor.harm_class == harm_class.value)
        )
    else:
        _keep(session, user_id, harm_class, wanted)
    return before


def _kept(session: Session, user_id: int | None) -> dict[HarmClass, Floor]:
    whose = RevealFloor.user_id.is_(None) if user_id is None else RevealFloor.user_id == user_id
    return {
        HarmClass(row.harm_class): Floor(RevealStage(row.first), RevealStage(row.clearest))
        for row in session.scalars(select(RevealFloor).where(whose))
    }


def _of(kept: Floors, harm_class: HarmClass) -> list[Floor]:
    return [kept[harm_class]] if harm_class in kept else []


def _keep(session: Session, user_id: int | None, harm_class: HarmClass, wanted: Floor) -> None:
    values = {"first": wanted.first.value, "clearest": wanted.clearest.value, "set_at": now()}
    session.execute(
        insert(RevealFloor)
        .values(user_id=user_id, harm_class=harm_class.value, **values)
        .on_conflict_do_update(index_elements=["user_id", "harm_class"], set_=values)
    )
