"""What a person says of a case that no list can say: that a child may be in danger now."""

from __future__ import annotations

from sqlalchemy.orm import Session

from seawall.cases.items import weigh
from seawall.database.tables import Case


def mark(session: Session, case_id: int) -> None:
    """Writes it, and weighs the case anew. The caller holds the case."""
    case = session.get_one(Case, case_id, populate_existing=True)
    case.at_risk = True
    weigh(session, case, urgent=True)
