"""Handing the sealed originals of a case to an authority takes two people: asked for, let go by a second person.

What the second person lets go is exactly what was asked for: these items, for these public keys. The package is
written afterwards (`handing_on.py`), since it may be large.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from sqlalchemy.orm import Session

from seawall.access.requests import Parameters, RequestInfo
from seawall.database.tables import Case
from seawall.errors import BadInput, Conflict, NotFound, ReportInvalid
from seawall.evidence import audit
from seawall.evidence.vault import Vault
from seawall.records import Actor
from seawall.reporting import originals, package, vics
from seawall.reporting.nca import drafting as nca
from seawall.reporting.nca.form import HINT

LONGEST_NAME = 200
FOR_THE_NCA = "whoever enters it in the NCA's portal"


def parameters_of(
    session: Session, case_id: int, to_whom: str, recipients: Sequence[str], country: str = ""
) -> Parameters:
    """All originals of a case that may be handed on now, and for whom.

    Raises:
        BadInput: nobody is named, or a recipient is no public key of age.
        NotFound: there is no such case.
        Conflict: nothing of it may be handed on.
    """
    if session.get(Case, case_id) is None:
        raise NotFound(f"There is no case {case_id}.")
    items = originals.items_with_originals(session, case_id)
    return _parameters(case_id, items, to_whom, recipients, country)


def parameters_of_report(session: Session, vault: Vault, report_id: int, recipients: Sequence[str]) -> Parameters:
    """The pack of a report to the NCA: its form, by its digest, and the originals of its items.

    Raises:
        BadInput: a recipient is no public key of age.
        NotFound: there is no such report.
        Conflict: it has no originals, or they are not confirmed any more.
        ReportInvalid: it is not complete; the message says what is missing.
    """
    row = nca.locked(session, report_id)
    form = nca.opened(session, vault, row)
    if found := form.problems():
        raise ReportInvalid(" ".join(found), hint=HINT)
    wanted = _parameters(row.case_id, _originals_of(session, report_id, row.case_id), FOR_THE_NCA, recipients, "GB")
    return {**wanted, "report": report_id, "form": form.sha256}


def refuse_other_items(session: Session, parameters: Parameters) -> None:
    """Looks whether the report that a package is the pack of has the same originals as when it was asked for.

    Raises:
        Conflict: it has not.
    """
    number = report_of(parameters)
    case_id = int(str(parameters["case"]))
    if number is not None and _originals_of(session, number, case_id) != items_of(parameters):
        raise Conflict(f"Report {number} has other items than when its pack was asked for.", hint="Ask for it anew.")


def _originals_of(session: Session, report_id: int, case_id: int) -> list[int]:
    told = set(nca.items_of(session, report_id))
    return [item for item in originals.items_with_originals(session, case_id) if item in told]


def _parameters(
    case_id: int, items: list[int], to_whom: str, recipients: Sequence[str], country: str
) -> dict[str, audit.Json]:
    name = to_whom.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise BadInput(
            f"Say who it is for, in at most {LONGEST_NAME} characters.",
            hint="An authority, and who there asked for it.",
        )
    keys = package.checked_recipients(recipients)
    model = vics.checked_country(country)
    if not items:
        raise Conflict(
            f"Case {case_id} has nothing that may be handed on.",
            hint="It takes a confirmed item of abuse material whose bytes are sealed.",
        )
    return {"case": case_id, "items": [*items], "for": name, "recipients": [*keys], "country": model}


def subject_of(case_id: int) -> str:
    """The export of a case, as a request names it."""
    return f"export:{case_id}"


def hold(session: Session, parameters: Parameters) -> str:
    """Stands differently when one of the items was decided otherwise or has other bytes.

    Raises:
        NotFound: one of them is not confirmed any more.
    """
    return originals.hold_originals(session, int(str(parameters["case"])), items_of(parameters))


def carry_out(session: Session, request: RequestInfo, actor: Actor) -> None:
    """Lets the package be written from now on. The caller holds the case."""
    details: dict[str, audit.Json] = {
        "request": request.id,
        "files": len(items_of(request.parameters)),
        "for": str(request.parameters["for"]),
        "recipients": list(recipients_of(request.parameters)),
        "second_person": request.on_record,
    }
    audit.append(session, actor, "evidence.export_allow", f"case:{request.parameters['case']}", details)


def report_of(parameters: Parameters) -> int | None:
    """The report to the NCA that the package is the pack of; None where it is of none."""
    number = parameters.get("report")
    return number if isinstance(number, int) else None


def form_of(parameters: Parameters) -> str:
    """The digest of the form that the package is to hold; empty where none was asked for."""
    return str(parameters.get("form", ""))


def items_of(parameters: Parameters) -> list[int]:
    """Which items are meant, by their numbers."""
    return cast("list[int]", parameters["items"])


def recipients_of(parameters: Parameters) -> list[str]:
    """The public keys that will open the package."""
    return cast("list[str]", parameters["recipients"])
